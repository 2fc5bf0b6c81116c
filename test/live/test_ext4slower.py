"""ext4slower: every operation is a row when the threshold is 0; a disk that is slow makes slow rows."""

from fsops import *

DELAY = Path("/sys/bus/pseudo/drivers/scsi_debug/ndelay")


@alone
def test_all_operations():
    rows = check_slower("ext4", "ext4slower")
    assert [row["op"] for row in rows] == list("O" * 7 + "W" * 6 + "R" * 5 + "S" * 4)


def delay(ns):
    """Not while a command is on its way."""
    try:
        write(DELAY, ns)
        return True
    except OSError:
        return False


@alone
def test_threshold():
    """Each command to the disk takes 150 ms, and an O_SYNC write needs one at least."""
    with scsi_debug(dev_size_mb=64, ndelay=1000) as disk, filesystem("ext4", device=disk) as path:
        mine = waiting_work("ops", path / "f", 1, 3, 0, 0, 1)
        text = tool("ext4slower", "100", "-p", mine.pid)
        data = tool("ext4slower", "-m", "100", "-p", mine.pid, json=True)
        wait_for(lambda: delay(150000000))
        did = mine.go()
        text, data = text.stop(), data.stop()
        wait_for(lambda: delay(1000))
    assert text.out.startswith("Tracing ext4 operations slower than 100 ms... Hit Ctrl-C to end.\n")
    rows = data.json[:-1]
    of = lambda op: [row["lat_ns"] / 1e6 for row in rows if row["op"] == op]
    for op in "SW":
        assert len(of(op)) == 3 and min(of(op)) >= 150 and sum(of(op)) <= did["write_us"] / 1000 + 1
    assert all(row["lat_ns"] >= 100e6 for row in rows)
    shown = [row["LAT(ms)"] for row in text.rows if row["T"] == "S"]
    assert len(shown) == 3 and min(shown) >= 150 and sum(shown) <= did["write_us"] / 1000 + 1


@alone
def test_sync_writes_nest():
    """An O_SYNC write has its row, and so has the fsync inside."""
    with mounted("ext4") as path:
        mine = waiting_work("ops", path / "f", 1, 6, 0, 0, 1)
        slower = tool("ext4slower", "0", "-p", mine.pid, json=True)
        mine.go()
        rows = slower.stop().json[:-1]
    assert [row["op"] for row in rows] == ["O"] + ["S", "W"] * 6
    pairs = list(zip(rows[1::2], rows[2::2]))
    assert all(inner["lat_ns"] <= outer["lat_ns"] for inner, outer in pairs)


@alone
def test_names_are_escaped():
    with mounted("ext4") as path:
        slower = tool("ext4slower", "0", "-p", os.getpid())
        (path / "a\x1b[2J\nb").touch()
        result = slower.stop()
    (row,) = [line for line in result.out.splitlines() if " O " in line]
    assert row.endswith(r"a\x1b[2J\x0ab")
