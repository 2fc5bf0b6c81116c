"""hardirqs: counts equal those of /proc/interrupts."""

import time

from harness import *


def kernel_counts(cpu=None):
    """By handler: the last word of a line, for lines that are of one handler; on arm64 those for calls
    between CPUs, IPI0 and on, have one, too."""
    found = {}
    head, *lines = Path("/proc/interrupts").read_text().splitlines()
    cpus = len(head.split())
    for line in lines:
        number, *parts = line.split()
        call = re.fullmatch(r"IPI\d:", number)
        if call or (number.rstrip(":").isdigit() and "," not in line):
            counts = list(map(int, parts[:cpus]))
            name = "IPI" if call else parts[-1]
            found[name] = found.get(name, 0) + (sum(counts) if cpu is None else counts[cpu])
    return found


def traffic():
    """Reading what is not cached: interrupts of a disk, or of what stands for one."""
    descriptor = os.open("/usr/bin/perl", os.O_RDONLY)
    for _ in range(6):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.lseek(descriptor, 0, os.SEEK_SET)
        while os.read(descriptor, 1 << 20):
            pass
    os.close(descriptor)


def traced(*args, cpu=None, json=True):
    before = kernel_counts(cpu)
    tracer = tool("hardirqs", *args, json=json)
    inside = kernel_counts(cpu)
    traffic()
    inside_end = kernel_counts(cpu)
    result = tracer.stop()
    after = kernel_counts(cpu)
    low = {name: inside_end[name] - inside[name] for name in before}
    high = {name: after[name] - before[name] for name in before}
    return result, low, high


def check(counts, low, high, slack=0):
    assert set(counts) <= set(low)
    assert max(low.values()) >= 20  # the disk worked
    for name in low:
        assert low[name] - slack <= counts.get(name, 0) <= high[name] + slack, name



@alone
def test_counts():
    result, low, high = traced("-C")
    check({r["hardirq"]: r["count"] for r in result.json[:-1]}, low, high)
    assert not any(result.json[-1]["lost"].values())
    result, low, high = traced("-C", json=False)
    head = f"{'HARDIRQ':<26} {'TOTAL_count':>11}"
    assert result.out.splitlines()[:3] == ["Tracing hard irq events... Hit Ctrl-C to end.", "", head]
    counts = [row["TOTAL_count"] for row in result.rows]
    check({row["HARDIRQ"]: row["TOTAL_count"] for row in result.rows}, low, high)
    assert counts == sorted(counts)


@alone
def test_time():
    began = time.monotonic()
    result, low, high = traced()
    passed = (time.monotonic() - began) * 1e9
    records = result.json[:-1]
    check({r["hardirq"]: r["count"] for r in records}, low, high)
    assert all(0 < r["total_ns"] < passed for r in records)
    assert [r["total_ns"] for r in records] == sorted(r["total_ns"] for r in records)
    result, low, high = traced("-N", json=False)
    assert f"\n{'HARDIRQ':<26} {'TOTAL_nsecs':>11}\n" in result.out
    assert {row["HARDIRQ"] for row in result.rows} >= {name for name in low if low[name]}


@alone
def test_histograms():
    result, low, high = traced("-d", "-N")
    records = result.json[:-1]
    check({r["hardirq"]: r["count"] for r in records}, low, high)
    for record in records:
        assert record["unit"] == "nsecs"
        assert sum(b["count"] for b in record["buckets"]) == record["count"]
    result, low, high = traced("-dT", json=False)
    counts = {label: sum(n.values()) for label, n in result.histograms.items()}
    check({label.removeprefix("hardirq = "): n for label, n in counts.items()}, low, high)
    assert re.match(
        r"Tracing hard irq event time\.\.\. Hit Ctrl-C to end\.\n\n\d\d:\d\d:\d\d\n\nhardirq = \S+\n"
        r"     usecs               : count     distribution\n",
        result.out,
    )


@alone
def test_cpu():
    """Each CPU has its own start: what one takes is not mixed with the other."""
    taken = {}
    for cpu in range(os.cpu_count()):
        before = kernel_counts(cpu)
        tracer = tool("hardirqs", "-c", str(cpu), json=True)
        inside = kernel_counts(cpu)
        traffic()
        inside_end = kernel_counts(cpu)
        counts = {r["hardirq"]: r["count"] for r in tracer.stop().json[:-1]}
        after = kernel_counts(cpu)
        for name in before:
            low, high = inside_end[name] - inside[name], after[name] - before[name]
            assert low <= counts.get(name, 0) <= high, (cpu, name)
        taken[cpu] = sum(counts.values())
    assert max(taken.values()) >= 20


def test_intervals_and_errors():
    result = tool("hardirqs", "1", "2").wait()
    assert result.out.count(f"\n{'HARDIRQ':<26} {'TOTAL_usecs':>11}\n") == 2
    for args in (("-C", "-d"), ("-C", "-N"), ("-c", "100000")):
        assert tool_run("hardirqs", *args).code == 2, args


@alone
def test_units():
    """What is called microseconds is no other: three tracers of the same time (bcc@f2d125e2)."""
    us, ns, data = tool("hardirqs"), tool("hardirqs", "-N"), tool("hardirqs", json=True)
    traffic()
    data, ns, us = data.stop(), ns.stop(), us.stop()
    most = max(data.json[:-1], key=lambda row: row["total_ns"])
    (us,), (ns,) = ([row for row in result.rows if row["HARDIRQ"] == most["hardirq"]] for result in (us, ns))
    for total in (us["TOTAL_usecs"] * 1000, ns["TOTAL_nsecs"]):
        assert most["total_ns"] / 5 <= total <= most["total_ns"] * 5


@alone
@needs("program:/usr/sbin/hardirqs")
def test_peer():
    """Debian's hardirqs counts as the kernel does, and so as ours."""
    before = kernel_counts()
    tracer = spawn(["stdbuf", "-oL", "/usr/sbin/hardirqs", "-C"])
    tracer.until("Tracing")
    inside = kernel_counts()
    traffic()
    inside_end = kernel_counts()
    result = tracer.stop()
    after = kernel_counts()
    check(
        {row["HARDIRQ"]: row["TOTAL_count"] for row in result.rows},
        {name: inside_end[name] - inside[name] for name in before},
        {name: after[name] - before[name] for name in before},
    )
