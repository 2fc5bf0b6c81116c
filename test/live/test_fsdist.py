"""fsdist: as the applets of each file system, by its name."""

from fsops import *


@alone
def test_counts_and_times():
    check_dist("ext4", "fsdist", "-t", "ext4", also=["getattr"])


@alone
def test_text():
    with mounted("xfs") as path:
        mine = operations(path / "f")
        dist = tool("fsdist", "-t", "xfs", "-T", "-m", "-p", mine.pid)
        mine.go()
        result = dist.stop()
    assert result.out.startswith("Tracing xfs operation latency... Hit Ctrl-C to end.\n")
    assert len(re.findall(r"^\d\d:\d\d:\d\d$", result.out, re.M)) == 1
    counts = {label: sum(h.values()) for label, h in result.histograms.items()}
    assert counts == {f"operation = '{op}'": n for op, n in OPERATIONS.items()}


def test_which():
    result = tool_run("fsdist")
    assert result.code == 2 and result.err.startswith("fsdist: --type FS is needed\n")
    result = tool_run("fsdist", "-t", "minix")
    assert result.code == 2 and "not one of bcachefs, btrfs" in result.err


@alone
@needs("program:/usr/sbin/fsdist")
def test_peer():
    """Debian's fsdist counts the same operations."""
    with mounted("btrfs") as path:
        mine = operations(path / "f")
        ours = tool("fsdist", "-t", "btrfs", "-p", mine.pid, json=True)
        theirs = spawn(["stdbuf", "-oL", "/usr/sbin/fsdist", "-t", "btrfs", "-p", mine.pid])
        theirs.until("Tracing")
        time.sleep(1)  # it says so before it has attached
        mine.go()
        ours, theirs = hists(ours.stop()), theirs.stop()
    counts = {label: sum(n.values()) for label, n in theirs.histograms.items()}
    assert {f"operation = '{op}'": h["count"] for op, h in ours.items()} == counts
