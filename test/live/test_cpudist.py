"""cpudist: stretches on and off CPU equal what the workload saw by its own clock."""

import time

from harness import *

AFTER = 4  # as in test_runqlat.py


def buckets(record):
    return {(b["low"], b["high"]): b["count"] for b in record["buckets"]}


def at_least(record, us):
    return sum(b["count"] for b in record["buckets"] if b["low"] >= us)


def gained(did, key):
    """For a process that waited for go(): from then on."""
    return did[key] - did[f"before_{key}"]


def of(records, **key):
    (record,) = [r for r in records if all(r.get(k) == v for k, v in key.items())]
    return record


@alone
def test_on_cpu():
    tracer, queues = tool("cpudist", "-P", json=True), tool("runqlat", "-P", json=True)
    began = time.monotonic()
    did = work("burst", 40, 10000, 10000)
    result, queues = tracer.stop(), queues.stop()
    passed = (time.monotonic() - began) * 1e9
    record = of(result.json[:-1], pid=did["pid"])
    assert not any(result.json[-1]["lost"].values())
    assert record["comm"] == "work" and record["unit"] == "usecs"
    assert did["slices"] <= record["count"] <= did["slices"] + AFTER
    # A run of 10 ms or more that was not preempted is one stretch, a little longer than it.
    whole = len(did["ran_us"]) - did["preempted"]
    assert 0 < whole <= at_least(record, 8192)
    assert buckets(record)[(8192, 16383)] > 0
    # Who wakes on an idle CPU is charged by the scheduler from the wakeup on, not from the switch: it
    # saves itself reading the clock again (rq_clock_skip_update() in wakeup_preempt()). To us that
    # is waiting. Together, running and waiting are the same time to both.
    waits = of(queues.json[:-1], pid=did["pid"])
    seen = record["total_ns"] + (waits["sum"] + waits["count"]) * 1000  # whole microseconds
    assert did["run_ns"] + did["wait_ns"] <= seen
    assert record["total_ns"] <= passed
    ran = sum(did["ran_us"]) * 1000
    assert record["total_ns"] >= ran - did["wait_ns"]
    assert record["total_ns"] / 1000 - record["count"] <= record["sum"] <= record["total_ns"] / 1000
    assert all(r["pid"] for r in result.json[:-1])  # not idle


@alone
def test_off_cpu():
    tracer = tool("cpudist", "-O", "-P", json=True)
    did = work("burst", 40, 1000, 20000)
    result = tracer.stop()
    record = of(result.json[:-1], pid=did["pid"])
    assert did["slices"] - 1 <= record["count"] <= did["slices"] + AFTER
    # A sleep is a stretch, a little shorter than the workload's clock says: 20 ms and more.
    assert 0.9 * len(did["slept_us"]) <= at_least(record, 16384)
    assert buckets(record)[(16384, 32767)] > 0
    slept = sum(did["slept_us"]) * 1000
    # Waiting in execve() and at exit comes on top of what the workload knows of.
    known = of(result.json[:-1], pid=did["pid"])["total_ns"]
    assert slept * 0.95 <= known
    text = tool("cpudist", "-O", "1", "1").wait()
    assert text.out.startswith("Tracing off-CPU time... Hit Ctrl-C to end.\n\n     usecs  ")


@alone
def test_cpus_are_always_busy_with_somebody():
    """With the idle threads, stretches fill each CPU's time: nothing is missing or twice there."""
    cpus = os.cpu_count()
    keep = [spawn([WORK, "burst", 200, 1000, 10000, cpu]) for cpu in range(cpus)]
    time.sleep(0.5)
    tracer = tool("cpudist", "-I", "-L", json=True)
    began = time.monotonic()
    time.sleep(1.5)
    ended = time.monotonic()
    result = tracer.stop()
    stopped = time.monotonic()
    for one in keep:
        one.wait()
    records = result.json[:-1]
    idle = [r for r in records if r["tid"] == 0]
    assert sorted(r["comm"] for r in idle) == [f"swapper/{cpu}" for cpu in range(cpus)]
    total = sum(r["total_ns"] for r in records) / 1e9
    # The first and the last stretch of each CPU are not seen whole: each CPU is kept switching.
    longest = max(r["buckets"][-1]["high"] for r in records) / 1e6
    assert total <= cpus * (stopped - began + 0.3)
    assert total >= cpus * (ended - began) - 2 * cpus * longest


@alone
def test_milliseconds_text_and_json():
    waiting = waiting_work("burst", 30, 10000, 10000)
    text = tool("cpudist", "-m", "-P", "-e", "-p", waiting.pid)
    json = tool("cpudist", "-m", "-P", "-p", waiting.pid, json=True)
    other = spawn([WORK, "burst", 10, 1000, 1000])
    waiting.go()
    other.wait()
    text, json = text.stop(), json.stop()
    (record,) = json.json[:-1]
    assert record["pid"] == waiting.pid and record["unit"] == "msecs"
    assert list(text.histograms) == [f"pid = {waiting.pid} work"]
    assert "     msecs               : count     distribution\n" in text.out
    assert alike(text.histogram, buckets(record)) and text.histogram[(8, 15)] > 0
    avg, total, count = re.search(
        r"^\navg = (\d+) msecs, total: (\d+) msecs, count: (\d+)\n$", text.out, re.M
    ).groups()
    assert int(count) == record["count"] and int(avg) == int(total) // int(count)
    assert abs(int(total) - record["total_ns"] / 1e6) <= 0.02 * int(total) + 2


def test_threads():
    tracer = tool("cpudist", "-L", json=True)
    out = run([WORK, "threads", 3, "burst", 20, 1000, 2000]).out
    records = tracer.stop().json[:-1]
    did = [words(line) for line in out.splitlines()]
    for i in range(3):
        thread = of(records, comm=f"work-{i}")
        assert thread["count"] >= 20 and did[0]["pid"] < thread["tid"] <= did[0]["pid"] + 8
    counted = sum(of(records, comm=f"work-{i}")["count"] for i in range(3))
    slices = sum(one["slices"] for one in did)
    assert slices <= counted <= slices + 3 * AFTER


def test_off_cpu_with_idle():
    """An idle thread is off its CPU while others run; exits leave nothing behind."""
    tracer = tool("cpudist", "-O", "-I", "-L", json=True)
    work("burst", 20, 2000, 2000, 1)
    work("fork", 50)
    *records, end = tracer.stop().json
    assert of(records, comm="swapper/1")["total_ns"] >= 10 * 2000000
    assert not any(end["lost"].values())


def test_intervals():
    result = tool("cpudist", "-T", "1", "2").wait()
    assert result.out.startswith("Tracing on-CPU time... Hit Ctrl-C to end.\n\n")
    assert len(re.findall(r"^\d\d:\d\d:\d\d$", result.out, re.M)) == 2
    assert result.out.count("     usecs               : count     distribution\n") == 2


@alone
@needs("program:/usr/sbin/cpudist")
def test_peer():
    """Debian's cpudist leaves out the stretches that end in sleep, and with -p all of them: ours
    are the kernel's account. What ends by preemption both count."""
    first, second = (waiting_work("burst", 30, 10000, 0, 1) for _ in range(2))
    ours = tool("cpudist", "-p", first.pid, json=True)
    theirs = spawn(["stdbuf", "-oL", "/usr/sbin/cpudist", "-P"])
    theirs.until("Tracing")
    second.begin()
    did = first.go()
    second.wait()
    ours, theirs = ours.stop().json[0], theirs.stop().histograms[f"pid = {first.pid} work"]
    assert gained(did, "slices") <= ours["count"] <= gained(did, "slices") + AFTER
    preempted = gained(did, "preempted")
    assert preempted - 1 <= sum(theirs.values()) <= preempted + AFTER
