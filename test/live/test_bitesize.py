"""bitesize: histograms of the sizes that known programs read and wrote, as /proc/diskstats counts them."""

import os

from harness import *


def counted(device):
    """Requests done and bytes moved, reads and writes, as the kernel counts them."""
    name = os.path.basename(device)
    fields = next(line.split() for line in open("/proc/diskstats") if line.split()[2] == name)
    return int(fields[3]) + int(fields[7]), (int(fields[5]) + int(fields[9])) * 512


@alone
def test_sizes_by_name():
    with null_blk(irqmode=2, completion_nsec=1_000_000) as disk, folder() as path:
        name = os.path.basename(disk)
        run(["cp", WORK, path / "other-name"])
        sizes = tool("bitesize", "-d", name, json=True)
        only = tool("bitesize", "-d", name, "-c", "other")
        before = counted(disk)
        work("disk", disk, 20, 4096, "r")
        work("disk", disk, 7, 65536, "w")
        run([path / "other-name", "disk", disk, 5, 16384, "r"])
        sizes, only = sizes.stop(), only.stop()
        requests, moved = (now - then for now, then in zip(counted(disk), before))
    rows = {row["comm"]: row for row in sizes.json[:-1]}
    assert set(rows) == {"work", "other-name"} and not any(sizes.json[-1]["lost"].values())
    buckets = lambda row: {(b["low"], b["high"]): b["count"] for b in row["buckets"] if b["count"]}
    assert buckets(rows["work"]) == {(4, 7): 20, (64, 127): 7}
    assert buckets(rows["other-name"]) == {(16, 31): 5}
    assert sum(row["count"] for row in rows.values()) == requests == 32
    assert sum(row["sum"] for row in rows.values()) * 1024 == moved
    (label,) = only.histograms
    assert label == "Process Name = other-name" and "\n     Kbytes " in only.out
    assert {k: n for k, n in only.histogram.items() if n} == {(16, 31): 5}


@alone
def test_names_of_15_characters_and_more():
    """All of a name that is as long as a thread's can be; of a longer one there is no thread."""
    with null_blk(irqmode=2, completion_nsec=1_000_000) as disk, folder() as path:
        name = os.path.basename(disk)
        run(["cp", WORK, path / "fifteen-letters"])
        only = tool("bitesize", "-d", name, "-c", "fifteen-letters", json=True)
        other = tool("bitesize", "-d", name, "-c", "fifteen-letterz", json=True)
        work("disk", disk, 3, 4096, "r")
        run([path / "fifteen-letters", "disk", disk, 5, 16384, "r"])
        only, other = only.stop(), other.stop()
    assert [(row["comm"], row["count"]) for row in only.json[:-1]] == [("fifteen-letters", 5)]
    assert other.json[:-1] == []
    for length in (16, 20):
        result = tool_run("bitesize", "-c", "x" * length)
        assert result.code == 2 and "not a name of 1 to 15 characters" in result.err


@alone
def test_the_submitter_though_a_kworker_issues():
    # One at a time in the driver: the kernel issues the others, some of them again and again.
    with null_blk(irqmode=2, completion_nsec=2_000_000, hw_queue_depth=1, submit_queues=1) as disk:
        sizes = tool("bitesize", "-d", os.path.basename(disk), json=True)
        readers = [waiting_work("disk", disk, 10, 8192, "r", 65536) for _ in range(3)]
        for reader in readers:
            reader.begin()
        for reader in readers:
            reader.wait()
        rows = sizes.stop().json[:-1]
    assert [(row["comm"], row["count"], row["sum"]) for row in rows] == [("work", 30, 240)]


def test_unknown_disk():
    result = tool_run("bitesize", "-d", "nosuchdisk")
    assert result.code == 2 and "no such disk: nosuchdisk" in result.err
