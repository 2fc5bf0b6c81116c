"""kmem: objects of a known size that a known function allocates."""

import re

from harness import *

N = 40


def test_count_and_bytes():
    size = int(Path("/sys/kernel/slab/filp/slab_size").read_text())
    with folder() as path:
        workload = waiting_work("objects", path, N)
        tracer = tool("kmem", "-s", "-p", workload.pid, json=True)
        work("objects", path, N)
        workload.go()
        rows = tracer.stop().json[:-1]
    opened = [row for row in rows if any(frame.startswith("alloc_empty_file") for frame in row["kernel"])]
    filp = [row for row in opened if row["average"] == size]
    assert sum(row["count"] for row in filp) == N
    assert sum(row["bytes"] for row in filp) == N * size
    assert {row["comm"] for row in rows} == {"work"}
    assert all(len(row["kernel"]) <= 5 for row in rows)
    stacks = [tuple(row["kernel"]) for row in rows]
    assert len(stacks) == len(set(stacks)), "stacks that look alike are one row"


def test_text_and_folded():
    with folder() as path:
        workload = waiting_work("objects", path, N)
        text, folded = (tool("kmem", *more, "-p", workload.pid) for more in ((), ("-f",)))
        workload.go()
        text, folded = text.stop().out, folded.stop().out
    totals = [int(total) for total in re.findall(r"^ {8}count \d+, average \d+, total (\d+)$", text, re.MULTILINE)]
    assert totals and totals == sorted(totals)
    lines = [line for line in folded.splitlines() if ";alloc_empty_file" in line]
    assert lines and all(line.startswith(f"work;{THIS_MACHINE.outermost}") for line in lines)
