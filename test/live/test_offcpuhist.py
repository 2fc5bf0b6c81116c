"""offcpuhist: sleeps of a length that is known, each in its bucket."""

from harness import *

SLEEP = "do_nanosleep"


@alone
def test_sleeps_are_in_their_bucket():
    workload = waiting_work("stack", 50, 20000)
    hist = tool("offcpuhist", workload.pid, "--state", 1, json=True)
    off = tool("offcputime", "-p", workload.pid, "--state", 1, json=True)
    did = workload.go()
    hist, off = hist.stop(), off.stop()
    rows = [row for row in hist.json[:-1] if SLEEP in row["kernel"]]
    (row,) = rows
    assert row["pid"] == row["tid"] == workload.pid and row["comm"] == "work"
    assert row["user"][:3] == ["work_stack_leaf", "work_stack_middle", "work_stack_top"]
    assert row["unit"] == "nsecs" and row["count"] == did["blocked"] >= 45
    assert row["count"] == sum(bucket["count"] for bucket in row["buckets"])
    # No sleep is shorter than 20 ms, and all are within the workload's time.
    assert sum(b["count"] for b in row["buckets"] if b["high"] < 20000000) == 0
    assert 20000000 * row["count"] <= row["sum"] <= did["wall_us"] * 1000
    (twin,) = [row for row in off.json[:-1] if SLEEP in row["kernel"]]
    assert twin["count"] == row["count"] and abs(twin["us"] - row["sum"] / 1000) <= 1000 * row["count"]
    assert {row["pid"] for row in hist.json[:-1]} == {workload.pid}


def test_text_and_limits():
    workload = waiting_work("stack", 10, 20000)
    text = tool("offcpuhist", "-K", "-m", 10000, workload.pid)
    none = tool("offcpuhist", "-M", 1000, "--state", 1, workload.pid, json=True)
    everyone = tool("offcpuhist", "0", "-U", json=True)
    workload.go()
    text, none, everyone = text.stop(), none.stop(), everyone.stop()
    assert text.out.startswith(f"Tracing off-CPU time (ns) of PID {workload.pid} by kernel stack")
    assert SLEEP in text.out and "work_stack_leaf" not in text.out
    assert "nsecs               : count     distribution" in text.out
    assert not [row for row in none.json[:-1] if SLEEP in row["kernel"]]
    assert len({row["pid"] for row in everyone.json[:-1]}) > 1
    for args in (["x"], ["-u", "-k"], ["5", "-k"], ["4194305"]):
        assert tool_run("offcpuhist", *args).code == 2
