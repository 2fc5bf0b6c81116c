"""nfsdist: counts equal the operations done; times fit in what their caller measured."""

from fsops import *
from nfs import nfs


def counts(result):
    return {op: hist["count"] for op, hist in hists(result).items()}


@alone
def test_counts_and_times():
    check_dist("nfs", "nfsdist")


@alone
def test_attributes():
    """Of each call, those that the client's cache answers included."""
    with mounted("nfs") as path:
        (path / "f").touch()
        mine = waiting_work("stat", 9, path / "f")
        none = waiting_work("stat", 9, path / "none")
        dist = tool("nfsdist", "-p", mine.pid, json=True)
        other = tool("nfsdist", "-p", none.pid, json=True)
        mine.go()
        assert none.go()["failed"] == 9
        assert counts(dist.stop()) == {"getattr": 9} and counts(other.stop()) == {}


@alone
def test_opens_of_version_4():
    """Only those of a name that is in the directory cache are the file system's."""
    with nfs() as (path, served):
        (served / "old").touch()
        creating = waiting_work("ops", path / "new", 4, 0, 0, 0)
        finding = waiting_work("open", 5, path / "old")
        created = tool("nfsdist", "-p", creating.pid, json=True)
        found = tool("nfsdist", "-p", finding.pid, json=True)
        creating.go()
        assert finding.go()["failed"] == 0
        created, found = created.stop(), found.stop()
    assert counts(created)["open"] == 3 and counts(found)["open"] == 4


@alone
def test_text():
    with mounted("nfs") as path:
        (path / "f").touch()
        mine = operations(path / "f")
        timed = tool("nfsdist", "-m", "-p", mine.pid, 60)
        plain = tool("nfsdist", "-T", "-p", mine.pid, 60)
        mine.go()
        timed, plain = timed.stop(), plain.stop()
    for result, unit in ((timed, "msecs"), (plain, "usecs")):
        assert result.out.startswith("Tracing NFS operation latency... Hit Ctrl-C to end.\n")
        found = {label: sum(h.values()) for label, h in result.histograms.items()}
        assert {f"operation = '{op}'": n for op, n in OPERATIONS.items()}.items() <= found.items()
        assert set(re.findall(r"^ +(\w+) +: count", result.out, re.M)) == {unit}
    assert len(re.findall(r"^\d\d:\d\d:\d\d:$", timed.out, re.M)) == 1
    assert not re.search(r"^\d\d:\d\d:\d\d", plain.out, re.M)


@alone
def test_version_3():
    """All opens are the file system's, those that make a file too."""
    check_dist("nfs3", "nfsdist")
    with nfs(version=3) as (path, _):
        assert re.search(rf"^\S+ {path} nfs .*\bvers=3\b", Path("/proc/mounts").read_text(), re.M)
        creating = waiting_work("ops", path / "new", 4, 0, 0, 0)
        dist = tool("nfsdist", "-p", creating.pid, json=True)
        creating.go()
        found = counts(dist.stop())
    assert found["open"] == 4 and not {"read", "write", "fsync"} & set(found)
