"""softirqslower: with a threshold of 0 as many as /proc/softirqs counts; with one, those above it."""

import collections
import os

from harness import *
from test_softirqs import kernel_counts, traffic

RAISED, RUN = "irq(hard) to softirq", "softirq runtime"


@alone
def test_each_soft_interrupt_waits_and_runs():
    before = kernel_counts()
    slower = tool("softirqslower", "0", json=True)
    softirqs = tool("softirqs", "-N", json=True)
    inside = kernel_counts()
    traffic()
    inside_end = kernel_counts()
    softirqs, result = softirqs.stop(), slower.stop()
    after = kernel_counts()
    rows = result.json[:-1]
    assert not any(result.json[-1]["lost"].values())
    ran = collections.Counter(r["softirq"] for r in rows if r["stage"] == RUN)
    waited = collections.Counter(r["softirq"] for r in rows if r["stage"] == RAISED)
    for name in after:
        low, high = inside_end[name] - inside[name], after[name] - before[name]
        # What had been raised or had begun when tracing did has no time: at most one a CPU.
        assert low - os.cpu_count() <= ran[name] <= high, name
        assert low - os.cpu_count() <= waited[name] <= high, name
    assert ran["net_rx"] >= 150
    # softirqs measured some of the same ones, from just after our entry to just before our exit.
    for row in softirqs.json[:-1]:
        total = sum(r["lat_ns"] for r in rows if r["softirq"] == row["softirq"] and r["stage"] == RUN)
        assert ran[row["softirq"]] + os.cpu_count() >= row["count"]
        assert total >= 0.5 * row["total_ns"], row


@alone
def test_threshold_and_cpu():
    every = tool("softirqslower", "0", json=True)
    some = tool("softirqslower", "100", json=True)
    one = tool("softirqslower", "-c", "1", "0", json=True)
    text = tool("softirqslower", "0")
    traffic(50)
    text, one, some, every = text.stop(), one.stop(), some.stop(), every.stop()
    assert all(r["lat_ns"] >= 100_000 for r in some.json[:-1])
    assert len(some.json) < len(every.json)
    assert {r["cpu"] for r in one.json[:-1]} == {1} and len({r["cpu"] for r in every.json[:-1]}) > 1
    assert text.out.startswith("Tracing softirq latency higher than 0 us... Hit Ctrl-C to end.\n")
    assert text.out.splitlines()[1].split() == "TIME STAGE SOFTIRQ LAT(us) CPU COMM".split()
    assert re.search(r"^\d\d:\d\d:\d\d softirq runtime +net_rx +\d+ +[01] ", text.out, re.M)


def test_bad_input():
    assert tool_run("softirqslower", "-c", "100000").code == 2
    assert tool_run("softirqslower", "fast").code == 2
