"""filetop: reads, writes and bytes of known programs by file, as they asked for them."""

from harness import *


def of(result, *names):
    return [row for row in result.json[:-1] if row["file"] in names]


def rows_of(result):
    return [(r["FILE"], r["READS"], r["WRITES"]) for r in table(result.out, "R_Kb")]


def test_counts_by_file():
    with folder() as path:
        mine = waiting_work("ops", path / "f", 1, 6, 5, 0)
        top = tool("filetop", "-p", mine.pid, "60", json=True)
        other = tool("filetop", "-p", 1, "60", json=True)
        did = mine.go()
        inode = os.stat(path / "f").st_ino
        top, other = top.stop(), other.stop()
    rows = of(top, "f")
    assert [(r["reads"], r["writes"], r["read_bytes"], r["write_bytes"], r["type"]) for r in rows] == [
        (5, 6, 5 * 4096, 6 * 4096, "R")]
    assert [(r["pid"], r["tid"], r["comm"], r["inode"], r["rdev"]) for r in rows] == [
        (did["pid"], did["pid"], "work", inode, 0)]
    assert of(other, "f") == []
    assert not any(top.json[-1]["lost"].values())


def test_order_and_options():
    """One file of many small reads, one of a large write: each order, and the filters."""
    small, large = "t_small", "t_large"
    with folder() as path:
        (path / "in").mkdir()
        (path / small).write_bytes(b"x" * 100)
        pid = os.getpid()
        tops = {name: tool("filetop", "-C", "-p", pid, *args, "60") for name, args in {
            "all": [], "reads": ["-s", "reads"], "wbytes": ["-s", "wbytes", "-r", "1"],
            "read": ["--read-only"], "write": ["--write-only"], "in": ["-d", path / "in"]}.items()}
        with open(path / small, "rb", buffering=0) as f:
            for i in range(40):
                f.read(1)
        with open(path / large, "wb", buffering=0) as f:
            f.write(b"y" * 65536)
        with open(path / "in" / "t_in", "wb", buffering=0) as f:
            f.write(b"z")
        tops = {name: top.stop() for name, top in tops.items()}
    rows = {name: [r for r in rows_of(top) if r[0].startswith("t_")] for name, top in tops.items()}
    assert rows["all"][0] == (large, 0, 1) and set(rows["all"][1:]) == {(small, 40, 0), ("t_in", 0, 1)}
    assert rows["reads"][0] == (small, 40, 0)
    assert rows["wbytes"] == [(large, 0, 1)]
    assert rows["read"] == [(small, 40, 0)]
    assert rows["write"] == [(large, 0, 1), ("t_in", 0, 1)]
    assert rows_of(tops["in"]) == [("t_in", 0, 1)]
    assert re.search(r"^\d\d:\d\d:\d\d loadavg: [\d.]+ ", tops["all"].out, re.M)
    head = "TID COMM READS WRITES R_Kb W_Kb T FILE".split()
    assert head in [line.split() for line in tops["all"].out.splitlines()]
    assert [r["W_Kb"] for r in table(tops["wbytes"].out, "R_Kb")] == [64]


def test_all_files():
    """Pipes and sockets are counted with -a alone."""
    import socket

    reader, writer = os.pipe()
    one, two = socket.socketpair()
    pid = os.getpid()
    every = tool("filetop", "-a", "-p", pid, "60", json=True)
    plain = tool("filetop", "-p", pid, "60", json=True)
    for i in range(7):
        os.write(writer, b"x" * 11)
        os.write(one.fileno(), b"y" * 13)
    every, plain = every.stop(), plain.stop()
    counts = [(r["type"], r["writes"], r["write_bytes"]) for r in every.json[:-1] if r["writes"] == 7]
    assert sorted(counts) == [("O", 7, 77), ("S", 7, 91)]
    assert all(row["type"] == "R" for row in plain.json[:-1])


def test_links_and_escapes():
    """Two names of a file are two rows; names reach no terminal raw."""
    with folder() as path:
        (path / "one").touch()
        os.link(path / "one", path / "two\x1b[2J")
        data = tool("filetop", "-p", os.getpid(), "60", json=True)
        text = tool("filetop", "-C", "-p", os.getpid(), "60")
        (path / "one").write_text("x")
        (path / "two\x1b[2J").write_text("yy")
        data, text = data.stop(), text.stop()
    rows = of(data, "one", "two\x1b[2J")
    assert sorted((r["file"], r["writes"], r["write_bytes"]) for r in rows) == [
        ("one", 1, 1), ("two\x1b[2J", 1, 2)]
    assert len({row["inode"] for row in rows}) == 1
    assert r"two\x1b[2J" in text.out and "\x1b" not in text.out


def test_bad_input():
    assert tool_run("filetop", "--sort", "size").code == 2
    assert tool_run("filetop", "--read-only", "--write-only").code == 2
    assert tool_run("filetop", "-d", "/nonexistent").code == 2
    assert tool_run("filetop", "-d", "/etc/passwd").code == 2


@alone
@needs("program:/usr/sbin/filetop")
def test_peer():
    """Debian's filetop counts the same reads and writes."""
    with folder() as path:
        mine = waiting_work("ops", path / "f", 1, 60, 50, 0)
        ours = tool("filetop", "-p", mine.pid, "60", json=True)
        theirs = spawn(["stdbuf", "-oL", "/usr/sbin/filetop", "-C", "-p", mine.pid, "12", "1"])
        time.sleep(5)  # it does not say when it has attached
        mine.go()
        theirs = theirs.wait()
        ours = ours.stop()
    found = [(r["READS"], r["WRITES"], r["R_Kb"], r["W_Kb"]) for r in table(theirs.out, "R_Kb") if r["FILE"] == "f"]
    assert found == [(r["reads"], r["writes"], r["read_bytes"] // 1024, r["write_bytes"] // 1024)
                     for r in of(ours, "f")] == [(50, 60, 200, 240)]
