"""filegone: names that went, by whom; nothing of calls that failed."""

from harness import *


def test_deletions_and_renames():
    with folder() as path:
        data = tool("filegone", "-p", os.getpid(), json=True)
        text = tool("filegone", "-p", os.getpid())
        for i in range(5):
            (path / f"f{i}").touch()
            os.unlink(path / f"f{i}")
        (path / "old").touch()
        os.rename(path / "old", path / "new")
        (path / "other").touch()
        os.rename(path / "new", path / "other")  # which is replaced
        os.mkdir(path / "d")
        os.rename(path / "d", path / "e")
        os.rmdir(path / "e")
        run(["rm", path / "other"])
        for call, name in ((os.unlink, "nothing"), (os.rmdir, "nothing"), (os.unlink, ".")):
            try:
                call(path / name)
                raise AssertionError("it could be deleted")
            except OSError:
                pass
        data, text = data.stop(), text.stop()
    rows = [(r["action"], r["file"], r["new_name"], r["folder"]) for r in data.json[:-1]]
    assert rows == [("DELETE", f"f{i}", "", False) for i in range(5)] + [
        ("RENAME", "old", "new", False), ("RENAME", "new", "other", False),
        ("RENAME", "d", "e", True), ("DELETE", "e", "", True)]
    assert {row["pid"] for row in data.json[:-1]} == {os.getpid()}
    assert [(r["ACTION"], r["FILE"]) for r in text.rows] == [
        (action, f"{file} > {new}" if new else file) for action, file, new, _ in rows]


def test_others_and_escapes():
    with folder() as path:
        gone = tool("filegone", json=True)
        text = tool("filegone")
        evil = "a\x1b[2J\nb"
        (path / evil).touch()
        run(["mv", path / evil, path / "good"])
        run(["rm", path / "good"])
        gone, text = gone.stop(), text.stop()
    rows = [row for row in gone.json[:-1] if "good" in (row["file"], row["new_name"])]
    assert [(row["comm"], row["action"], row["file"], row["new_name"]) for row in rows] == [
        ("mv", "RENAME", evil, "good"), ("rm", "DELETE", "good", "")]
    assert [line for line in text.out.splitlines() if line.endswith(r"a\x1b[2J\x0ab > good")]
    assert not any(gone.json[-1]["lost"].values())
