"""vfsstat: sums over the lines equal the calls that were done; rates follow from their intervals."""

import re
import time

from harness import *

KINDS = ["reads", "writes", "fsyncs", "opens", "creates", "unlinks", "mkdirs", "rmdirs"]


def totals(result):
    rows = [row for row in result.json if "reads" in row]
    return {kind: sum(row[kind] for row in rows) for kind in KINDS}, rows


def expected(did):
    return {kind: did["each"] + (kind == "writes") for kind in KINDS}


def test_every_kind_of_one_process():
    with folder() as path:
        one = waiting_work("vfs", path, 300)
        stat = tool("vfsstat", "-p", one.pid, json=True)
        work("vfs", path, 50)
        did = one.go()
        sums, rows = totals(stat.stop())
    assert sums == expected(did)
    assert all(row["interval_ns"] > 0 for row in rows)


def test_nothing_is_lost_between_intervals():
    with folder() as path:
        one = waiting_work("vfs", path, 4000)
        stat = tool("vfsstat", "-p", one.pid, "1", json=True)
        did = one.go(60)
        sums, rows = totals(stat.stop())
    assert sums == expected(did)
    assert sum(row["reads"] > 0 for row in rows) >= 2, "the workload lay in one interval"


def test_text_has_rates_of_the_time_it_took():
    with folder() as path:
        one = waiting_work("vfs", path, 200)
        begin = time.monotonic()
        stat = tool("vfsstat", "-p", one.pid, "3600")
        live = time.monotonic()
        did = one.go()
        shortest = time.monotonic() - live
        result = stat.stop()
        longest = time.monotonic() - begin
    lines = result.out.splitlines()
    assert lines[0] == (
        "TIME         READ/s  WRITE/s  FSYNC/s   OPEN/s CREATE/s UNLINK/s  MKDIR/s  RMDIR/s")
    assert len(lines) == 2 and re.fullmatch(r"\d\d:\d\d:\d\d: ( {1,8}\d+){8}", lines[1]), lines
    for rate, done in zip(map(int, lines[1].split()[1:]), expected(did).values()):
        assert done / longest - 0.5 <= rate <= done / shortest + 0.5, (rate, longest, shortest)


@alone
def test_without_options_counts_all():
    with folder() as path:
        stat = tool("vfsstat", "--duration", "3", json=True)
        for _ in range(3):
            work("vfs", path, 20)
        sums, rows = totals(stat.wait())
    assert len(rows) == 3
    assert all(sums[kind] >= 60 for kind in KINDS)
    assert sums["mkdirs"] <= 70 and sums["fsyncs"] <= 70


def test_csv():
    stat = tool_run("vfsstat", "--csv", "1", "1").out.splitlines()
    assert stat[0] == "time," + ",".join(KINDS) + ",interval_ns"
    assert len(stat) == 2 and len(stat[1].split(",")) == 10


@alone
@needs("program:/usr/sbin/vfsstat")
def test_peer_agrees():
    """Creations are the same; of flushes the peer sees none."""
    with folder() as path:
        peer = spawn(["stdbuf", "-oL", "/usr/sbin/vfsstat", "1"])
        peer.until(r"^\d\d:\d\d:\d\d")
        stat = tool("vfsstat", json=True)
        did = work("vfs", path, 500)
        sums, _ = totals(stat.stop())
        seen = len(peer.out.splitlines())
        wait_for(lambda: len(peer.out.splitlines()) > seen + 1)
        theirs = table(peer.stop().out)
    assert sum(row["CREATE/s"] for row in theirs) == sums["creates"] == did["each"], (theirs, sums)
    # The peer has its probe on vfs_fsync(), which the compiler puts inline where fsync(2) calls it.
    assert sum(row["FSYNC/s"] for row in theirs) == 0 and sums["fsyncs"] == did["each"], (theirs, sums)
