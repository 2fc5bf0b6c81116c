"""filetop: sums over the reports equal what was read and written, by thread and file."""

from harness import *

COUNTS = ["reads", "writes", "read_bytes", "write_bytes"]


def totals(result, **wanted):
    rows = [row for row in result.json if "reads" in row]
    rows = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return {count: sum(row[count] for row in rows) for count in COUNTS}


def test_sums_by_file():
    with folder() as path:
        mine = waiting_work("rw", path / "mine", 3000, 400, 300, 0, 5000)
        top = tool("filetop", "-r", "1000", "1", json=True)
        work("rw", path / "other", 1000, 5, 7)
        did = mine.go()
        result = top.stop()
        (path / "mine").rename(path / "same")
        inode = (path / "same").stat().st_ino
    assert totals(result, file="mine", pid=did["pid"], inode=inode) == {
        "reads": 400, "writes": 300, "read_bytes": 400 * 3000, "write_bytes": 300 * 3000}
    assert totals(result, file="other") == {
        "reads": 5, "writes": 7, "read_bytes": 5000, "write_bytes": 7000}
    mine = [row for row in result.json if row.get("file") == "mine"]
    assert {row["comm"] for row in mine} == {"work"} and {row["type"] for row in mine} == {"R"}
    assert {row["tid"] for row in mine} == {did["pid"]}
    assert len(mine) >= 2, "the workload lay in one interval"
    assert not any(result.json[-1]["lost"].values())


def test_reads_and_writes_apart():
    with folder() as path:
        mine = waiting_work("rw", path / "mine", 100, 4, 3)
        tops = [tool("filetop", *option, "-p", mine.pid, "3600", json=True)
                for option in (["--read-only"], ["--write-only"])]
        mine.go()
        reads, writes = [totals(top.stop(), file="mine") for top in tops]
    assert reads == {"reads": 4, "writes": 0, "read_bytes": 400, "write_bytes": 0}
    assert writes == {"reads": 0, "writes": 3, "read_bytes": 0, "write_bytes": 300}
    assert tool_run("filetop", "--read-only", "--write-only").code == 2


def test_folder_and_other_files():
    with folder() as path:
        (path / "in").mkdir()
        inside = tool("filetop", "-d", path / "in", "3600", json=True)
        every = tool("filetop", "-a", "-p", os.getpid(), "3600", json=True)
        (path / "in" / "yes").write_bytes(bytes(50))
        (path / "no").write_bytes(bytes(60))
        (path / "in" / "deep").mkdir()
        (path / "in" / "deep" / "no").write_bytes(bytes(60))
        reader, writer = os.pipe()
        os.write(writer, b"x" * 70)
        os.read(reader, 100)
        inside, every = inside.stop(), every.stop()
    assert [(r["file"], r["writes"], r["write_bytes"]) for r in inside.json[:-1]] == [("yes", 1, 50)]
    pipes = [row for row in every.json[:-1] if row["type"] == "O" and row["write_bytes"] == 70]
    assert [(row["writes"], row["reads"], row["read_bytes"]) for row in pipes] == [(1, 1, 70)]
    result = tool_run("filetop", "-d", "/etc/passwd")
    assert result.code == 2 and "not a folder" in result.err


def test_order_rows_and_text():
    with folder() as path:
        many = waiting_work("rw", path / "many", 10, 0, 400)
        big = waiting_work("rw", path / "big", 100000, 0, 20)
        tops = {order: tool("filetop", "-C", "-r", "1", "-s", order, "-p", f"{many.pid},{big.pid}", "3600")
                for order in ("all", "writes", "wbytes")}
        many.go()
        big.go()
        results = {order: top.stop() for order, top in tops.items()}
    first = {order: [row["FILE"] for row in result.rows] for order, result in results.items()}
    assert first == {"all": ["big"], "writes": ["many"], "wbytes": ["big"]}
    (row,) = results["all"].rows
    assert (row["WRITES"], row["W_Kb"], row["R_Kb"], row["T"]) == (20, 100000 * 20 // 1024, 0, "R")
    text = results["all"].out
    assert re.search(r"^Tracing... Output every 3600 secs. Hit Ctrl-C to end.\n", text)
    assert re.search(r"^\d\d:\d\d:\d\d loadavg: \d+\.\d\d ", text, re.M)
    assert re.search(r"^TID +COMM +READS +WRITES +R_Kb +W_Kb +T FILE$", text, re.M)
