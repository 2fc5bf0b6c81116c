"""ioprofile: calls of a workload that are known, each by the function that makes it."""

from harness import *


def test_calls_by_their_stacks():
    workload = waiting_work("wake", 40, 1000)
    tracer = tool("ioprofile", workload.pid, json=True)
    did = workload.go()
    result = tracer.stop()
    rows = result.json[:-1]
    assert {row["pid"] for row in rows} == {did["pid"]}
    by = {(row["call"], *row["user"][:2]): (row["count"], row["comm"]) for row in rows}
    assert by[("read", "work_wake_read", "work_wake_wait")] == (40, "work-target")
    assert by[("write", "work_wake_write", "work_wake_up")] == (40, "work-waker")
    # And the answers: a write by the one, a read by the other, in libc's functions.
    answers = [row for row in rows if not {"work_wake_read", "work_wake_write"} & set(row["user"])]
    counts = {}
    for row in answers:
        if row["count"] == 40:
            counts[row["call"]] = row["comm"]
    assert counts == {"read": "work-waker", "write": "work-target"}
    assert {row["call"] for row in rows} == {"read", "write"}


def test_text_and_folded():
    workload = waiting_work("wake", 7, 20000)
    text = tool("ioprofile", "-p", workload.pid)
    folded = tool("ioprofile", "-f", "-p", workload.pid, "0")
    workload.go()
    text, folded = text.stop(), folded.stop()
    (block,) = [block for block in text.out.split("\n\n") if "work_wake_read\n" in block]
    lines = block.strip("\n").splitlines()
    assert lines[:3] == ["    call:            read", "    work_wake_read", "    work_wake_wait"]
    assert lines[-2:] == [f"    -                work-target {workload.pid}", "        7"]
    (line,) = [line for line in folded.out.splitlines() if "work_wake_up;" in line]
    assert line.startswith("work-waker;") and line.endswith(";work_wake_up;work_wake_write;write 7")


def test_other_calls_do_not_count():
    workload = waiting_work("many", 50, 10)
    tracer = tool("ioprofile", workload.pid, json=True)
    workload.go()
    rows = tracer.stop().json[:-1]
    # Its getppid calls are none; what it says at the end is a write.
    assert {row["call"] for row in rows} <= {"read", "write"} and sum(row["count"] for row in rows) <= 3
