"""fileslower: reads and writes of files, as they were done; times fit in what their caller measured."""

from fsops import *

MS = 1_000_000


@alone
def test_all_operations():
    with folder() as path:
        mine = operations(path / "f")
        data = tool("fileslower", "0", "-p", mine.pid, json=True)
        text = tool("fileslower", "0", "-F", "-p", mine.pid)
        did = mine.go()
        data, text = data.stop(), text.stop()
        full = str(path / "f")
    rows = [row for row in data.json[:-1] if row["file"] == "f"]
    of = lambda op: [row for row in rows if row["op"] == op]
    assert {row["pid"] for row in data.json[:-1]} == {did["pid"]}
    assert {row["comm"] for row in rows} == {"work"}
    assert [(r["bytes"], r["ret"], r["offset"]) for r in of("W")] == [
        (4096, 4096, 4096 * i) for i in range(OPERATIONS["write"])]
    assert [(r["bytes"], r["ret"], r["offset"]) for r in of("R")] == [(4096, 4096, 0)] * OPERATIONS["read"]
    for op, name in (("W", "write"), ("R", "read")):
        assert sum(row["lat_ns"] for row in of(op)) <= 1000 * (did[f"{name}_us"] + OPERATIONS[name])
    assert not any(data.json[-1]["lost"].values())
    assert text.out.startswith("Tracing sync read/writes\n")
    assert [(r["D"], r["BYTES"], r["TID"]) for r in text.rows if r["FILENAME"] == full] == [
        (row["op"], row["bytes"], row["tid"]) for row in rows]


@alone
def test_threshold():
    """Writes of O_SYNC wait for a disk that takes 20 ms a request; reads of the page cache do not."""
    with null_blk(irqmode=2, completion_nsec=20 * MS) as disk, filesystem("ext4", device=disk) as path:
        mine = waiting_work("ops", path / "f", 1, 6, 5, 0, 1)
        slow = tool("fileslower", "15", "-p", mine.pid, json=True)
        did = mine.go()
        slow = slow.stop()
    writes = [row["lat_ns"] for row in slow.json[:-1] if row["op"] == "W" and row["file"] == "f"]
    assert len(writes) == 6 and min(writes) >= 20 * MS
    assert sum(writes) <= 1000 * (did["write_us"] + 6)
    assert all(row["lat_ns"] >= 15 * MS for row in slow.json[:-1])
    assert not any(slow.json[-1]["lost"].values())


@alone
def test_pipes_are_asked_for():
    """With -a a read that waits 200 ms for a pipe is a row; without it is none."""
    reader, writer = os.pipe()
    plain = tool("fileslower", "0", "-p", os.getpid(), json=True)
    every = tool("fileslower", "0", "-a", "-p", os.getpid(), json=True)
    pid = os.fork()
    if not pid:
        time.sleep(0.2)
        os.write(writer, b"hello")
        os._exit(0)
    began = time.monotonic_ns()
    assert os.read(reader, 123) == b"hello"
    took = time.monotonic_ns() - began
    os.waitpid(pid, 0)
    plain, every = plain.stop(), every.stop()
    mine = [row for row in every.json[:-1] if (row["op"], row["bytes"]) == ("R", 123)]
    assert [(row["ret"], row["offset"]) for row in mine] == [(5, 0)]
    assert 190 * MS <= mine[0]["lat_ns"] <= took
    assert [row for row in plain.json[:-1] if row["bytes"] == 123] == []
