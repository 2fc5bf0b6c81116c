"""funclatency: every call of a workload is measured once, for as long as the workload says."""

import os
import re

from harness import *

NANOSLEEP = syscall_function("nanosleep")
STACK = [f"work_stack_{name}" for name in ("leaf", "middle", "top")]


def records(result):
    assert result.code == 0, result.err
    lost = {kind: n for kind, n in result.json[-1]["lost"].items() if n}
    assert not lost, lost
    return result.json[:-1]


def measured(*args, did, **options):
    """The records of funclatency of a workload's own process, and what the workload said."""
    child = waiting_work(*did, **options)
    tracer = tool("funclatency", "-p", child.pid, *args, json=True)
    said = child.go()
    return records(tracer.stop()), said


def test_sleeps_of_the_kernel():
    (record,), did = measured("do_nanosleep", did=("stack", 20, 10000))
    assert record["count"] == 20 == sum(b["count"] for b in record["buckets"])
    assert record["unit"] == "nsecs" and record["func"] == "do_nanosleep"
    assert record["sum"] == record["total_ns"]
    assert 20 * 10_000_000 <= record["total_ns"] <= did["wall_us"] * 1000
    assert min(b["low"] for b in record["buckets"] if b["count"]) == 1 << 23  # 10 ms and more


def test_units():
    for option, unit, each in (("-u", "usecs", 1000), ("-m", "msecs", 1000000)):
        (record,), did = measured(option, "do_nanosleep", did=("stack", 10, 20000))
        assert record["unit"] == unit and record["count"] == 10
        assert record["total_ns"] // each - 10 <= record["sum"] <= record["total_ns"] // each
        assert 10 * 20_000_000 <= record["total_ns"] <= did["wall_us"] * 1000
        lows = {b["low"] for b in record["buckets"] if b["count"]}
        assert min(lows) == (16384 if each == 1000 else 16)


def test_text_form():
    child = waiting_work("stack", 10, 20000)
    tracer = tool("funclatency", "-m", "-T", "-p", child.pid, "do_nanosleep")
    did = child.go()
    result = tracer.stop()
    lines = result.out.splitlines()
    assert lines[0] == 'Tracing 1 functions for "do_nanosleep"... Hit Ctrl-C to end.'
    assert lines[1] == "" and re.fullmatch(r"\d\d:\d\d:\d\d", lines[2])
    assert lines[3] == "     msecs               : count     distribution"
    assert sum(result.histogram.values()) == 10
    avg, total = map(int, re.fullmatch(r"avg = (\d+) msecs, total: (\d+) msecs, count: 10", lines[-1]).groups())
    assert 200 <= total <= did["wall_us"] // 1000 and avg == total // 10


def test_calls_within_calls():
    found, did = measured("-F", f"{WORK}:work_stack_*", did=("stack", 25, 2000))
    by_name = {record["func"]: record for record in found}
    assert set(by_name) == set(STACK)
    leaf, middle, top = (by_name[name] for name in STACK)
    assert leaf["count"] == middle["count"] == top["count"] == 25
    assert 25 * 2_000_000 <= leaf["total_ns"] < middle["total_ns"] < top["total_ns"] <= did["wall_us"] * 1000


def test_recursion_and_levels():
    """work_user_recurse(3) is four calls, each within the other."""
    for args, count in (([], 200), (["-l", 1], 50), (["-l", 2], 100), (["-l", 4], 200), (["-l", 32], 200)):
        (record,), _ = measured(*args, f"{WORK}:work_user_recurse", did=("user", 50))
        assert record["count"] == count, (args, record["count"])


def test_levels_in_the_kernel():
    found, _ = measured("-F", "-l", 1, NANOSLEEP, "do_nanosleep", did=("stack", 20, 1000))
    assert {record["func"]: record["count"] for record in found} == {NANOSLEEP: 20}
    found, _ = measured("-F", "-l", 2, NANOSLEEP, "do_nanosleep", did=("stack", 20, 1000))
    assert {record["func"]: record["count"] for record in found} == {NANOSLEEP: 20, "do_nanosleep": 20}


@timeout(120)
def test_many_functions():
    # Before kprobe.multi, 20 ms each: some are enough.
    found, _ = measured("-F", syscall_function("[cn]*"), did=("calls", 1000, 10, 1, 7))
    counts = {record["func"]: record["count"] for record in found}
    assert counts[NANOSLEEP] == 10 and counts[syscall_function("close")] == 7
    by_name = {record["func"]: record for record in found}
    assert by_name[NANOSLEEP]["total_ns"] >= 10 * 1_000_000
    pattern = f"^{syscall_function()}(close|nanosleep|mkdir|rmdir|mknod|unlink)$"
    (record,), _ = measured("-r", pattern, did=("calls", 1000, 10, 1, 7))
    assert record["count"] == 17 and record["func"] == pattern


def test_functions_of_a_program_as_text():
    one, other = (waiting_work("user", count) for count in (30, 12))
    tracer = tool("funclatency", "-F", f"{WORK}:work_user_add")
    one.go(), other.go()
    out = tracer.stop()
    found = {label: sum(counts.values()) for label, counts in out.histograms.items()}
    assert found == {f"Function = work_user_add [{one.pid}]": 30, f"Function = work_user_add [{other.pid}]": 12}
    assert re.search(r"^avg = \d+ nsecs, total: \d+ nsecs, count: 42$", out.out, re.M)


def test_by_process():
    tracer = tool("funclatency", "--by-process", "-u", "do_nanosleep", json=True)
    did = [work("stack", count, 1000) for count in (11, 7)]
    counts = {record["pid"]: record["count"] for record in records(tracer.stop())}
    assert [counts[one["pid"]] for one in did] == [11, 7]


def test_threads():
    (record,), _ = measured("do_nanosleep", did=("threads", 4, "stack", 10, 3000))
    assert record["count"] == 40 and record["total_ns"] >= 40 * 3_000_000


def test_library():
    code = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read(1); [os.getppid() for _ in range(123)]"
    reader, writer = os.pipe()
    child = spawn(["/usr/bin/python3", "-c", code], stdin=reader)
    child.until(r"\d+")
    tracer = tool("funclatency", "-p", child.pid, "c:getppid", json=True)
    os.close(writer)
    child.wait()
    (record,) = records(tracer.stop())
    assert record["count"] == 123


def test_intervals_add_up():
    child = waiting_work("stack", 300, 5000)
    tracer = tool("funclatency", "-i", 1, "-p", child.pid, "do_nanosleep", json=True)
    child.go(60)
    found = records(tracer.stop())
    assert len(found) > 1 and sum(record["count"] for record in found) == 300


def test_duration_and_command():
    begin = time.monotonic()
    assert tool_run("funclatency", "-d", 2, "vfs_read").code == 0
    assert 2 <= time.monotonic() - begin < 10
    result = tool_run("funclatency", syscall_function("getppid"), "--exec", WORK, "syscalls", 77)
    assert re.search(r"count: 77$", result.out, re.M)


def test_returns_that_are_missed_are_counted():
    """6.12 follows some tens of calls of a function at a time; 6.1, asked by another way, thousands."""
    child = waiting_work("threads", 200, "stack", 5, 300000)
    tracer = tool("funclatency", "-p", child.pid, "do_nanosleep", json=True)
    child.go()
    result = tracer.stop()
    count = sum(record["count"] for record in result.json[:-1])
    missed = result.json[-1]["lost"]["probes"]
    assert count + missed >= 1000, (count, missed)
    assert count == 1000 if not attaches_to_many() else 50 <= count < 1000, (count, missed)


@timeout(120)
def test_go():
    """Goroutines go from thread to thread, and their stacks to other addresses, within a call."""
    path, child = go_work(100, 5)
    names = ("work", "add", "deep")
    tracer = tool("funclatency", "-F", "-p", child.pid, *(f"{path}:main.{name}" for name in names), json=True)
    assert child.go(60)["goroutines"] == 100
    found = {record["func"]: record for record in records(tracer.stop())}
    assert {name: found[f"main.{name}"]["count"] for name in names} == {
        "work": 500, "add": 500, "deep": sum(100 * (11 + 20 * round) for round in range(5)),
    }
    assert found["main.work"]["total_ns"] >= 500 * 1_000_000


def test_mistakes():
    for args, why in (
        (["r:vfs_read"], "its return is probed anyway"),
        (["t:sched:sched_switch"], "only a function has"),
        (["u:c:setjmp"], "only a function has"),
        (["vfs_read+4"], "calls have no offset"),
        (["-u", "-m", "vfs_read"], "exclude each other"),
        (["-l", "0", "vfs_read"], "not a number from 1 to 32"),
        ([], "function is missing"),
    ):
        result = tool_run("funclatency", *args)
        assert result.code == 2 and not result.out and why in result.err, (args, result.err)
    result = tool_run("funclatency", "vfs_raed")
    assert result.code == 1 and "did you mean 'vfs_read'" in result.err
