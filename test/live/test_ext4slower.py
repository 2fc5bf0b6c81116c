"""ext4slower: a row for each operation that is slow enough, as it was done; see fsops.py."""

from fsops import *

MS = 1_000_000


@alone
def test_all_operations():
    check_slower("ext4", "ext4slower")


@alone
def test_threshold():
    """A disk that takes 20 ms a request: each write of O_SYNC waits for it, and nothing quicker is shown."""
    with null_blk(irqmode=2, completion_nsec=20 * MS) as disk, filesystem("ext4", device=disk) as path:
        mine = waiting_work("ops", path / "f", 7, 6, 5, 0, 1)
        slow = tool("ext4slower", "-p", mine.pid, json=True)
        text = tool("ext4slower", "15", "-p", mine.pid)
        same = tool("ext4slower", "-m", "15", "-p", mine.pid)
        did = mine.go()
        slow, text, same = slow.stop(), text.stop(), same.stop()
    rows = slow.json[:-1]
    assert all(row["lat_ns"] >= 10 * MS for row in rows)
    of = lambda op: [row["lat_ns"] for row in rows if row["op"] == op]
    assert len(of("W")) == len(of("S")) == 6 and min(of("S")) >= 20 * MS
    assert sum(of("S")) <= sum(of("W")) <= 1000 * (did["write_us"] + 6)
    assert not any(slow.json[-1]["lost"].values())
    assert text.out.startswith("Tracing ext4 operations slower than 15 ms\n")
    assert all(row["LAT(ms)"] >= 15 for row in text.rows)
    assert [row["T"] for row in text.rows if row["T"] in "SW"] == ["S", "W"] * 6
    assert [row["T"] for row in same.rows if row["T"] in "SW"] == ["S", "W"] * 6
    assert same.out.startswith("Tracing ext4 operations slower than 15 ms\n")


@alone
def test_fsync_within_a_write():
    check_writes_of_o_sync("ext4", "ext4slower")


@alone
def test_appended_and_escaped():
    """Where O_APPEND began is known at the end only; names reach no terminal raw."""
    evil = "a\x1b[2J"
    with filesystem("ext4") as path:
        (path / evil).write_bytes(b"x" * 5000)
        slow = tool("ext4slower", "0", "-p", os.getpid(), json=True)
        text = tool("ext4slower", "0", "-p", os.getpid())
        fd = os.open(path / evil, os.O_WRONLY | os.O_APPEND)
        os.write(fd, b"y" * 100)
        os.close(fd)
        slow, text = slow.stop(), text.stop()
    rows = [(row["op"], row["bytes"], row["offset"], row["ret"]) for row in slow.json[:-1] if row["file"] == evil]
    assert rows == [("O", 0, 0, 0), ("W", 100, 5000, 100)]
    assert r"a\x1b[2J" in text.out and "\x1b" not in text.out


@alone
@needs("program:/usr/sbin/ext4slower")
def test_peer():
    """Debian's ext4slower has the same rows; what a whole-file fsync has for its size differs."""
    with filesystem("ext4") as path:
        (path / "f").touch()
        mine = operations(path / "f")
        ours = tool("ext4slower", "0", "-p", mine.pid, json=True)
        theirs = spawn(["stdbuf", "-oL", "/usr/sbin/ext4slower", "-m", "0", "-p", mine.pid])
        theirs.until("Tracing")
        time.sleep(1)  # it says so before it has attached
        mine.go()
        ours, theirs = ours.stop(), theirs.stop()
    key = lambda row: (row["T"], row["BYTES"] if row["T"] != "F" else 0, row["FILENAME"])
    letters = {"S": "F"}
    assert [(letters.get(row["op"], row["op"]), row["bytes"], row["file"]) for row in ours.json[:-1]] == [
        key(row) for row in table(theirs.out, "FILENAME")]


def test_bad_input():
    assert tool_run("ext4slower", "-1").code == 2
    assert tool_run("ext4slower", "some").code == 2
