"""stackcount: the stacks of a workload that are known, each as often as it came by."""

import re

from harness import *

CLOSE, NANOSLEEP = map(syscall_function, ("close", "nanosleep"))
CHAIN = ["work_stack_leaf", "work_stack_middle", "work_stack_top"]


def rows_of(result):
    assert result.code == 0, result.err
    lost = {kind: n for kind, n in result.json[-1]["lost"].items() if n}
    assert not lost, lost
    return result.json[:-1]


def counted(*args, did=("stack", 25, 100)):
    child = waiting_work(*did)
    tracer = tool("stackcount", "-p", child.pid, *args, json=True)
    child.go()
    return rows_of(tracer.stop()), child.pid


def test_user_function():
    """At the entry of a function its caller is not yet in the chain of frame pointers."""
    (row,), pid = counted(f"{WORK}:work_stack_leaf")
    assert row["count"] == 25 and row["pid"] == pid and row["comm"] == "work"
    assert row["kernel"] == [] and row["user"][:3] == CHAIN
    (row,), _ = counted(f"{WORK}:work_stack_leaf+{THIS_MACHINE.second}")
    assert row["count"] == 25 and row["user"][0] == CHAIN[0] and row["user"][-1] != CHAIN[0]


def test_folded():
    child = waiting_work("stack", 25, 100)
    tracer = tool("stackcount", "-f", "-p", child.pid, f"{WORK}:work_stack_leaf")
    child.go()
    (line,) = tracer.stop().out.splitlines()
    assert re.fullmatch(r"work;(.+;)?work_stack_top;work_stack_middle;work_stack_leaf 25", line), line


def test_kernel_function():
    rows, pid = counted("do_nanosleep")
    (row,) = rows
    assert row["count"] == 25 and row["user"][:3] == CHAIN
    assert row["kernel"][:2] == ["do_nanosleep", "hrtimer_nanosleep"] and THIS_MACHINE.caller in row["kernel"]
    (row,), _ = counted("-K", "do_nanosleep")
    assert row["count"] == 25 and row["user"] == [] and row["kernel"][0] == "do_nanosleep"
    (row,), _ = counted("-U", "do_nanosleep")
    assert row["count"] == 25 and row["kernel"] == [] and row["user"][:3] == CHAIN


def test_tracepoint():
    (row,), _ = counted("t:syscalls:sys_enter_nanosleep")
    assert row["count"] == 25 and row["user"][:3] == CHAIN
    # Some kernels pass the registers of the user here, and then there are no frames of their own.
    assert not row["kernel"] or THIS_MACHINE.caller in row["kernel"]
    rows, _ = counted("t:sched:sched_switch", did=("stack", 25, 5000))  # long enough to block each time
    assert all(row["kernel"][0] == "__schedule" for row in rows)
    assert sum(row["count"] for row in rows if CHAIN == row["user"][:3] and "do_nanosleep" in row["kernel"]) == 25


def test_usdt():
    rows, _ = counted(f"u:{WORK}:work:many", did=("usdt", 20))
    assert sum(row["count"] for row in rows) == 60 and {row["user"][0] for row in rows} == {"many"}


def test_stacks_that_differ():
    rows, _ = counted("-U", f"{WORK}:work_stack_leaf", did=("stacks", 32, 10, 3))
    assert len(rows) == 32 and {row["count"] for row in rows} == {3}
    assert all(row["user"][0] == CHAIN[0] for row in rows)


@timeout(120)
def test_many_functions():
    rows, _ = counted("-K", syscall_function("[cn]*"), did=("calls", 500, 10, 1, 7))
    counts = {row["kernel"][0]: row["count"] for row in rows}
    assert counts[CLOSE] == 7 and counts[NANOSLEEP] == 10
    pattern = f"^{syscall_function()}(close|nanosleep|mkdir|rmdir|mknod|unlink)$"
    rows, _ = counted("-K", "-r", pattern, did=("calls", 500, 10, 1, 7))
    assert {row["kernel"][0]: row["count"] for row in rows} == {CLOSE: 7, NANOSLEEP: 10}


def test_text_form():
    child = waiting_work("stack", 25, 20000)  # long enough to be known when it has ended
    both = tool("stackcount", "-d", "-p", child.pid, "do_nanosleep")
    perpid = tool("stackcount", "-P", "-U", "-s", f"{WORK}:work_stack_leaf")
    raw = tool("stackcount", "-K", "-v", "-p", child.pid, "do_nanosleep")
    child.go()
    both, perpid, raw = both.stop().out, perpid.stop().out, raw.stop().out
    lines = both.splitlines()
    assert lines[:4] == ['Tracing 1 functions for "do_nanosleep"... Hit Ctrl-C to end.', "", "  do_nanosleep",
                         "  hrtimer_nanosleep"]
    at = lines.index("    --")
    assert lines[at + 1:at + 4] == [f"  {name}" for name in CHAIN] and lines[-2:] == ["    25", ""]
    assert re.search(rf"^  work_stack_leaf\+0x0\n  work_stack_middle\+0x[0-9a-f]+\n(.*\n)+    work \[{child.pid}\]\n"
                     r"    25\n$", perpid, re.M), perpid
    assert re.search(rf"^  {THIS_MACHINE.code} do_nanosleep$", raw, re.M), raw
    assert "--" not in raw and "[" not in raw


def test_intervals_add_up():
    child = waiting_work("stack", 300, 5000)
    tracer = tool("stackcount", "-i", 1, "-T", "-K", "-p", child.pid, "do_nanosleep")
    child.go(60)
    out = tracer.stop().out
    assert len(re.findall(r"^\d\d:\d\d:\d\d$", out, re.M)) > 1
    assert sum(map(int, re.findall(r"^    (\d+)$", out, re.M))) == 300


def test_processes():
    """Without -P stacks of the kernel are one, whoever's they are; user frames are a process's."""
    tracer = tool("stackcount", "-K", "t:syscalls:sys_enter_getppid", json=True)
    apart = tool("stackcount", "-K", "-P", "t:syscalls:sys_enter_getppid", json=True)
    user = tool("stackcount", f"{WORK}:work_stack_leaf", json=True)
    did = [work("syscalls", count) for count in (300, 70)]
    stacks = work("stack", 9, 30000)
    (row,) = [row for row in rows_of(tracer.stop()) if row["count"] >= 370]
    assert row["pid"] == 0 and row["comm"] == "" and row["count"] < 400
    counts = {row["pid"]: row["count"] for row in rows_of(apart.stop())}
    assert [counts[one["pid"]] for one in did] == [300, 70]
    (row,) = [row for row in rows_of(user.stop()) if row["pid"] == stacks["pid"]]
    assert row["count"] == 9 and row["user"][:3] == CHAIN


def test_one_cpu():
    if os.cpu_count() < 2:
        raise Skip("one CPU")
    for cpu, count in ((0, None), (1, 25)):
        child = waiting_work("stack", 25, 100, cpu=1)
        tracer = tool("stackcount", "-c", cpu, "-p", child.pid, "do_nanosleep", json=True)
        child.go()
        assert [row["count"] for row in rows_of(tracer.stop())] == ([count] if count else [])


def test_commands_of_the_tutorial():
    with null_blk(size=16) as disk:
        tracers = [tool("stackcount", name, json=True) for name in
                   ("t:block:block_rq_insert", "ip_output", "t:sched:sched_switch", "t:syscalls:sys_enter_read")]
        run(["dd", f"if={disk}", "of=/dev/null", "bs=4k", "count=20", "iflag=direct"])
        run(["/usr/bin/python3", "-c", "import socket; s = socket.socket(type=2); s.bind(('', 0)); "
             "s.sendto(b'x', s.getsockname())"])
        insert, output, switch, read = (rows_of(tracer.stop()) for tracer in tracers)
    assert switch and any("__schedule" in row["kernel"][:3] for row in switch)
    assert sum(row["count"] for row in read if row["comm"] in ("", "dd")) >= 20
    assert not output or all(row["kernel"][0] == "ip_output" for row in output)
    assert not insert or all(row["kernel"] for row in insert)


def test_mistakes():
    for args, why in ((["-K", "-U", "vfs_read"], "exclude each other"), ([], "pattern is missing")):
        result = tool_run("stackcount", *args)
        assert result.code == 2 and not result.out and why in result.err
    result = tool_run("stackcount", "t:block:block_rq_isnert")
    assert result.code == 1 and "did you mean 'block_rq_insert'" in result.err
