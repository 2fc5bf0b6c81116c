"""cachetop: pages by process, each its own, sums as cachestat's."""

import pwd
import re

from harness import *
from test_cachestat import BINARY, PAGES, cached_file


def test_each_process_its_own():
    with cached_file() as file:
        cold = waiting_work("cache", file, "read", PAGES)
        writer = waiting_work("cache", file, "write", 512)
        top = tool("cachetop", "3600", json=True)
        cold.go()
        writer.go()
        result = top.stop()
    (reads,) = result.of(cold.pid)
    (writes,) = result.of(writer.pid)
    assert reads["misses"] == PAGES and reads["read_hits"] <= BINARY
    assert reads["reads"] == reads["misses"] + reads["read_hits"]
    assert reads["dirties"] == reads["writes"] == 0
    assert writes["dirties"] == writes["writes"] == writes["write_hits"] == 512
    assert writes["misses"] == 0
    assert 512 <= writes["hits"] <= 512 + BINARY
    assert reads["uid"] == 0 and reads["comm"] == "work"


def test_text_sorts_and_names_users():
    with cached_file() as file:
        one = waiting_work("cache", file, "read", PAGES)
        two = waiting_work("cache", file, "read", PAGES // 2)
        top = tool("cachetop", "-s", "misses", "3600")
        one.go()
        two.go()
        result = top.stop()
    head = result.out.splitlines()[1]
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d Buffers MB: \d+ / Cached MB: \d+ / Sort: MISSES / Order: descending", head)
    rows = {row["PID"]: row for row in result.rows}
    assert rows[one.pid]["MISSES"] == PAGES and rows[one.pid]["UID"] == pwd.getpwuid(0).pw_name
    assert rows[two.pid]["MISSES"] == 0 and rows[two.pid]["HITS"] >= PAGES // 2
    order = [row["MISSES"] for row in result.rows]
    assert order == sorted(order, reverse=True)
    assert re.fullmatch(r"\d+\.\d%", rows[one.pid]["READ_HIT%"])


def test_pid_and_bad_sort():
    with cached_file() as file:
        one = waiting_work("cache", file, "read", PAGES)
        top = tool("cachetop", "-p", one.pid, "3600", json=True)
        work("cache", file, "read", 256)
        one.go()
        rows = [row for row in top.stop().json if "pid" in row]
    assert {row["pid"] for row in rows} == {one.pid}
    bad = tool_run("cachetop", "--sort", "beauty")
    assert bad.code == 2 and "not the head of a column: beauty" in bad.err
