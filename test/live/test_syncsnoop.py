"""syncsnoop: each call is a row, of who made it."""

import mmap

from harness import *

CALLS = ["sync", "fsync", "fdatasync", "msync", "sync_file_range", "syncfs"]


def calls(result, pid):
    return [row["call"] for row in result.of(pid) if "call" in row]


def test_every_call():
    with folder() as path:
        data = tool("syncsnoop", json=True)
        text = tool("syncsnoop", "-p", os.getpid())
        with open(path / "f", "w+b", 0) as file:
            file.truncate(4096)
            with mmap.mmap(file.fileno(), 4096) as memory:
                for _ in range(3):
                    os.sync()
                    os.fsync(file.fileno())
                    os.fdatasync(file.fileno())
                    memory.flush()
                    LIBC.sync_file_range(file.fileno(), ctypes.c_long(0), ctypes.c_long(0), 0)
                    LIBC.syncfs(file.fileno())
        run(["sync", path / "f"])
        data, text = data.stop(), text.stop()
    assert calls(data, os.getpid()) == CALLS * 3
    assert [row["call"] for row in data.json[:-1] if row["comm"] == "sync"] == ["fsync"]
    assert [row["CALL"] for row in text.rows] == CALLS * 3
    assert text.out.splitlines()[0].split() == ["TIME(s)", "COMM", "CALL"]
    times = [row["TIME(s)"] for row in text.rows]
    assert times == sorted(times) and not any(data.json[-1]["lost"].values())


@needs("machine:x86_64")
def test_32_bit():
    with folder() as path:
        (path / "f").touch()
        data = tool("syncsnoop", json=True)
        did = work("compat_sync", path / "f")
        data = data.stop()
    assert calls(data, did["pid"]) == ["fsync", "fdatasync", "msync", "syncfs"]
