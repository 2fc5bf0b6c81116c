"""runqlen: two that want one CPU are always one waiting there."""

import time

from harness import *


def buckets(record):
    return {b["low"]: b["count"] for b in record["buckets"]}


def by_cpu(result):
    return {r["cpu"]: r for r in result.json[:-1]}


@contextlib.contextmanager
def pair(cgroups=(None, None)):
    """Two that want CPU 1."""
    both = [spawn([WORK, "spin", 30000, 1], cgroup=group) for group in cgroups]
    time.sleep(0.3)
    yield
    for one in both:
        one.stop(signal.SIGKILL)


@alone
def test_lengths():
    with pair():
        began = time.monotonic()
        result = tool("runqlen", "-C", "2", "1", json=True).wait()
        passed = time.monotonic() - began
        text = tool("runqlen", "1", "1").wait()
    cpus = by_cpu(result)
    assert sorted(cpus) == list(range(os.cpu_count()))
    for record in cpus.values():
        assert record["unit"] == "runqlen" and sum(buckets(record).values()) == record["count"]
        # No ticks while the emulator does not let the guest run.
        assert 100 <= record["count"] <= 99 * passed + 2
    busy = buckets(cpus[1])
    assert busy.get(0, 0) == 0  # one of the two always waits
    assert busy[1] >= 0.8 * cpus[1]["count"] and sum(busy.values()) == cpus[1]["count"]
    # The rest of the guest has the other CPU to itself.
    assert buckets(cpus[0])[0] >= 0.5 * cpus[0]["count"]
    assert text.out.startswith(
        "Sampling run queue length... Hit Ctrl-C to end.\n\n"
        "     runqlen       : count     distribution\n"
        "        0          : "
    )
    assert set(text.histogram) >= {(0, 0), (1, 1)}
    assert text.histogram[(1, 1)] >= 40


@alone
def test_occupancy():
    with pair():
        each = tool("runqlen", "-O", "-C", "1", "1").wait().out
        whole = tool("runqlen", "-TO", "1", "1").wait().out
    lines = re.findall(r"^runqocc, CPU (.{3}) (.{6})%$", each, re.M)
    assert len(lines) == os.cpu_count()
    found = {int(cpu): float(percent) for cpu, percent in lines}
    assert found[1] == 100.0 and found[0] <= 50.0
    (percent,) = re.findall(r"^\n\d\d:\d\d:\d\d\nrunqocc: (\d+\.\d\d)%$", whole, re.M)
    assert 45.0 <= float(percent) <= 75.0


@alone
def test_frequency():
    began = time.monotonic()
    result = tool("runqlen", "-C", "--frequency", "25", "2", "1", json=True).wait()
    passed = time.monotonic() - began
    for record in by_cpu(result).values():
        assert 30 <= record["count"] <= 25 * passed + 2
    assert tool_run("runqlen", "--frequency", "0").code == 2


@alone
def test_groups_and_host():
    """One each in two groups: neither waits in its own group's queue, but one does on the CPU."""
    with cgroup(cpu_weight=100) as first, cgroup(cpu_weight=100) as second:
        with pair((first, second)):
            group = by_cpu(tool("runqlen", "-C", "1", "1", json=True).wait())
            host = by_cpu(tool("runqlen", "-C", "--host", "1", "1", json=True).wait())
            inside = tool("runqlen", "-C", "--cgroup", str(first), "1", "1", json=True).wait()
    alone_there = buckets(group[1])
    assert alone_there[0] >= 0.8 * group[1]["count"]
    assert buckets(host[1]).get(0, 0) == 0 and buckets(host[1])[1] >= 0.8 * host[1]["count"]
    # --cgroup: only the samples that find one of the group running, about half of CPU 1's.
    (record,) = inside.json[:-1]
    assert record["cpu"] == 1 and 15 <= record["count"] <= 0.8 * 99


@alone
@needs("program:/usr/sbin/runqlen")
def test_peer():
    """Debian's runqlen sees the same queue."""
    with pair():
        ours = tool("runqlen", "-O", "-C", "1", "1").wait().out
        theirs = run(["/usr/sbin/runqlen", "-O", "-C", "1", "1"]).out
    pattern = r"^runqocc, CPU 1 +(\d+\.\d\d)%$"
    assert float(re.search(pattern, ours, re.M).group(1)) == 100.0
    assert float(re.search(pattern, theirs, re.M).group(1)) >= 98.0
