"""biopattern: as many sequential and random requests as were made so, the first of a disk left out."""

import os

from harness import *


@alone
def test_sequential_and_random():
    with null_blk(irqmode=2, completion_nsec=1_000_000) as one, loop() as two:
        name = os.path.basename(one)
        every, only = tool("biopattern", json=True), tool("biopattern", "-d", name)
        before = [line.split() for line in open("/proc/diskstats") if line.split()[2] == name][0]
        work("disk", one, 31, 4096, "r")  # the first is neither, 30 sequential
        work("disk", one, 10, 4096, "w", 65536)  # 10 random: the first of them goes back to 0
        work("disk", two, 9, 8192, "r", 16384)  # 8 random
        every, only = every.stop(), only.stop()
        after = [line.split() for line in open("/proc/diskstats") if line.split()[2] == name][0]
    rows = {row["disk"]: row for row in every.json[:-1]}
    row = rows[name]
    assert (row["sequential"], row["random"], row["count"]) == (30, 10, 40)
    assert (row["random_percent"], row["sequential_percent"], row["bytes"]) == (25, 75, 40 * 4096)
    done = sum(int(after[i]) - int(before[i]) for i in (3, 7))
    assert row["count"] + 1 == done
    row = rows[os.path.basename(two)]
    assert (row["sequential"], row["random"], row["bytes"]) == (0, 8, 8 * 8192)
    assert not any(every.json[-1]["lost"].values())
    (row,) = only.rows
    assert (row["DISK"], row["%RND"], row["%SEQ"], row["COUNT"], row["KBYTES"]) == (name, 25, 75, 40, 160)
    assert only.out.splitlines()[2].split() == "TIME DISK %RND %SEQ COUNT KBYTES".split()


@alone
def test_intervals_go_on_where_the_last_ended():
    with null_blk(irqmode=2, completion_nsec=1_000_000) as disk:
        pattern = tool("biopattern", "-d", os.path.basename(disk), "1", "3", json=True)
        work("disk", disk, 600, 4096, "r")  # longer than half a second
        rows = pattern.wait().json[:-1]
    assert sum(row["sequential"] for row in rows) == 599 and sum(row["random"] for row in rows) == 0


@alone
def test_of_one_cgroup():
    """By issue and submitter then: the order is that of its requests alone."""
    with null_blk(irqmode=2, completion_nsec=1_000_000) as disk, cgroup() as group:
        pattern, every = tool("biopattern", "--cgroup", group, json=True), tool("biopattern", json=True)
        other = spawn([WORK, "disk", disk, 50, 4096, "r", 65536])
        work("disk", disk, 20, 4096, "r", cgroup=group)
        other.wait()
        (row,), all_rows = pattern.stop().json[:-1], every.stop().json[:-1]
    assert sum(row["count"] for row in all_rows if row["disk"] == os.path.basename(disk)) == 69
    assert (row["sequential"], row["random"], row["bytes"]) == (19, 0, 19 * 4096)


def test_bad_disk():
    result = tool_run("biopattern", "-d", "nosuchdisk")
    assert result.code == 2 and "no such disk" in result.err
