"""statsnoop: each call of each kind is a row, with its result and name."""

from harness import *

ENOENT = 2
AT_FDCWD = -100


def rows_of(result, pid):
    return [row for row in result.of(pid) if "/stat-" in row["file"]]


def stat_all(path):
    """The calls themselves: what a C library makes of stat() is its own affair."""
    buffer = ctypes.create_string_buffer(512)
    name = os.fsencode(path)
    for call, arguments in (("stat", (name, buffer)), ("lstat", (name, buffer)), ("newfstatat", (AT_FDCWD, name, buffer, 0)),
                            ("statx", (AT_FDCWD, name, 0, 0x7FF, buffer)), ("statfs", (name, buffer))):
        if has_syscall(call):
            LIBC.syscall(syscall_number(call), *arguments)


OLD = ["newstat", "newlstat"] if has_syscall("stat") else []
CALLS = [*OLD, "newfstatat", "statx", "statfs"]


def test_every_call():
    with folder() as path:
        (path / "stat-yes").touch()
        data = tool("statsnoop", json=True)
        failed = tool("statsnoop", "-x", "-s", "-t", "-p", os.getpid())
        text = tool("statsnoop", "-p", os.getpid())
        stat_all(path / "stat-yes")
        stat_all(path / "stat-no")
        did = work("stat", 10, f"{path}/stat-%d")
        data, failed, text = data.stop(), failed.stop(), text.stop()
    rows = rows_of(data, os.getpid())
    assert [(r["call"], r["fd"], r["err"], r["file"]) for r in rows] == [
        (call, 0, 0, f"{path}/stat-yes") for call in CALLS] + [
        (call, -1, ENOENT, f"{path}/stat-no") for call in CALLS]
    others = rows_of(data, did["pid"])
    assert [(r["file"], r["err"]) for r in others] == [(f"{path}/stat-{i}", ENOENT) for i in range(10)]
    assert {r["comm"] for r in others} == {"work"} and did["failed"] == 10
    head = failed.out.splitlines()[0].split()
    assert head == ["TIME(s)", "PID", "COMM", "FD", "ERR", "SYSCALL", "PATH"]
    assert all(row["ERR"] for row in failed.rows)
    assert [r["SYSCALL"] for r in failed.rows if r["PATH"] == f"{path}/stat-no"] == CALLS
    assert text.out.splitlines()[0].split() == ["PID", "COMM", "FD", "ERR", "PATH"]
    assert [(r["FD"], r["ERR"]) for r in text.rows if r["PATH"] == f"{path}/stat-yes"] == [(0, 0)] * len(CALLS)


@needs("machine:x86_64")
def test_32_bit():
    with folder() as path:
        (path / "stat-32").touch()
        data = tool("statsnoop", json=True)
        did = work("compat_stat", path / "stat-32")
        rows = rows_of(data.stop(), did["pid"])
    assert [(r["call"], r["err"]) for r in rows] == [
        ("stat64", 0), ("lstat64", 0), ("fstatat64", 0), ("statx", 22), ("statfs64", 0)]
    assert {row["file"] for row in rows} == {f"{path}/stat-32"} and did["failed"] == 1


def test_full_path_and_escapes():
    with folder() as path:
        (path / "d").mkdir()
        data = tool("statsnoop", "-F", "-p", os.getpid(), json=True)
        text = tool("statsnoop", "-p", os.getpid())
        descriptor = os.open(path, os.O_RDONLY)
        for name in ("d/stat-x", "/stat-absolute"):
            try:
                os.stat(name, dir_fd=descriptor)
            except FileNotFoundError:
                pass
        os.close(descriptor)
        try:
            os.stat(path / "stat-\x1b[2J\n")
        except FileNotFoundError:
            pass
        data, text = data.stop(), text.stop()
    names = [row["file"] for row in data.json[:-1] if "stat-" in row["file"]]
    assert names[:2] == [f"{path}/d/stat-x", "/stat-absolute"]
    assert [line for line in text.out.splitlines() if line.endswith(rf"{path}/stat-\x1b[2J\x0a")]
    assert [row for row in text.rows if row["PATH"] == "d/stat-x"]


def test_empty_name():
    """fstat(3) of a C library: a call about an open file, with an empty name, which is no loss."""
    with folder() as path:
        (path / "f").touch()
        plain = tool("statsnoop", "-p", os.getpid(), json=True)
        full = tool("statsnoop", "-F", "-p", os.getpid(), json=True)
        fd, buffer = os.open(path / "f", os.O_RDONLY), ctypes.create_string_buffer(512)
        for _ in range(6):
            assert LIBC.syscall(syscall_number("newfstatat"), fd, b"", buffer, 0x1000) == 0  # AT_EMPTY_PATH
        os.close(fd)
        plain, full = plain.stop(), full.stop()
    for result in plain, full:
        assert len([row for row in result.json[:-1] if (row["call"], row["file"]) == ("newfstatat", "")]) >= 6
        assert not any(result.json[-1]["lost"].values())
