"""--unwind: stacks of a program without frame pointers, whose depth and functions are known."""

import os

from harness import *

CHAIN = ["work_bare_end", *(f"work_bare_{i}" for i in range(1, 11)), "run_barely", "main"]


def stacks_of(result, pid):
    return [row for row in result.json[:-1] if row["pid"] == pid]


def below(row, name):
    """The frames of a row from that one on down."""
    return row["user"][row["user"].index(name):]


def whole(row, start="_start"):
    frames = below(row, "work_bare_end")
    return frames[: len(CHAIN)] == CHAIN and frames[-1] == start and "truncated" not in row


def test_where_it_sleeps():
    workload = waiting_work("barely", 40, 5000)
    tracer = tool("offcputime", "-p", workload.pid, "--state", 1, "--unwind", json=True)
    without = tool("offcputime", "-p", workload.pid, "--state", 1, json=True)
    did = workload.go()
    result, without = tracer.stop(), without.stop()
    (row,) = [row for row in stacks_of(result, workload.pid) if "work_bare_end" in row["user"]]
    assert whole(row)
    # From the system call down to where the program begins: not a frame more or less.
    assert below(row, "work_bare_end") == [*CHAIN, *row["user"][row["user"].index("main") + 1 :]]
    assert row["count"] == did["count"] == 40 and 40 * 5000 <= row["us"] <= did["wall_us"]
    assert not any(result.json[-1]["lost"].values()) and "truncated" not in result.err
    # Frame pointers do not get there; on arm64, where no function without one uses the register for
    # anything else, they get past it.
    rows = [row for row in stacks_of(without, workload.pid) if "do_nanosleep" in row["kernel"]]
    assert sum(row["count"] for row in rows) == 40
    assert not any("work_bare_1" in row["user"] for row in rows)
    if not THIS_MACHINE.link_register:
        assert all(row["truncated"] and "main" not in row["user"] for row in rows)
        assert "--unwind" in without.err


def test_where_it_works():
    workload = waiting_work("barely", 100)
    tracer = tool("profile", "-p", workload.pid, "-F", 199, "-U", "--unwind", json=True)
    workload.go(60)
    rows = stacks_of(tracer.stop(), workload.pid)
    samples = sum(row["count"] for row in rows)
    found = sum(row["count"] for row in rows if "work_bare_end" in row["user"] and whole(row))
    # All it does is in there; at its start and end it is in libc.
    assert samples > 100 and found >= samples * 0.95
    assert all(whole(row) for row in rows if "work_bare_end" in row["user"])


def test_what_is_not_copied_is_counted():
    """Below a frame of 32 KB are main and what called it; arm64 has a return address above its locals."""
    workload = waiting_work("barely", 10, 10000, "wide")
    tracer = tool("offcputime", "-f", "-p", workload.pid, "--state", 1, "--unwind")
    workload.go()
    result = tracer.stop()
    (line,) = [line for line in result.out.splitlines() if "work_bare_end" in line]
    last = "run_barely;" if THIS_MACHINE.link_register else ""
    assert f";[truncated];{last}work_bare_wide;work_bare_10;" in line
    assert "stacks complete: 0.0% (10 of 10 user stacks truncated)" in result.err
    assert "10 are larger than the 16 KB that are copied" in result.err


def test_functions_are_entered():
    """At a function's first instruction, in a library and in a program that is loaded anywhere."""
    workload = waiting_work("barely", 7, 10000)
    tracer = tool("stackcount", "-p", workload.pid, "-U", "--unwind", f"{WORK}:work_bare_3", json=True)
    workload.go()
    (row,) = stacks_of(tracer.stop(), workload.pid)
    assert row["user"][: len(CHAIN) - 3] == CHAIN[3:] and row["count"] == 7
    assert row["user"][-1] == "_start"


def test_libraries():
    """Debian's Python: loaded anywhere, its libraries, too, and none has frame pointers."""
    sleeps = "import time\nprint('up', flush=True)\ninput()\nfor i in range(30): time.sleep(0.005)"
    reader, gate = os.pipe()
    python = spawn(["/usr/bin/python3", "-c", sleeps], stdin=reader)
    python.until("up")
    tracer = tool("offcputime", "-p", python.pid, "--state", 1, "--unwind", json=True)
    os.write(gate, b"\n")
    python.wait()
    rows = [row for row in stacks_of(tracer.stop(), python.pid) if "do_nanosleep" in row["kernel"]]
    assert sum(row["count"] for row in rows) == 30
    for row in rows:
        assert row["user"][0] == "clock_nanosleep" and "__libc_start_main" in row["user"][-3:]
        assert "truncated" not in row
