"""faults: pages that are touched in a known function, by the number."""

import re

from harness import *

N = 500


def in_function(result, pid, frame="work_touch_pages"):
    return [row for row in result.json if row.get("pid") == pid and frame in row["user"]]


def test_one_fault_a_page():
    workload = waiting_work("touch", N)
    tracer = tool("faults", "-p", workload.pid, json=True)
    work("touch", 2 * N)
    did = workload.go()
    result = tracer.stop()
    assert did["faults"] == N
    rows = in_function(result, workload.pid)
    assert sum(row["count"] for row in rows) == N
    assert {row["pid"] for row in result.json[:-1]} == {workload.pid}
    # It is a leaf, without a frame of its own: its caller is not seen.
    assert all(row["user"][0] == "work_touch_pages" and "main" in row["user"] for row in rows)
    assert not any(result.json[-1]["lost"].values())


def test_period():
    """One in 50 is looked at, and counts as 50. The process stays on one CPU, whose counter goes on
    from where it is: one more or less."""
    workload = waiting_work("touch", N, cpu=0)
    tracer = tool("faults", "-c", "50", "-p", workload.pid, json=True)
    workload.go()
    rows = in_function(tracer.stop(), workload.pid)
    assert N - 50 <= sum(row["count"] for row in rows) <= N + 50
    assert all(row["count"] % 50 == 0 for row in rows)


def test_text_and_folded():
    workload = waiting_work("touch", N)
    text, folded = (tool("faults", *more, "-p", workload.pid) for more in ((), ("-f",)))
    workload.go()
    text, folded = text.stop().out, folded.stop().out
    assert re.search(r"^    work_touch_pages\n(    run_touch\n)?    main\n", text, re.MULTILINE)
    assert f"    {'-':16} work ({workload.pid})\n        {N}\n" in text
    (line,) = [line for line in folded.splitlines() if line.endswith(f"work_touch_pages {N}")]
    assert re.match(r"work;(.*;)?main;(run_touch;)?work_touch_pages \d+$", line)
