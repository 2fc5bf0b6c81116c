"""ext4dist: counts equal the operations done; times fit in what their caller measured."""

import re
import time

from harness import *


def hists(result):
    return {row["operation"]: row for row in result.json if "buckets" in row}


@alone
def test_counts_and_times():
    with filesystem("ext4") as path:
        reader = waiting_work("ops", path / "f", 50, 40, 30, 5)
        dist = tool("ext4dist", "-p", reader.pid, json=True)
        other = tool("ext4dist", "-p", 1, json=True)
        run(["cat", "/dev/null"])
        (path / "noise").write_text("of this process, not of the one asked for")
        did = reader.go()
        result, other = dist.stop(), other.stop()
    found = hists(result)
    assert {op: h["count"] for op, h in found.items()} == {"open": 50, "write": 40, "read": 30, "fsync": 5}
    for op, hist in found.items():
        assert hist["unit"] == "usecs" and hist["sum"] <= did[f"{op}_us"] + hist["count"]
        assert all(bucket["low"] < 1 << 40 for bucket in hist["buckets"])
    assert not any(result.json[-1]["lost"].values())
    assert hists(other) == {}


@alone
def test_fsync_within_a_write():
    with filesystem("ext4") as path:
        writer = waiting_work("ops", path / "f", 1, 6, 0, 0, 1)
        dist = tool("ext4dist", "-p", writer.pid, json=True)
        did = writer.go()
        found = hists(dist.stop())
    assert found["write"]["count"] == found["fsync"]["count"] == 6
    assert found["fsync"]["sum"] <= found["write"]["sum"] <= did["write_us"] + 6


@alone
def test_text():
    with filesystem("ext4") as path:
        writer = waiting_work("ops", path / "f", 3, 4, 5, 1)
        timed = tool("ext4dist", "-m", "-p", writer.pid, "60")
        plain = tool("ext4dist", "-T", "-p", writer.pid, "60")
        stat = tool("ext4dist", "--getattr", "-p", writer.pid)
        writer.go()
        timed, plain, stat = timed.stop(), plain.stop(), stat.stop()
    for result, unit in ((timed, "msecs"), (plain, "usecs")):
        assert result.out.startswith("Tracing ext4 operation latency... Hit Ctrl-C to end.\n")
        counts = {label: sum(h.values()) for label, h in result.histograms.items()}
        assert counts == {"operation = 'read'": 5, "operation = 'write'": 4,
                          "operation = 'open'": 3, "operation = 'fsync'": 1}
        assert re.findall(r"^ +(\w+) +: count", result.out, re.M) == [unit] * 4
    assert len(re.findall(r"^\d\d:\d\d:\d\d:$", timed.out, re.M)) == 1
    assert not re.search(r"^\d\d:\d\d:\d\d", plain.out, re.M)
    assert "operation = 'read'" in stat.histograms


@alone
@needs("program:/usr/sbin/ext4dist")
def test_peer():
    """Debian's ext4dist counts the same operations."""
    with filesystem("ext4") as path:
        reader = waiting_work("ops", path / "f", 50, 40, 30, 5)
        ours = tool("ext4dist", "-p", reader.pid, json=True)
        theirs = spawn(["stdbuf", "-oL", "/usr/sbin/ext4dist", "-p", reader.pid])
        theirs.until("Tracing")
        time.sleep(1)  # it says so before it has attached
        reader.go()
        ours, theirs = hists(ours.stop()), theirs.stop()
    counts = {label: sum(n.values()) for label, n in theirs.histograms.items()}
    assert {f"operation = '{op}'": h["count"] for op, h in ours.items()} == counts
