"""pmlock, pmheld: a mutex that is held for 20 ms a time while another thread wants it."""

import re

from harness import *
from libc import Libc

N, HELD_US = 20, 20000


def of(result, function):
    return [row for row in result.json[:-1] if function in row["user"]]


def total(rows, key="sum"):
    return sum(row[key] for row in rows)


def slow(rows):
    """Those of a quarter of the time or longer."""
    return sum(bucket["count"] for row in rows for bucket in row["buckets"] if bucket["low"] >= 1 << 22)


def test_pmlock_and_pmheld():
    program = Libc()
    lock, held = (tool(applet, "-p", program.pid, json=True) for applet in ("pmlock", "pmheld"))
    did = program.do(f"locks {N}")
    lock, held = lock.stop(), held.stop()
    wants, holds = of(lock, "lock_want"), of(held, "lock_hold")
    assert total(wants, "count") == total(of(lock, "lock_hold"), "count") == N
    assert total(holds, "count") == total(of(held, "lock_want"), "count") == N
    # The workload's clock is read around the call, in which the probes are.
    assert did["waited_us"] * 0.9 <= total(wants) / 1000 <= did["waited_us"]
    assert did["held_us"] <= total(holds) / 1000 <= did["held_us"] * 1.2
    assert slow(holds) == N and did["held_us"] >= N * HELD_US
    (mutex,) = {row["lock"] for row in wants + holds}
    assert mutex
    for result in lock, held:
        assert {(row["pid"], row["comm"]) for row in result.json[:-1]} == {(program.pid, "work-libc")}
        assert not any(result.json[-1]["lost"].values())
        assert all(len(row["user"]) <= 5 for row in result.json[:-1])
    assert program.ended() == 0


def test_pmheld_gives_back_while_it_waits():
    program = Libc()
    held, lock = tool("pmheld", program.pid, json=True), tool("pmlock", program.pid, json=True)
    text = tool("pmheld", program.pid)
    program.do(f"conditions {N}")
    held, lock, text = held.stop(), lock.stop(), text.stop()
    rows = of(held, "lock_condition")
    # Each is held twice, for a moment: before the wait, and after.
    assert total(rows, "count") == 2 * N
    assert slow(rows) <= N / 4
    assert total(of(lock, "lock_condition"), "count") == N
    assert text.out.startswith("Tracing pthread_mutex_lock() held times... Hit Ctrl-C to end.\n")
    assert "    lock_condition\n" in text.out and "nsecs" in text.out
    assert sum(int(n) for n in re.findall(r"-> \d+ +: (\d+)", text.out)) == 2 * N


def test_bad_input():
    assert tool_run("pmlock", "-l", "/nowhere.so", 1).code == 1
    assert tool_run("pmheld", "x").code == 2
