"""vfscount: calls of the VFS by a workload, and where its functions are."""

from harness import *


def test_counts_and_addresses():
    folder = tempfile.mkdtemp()
    child = waiting_work("vfs", folder, 30)
    tracer = tool("vfscount", "-p", child.pid)
    child.go()
    lines = tracer.stop().out.splitlines()
    assert lines[:3] == ["Tracing... Ctrl-C to end.", "", f"{'ADDR':<16} {'FUNC':<26} {'COUNT':>8}"]
    rows = {words[1]: words for words in (line.split() for line in lines[3:])}
    assert rows["vfs_mkdir"][2] == "30" and rows["vfs_write"][2] == "31"
    with open("/proc/kallsyms", encoding="ascii") as symbols:
        address = {line.split()[2]: line.split()[0] for line in symbols}
    assert rows["vfs_mkdir"][0] == address["vfs_mkdir"]


def test_duration():
    result = tool_run("vfscount", 1, json=True)
    rows = [row for row in result.json if "func" in row]
    assert result.code == 0 and rows and all(row["func"].startswith("vfs_") for row in rows)
    assert [row["count"] for row in rows] == sorted(row["count"] for row in rows)
