"""runqlat: counts and sums equal the kernel's own account, /proc/PID/schedstat."""

import time

from harness import *

# The kernel's account is read by the workload itself shortly before its end: what comes after that
# (writing a line, exiting) may be preempted a few times more.
AFTER = 4


def pair(cpu, count=60, on=10000):
    """Two processes that want the same CPU all the time."""
    both = [spawn([WORK, "burst", count, on, 0, cpu]) for _ in range(2)]
    return [one.wait().words for one in both]


def gained(did, key):
    """For a process that waited for go(): from then on."""
    return did[key] - did[f"before_{key}"]


def histogram_of(records, **key):
    (record,) = [r for r in records if all(r.get(k) == v for k, v in key.items())]
    return record


def buckets(record):
    return {(b["low"], b["high"]): b["count"] for b in record["buckets"]}


@alone
def test_waits_equal_the_kernels_account():
    tracer = tool("runqlat", "-P", json=True, cpu=0)
    stretches = tool("cpudist", "-P", json=True, cpu=0)
    began = time.monotonic()
    did = pair(1)
    result, stretches = tracer.stop(), stretches.stop().json[:-1]
    passed = (time.monotonic() - began) * 1e6
    records = result.json[:-1]
    assert not any(result.json[-1]["lost"].values())
    for one in did:
        record = histogram_of(records, pid=one["pid"])
        assert one["preempted"] > 10
        assert one["slices"] <= record["count"] <= one["slices"] + AFTER
        # The kernel reads its clock a little before; the emulator may stop in between.
        wait_us = one["wait_ns"] / 1000
        assert abs(record["sum"] - wait_us) <= 0.02 * wait_us + 300 * record["count"]
        # What is not waiting is running: whatever comes between the clocks, their sum is the same.
        ran_us = histogram_of(stretches, pid=one["pid"])["total_ns"] / 1000
        assert one["run_ns"] / 1000 + wait_us <= ran_us + record["sum"] + record["count"]
        # Two that share a CPU wait for each other's slices; others interrupt them for less.
        slices = [n for (low, _), n in buckets(record).items() if low >= 1024]
        assert sum(slices) >= 0.8 * one["preempted"]
    for record in records:
        assert record["pid"] != 0  # the idle threads
        assert record["unit"] == "usecs" and sum(buckets(record).values()) == record["count"]
        assert record["buckets"][-1]["low"] <= passed
    assert len({record["pid"] for record in records}) == len(records)


@alone
def test_milliseconds_of_a_process():
    first, second = (waiting_work("burst", 40, 10000, 0, 1) for _ in range(2))
    text = tool("runqlat", "-m", "-p", first.pid)
    json = tool("runqlat", "-m", "-p", first.pid, json=True)
    second.begin()
    did = first.go()
    second.wait()
    text, json = text.stop(), json.stop()
    assert text.out.startswith("Tracing run queue latency... Hit Ctrl-C to end.\n\n     msecs   ")
    (record,) = json.json[:-1]
    assert record["unit"] == "msecs"
    assert sum(text.histogram.values()) == record["count"]
    assert gained(did, "slices") <= record["count"] <= gained(did, "slices") + AFTER
    # Cut to whole milliseconds.
    wait_ms = gained(did, "wait_ns") / 1e6
    assert wait_ms * 0.98 - 1.3 * record["count"] <= record["sum"] <= wait_ms * 1.02 + 0.3 * record["count"]
    assert alike(text.histogram, buckets(record))


def test_threads_and_processes():
    by_thread, by_process = tool("runqlat", "-L", json=True), tool("runqlat", "-P", json=True)
    out = run([WORK, "threads", 3, "burst", 20, 2000, 1000]).out
    by_thread, by_process = by_thread.stop().json[:-1], by_process.stop().json[:-1]
    did = [words(line) for line in out.splitlines()]
    (pid,) = {one["pid"] for one in did}
    whole = histogram_of(by_process, pid=pid)["count"]
    assert sum(one["slices"] for one in did) <= whole
    # Threads have the ids after their process's, and 20 sleeps each.
    threads = [r for r in by_thread if pid < r["tid"] <= pid + 8 and r["count"] >= 20]
    assert len(threads) >= 3 and not any(r["tid"] == 0 for r in by_thread)


def test_pid_namespaces():
    tracer = tool("runqlat", "--pidnss", json=True)
    did = run(in_pid_namespace([WORK, "burst", 30, 100, 1000])).words
    records = tracer.stop().json[:-1]
    inside = histogram_of(records, pidns=did["pidns"])
    assert did["pid"] == 1 and did["slices"] <= inside["count"] <= did["slices"] + AFTER
    assert histogram_of(records, pidns=os.stat("/proc/self/ns/pid").st_ino)["count"] > 0


def test_intervals():
    result = tool("runqlat", "-T", "1", "2").wait()
    assert len(re.findall(r"^\d\d:\d\d:\d\d$", result.out, re.M)) == 2
    assert result.out.count(": count     distribution") == 2
    assert not result.err


def test_short_tasks_have_no_absurd_waits():
    tracer = tool("runqlat", json=True)
    began = time.monotonic()
    did = work("fork", 300, limit=60)
    record, end = tracer.stop().json
    passed = (time.monotonic() - began) * 1e6
    assert record["count"] >= 2 * len(did["children"]) and not any(end["lost"].values())
    assert record["buckets"][-1]["low"] < passed and record["sum"] < passed * 1000


@alone
@needs("program:/usr/sbin/runqlat")
def test_peer():
    """Debian's runqlat counts the same waits of a process."""
    first, second = (waiting_work("burst", 40, 10000, 0, 1) for _ in range(2))
    ours = tool("runqlat", "-p", first.pid, json=True)
    theirs = spawn(["stdbuf", "-oL", "/usr/sbin/runqlat", "-p", first.pid])
    theirs.until("Tracing")
    second.begin()
    did = first.go()
    second.wait()
    ours, theirs = ours.stop().json[0], theirs.stop().histogram
    assert gained(did, "slices") <= ours["count"] <= gained(did, "slices") + AFTER
    assert abs(sum(theirs.values()) - ours["count"]) <= 2
    slices = lambda counts: sum(n for (low, _), n in counts.items() if low >= 1024)
    assert abs(slices(theirs) - slices(buckets(ours))) <= 2
