"""xfsdist: counts equal the operations done; times fit in what their caller measured."""

from fsops import *


@alone
def test_counts_and_times():
    check_dist("xfs", "xfsdist")


@alone
def test_attributes():
    with mounted("xfs") as path:
        (path / "f").touch()
        mine = waiting_work("stat", 9, path / "f")
        dist = tool("xfsdist", "--getattr", "-p", mine.pid, json=True)
        mine.go()
        found = hists(dist.stop())
    assert {op: hist["count"] for op, hist in found.items()} == {"getattr": 9}
