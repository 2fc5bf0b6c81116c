"""nfsslower: a row for each operation, as it was done; times fit in what their caller measured."""

from fsops import *


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
