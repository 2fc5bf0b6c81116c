"""threadsnoop: a row for each pthread_create(), with the name of the function the thread begins with."""

import collections
import os
import re

from harness import *

# Threads that begin with functions of libc, as many of each as it is told; it stays until it is told to go.
THREADS = """
import ctypes, sys
libc = ctypes.CDLL(None)
print("pid", __import__("os").getpid(), flush=True)
sys.stdin.readline()
for name, n in (("getppid", 12), ("sched_yield", 8)):
    for i in range(n):
        thread = ctypes.c_ulong()
        assert not libc.pthread_create(ctypes.byref(thread), None, ctypes.cast(libc[name], ctypes.c_void_p), None)
        libc.pthread_join(thread, None)
print("done", flush=True)
sys.stdin.readline()
"""


def threads():
    """The program, and the function that gives it its next line."""
    reader, writer = os.pipe()
    process = spawn(["/usr/bin/python3", "-c", THREADS], stdin=reader)
    os.close(reader)
    process.until("^pid")
    return process, lambda: os.write(writer, b"\n")


def test_threads_and_their_functions():
    one, tell_one = threads()
    other, tell_other = threads()
    snoop, text = tool("threadsnoop", json=True), tool("threadsnoop")
    only = tool("threadsnoop", "-p", other.pid, json=True)
    for process, tell in (one, tell_one), (other, tell_other):
        tell()
        process.until("^done")
    for tracer, n in (snoop, 40), (text, 40), (only, 20):
        wait_for(lambda: len(re.findall("getppid|sched_yield", tracer.out)) >= n)
    tell_one(), tell_other()
    result, text, only = snoop.stop(), text.stop(), only.stop()
    for process in one, other:
        rows = result.of(process.pid)
        assert collections.Counter(r["function"] for r in rows) == {"getppid": 12, "sched_yield": 8}
        assert {(r["comm"], r["tid"], r["uid"]) for r in rows} == {("python3", process.pid, 0)}
        assert [(r["COMM"], r["FUNC"]) for r in text.of(process.pid)] == [(r["comm"], r["function"]) for r in rows]
    assert not any(result.json[-1]["lost"].values())
    assert text.out.splitlines()[0].split() == ["TIME(ms)", "PID", "COMM", "FUNC"]
    times = [r["TIME(ms)"] for r in text.rows]
    assert times == sorted(times) and 0 <= times[0] <= times[-1] < 60_000
    assert len(only.json) == 21 and {r["pid"] for r in only.json[:-1]} == {other.pid}
