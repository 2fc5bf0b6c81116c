"""fileslower: reads and writes with what they returned; a pipe that keeps its reader waiting is slow."""

import threading

from harness import *


def test_all_of_a_process():
    with folder() as path:
        mine = waiting_work("rw", path / "file", 3000, 5, 4)
        data = tool("fileslower", "0", "-F", "-p", mine.pid, json=True)
        text = tool("fileslower", "0", "-p", mine.pid)
        none = tool("fileslower", "0", "-p", 1, json=True)
        work("rw", path / "other", 100, 2, 2)
        did = mine.go()
        data, text, none = data.stop(), text.stop(), none.stop()
    rows = [row for row in data.json[:-1] if row["file"] == f"{path}/file"]  # and no report of "work"
    assert [(row["op"], row["bytes"]) for row in rows] == [("W", 3000)] * 4 + [("R", 3000)] * 5
    assert {(row["pid"], row["tid"], row["comm"]) for row in rows} == {(did["pid"], did["pid"], "work")}
    assert len(data.json) <= len(rows) + 2
    assert text.out.splitlines()[0] == "Tracing sync read/writes... Hit Ctrl-C to end."
    assert [(r["TID"], r["COMM"], r["D"], r["BYTES"], r["FILENAME"]) for r in text.rows if r["FILENAME"] == "file"] == [
        (row["tid"], row["comm"], row["op"], row["bytes"], "file") for row in rows
    ]
    assert none.json[:-1] == [] and not any(data.json[-1]["lost"].values())


def test_threshold_and_other_files():
    """A read of a pipe waits 300 ms; regular files are quick, or slow enough to be rows rightly."""
    reader, writer = os.pipe()
    every = tool("fileslower", "-a", "250", "-p", os.getpid(), json=True)
    regular = tool("fileslower", "250", "-p", os.getpid(), json=True)
    timer = threading.Timer(0.3, os.write, (writer, b"x" * 77))
    began = time.monotonic_ns()
    timer.start()
    assert os.read(reader, 100) == b"x" * 77
    took = time.monotonic_ns() - began
    timer.join()
    every, regular = every.stop().json[:-1], regular.stop().json[:-1]
    (row,) = [row for row in every if row["bytes"] == 77]
    assert row["op"] == "R" and 250e6 <= row["lat_ns"] <= took
    assert not [row for row in regular if row["bytes"] == 77]
    assert all(row["lat_ns"] >= 250e6 for row in every + regular)


def test_failures_and_names():
    with folder() as path:
        name = "a\x1b[2J\nb"
        (path / name).write_text("12345")
        data = tool("fileslower", "0", "-p", os.getpid(), json=True)
        text = tool("fileslower", "0", "-p", os.getpid())
        with open(path / name, "rb", 0) as file:
            file.read(100)
            file.read(100)
        data, text = data.stop(), text.stop()
    rows = [row for row in data.json[:-1] if row["file"] == name]
    assert [row["bytes"] for row in rows] == [5, 0]
    lines = [line for line in text.out.splitlines() if line.endswith(r"a\x1b[2J\x0ab")]
    assert len(lines) == 2
