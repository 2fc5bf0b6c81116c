"""futexctn: a mutex that another thread waits for, a known number of times and for a known time."""

import re

from harness import *

N, US = 10, 20_000


def contend(*options, how=(), json=True):
    """(what was done, result); a second process that does the same is not asked for."""
    workload = waiting_work("mutex", N, US, *how)
    tracer = tool("futexctn", *options, "-p", workload.pid, json=json)
    work("mutex", 1, 1000)
    return workload.go(), tracer.stop()


def test_waits_of_one_lock():
    did, result = contend()
    rows = [row for row in result.json if row.get("lock") == did["lock"]]
    (row,) = rows
    assert (row["pid"], row["tid"], row["comm"], row["unit"]) == (did["pid"], did["tid"], "work", "usecs")
    assert row["count"] == N
    assert did["least_us"] <= row["total_ns"] / 1000 <= did["most_us"]
    assert US * 1000 <= row["min_ns"] <= row["total_ns"] / N <= row["max_ns"]
    assert row["max_ns"] <= row["total_ns"] - (N - 1) * US * 1000
    assert row["total_ns"] / 1000 - N <= row["sum"] <= row["total_ns"] / 1000
    assert sum(b["count"] for b in row["buckets"] if b["high"] >= US) == N
    assert {row["pid"] for row in result.json[:-1]} == {did["pid"]}


def test_stack():
    did, result = contend(how=("hand",))
    (row,) = [row for row in result.json if row.get("lock") == did["lock"]]
    assert row["count"] == N and row["user"][:2] == ["work_wait_for_lock", "want"]
    assert did["least_us"] <= row["total_ns"] / 1000 <= did["most_us"]
    did, result = contend(how=("hand",), json=False)
    assert re.search(rf"^work\[{did['tid']}\] lock .* usecs\]\n    -\n    work_wait_for_lock\n    want\n"
                     r"(    \S.*\n)*    -\n     usecs ", result.out, re.MULTILINE)


def test_text_and_summary():
    did, result = contend("-s", "-m", json=False)
    out = result.out
    assert out.startswith("Summarize futex contention latency, hit Ctrl-C to end.\n")
    found = re.search(
        rf"^work\[{did['tid']}\] lock 0x{did['lock']:x} contended {N} times, (\d+) avg msecs "
        r"\[max: (\d+) msecs, min (\d+) msecs\]\n     msecs +: count     distribution\n", out, re.MULTILINE)
    average, longest, shortest = (int(group) for group in found.groups())
    assert US // 1000 <= shortest <= average <= longest and average <= did["most_us"] / N / 1000


def test_filters():
    did, result = contend("-l", "0x1000")
    assert not result.json[:-1]
    workload = waiting_work("mutex", 2, US)
    # Of its two threads only the second waits.
    first, interval = tool("futexctn", "-t", workload.pid, json=True), tool("futexctn", "-T", "3600", "1", "-p", workload.pid)
    did = workload.go()
    assert did["tid"] != did["pid"] and not [row for row in first.stop().json if row.get("lock") == did["lock"]]
    assert re.search(rf"^\d\d:\d\d:\d\d\n\nwork\[{did['tid']}\]", interval.stop().out, re.MULTILINE)
    for options in (("-l", "x"), ("-l", "0"), ("0",), ("1", "0")):
        assert tool_run("futexctn", *options).code == 2
