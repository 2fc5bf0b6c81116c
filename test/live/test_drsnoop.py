"""drsnoop: reclaims, against the kernel's own trace of them."""

import contextlib
import re

from harness import *
from test_cachestat import cached_file


@contextlib.contextmanager
def kernel_trace(kind):
    """The kernel's own trace: a function that gives (tid, microseconds, pages) of each reclaim."""
    instance = TRACING / "instances" / f"live{os.getpid()}"
    instance.mkdir()
    event = re.compile(
        r"-(\d+) .* (\d+)\.(\d{6}): mm_vmscan_\w+_reclaim_(begin|end):(?:.* nr_reclaimed=(\d+))?")

    def reclaims():
        write(instance / "tracing_on", 0)
        found, begun = [], {}
        for line in (instance / "trace").read_text(errors="replace").splitlines():
            match = event.search(line)
            if not match:
                continue
            tid, now = int(match[1]), int(match[2]) * 1000000 + int(match[3])
            if match[4] == "begin":
                begun[tid] = now
            elif tid in begun:
                found.append((tid, now - begun.pop(tid), int(match[5])))
        return found

    try:
        write(instance / "trace_clock", "mono")
        write(instance / "buffer_size_kb", 4096)
        for end in ("begin", "end"):
            write(instance / f"events/vmscan/mm_vmscan_{kind}_reclaim_{end}/enable", 1)
        yield reclaims
    finally:
        write(instance / "events/enable", 0)
        instance.rmdir()


def check(rows, truth):
    """The same reclaims, and times that differ by less than what two programs cost."""
    assert len(truth) > 0
    assert sorted((row["tid"], row["pages"]) for row in rows) == sorted((t, p) for t, _, p in truth)
    ours, theirs = sum(row["lat_ns"] for row in rows) / 1000, sum(us for _, us, _ in truth)
    assert abs(ours - theirs) <= 0.1 * theirs + 100 * len(truth), (ours, theirs)


@alone
def test_reclaim_of_a_cgroup():
    with cached_file() as file, cgroup(memory_max="4M") as group:
        workload = waiting_work("cache", file, "read", 2048, cgroup=group)
        with kernel_trace("memcg") as reclaims:
            tracer = tool("drsnoop", "--memcg", "-p", workload.pid, json=True)
            without = tool("drsnoop", "-p", workload.pid, json=True)
            workload.go()
            rows = [row for row in tracer.stop().json if "pages" in row]
            other = [row for row in without.stop().json if "pages" in row]
            truth = [reclaim for reclaim in reclaims() if reclaim[0] == workload.pid]
    check(rows, truth)
    assert {(row["pid"], row["comm"]) for row in rows} == {(workload.pid, "work")}
    assert sum(row["pages"] for row in rows) >= 2048 - 4 * 256
    assert len(other) < len(rows), "a limit's reclaims are not direct ones"


def free_kb():
    return int(re.search(r"^MemFree: +(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)[1])


@contextlib.contextmanager
def little_memory():
    """Huge pages hold most of the memory: what asks for one more has to reclaim."""
    pool = Path("/proc/sys/vm/nr_hugepages")
    write(pool, (free_kb() - 256 * 1024) // 2048)
    try:
        yield pool
    finally:
        write(pool, 0)


@alone
@timeout(150)
def test_direct_reclaim():
    with cached_file() as file, little_memory() as pool, kernel_trace("direct") as reclaims:
        work("cache", file, "read", 2048)
        tracer = tool("drsnoop", "-v", json=True)
        text = tool("drsnoop", "-TUv", "-n", "dd")
        have = int(pool.read_text())
        run(["dd", "if=/dev/stdin", f"of={pool}", "status=none"], stdin=text_file(f"{have + 4096}\n"))
        rows = [row for row in tracer.stop().json if "pages" in row]
        result = text.stop()
        truth = reclaims()
    check(rows, truth)
    mine = [row for row in rows if row["comm"] == "dd"]
    assert mine, "no reclaim by who asked for huge pages"
    assert all(0 < row["free_pages"] * 4 <= 512 * 1024 for row in rows)
    lines = result.out.splitlines()
    assert lines[0].split() == ["TIME(s)", "UID", "COMM", "PID", "LAT(ms)", "PAGES", "FREE(KB)"]
    assert len(result.rows) == len(mine)
    for shown, row in zip(result.rows, mine):
        assert (shown["UID"], shown["COMM"], shown["PID"]) == (0, "dd", row["pid"])
        assert shown["PAGES"] == row["pages"]
        assert abs(shown["FREE(KB)"] - row["free_pages"] * 4) <= 1024


def test_thread_column_and_bad_input():
    result = tool("drsnoop", "-t", os.getpid()).stop()
    assert result.out.split() == ["COMM", "TID", "LAT(ms)", "PAGES"]
    assert tool_run("drsnoop", "-d", "x").code == 2
