"""nfsslower: a row for each operation, as it was done; times fit in what their caller measured."""

from fsops import *
from nfs import nfs


@alone
def test_all_operations():
    check_slower("nfs", "nfsslower")


@alone
def test_attributes():
    with mounted("nfs") as path:
        (path / "f").touch()
        mine = waiting_work("stat", 9, path / "f")
        data = tool("nfsslower", 0, "-p", mine.pid, json=True)
        text = tool("nfsslower", 0, "-p", mine.pid)
        mine.go()
        rows, text = data.stop().json[:-1], text.stop()
    assert [(row["op"], row["file"], row["ret"]) for row in rows] == [("G", "f", 0)] * 9
    assert [(row["T"], row["FILENAME"]) for row in text.rows] == [("G", "f")] * 9


@alone
def test_version_3():
    check_slower("nfs3", "nfsslower")


def commits(path):
    """The kernel's own account: how many there were of that mount, and milliseconds from sending them to the answer."""
    (text,) = re.findall(rf"^device \S+ mounted on {path} .*\n((?:.*\n)*?)(?=device |\Z)",
                         Path("/proc/self/mountstats").read_text(), re.MULTILINE)
    return tuple(map(int, re.search(r"COMMIT: (\d+)(?: \d+){5} (\d+)", text).groups()))


def check_commits(version):
    # What goes to the server in one write needs none: it is to be on the disk at once.
    with nfs("wsize=4096", version) as (path, _):
        (path / "f").touch()
        mine = operations(path / "f")
        before = commits(path)
        data = tool("nfsslower", 0, json=True)
        full = tool("nfsslower", 0, "-F")
        other = tool("nfsslower", 0, "-p", os.getpid(), json=True)
        did = mine.go()
        after = commits(path)
        data, full, other = data.stop(), full.stop(), other.stop()
    rows = [row for row in data.json[:-1] if row["op"] == "C"]
    syncs = [row for row in data.json[:-1] if row["op"] == "S"]
    assert len(rows) == after[0] - before[0] > 0
    assert {(row["file"], row["bytes"], row["ret"]) for row in rows} == {("f", 0, 0)}
    # Who is first: the fsync, or the worker that has the answer to the last of the writes.
    assert all(row["comm"].startswith("kworker/") or row["pid"] == did["pid"] for row in rows)
    # The first fsync waits for it: it is on its way no longer than that, and no shorter than the kernel says.
    took = sum(row["lat_ns"] for row in rows)
    assert (after[1] - before[1]) * 1_000_000 <= took < syncs[0]["lat_ns"]
    assert not any(data.json[-1]["lost"].values()) and other.json[:-1] == []
    assert [row["FILENAME"] for row in full.rows if row["T"] == "C"] == ["/f"] * len(rows)


@alone
def test_commits():
    check_commits(4)


@alone
def test_commits_of_version_3():
    check_commits(3)
