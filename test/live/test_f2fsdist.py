"""f2fsdist: counts equal the operations done; times fit in what their caller measured."""

from fsops import *


@alone
def test_counts_and_times():
    check_dist("f2fs", "f2fsdist")


@alone
def test_attributes():
    with mounted("f2fs") as path:
        (path / "f").touch()
        mine = waiting_work("stat", 9, path / "f")
        dist = tool("f2fsdist", "-p", mine.pid, json=True)
        mine.go()
        found = hists(dist.stop())
    assert {op: hist["count"] for op, hist in found.items()} == {"getattr": 9}


@alone
def test_another_file_system():
    check_dist("ext4", "f2fsdist", "-t", "ext4", "-T")
