"""brkstack: calls of brk(2) in a known function, by number and size."""

import re

from harness import *

N, BYTES = 40, 3 * 4096


def rows_of(result, pid):
    return [row for row in result.json if row.get("pid") == pid and "run_heap" in row["user"]]


def test_growth():
    workload = waiting_work("heap", N, BYTES)
    tracer, every = (tool("brkstack", *more, "-p", workload.pid, json=True) for more in ((), ("-a",)))
    work("heap", 3, BYTES)
    did = workload.go()
    result, every = tracer.stop(), every.stop()
    assert did["grown"] == N * BYTES
    (row,) = rows_of(result, workload.pid)
    assert (row["count"], row["bytes"], row["comm"]) == (N, N * BYTES, "work")
    # work_brk is a leaf, without a frame of its own: its caller, work_grow, is not seen.
    assert [frame for frame in row["user"][:4] if frame != "work_grow"][:3] == ["work_brk", "run_heap", "main"]
    assert {row["pid"] for row in result.json[:-1]} == {workload.pid}
    assert sum(row["count"] for row in rows_of(every, workload.pid)) == N + 1  # and one that asks


def test_all_processes_and_text():
    workloads = [waiting_work("heap", N, BYTES) for _ in range(2)]
    every, some = tool("brkstack", json=True), tool("brkstack", "-p", ",".join(str(w.pid) for w in workloads))
    other = work("heap", N, BYTES)
    for workload in workloads:
        workload.go()
    every, out = every.stop(), some.stop().out
    assert out.startswith("Tracing brk(2)... Hit Ctrl-C to end.\n")
    for workload in workloads:
        assert re.search(
            r"^    work_brk\n(    work_grow\n)?    run_heap\n    main\n(    \S.*\n)*"
            rf"    -                work \({workload.pid}\)\n        {N}$", out, re.MULTILINE)
    assert f"({other['pid']})" not in out
    for pid in (other["pid"], *(workload.pid for workload in workloads)):
        assert [row["count"] for row in every.of(pid) if row["bytes"] == N * BYTES] == [N]
