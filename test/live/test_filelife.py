"""filelife: files that went, with their age; nothing of files that are older, or that stay."""

from harness import *

S = 1_000_000_000


def life(path, seconds):
    """Make a file, wait, delete it; the least and the most that its age may be, in ns."""
    before = time.monotonic_ns()
    path.touch()
    made = time.monotonic_ns()
    time.sleep(seconds)
    going = time.monotonic_ns()
    path.unlink()
    return going - made, time.monotonic_ns() - before


def test_ages():
    with folder() as path:
        (path / "older").touch()
        data = tool("filelife", "-p", os.getpid(), json=True)
        text = tool("filelife", "-p", os.getpid())
        bounds = [life(path / f"f{i}", i / 5) for i in range(4)]
        os.mknod(path / "node", 0o100600)
        (path / "node").unlink()
        (path / "older").write_text("created before")
        (path / "older").unlink()
        (path / "stays").touch()
        data, text = data.stop(), text.stop()
    rows = data.json[:-1]
    assert [row["file"] for row in rows] == ["f0", "f1", "f2", "f3", "node"]
    assert {(row["pid"], row["tid"]) for row in rows} == {(os.getpid(), os.getpid())}
    for row, (least, most) in zip(rows, bounds):
        assert least <= row["age_ns"] <= most
    assert [r["FILE"] for r in text.rows] == [row["file"] for row in rows]
    assert all(abs(r["AGE(s)"] - row["age_ns"] / S) <= 0.01 for r, row in zip(text.rows, rows))
    assert not any(data.json[-1]["lost"].values())


def test_failed_and_reused():
    """A deletion that fails is none; a name and an inode that are used again are other files."""
    with folder() as path:
        data = tool("filelife", "-p", os.getpid(), json=True)
        (path / "f").touch()
        for wrong in (path / "f" / "below", path / "nothing"):
            try:
                os.unlink(wrong)
                raise AssertionError("it could be deleted")
            except OSError:
                pass
        os.rename(path / "f", path / "g")
        first = time.monotonic_ns()
        time.sleep(0.3)
        (path / "f").touch()
        (path / "f").unlink()
        (path / "g").unlink()
        data = data.stop()
        took = time.monotonic_ns() - first
    rows = data.json[:-1]
    assert [row["file"] for row in rows] == ["f", "g"]
    assert rows[0]["age_ns"] < 0.3 * S <= rows[1]["age_ns"] <= took + S


@alone
def test_refused():
    """An immutable file cannot be deleted: no row; then it can: one, with the whole age."""
    with filesystem("ext4") as path:
        data = tool("filelife", "-p", os.getpid(), json=True)
        (path / "f").touch()
        made = time.monotonic_ns()
        run(["chattr", "+i", path / "f"])
        try:
            os.unlink(path / "f")
            raise AssertionError("it could be deleted")
        except PermissionError:
            pass
        run(["chattr", "-i", path / "f"])
        going = time.monotonic_ns()
        os.unlink(path / "f")
        data = data.stop()
    assert [row["file"] for row in data.json[:-1]] == ["f"]
    assert data.json[0]["age_ns"] >= going - made


def test_full_path():
    """The path is the file's own, wherever its creator and its deleter are."""
    with folder() as path:
        (path / "a").mkdir()
        (path / "b").mkdir()
        data = tool("filelife", "-F", json=True)
        run(["sh", "-c", "echo > f"], cwd=path / "a")
        run(["rm", "../a/f"], cwd=path / "b")
        data = data.stop()
        full = str(path / "a" / "f")
    rows = [row for row in data.json[:-1] if row["file"].startswith(str(path))]
    assert [(row["comm"], row["file"]) for row in rows] == [("rm", full)]


@alone
@needs("program:/usr/sbin/filelife")
def test_peer():
    """Debian's filelife has the same files and ages, to its hundredths.

    From 6.3 on it shows none: it takes the third argument of vfs_unlink() for the file only where the kernel has user
    namespaces of mounts, which mnt_idmap replaced; else the second, which is the folder (`bpftool prog dump`).
    """
    with filesystem("ext4") as path:
        ours = tool("filelife", "-p", os.getpid(), json=True)
        theirs = spawn(["stdbuf", "-oL", "/usr/sbin/filelife", "-p", os.getpid()])
        theirs.until("TIME")
        time.sleep(2)  # it says so before it has attached
        for i in range(3):
            life(path / f"f{i}", i / 5)
        ours, theirs = ours.stop(), theirs.stop()
    mine = [(row["file"], row["age_ns"] / S) for row in ours.json[:-1]]
    other = {row["FILE"]: row["AGE(s)"] for row in table(theirs.out, "FILE") if row["FILE"] in dict(mine)}
    assert [file for file, _ in mine] == ["f0", "f1", "f2"]
    if not lacking("kernel:6.3"):
        assert other == {}
        return
    assert list(other) == ["f0", "f1", "f2"]
    assert all(abs(age - other[file]) <= 0.011 for file, age in mine)
