"""What the tests of xfsdist, xfsslower and their like share: a workload, and what must be seen of it."""

import contextlib

from harness import *

OPERATIONS = {"open": 7, "write": 6, "read": 5, "fsync": 4}
LETTERS = {"open": "O", "write": "W", "read": "R", "fsync": "S"}
SIZE = {"xfs": 320, "btrfs": 160}  # megabytes: the least that their mkfs takes, and some


@contextlib.contextmanager
def mounted(kind):
    """A folder of that file system."""
    if kind.startswith("nfs"):  # or nfs3
        from nfs import nfs

        with nfs(version=int(kind[3:] or 4)) as (path, _):
            yield path
    else:
        load(kind)
        with filesystem(kind, megabytes=SIZE.get(kind, 64)) as path:
            yield path


def operations(path):
    return waiting_work("ops", path, *OPERATIONS.values())


def hists(result):
    return {row["operation"]: row for row in result.json if "buckets" in row}


def check_dist(kind, applet, *args, also=()):
    """Counts are those of one process, and times fit in what it measured itself."""
    with mounted(kind) as path:
        (path / "f").touch()  # NFS opens a file that it creates in a way of its own
        mine = operations(path / "f")
        dist = tool(applet, *args, "-p", mine.pid, json=True)
        other = tool(applet, *args, "-p", 1, json=True)
        (path / "noise").write_text("of this process, not of the one asked for")
        did = mine.go()
        result, other = dist.stop(), other.stop()
    found = hists(result)
    assert {op: found[op]["count"] for op in OPERATIONS} == OPERATIONS
    assert set(found) - set(OPERATIONS) <= set(also), set(found)
    for op in OPERATIONS:
        assert found[op]["unit"] == "usecs" and found[op]["sum"] <= did[f"{op}_us"] + OPERATIONS[op]
    assert not any(result.json[-1]["lost"].values())
    assert hists(other) == {}
    return found


def check_slower(kind, applet, *args, all_=("0",), fsync="S", letters="OWRS"):
    """With a threshold of 0 each operation is a row; its bytes, place, file and process are right."""
    kinds = {op: letter for op, letter in LETTERS.items() if letter in letters}
    with mounted(kind) as path:
        (path / "f").touch()
        mine = operations(path / "f")
        data = tool(applet, *args, *all_, "-p", mine.pid, json=True)
        text = tool(applet, *args, *all_, "-F", "-p", mine.pid)
        bcc = tool(applet, *args, *all_, "--csv", "-p", mine.pid)
        none = tool(applet, *args, *all_, "-p", 1, json=True)
        (path / "noise").write_text("of this process, not of the one asked for")
        did = mine.go()
        data, text, bcc, none = data.stop(), text.stop(), bcc.stop(), none.stop()
        full = str(path / "f")
    rows = data.json[:-1]
    of = lambda op: [row for row in rows if row["op"] == kinds[op]]
    assert {row["pid"] for row in rows} == {did["pid"]} and {row["comm"] for row in rows} == {"work"}
    assert {op: len(of(op)) for op in kinds} == {op: OPERATIONS[op] for op in kinds}
    assert {row["file"] for op in kinds for row in of(op)} == {"f"}
    assert [(row["bytes"], row["offset"]) for row in of("write")] == [
        (4096, 4096 * i) for i in range(OPERATIONS["write"])
    ]
    assert [(row["bytes"], row["offset"]) for row in of("read")] == [(4096, 0)] * OPERATIONS["read"]
    for op in kinds:
        assert sum(row["lat_ns"] for row in of(op)) <= 1000 * (did[f"{op}_us"] + OPERATIONS[op])
    assert not any(data.json[-1]["lost"].values()) and none.json[:-1] == []

    key = lambda row: (row["COMM"], row["PID"], row["T"], row["BYTES"], row["OFF_KB"])
    letter = lambda row: fsync if row["op"] == "S" else row["op"]
    assert [key(row) for row in text.rows] == [
        (row["comm"], row["pid"], letter(row), row["bytes"], row["offset"] // 1024) for row in rows
    ]
    assert {row["FILENAME"] for row in text.rows if row["T"] in "OWR"} == {full}

    head, *lines = bcc.out.splitlines()
    assert head[:10] == ("ENDTIME_ns" if applet == "fsslower" else "ENDTIME_us")
    assert head[9:] == "s,TASK,PID,TYPE,BYTES,OFFSET_b,LATENCY_us,FILE", head
    fields = [line.split(",") for line in lines]
    assert [tuple(field[1:6]) for field in fields] == [
        ("work", str(row["pid"]), letter(row), str(row["bytes"]), str(row["offset"])) for row in rows
    ]
    return rows


def check_writes_of_o_sync(kind, applet):
    """A write of O_SYNC is an fsync too: both are there, with times of their own (bcc@82c212fa)."""
    with mounted(kind) as path:
        writer = waiting_work("ops", path / "f", 1, 6, 0, 0, 1)
        slow = tool(applet, "0", "-p", writer.pid, json=True)
        did = writer.go()
        slow = slow.stop()
    of = lambda op: [row["lat_ns"] for row in slow.json[:-1] if row["op"] == op]
    assert len(of("W")) == len(of("S")) == 6
    assert all(inner <= outer for inner, outer in zip(of("S"), of("W")))
    assert sum(of("W")) <= 1000 * (did["write_us"] + 6)


def check_zfs(applet):
    """No kernel here has ZFS: the applet says so in a line."""
    if not lacking("module:zfs"):
        raise Skip("module:zfs is there, but no test of it")
    result = tool_run(applet)
    assert result.code == 1 and result.out == ""
    assert result.err.startswith(f"{applet}: this kernel has no probe for: read of ZFS"), result.err
    assert result.err.count("\n") == 1
    raise Skip("no module:zfs (what the applet says then was seen)")
