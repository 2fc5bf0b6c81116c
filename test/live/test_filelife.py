"""filelife: the age of files that are created and deleted, and nothing of those that are not."""

from harness import *


def test_age_and_who():
    with folder() as path:
        life = tool("filelife", "-F", json=True)
        text = tool("filelife", "-p", os.getpid())
        before = time.monotonic_ns()
        (path / "short").touch()
        created = time.monotonic_ns()
        (path / "stays").touch()
        time.sleep(1)
        leave = time.monotonic_ns()
        os.unlink(path / "short")
        after = time.monotonic_ns()
        os.mknod(path / "node", 0o600)
        run(["rm", path / "node"])
        life, text = life.stop(), text.stop()
    rows = [row for row in life.json[:-1] if row["file"].startswith(str(path))]
    assert [row["file"] for row in rows] == [f"{path}/short", f"{path}/node"]
    assert leave - created <= rows[0]["age_ns"] <= after - before
    assert rows[0]["pid"] == os.getpid() and rows[1]["comm"] == "rm" != rows[0]["comm"]
    (row,) = [row for row in text.rows if row["FILE"] == "short"]
    assert row["PID"] == os.getpid() and 1 <= row["AGE(s)"] <= (after - before) / 1e9
    assert not [row for row in text.rows if row["FILE"] == "node"]


def test_what_does_not_die():
    """Deletions that fail, a file with another name, and one that was there before."""
    with folder() as path:
        (path / "old").touch()
        life = tool("filelife", json=True)
        run(["mount", "-t", "tmpfs", "none", path])
        try:
            (path / "safe").touch()
            run(["mount", "-o", "remount,ro", path])
            for name in ("safe", "nothing"):
                try:
                    os.unlink(path / name)
                    raise AssertionError("it could be deleted")
                except OSError:
                    pass
        finally:
            run(["umount", path])
        (path / "twice").touch()
        os.link(path / "twice", path / "again")
        os.unlink(path / "twice")
        os.unlink(path / "old")
        os.unlink(path / "again")
        names = [row["file"] for row in life.stop().json[:-1]]
    assert names.count("again") == 1
    assert not {"safe", "nothing", "twice", "old"} & set(names)


def test_path_is_that_of_the_file():
    """Created from one folder, deleted from another; renamed in between; a name to escape."""
    with folder() as path:
        (path / "a").mkdir()
        life = tool("filelife", "-F")
        run(["sh", "-c", "cd a; : > new; mv new moved; cd /; rm $0/a/moved", path], cwd=path)
        (path / "a" / "b\x1b[2J\nc").touch()
        os.unlink(path / "a" / "b\x1b[2J\nc")
        result = life.stop()
    files = [row["FILE"] for row in result.rows if str(path) in str(row["FILE"])]
    assert files == [f"{path}/a/moved", rf"{path}/a/b\x1b[2J\x0ac"]


@needs("program:/usr/sbin/filelife")
def test_peer():
    """Debian's filelife has the same rows."""
    with folder() as path:
        theirs = spawn(["stdbuf", "-oL", "/usr/sbin/filelife", "-p", os.getpid()])
        ours = tool("filelife", "-p", os.getpid())
        theirs.until("FILE")
        settle = path / "settle"
        wait_for(lambda: settle.touch() or settle.unlink() or "settle" in theirs.out)
        for i in range(20):
            (path / f"same{i}").touch()
            (path / f"same{i}").unlink()
        wait_for(lambda: "same19" in theirs.out)
        ours, theirs = ours.stop(), theirs.stop()
    key = lambda row: (row["PID"], row["COMM"], row["FILE"])
    mine = lambda result: [key(row) for row in result.rows if str(row["FILE"]).startswith("same")]
    assert mine(ours) == mine(theirs) and len(mine(ours)) == 20
