"""softirqs: counts equal those of /proc/softirqs."""

import time

from harness import *

NAMES = "hi timer net_tx net_rx block irq_poll tasklet sched hrtimer rcu".split()


def kernel_counts(cpu=None):
    found = {}
    for line in Path("/proc/softirqs").read_text().splitlines()[1:]:
        name, *counts = line.split()
        counts = list(map(int, counts))
        found[name.rstrip(":").lower()] = sum(counts) if cpu is None else counts[cpu]
    return found


def traffic(n=150):
    run(["ping", "-q", "-c", n, "-i", "0.002", "127.0.0.1"])


def traced(*args, cpu=None, json=True):
    """What the applet says, and the counts that it cannot be below and above."""
    before = kernel_counts(cpu)
    tracer = tool("softirqs", *args, json=json)
    inside = kernel_counts(cpu)
    traffic()
    inside_end = kernel_counts(cpu)
    result = tracer.stop()
    after = kernel_counts(cpu)
    low = {name: inside_end[name] - inside[name] for name in NAMES}
    high = {name: after[name] - before[name] for name in NAMES}
    return result, low, high


def check(counts, low, high, slack=0):
    assert set(counts) <= set(NAMES)
    for name in NAMES:
        # One that had begun when tracing did, or had not ended, has no time: at most one a CPU.
        assert low[name] - slack <= counts.get(name, 0) <= high[name] + slack, name


def test_names_are_the_kernels():
    assert list(kernel_counts()) == NAMES


@alone
def test_events():
    result, low, high = traced("-C")
    counts = {r["softirq"]: r["count"] for r in result.json[:-1]}
    check(counts, low, high)
    assert low["net_rx"] >= 150 and counts["net_rx"] >= 300 * 0.5
    assert not any(result.json[-1]["lost"].values())
    result, low, high = traced("-C", json=False)
    head = f"{'SOFTIRQ':<16} {'TOTAL_count':>11}"
    assert result.out.splitlines()[:3] == ["Tracing soft irq events... Hit Ctrl-C to end.", "", head]
    rows = result.rows
    check({row["SOFTIRQ"]: row["TOTAL_count"] for row in rows}, low, high)
    assert [row["TOTAL_count"] for row in rows] == sorted(row["TOTAL_count"] for row in rows)


@alone
def test_time():
    began = time.monotonic()
    result, low, high = traced()
    passed = (time.monotonic() - began) * 1e9
    records = result.json[:-1]
    check({r["softirq"]: r["count"] for r in records}, low, high, os.cpu_count())
    assert all(0 < r["total_ns"] < passed for r in records)
    assert sum(r["total_ns"] for r in records) < passed * os.cpu_count()
    assert [r["total_ns"] for r in records] == sorted(r["total_ns"] for r in records)
    result, low, high = traced("-T", json=False)
    head = f"{'SOFTIRQ':<16} {'TOTAL_usecs':>11}"
    assert re.match(
        r"Tracing soft irq event time\.\.\. Hit Ctrl-C to end\.\n\n\d\d:\d\d:\d\d\n" + head, result.out
    )
    assert {row["SOFTIRQ"] for row in result.rows} >= {n for n in NAMES if low[n] > 2}


@alone
def test_histograms():
    result, low, high = traced("-d", "-N")
    records = result.json[:-1]
    check({r["softirq"]: r["count"] for r in records}, low, high, os.cpu_count())
    for record in records:
        assert record["unit"] == "nsecs"
        assert sum(b["count"] for b in record["buckets"]) == record["count"]
        least = sum(b["low"] * b["count"] for b in record["buckets"])
        most = sum(b["high"] * b["count"] for b in record["buckets"])
        assert least <= record["sum"] <= most
    result, low, high = traced("-d", json=False)
    counts = {label: sum(n.values()) for label, n in result.histograms.items()}
    check({label.removeprefix("softirq = "): n for label, n in counts.items()}, low, high, 2)
    assert "\nsoftirq = net_rx\n     usecs               : count     distribution\n" in result.out


@alone
def test_cpu():
    """Each CPU has its own start: what one does is not mixed with the other."""
    for cpu in range(os.cpu_count()):
        result, low, high = traced("-c", str(cpu), cpu=cpu)
        check({r["softirq"]: r["count"] for r in result.json[:-1]}, low, high, 1)


def test_nanoseconds_and_errors():
    result = tool("softirqs", "-N", "1", "2").wait()
    assert result.out.count(f"\n{'SOFTIRQ':<16} {'TOTAL_nsecs':>11}\n") == 2
    for args in (("-C", "-d"), ("-C", "-N"), ("-c", "100000"), ("-c", "-1")):
        assert tool_run("softirqs", *args).code == 2, args


@alone
def test_units():
    """What is called microseconds is no other: three tracers of the same time (bcc@f2d125e2)."""
    us, ns, data = tool("softirqs"), tool("softirqs", "-N"), tool("softirqs", json=True)
    traffic()
    data, ns, us = data.stop(), ns.stop(), us.stop()
    most = max(data.json[:-1], key=lambda row: row["total_ns"])
    (us,), (ns,) = ([row for row in result.rows if row["SOFTIRQ"] == most["softirq"]] for result in (us, ns))
    for total in (us["TOTAL_usecs"] * 1000, ns["TOTAL_nsecs"]):
        assert most["total_ns"] / 5 <= total <= most["total_ns"] * 5


@alone
@needs("program:/usr/sbin/softirqs")
def test_peer():
    """Debian's softirqs counts the same, by its histograms."""
    ours = tool("softirqs", "-d", json=True)
    theirs = spawn(["stdbuf", "-oL", "/usr/sbin/softirqs", "-d"])
    theirs.until("Tracing")
    traffic(500)
    theirs = theirs.stop().histograms
    ours = {r["softirq"]: r["count"] for r in ours.stop().json[:-1]}
    counts = {label.removeprefix("softirq = "): sum(n.values()) for label, n in theirs.items()}
    assert counts["net_rx"] <= ours["net_rx"] <= counts["net_rx"] * 1.1 + 10
