"""funcslower: the slow calls and no others, with their arguments, return values and stacks."""

import re

from harness import *

ADD, SLEEP, LEAF = (f"{WORK}:work_{name}" for name in ("user_add", "user_sleep", "stack_leaf"))


def rows_of(result):
    assert result.code == 0, result.err
    lost = {kind: n for kind, n in result.json[-1]["lost"].items() if n}
    assert not lost, lost
    return result.json[:-1]


def seen(*args, did):
    child = waiting_work(*did)
    tracer = tool("funcslower", "-p", child.pid, *args, json=True)
    said = child.go()
    return rows_of(tracer.stop()), said


def test_threshold():
    tracer = tool("funcslower", "-m", 10, "do_nanosleep", json=True)
    quick, slow = work("stack", 30, 1000), work("stack", 10, 20000)
    rows = rows_of(tracer.stop())
    assert all(row["lat_ns"] >= 10_000_000 for row in rows)
    mine = [row for row in rows if row["pid"] == slow["pid"]]
    assert len(mine) == 10
    assert 10 * 20_000_000 <= sum(row["lat_ns"] for row in mine) <= slow["wall_us"] * 1000
    late = [row for row in rows if row["pid"] == quick["pid"]]
    assert sum(row["lat_ns"] for row in late) <= quick["wall_us"] * 1000 - (30 - len(late)) * 1_000_000
    assert len(late) <= 5  # sleeps of 1 ms that the machine made longer


def test_default_threshold():
    rows, _ = seen(SLEEP, ADD, did=("user", 20, 5000))
    sleeps = [row for row in rows if row["func"] == "work_user_sleep"]
    assert len(sleeps) == 20 and all(row["lat_ns"] >= 5_000_000 for row in sleeps)
    assert all(row["lat_ns"] >= 1_000_000 for row in rows) and len(rows) < 25


def test_arguments_and_return_values():
    rows, _ = seen("-u", 0, "-a", 2, ADD, did=("user", 40))
    assert [(row["args"], row["retval"]) for row in rows] == [(f"{i:#x} 0x3e8", i + 1000) for i in range(40)]
    rows, _ = seen("-m", 0, "-a", 1, f"{WORK}:work_user_recurse", did=("user", 2))
    assert [(row["args"], row["retval"]) for row in rows] == [(f"{i:#x}", i) for i in (0, 1, 2, 3)] * 2


def test_kernel_function():
    rows, _ = seen("-u", 0, "-a", 1, syscall_function("close"), did=("calls", 0, 0, 0, 7))
    # On this workload close(2) is of descriptors that are not open: -EBADF.
    assert len(rows) == 7 and {row["retval"] for row in rows} == {2**64 - 9}
    assert all(re.fullmatch(r"0xffff[0-9a-f]{12}", row["args"]) for row in rows)  # its registers, on the stack


def test_text_form():
    child = waiting_work("user", 3, 20000)
    micro = tool("funcslower", "-u", 10000, "-a", 1, "-p", child.pid, SLEEP)
    milli = tool("funcslower", "-m", 2.5, "-t", "-p", child.pid, SLEEP)
    clock = tool("funcslower", "-T", "-m", 10, "-p", child.pid, SLEEP)
    child.go()
    micro, milli, clock = (one.stop().out.splitlines() for one in (micro, milli, clock))
    assert micro[0] == "Tracing function calls slower than 10000 us... Ctrl+C to quit."
    assert micro[1] == "COMM           PID    LAT(us)             RVAL FUNC ARGS"
    assert len(micro) == len(milli) == len(clock) == 5
    for line in micro[2:]:
        found = re.fullmatch(rf"work {{11}}{child.pid:<6} +(\d+\.\d\d) +[0-9a-f]+ work_user_sleep 0x4e20", line)
        assert found and float(found[1]) >= 20000, line
    assert milli[:2] == [
        "Tracing function calls slower than 2.5 ms... Ctrl+C to quit.",
        "TIME       COMM           PID    LAT(ms)             RVAL FUNC",
    ]
    times = [re.match(rf"(\d+\.\d{{6}})   *work +{child.pid} +(2\d|3\d)\.\d\d +[0-9a-f]+ work_user_sleep$", line)
             for line in milli[2:]]
    assert all(times), milli
    times = [float(one[1]) for one in times]
    assert times[1] - times[0] >= 0.02 and times[2] - times[1] >= 0.02
    assert all(re.match(r"\d\d:\d\d:\d\d   work ", line) for line in clock[2:])


def test_stacks():
    # One after the other: where a return is probed, the caller's address is not on the stack.
    leaf, _ = seen("-m", 1, "-U", "-K", LEAF, did=("stack", 8, 5000))
    kernel, _ = seen("-m", 1, "-U", "-K", "do_nanosleep", did=("stack", 8, 5000))
    assert len(leaf) == len(kernel) == 8
    for row in leaf:
        assert row["kernel"] == [] and row["user"][:2] == ["work_stack_middle", "work_stack_top"]
    for row in kernel:
        assert row["kernel"][0] == "hrtimer_nanosleep" and THIS_MACHINE.caller in row["kernel"], row["kernel"]
        assert row["user"][:3] == ["work_stack_leaf", "work_stack_middle", "work_stack_top"]


def test_stacks_as_text():
    child = waiting_work("stack", 3, 5000)
    listed = tool("funcslower", "-K", "-p", child.pid, "do_nanosleep")
    folded = tool("funcslower", "-f", "-U", "-K", "-p", child.pid, "do_nanosleep")
    child.go()
    listed, folded = listed.stop(), folded.stop()
    rows = re.findall(r"^work +\d+ +\d+\.\d\d +0 do_nanosleep\n    hrtimer_nanosleep\n", listed.out, re.M)
    assert len(rows) == 3, listed.out
    lines = folded.out.splitlines()
    assert len(lines) == 3
    for line in lines:
        frames, count = re.fullmatch(r"(work;.*) (\d+)", line).groups()
        frames = frames.split(";")
        at = frames.index("work_stack_top")
        assert count == "1" and frames[at:at + 3] == ["work_stack_top", "work_stack_middle", "work_stack_leaf"]
        assert frames[-1] == "hrtimer_nanosleep"


def test_without_a_process():
    """A program that is not yet running."""
    tracer = tool("funcslower", "-m", 4, SLEEP, json=True)
    did = work("user", 6, 5000)
    rows = rows_of(tracer.stop())
    assert len(rows) == 6 and {row["pid"] for row in rows} == {did["pid"]}


@timeout(120)
def test_go():
    path, child = go_work(3, 10)
    added = tool("funcslower", "-u", 0, "-a", 2, "-p", child.pid, f"{path}:main.add", json=True)
    slow = tool("funcslower", "-p", child.pid, f"{path}:main.work", f"{path}:main.add", json=True)
    assert child.go(60)["rounds"] == 10
    rows = sorted((row["args"], row["retval"]) for row in rows_of(added.stop()))
    assert rows == sorted((f"{i:#x} 0x3e8", i + 1000) for i in range(10) for _ in range(3))
    rows = [row for row in rows_of(slow.stop()) if row["func"] == "main.work"]
    assert len(rows) == 30 and all(row["lat_ns"] >= 1_000_000 for row in rows)


def test_mistakes():
    for args, why in (
        (["-m", "1", "-u", "1", "vfs_read"], "exclude each other"),
        (["-m", "nan", "vfs_read"], "--min-ms: not a number"),
        (["-u", "-1", "vfs_read"], "--min-us: not a number"),
        (["-a", "7", "vfs_read"], "--arguments: not a number from 0 to 6"),
        (["-f", "vfs_read"], "-U or -K"),
        (["r:vfs_read"], "its return is probed anyway"),
    ):
        result = tool_run("funcslower", *args)
        assert result.code == 2 and not result.out and why in result.err, (args, result.err)
