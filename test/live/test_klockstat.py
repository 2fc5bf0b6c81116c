"""klockstat, mlock, mheld: a pipe's mutex that is held, and waited for, for a known time."""

import re

from harness import *

N, DELAY_NS = 5, 40_000_000


def pipe_lock(applet, *options, json=True):
    """A write to a pipe holds its mutex while a page comes from a disk: (pid, did, result)."""
    with null_blk(irqmode=2, completion_nsec=DELAY_NS) as disk:
        workload = waiting_work("pipelock", disk, N)
        tracer = tool(applet, *options, "-p", workload.pid, json=json)
        did = workload.go()
        return workload.pid, did, tracer.stop()


def of(rows, caller):
    """Those of locks that a function takes itself: it is next to mutex_lock or mutex_unlock, above
    which 6.1 may have a trampoline."""
    return [row for row in rows if caller in row.get("kernel", ())[:3]]


def is_what_was_waited(ns, did):
    """The workload's own clock, around the system call: 5 ms of each are enough for all but the wait.
    Waits too short for it to note are less than 10 ms each, at most one a write. A wait may last for
    several writes, between which the writer is first again."""
    assert did["waits"] >= 1
    assert did["waited_us"] - 5000 * did["waits"] <= ns / 1000 <= did["waited_us"] + 10_000 * N


# Alone: another tracer of the same functions gives them another trampoline, and each its stacks.
@alone
def test_hold_and_wait():
    _, did, result = pipe_lock("klockstat")
    writes = of(result.json, "pipe_write")
    assert sum(row["hld_count"] for row in writes) == sum(row["acq_count"] for row in writes) == N
    held = sum(row["hld_total_ns"] for row in writes)
    assert N * DELAY_NS <= held <= did["us"] * 1000
    assert DELAY_NS <= max(row["hld_max_ns"] for row in writes) <= held - (N - 1) * DELAY_NS
    asks = of(result.json, "pipe_ioctl")
    is_what_was_waited(sum(row["acq_total_ns"] for row in asks), did)
    assert not result.json[-1]["lost"]["returns"]


@alone
def test_text_has_the_caller():
    _, _, result = pipe_lock("klockstat", "-n", "1", "-S", "acq_max,hld_total", "-c", "pipe_", json=False)
    lines = result.out.splitlines()
    assert lines[0] == "Tracing lock events... Hit Ctrl-C to end."
    assert lines[2] == f"{'Caller':>40}   Avg Spin  Count   Max spin Total spin"
    assert re.fullmatch(r" *pipe_ioctl\+0x[0-9a-f]+( +\d+){4}", lines[3]), lines
    assert lines[5] == f"{'Caller':>40}   Avg Hold  Count   Max hold Total hold"
    assert re.fullmatch(r" *pipe_write\+0x[0-9a-f]+ +\d+ +5 +\d+ +\d+", lines[6]), lines
    assert len(lines) == 7


def test_bad_input():
    assert tool_run("klockstat", "-S", "beauty").code == 2
    assert tool_run("klockstat", "-d", "1", "-i", "1").code == 2
    assert tool_run("klockstat", "-L", "no_such_lock").code == 2


@alone
def test_mheld_and_mlock():
    _, _, held = pipe_lock("mheld")
    writes = of(held.json, "pipe_write")
    slow = sum(bucket["count"] for row in writes for bucket in row["buckets"] if bucket["low"] >= 1 << 25)
    assert slow == sum(row["count"] for row in writes) == N
    _, did, waited = pipe_lock("mlock")
    asks = of(waited.json, "pipe_ioctl")
    is_what_was_waited(sum(row["sum"] for row in asks), did)
    assert {row["comm"] for row in writes + asks} == {"work"}
