"""dcsnoop: each name that the cache does not have is a row, with -a each that is looked up."""

from harness import *


@alone
def test_misses_then_hits():
    with filesystem("ext4") as path:
        names = [f"name{i}" for i in range(50)]
        for again in range(2):
            mine = waiting_work("stat", 50, "name%d", cwd=path)
            misses = tool("dcsnoop", json=True)
            every = tool("dcsnoop", "-a", "-p", mine.pid, json=True)
            mine.go()
            misses, every = misses.stop(), every.stop()
            assert [row["file"] for row in misses.of(mine.pid)] == ([] if again else names)
            of = lambda kind: [row["file"] for row in every.json[:-1] if row["type"] == kind]
            assert of("R") == names and of("M") == ([] if again else names)
        assert {row["comm"] for row in every.json[:-1]} == {"work"}
        assert not any(every.json[-1]["lost"].values())


@alone
def test_parts_of_a_path():
    with filesystem("ext4") as path:
        (path / "a" / "b").mkdir(parents=True)
        mine = waiting_work("stat", 1, "a/./b/../b/c", cwd=path)
        text = tool("dcsnoop", "-a", "-p", mine.pid)
        mine.go()
        result = text.stop()
    rows = [(row["T"], row["FILE"]) for row in result.rows]
    assert rows == [("R", "a"), ("R", "b"), ("R", "b"), ("R", "c"), ("M", "c")], rows
    assert result.out.splitlines()[0].split() == ["TIME(s)", "PID", "COMM", "T", "FILE"]
    assert {row["PID"] for row in result.rows} == {mine.pid}


@alone
def test_long_and_hostile_names():
    with filesystem("ext4") as path:
        long, evil = "x" * 255, "a\x1b[2J\nb"
        text = tool("dcsnoop", "-p", os.getpid())
        for name in (long, evil):
            assert not os.path.exists(path / name)
        result = text.stop()
    found = [line.split(None, 4)[4] for line in result.out.splitlines()[1:]]
    assert long in found and r"a\x1b[2J\x0ab" in found
