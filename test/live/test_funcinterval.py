"""funcinterval: the time between calls, which a workload's sleeps set."""

import re

from harness import *


def measured(*args, did):
    child = waiting_work(*did)
    tracer = tool("funcinterval", "-p", child.pid, *args, json=True)
    said = child.go()
    result = tracer.stop()
    assert result.code == 0 and not any(result.json[-1]["lost"].values()), result.out
    (record,) = result.json[:-1]
    return record, said


def test_sleeps():
    record, did = measured("do_nanosleep", did=("stack", 30, 10000))
    assert record["count"] == 29 and record["unit"] == "nsecs"
    assert 29 * 10_000_000 <= record["sum"] <= did["wall_us"] * 1000
    assert min(b["low"] for b in record["buckets"] if b["count"]) == 1 << 23


def test_tracepoint_and_user_function():
    record, did = measured("-u", "t:syscalls:sys_enter_nanosleep", did=("stack", 20, 5000))
    assert record["count"] == 19 and record["unit"] == "usecs"
    assert 19 * 5000 - 19 <= record["sum"] <= did["wall_us"]
    record, did = measured("-m", f"{WORK}:work_stack_leaf", did=("stack", 20, 20000))
    assert record["count"] == 19 and record["unit"] == "msecs"
    assert 19 * 20 - 19 <= record["sum"] <= did["wall_us"] / 1000
    assert min(b["low"] for b in record["buckets"] if b["count"]) == 16


def test_usdt_in_several_places():
    record, _ = measured(f"u:{WORK}:work:many", did=("usdt", 30))
    assert record["count"] == 89


def test_text_and_intervals():
    child = waiting_work("stack", 300, 5000)
    tracer = tool("funcinterval", "-m", "-T", "-i", 1, "-p", child.pid, "do_nanosleep")
    child.go(60)
    result = tracer.stop()
    assert result.out.startswith('Tracing "do_nanosleep"... Hit Ctrl-C to end.\n\n')
    assert len(re.findall(r"^\d\d:\d\d:\d\d$", result.out, re.M)) > 1
    counts = re.findall(r"^ *\d+ -> \d+ +: (\d+) ", result.out, re.M)
    assert "     msecs               : count     distribution" in result.out
    assert sum(map(int, counts)) == 299  # from one report to the next, too


def test_all_processes():
    tracer = tool("funcinterval", "t:syscalls:sys_enter_getppid", json=True)
    work("syscalls", 300), work("syscalls", 200)
    assert 499 <= tracer.stop().json[0]["count"] < 600


def test_mistakes():
    result = tool_run("funcinterval", "vfs_r*")
    assert result.code == 1 and "one function is expected" in result.err
    result = tool_run("funcinterval", "-u", "-m", "vfs_read")
    assert result.code == 2 and "exclude each other" in result.err
    result = tool_run("funcinterval", "vfs_read", "vfs_write")
    assert result.code == 2 and "too many arguments" in result.err
