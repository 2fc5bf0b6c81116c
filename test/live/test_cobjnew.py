"""cobjnew: what a program asks malloc() for."""

from harness import *
from libc import Libc


def test_sizes():
    program = Libc()
    every, most = tool("cobjnew", program.pid, json=True), tool("cobjnew", "-C", 1, program.pid)
    large = tool("cobjnew", "-S", 2, program.pid, json=True)
    program.do("sizes", "leak 30")
    every, most, large = every.stop(), most.stop(), large.stop()
    sizes = {row["size"]: (row["count"], row["bytes"]) for row in every.json[:-1]}
    # calloc, realloc and posix_memalign do not go through malloc.
    assert sizes == {100: (60, 6000), **{n: (2, 2 * n) for n in range(1000, 1011)}}
    assert [row["size"] for row in large.json[:-1]] == [1010, 100]
    lines = most.out.splitlines()
    assert lines[0] == "Tracing allocations in process ... Ctrl-C to quit."
    assert lines[-2:] == ["NAME/TYPE                      # ALLOCS      # BYTES",
                          "block size 100                       60         6000"]
    assert program.ended() == 0


def test_bad_input():
    assert tool_run("cobjnew").code == 2
    assert tool_run("cobjnew", "-C", 1, "-S", 1, 1).code == 2
