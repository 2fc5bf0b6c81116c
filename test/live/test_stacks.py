"""The engine of stacks: none is lost, or it is counted; those that end early say so."""

import re

from harness import *

GETPPID = "t:syscalls:sys_enter_getppid"
HOT = ["work_many_hot_a", "work_many_hot_b", "work_many_hot_c"]


def counted(line):
    stack, _, n = line.rpartition(" ")
    return stack.split(";"), int(n)


@alone
@timeout(240)
def test_more_stacks_than_any_map_holds():
    workload = waiting_work("many", 200000, 100)
    tracer = tool("stackcount", "-f", "-U", "-p", workload.pid, GETPPID)
    did = workload.go(limit=120)
    result = tracer.stop(limit=120)
    lost = sum(int(n) for n in re.findall(r"(\d+) (?:stacks missing|not counted)", result.err))
    total, cold, hot, missed = 0, set(), dict.fromkeys(HOT, 0), 0
    for line in result.out.splitlines():
        stack, n = counted(line)
        total += n
        if "[Missed User Stack]" in stack:
            missed += n
        elif stack[-1] in hot:
            hot[stack[-1]] += n
        else:
            assert n == 1
            cold.add(tuple(stack[-5:]))
    assert did["cold"] == 200000 and did["hot"] == 2000
    # Each is there, or counted as lost; the hot ones are all there.
    assert total == 200000 + 3 * 2000
    assert missed == lost
    assert len(cold) == 200000 - missed
    assert set(hot.values()) == {2000}
    assert lost == 0


def test_a_limit_is_kept_and_what_is_over_it_counted():
    workload = waiting_work("many", 5000, 10)
    tracer = tool("stackcount", "-U", "-p", workload.pid, "--stack-storage-size", 100, GETPPID, json=True)
    workload.go()
    result = tracer.stop()
    rows, losses = result.json[:-1], result.json[-1]["lost"]
    missed = sum(row["count"] for row in rows if row["user"] == ["[Missed User Stack]"])
    assert sum(row["count"] for row in rows) == 5000 + 3 * 500
    assert len(rows) == 101 and losses["stacks"] == missed
    # Those that come first are kept, and all their counts.
    for name in HOT:
        assert [row["count"] for row in rows if row["user"][:1] == [name]] == [500]


def test_truncated_stacks_say_so():
    whole, bare = waiting_work("many", 60, 1000), waiting_work("bare", 21)
    pids = f"{whole.pid},{bare.pid}"
    json = tool("stackcount", "-U", "-p", pids, GETPPID, json=True)
    folded = tool("stackcount", "-fU", "-p", pids, GETPPID)
    text = tool("stackcount", "-U", "-p", pids, GETPPID)
    whole.go(), bare.go()
    json, folded, text = json.stop(), folded.stop(), text.stop()
    rows = json.json[:-1]
    assert {row["pid"] for row in rows if "truncated" in row} == {bare.pid}
    assert sum(row["count"] for row in rows if "truncated" in row) == 21
    assert all("truncated" not in row for row in rows if row["pid"] == whole.pid)
    assert [line for line in folded.out.splitlines() if "[truncated]" in line] == [
        "work;[truncated];work_bare_leaf 21"]
    assert "  work_bare_leaf\n  [truncated]\n" in text.out and text.out.count("[truncated]") == 1
    # 63 of 84 go down to main.
    for result in (json, folded, text):
        assert "stacks complete: 75.0% (21 of 84 user stacks truncated)" in result.err
