"""biotop: requests, bytes and times of known programs, as /proc/diskstats counts them."""

import os

from harness import *

MS = 1_000_000


@alone
def test_who_did_how_much():
    with null_blk(irqmode=2, completion_nsec=5 * MS) as disk:
        name = os.path.basename(disk)
        top = tool("biotop", "-d", name, "30", json=True)
        before = next(line.split() for line in open("/proc/diskstats") if line.split()[2] == name)
        read = work("disk", disk, 20, 4096, "r")
        wrote = work("disk", disk, 10, 65536, "w")
        after = next(line.split() for line in open("/proc/diskstats") if line.split()[2] == name)
        result = top.stop()
        rows = result.json[:-1]
        device = os.stat(disk).st_rdev
    assert [(r["pid"], r["comm"], r["op"], r["count"], r["bytes"]) for r in rows] == [
        (wrote["pid"], "work", "W", 10, 655360), (read["pid"], "work", "R", 20, 81920)]
    for row, did in zip(rows, (wrote, read)):
        assert (row["major"], row["minor"], row["disk"]) == (os.major(device), os.minor(device), name)
        assert row["count"] * 5 * MS <= row["total_ns"] <= (did["total_us"] + row["count"]) * 1000
        assert row["average_ns"] == row["total_ns"] // row["count"]
    assert [int(after[i]) - int(before[i]) for i in (3, 7)] == [20, 10]
    assert not any(result.json[-1]["lost"].values())


@alone
def test_text_sort_rows_and_pid():
    with null_blk(irqmode=2, completion_nsec=5 * MS) as disk:
        name = os.path.basename(disk)
        one = waiting_work("disk", disk, 8, 4096, "r")
        tops = [tool("biotop", "-C", "-d", name, *args, "30") for args in
                ([], ["--sort", "io"], ["-r", "1", "--sort", "time"], ["-p", one.pid])]
        did = one.go()
        big = work("disk", disk, 2, 65536, "r")
        plain, by_io, first, only = [top.stop() for top in tops]
    assert re.search(r"^\d\d:\d\d:\d\d loadavg: [\d.]+ ", plain.out, re.M)
    head = "PID COMM D MAJ MIN DISK I/O Kbytes AVGms"
    assert head.split() in [line.split() for line in plain.out.splitlines()]
    of = lambda result: [(r["PID"], r["D"], r["I/O"], r["Kbytes"]) for r in table(result.out, "I/O")]
    small, large = (did["pid"], "R", 8, 32), (big["pid"], "R", 2, 128)
    assert of(plain) == [large, small] and of(by_io) == [small, large]
    assert of(first) == [small] and of(only) == [small]
    assert all(r["AVGms"] >= 5 for r in table(plain.out, "I/O"))


def test_bad_input():
    assert tool_run("biotop", "--sort", "size").code == 2
    assert tool_run("biotop", "-d", "nosuchdisk").code == 2
