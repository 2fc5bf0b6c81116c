"""nfsdist: counts equal the operations done on a mount over loopback."""

from fsops import *


@alone
def test_counts_and_times():
    check_dist("nfs", "nfsdist", also=["getattr"])


@alone
def test_attributes():
    with mounted("nfs") as path:
        (path / "f").touch()
        mine = waiting_work("stat", 9, path / "f")
        dist = tool("nfsdist", "-p", mine.pid, json=True)
        mine.go()
        found = hists(dist.stop())
    assert {op: hist["count"] for op, hist in found.items()} == {"getattr": 9}
