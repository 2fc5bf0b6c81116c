"""memleak: a program that leaks what it is told, by every function that allocates."""

import os
import re

from harness import *
from libc import LIBC, Libc

ROUNDS = 5
# Each round, by the function that leaks: bytes and allocations. realloc and mremap moved what another took.
ROUND = {"leak_small": (100, 1), "leak_zeroed": (231, 1), "leak_grown": (5000, 1), "leak_aligned": (600, 1),
         "leak_mapped": (3 * 4096, 1), "leak_remapped": (20 * 4096, 1)}


def left(rows, pid=None):
    """Bytes and allocations by function."""
    sums = {}
    for row in rows:
        if pid is None or row["pid"] == pid:
            for name in [frame for frame in row["user"] if frame.startswith("leak_")][:1]:
                bytes, count = sums.get(name, (0, 0))
                sums[name] = (bytes + row["bytes"], count + row["count"])
    return sums


def last_report(result):
    """The rows of the last one: all of a report have one time."""
    rows = result.json[:-1]
    return [row for row in rows if row["time"] == rows[-1]["time"]]


def test_what_is_left():
    program = Libc()
    tracer = tool("memleak", "-p", program.pid, "-o", 0, "-T", 100, json=True)
    combined = tool("memleak", "-p", program.pid, "--combined-only", "-T", 100, json=True)
    program.do(f"leak {ROUNDS}", "fail", "storm 20")
    result, combined = tracer.stop(), combined.stop()
    expected = {name: (ROUNDS * bytes, ROUNDS * count) for name, (bytes, count) in ROUND.items()}
    # 32 bytes are left by what fails besides: what failed is not.
    expected["leak_failing"] = (32, 1)
    assert left(last_report(result)) == left(last_report(combined)) == expected
    assert {row["pid"] for row in result.json[:-1]} == {program.pid}
    assert not [row for row in result.json[:-1] if "storm" in row["user"]]
    assert not any(result.json[-1]["lost"].values()), result.json[-1]
    assert program.ended() == 0


def test_all_is_freed():
    program = Libc()
    tracers = [tool("memleak", "-p", program.pid, *more, "-T", 1000, json=True)
               for more in (("-o", 0), ("--combined-only",))]
    program.do("leak 3", "free", "storm 100")
    for result in [tracer.stop() for tracer in tracers]:
        rows = last_report(result) if len(result.json) > 1 else []
        # What is mapped was not unmapped; of the thirty threads nothing is left.
        assert left(rows) == {"leak_mapped": (3 * 3 * 4096, 3), "leak_remapped": (3 * 20 * 4096, 3)}
        assert not [row for row in rows if "storm" in row["user"]]
    assert program.ended() == 0


def test_sizes_and_samples():
    program = Libc()
    by_size = tool("memleak", "-p", program.pid, "-o", 0, "-z", 1003, "-Z", 1007, json=True)
    sampled = tool("memleak", "-p", program.pid, "-o", 0, "-s", 2, "-z", 1000, "-Z", 1010, json=True)
    young = tool("memleak", "-p", program.pid, "-o", 600000, json=True)
    program.do("sizes")
    by_size, sampled, young = by_size.stop(), sampled.stop(), young.stop()
    assert left(by_size.json[:-1]) == {"leak_sizes": (sum(range(1003, 1008)), 5)}
    # Every other of 22, of which the first 11 are left: the first, the third, ... the eleventh.
    assert left(sampled.json[:-1]) == {"leak_sizes": (sum(range(1000, 1011, 2)), 6)}
    assert young.json[:-1] == []


def test_text():
    program = Libc()
    tracer = tool("memleak", "-p", program.pid, "-a", "-o", 0, "-T", 2, 100, 1)
    program.do("leak 2")
    lines = tracer.stop().out.splitlines()
    assert lines[0] == f"Attaching to pid {program.pid}, Ctrl+C to quit."
    assert re.fullmatch(r"\[\d\d:\d\d:\d\d\] Top 2 stacks with outstanding allocations:", lines[1])
    addresses = [re.fullmatch(r"\taddr = [0-9a-f]+ size = (\d+)", line) for line in lines[2:]]
    assert sorted(int(found[1]) for found in addresses if found) == sorted(2 * [size for size, _ in ROUND.values()])
    stacks = [line for line in lines if "allocations from stack" in line]
    assert stacks == [f"\t{2 * 3 * 4096} bytes in 2 allocations from stack",
                      f"\t{2 * 20 * 4096} bytes in 2 allocations from stack"]
    assert lines[lines.index(stacks[1]) + 1 :][:2] == [" " * 16 + "leak_remapped", " " * 16 + "main"]


def test_trace():
    program = Libc()
    tracer = tool("memleak", "-t", "-p", program.pid, "-z", 1000, "-Z", 1010, json=True)
    program.do("sizes")
    events = tracer.stop().json[:-1]
    calls = [event for event in events if event["call"] == "alloc"]
    assert [event["size"] for event in calls] == [*range(1000, 1011), *range(1000, 1011)]
    # The second half is given back, each before the next.
    frees = [event["addr"] for event in events if event["call"] == "free"]
    assert frees[-11:] == [event["addr"] for event in calls[11:]]


def test_command():
    tracer = tool("memleak", "-o", 0, "-c", f"{LIBC} x", 60)
    result = tracer.wait()
    assert re.search(r"^pid \d+", result.out, re.M)  # it ran
    # The buffer of its stdout is what it leaves.
    assert re.findall(r"^\t(\d+) bytes in (\d+) allocations from stack", result.out, re.M) == [("4096", "1")]
    assert result.code == 0 and "Attaching to the command" in result.out


def wait_for_rcu():
    """What waits for RCU to be freed is freed: netdev_run_todo() of net/core/dev.c has a barrier."""
    run(["ip", "link", "add", "barrier", "type", "dummy"])
    run(["ip", "link", "del", "barrier"])


def files(rows, size):
    """Rows of files themselves, not of what their slabs or their security need."""
    return [row for row in rows if row["kernel"][1] in ("__alloc_file", "alloc_empty_file")
            and row["kernel"][0].startswith("kmem_cache_alloc") and row["bytes"] == size * row["count"]]


def test_kernel():
    size = int(Path("/sys/kernel/slab/filp/slab_size").read_text())
    with cgroup() as group:
        program = Libc(cgroup=group)
        tracer = tool("memleak", "-o", 0, "-T", 1000, "--cgroup", group, json=True)
        program.do("files 40", "closed 60")
        wait_for_rcu()  # the kernel frees files later
        result = tracer.stop()
        assert program.ended() == 0
    missed = result.json[-1]["lost"]["probes"]  # frees in interrupts of frees, of whatever
    assert 40 <= sum(row["count"] for row in files(result.json[:-1], size)) <= 40 + missed
    assert {row["pid"] for row in result.json[:-1]} == {0}


def test_percpu():
    """Each network device has a count of references, 4 bytes a CPU, and the kernel a pointer to whose control
    group it is: pcpu_obj_full_size() of mm/percpu-internal.h."""
    run(["/sbin/modprobe", "dummy", "numdummies=0"])
    tracer = tool("memleak", "--percpu", "-o", 0, "-T", 1000, json=True)
    for i in range(7):
        run(["ip", "link", "add", f"leak{i}", "type", "dummy"])
    for i in range(3):
        run(["ip", "link", "del", f"leak{i}"])
    rows = [row for row in tracer.stop().json[:-1] if row["kernel"][1:2] == ["alloc_netdev_mqs"]]
    for i in range(3, 7):
        run(["ip", "link", "del", f"leak{i}"])
    assert sum(row["count"] for row in rows) == 4
    assert sum(row["bytes"] for row in rows) == 4 * (4 * os.cpu_count() + 8)


def test_bad_input():
    for args in (("-p", 1, "-c", "true"), ("-z", 2, "-Z", 1), ("--sort", "age"), ("--combined-only", "-a"),
                 ("--percpu", "-p", 1), ("--symbols-prefix", "a(b", "-p", 1), ("-c", "  ")):
        assert tool_run("memleak", *args).code == 2, args
    missing = tool_run("memleak", "-p", 1, "-O", "/nowhere.so")
    assert missing.code == 1 and "/nowhere.so" in missing.err
