"""slabratetop: objects of caches that are known, by number and size."""

import contextlib
import re

from harness import *

N = 40


def caches(result):
    found = {}
    for row in result.json:
        if "cache" in row:
            one = found.setdefault(row["cache"], {"allocs": 0, "bytes": 0})
            one["allocs"] += row["allocs"]
            one["bytes"] += row["bytes"]
    return found


@contextlib.contextmanager
def tmpfs():
    """A file system of one layer: a name that is looked up is one object."""
    with folder() as path:
        run(["mount", "-t", "tmpfs", "none", path])
        try:
            yield path
        finally:
            run(["umount", path])


def slab_size(cache):
    return int(Path("/sys/kernel/slab", cache, "slab_size").read_text())


def test_objects_of_one_process():
    """Open files, names and tasks: they come by three functions of the allocator."""
    with tmpfs() as path:
        workload = waiting_work("objects", path, N)
        top = tool("slabratetop", "-p", workload.pid, "-r", "1000", "3600", json=True)
        workload.go()
        work("objects", path, 2 * N)
        found = caches(top.stop())
    assert found["filp"]["allocs"] == N
    assert found["dentry"]["allocs"] == N
    assert found["task_struct"]["allocs"] == N
    for cache in ("filp", "dentry", "task_struct"):
        assert found[cache]["bytes"] == N * slab_size(cache), cache


def test_sort_and_rows():
    with folder() as path:
        workload = waiting_work("objects", path, N)
        orders = {}
        for order in ("size", "count", "name"):
            orders[order] = tool("slabratetop", "-C", "-p", workload.pid, "-s", order, "-r", "5", "3600")
        default = tool("slabratetop", "-p", workload.pid, "3600")
        workload.go()
        orders = {order: tracer.stop() for order, tracer in orders.items()}
        default = default.stop()
    for order, key, down in (("size", "BYTES", True), ("count", "ALLOCS", True), ("name", "CACHE", False)):
        values = [row[key] for row in orders[order].rows]
        assert values == sorted(values, reverse=down) and len(values) == 5, (order, values)
    lines = orders["size"].out.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d loadavg: [\d.]+ [\d.]+ [\d.]+ \d+/\d+ \d+", lines[1])
    assert lines[3] == f"{'CACHE':32} ALLOCS      BYTES"
    assert 5 < len(default.rows) <= 20
    assert tool_run("slabratetop", "-s", "beauty").code == 2


@alone
@needs("program:/usr/sbin/slabratetop", "below:6.12")  # where the peer asks for a function that is gone
def test_peer_sees_those_of_one_function():
    """The peer counts kmem_cache_alloc() alone: open files are the same, names and tasks are not there."""
    with folder() as path:
        workload = waiting_work("objects", path, N)
        peer = spawn(["stdbuf", "-oL", "/usr/sbin/slabratetop", "-C", "-p", workload.pid, "-r", "1000", "1"])
        peer.until(r"CACHE")
        top = tool("slabratetop", "-p", workload.pid, "-r", "1000", "3600", json=True)
        workload.go()
        found = caches(top.stop())
        seen = len(re.findall("CACHE", peer.out))
        wait_for(lambda: len(re.findall("CACHE", peer.out)) > seen + 1)
        theirs = peer.stop().out
    counts = {cache: 0 for cache in ("filp", "dentry", "task_struct")}
    for cache, n in re.findall(r"^(\w+) +(\d+) +\d+$", theirs, re.MULTILINE):
        if cache in counts:
            counts[cache] += int(n)
    assert counts["filp"] == found["filp"]["allocs"] == N
    assert counts["dentry"] == counts["task_struct"] == 0
