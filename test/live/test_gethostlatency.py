"""gethostlatency: each look-up by libc, with its name and how long its caller waited."""

import socket

from harness import *

LOOKUP = """
import ctypes, sys, time
libc = ctypes.CDLL("libc.so.6")
sys.stdin.readline()
out = ctypes.c_void_p()
for name in sys.argv[1:]:
    function, _, host = name.partition(":")
    began = time.monotonic_ns()
    if function == "getaddrinfo":
        libc.getaddrinfo(host.encode(), None, None, ctypes.byref(out))
    elif function == "gethostbyname":
        libc.gethostbyname(host.encode())
    else:
        libc.gethostbyname2(host.encode(), 2)
    print(time.monotonic_ns() - began)
"""


def look_up(*names):
    """A process that looks names up when its stdin ends; what it waited, in ns, for each."""
    reader, gate = os.pipe()
    process = spawn(["python3", "-c", LOOKUP, *names], stdin=reader)
    os.close(reader)

    def go():
        os.close(gate)
        return list(map(int, process.wait().out.split()))

    process.go = go
    return process


def test_each_function_and_its_time():
    names = ["getaddrinfo:127.0.0.1", "gethostbyname:127.0.0.2", "gethostbyname2:127.0.0.3", "getaddrinfo:::1",
             "getaddrinfo:localhost"]
    process = look_up(*names)
    text, json, other = tool("gethostlatency"), tool("gethostlatency", json=True), tool("gethostlatency", "-p", 1)
    took = process.go()
    rows = json.stop().of(process.pid)
    assert [f"{row['func']}:{row['host']}" for row in rows] == names
    assert all(0 < row["lat_ns"] <= limit for row, limit in zip(rows, took)), (rows, took)
    assert {(row["comm"], row["tid"], row["uid"]) for row in rows} == {("python3", process.pid, 0)}
    shown = text.stop()
    assert shown.out.splitlines()[0] == "TIME      PID     COMM                  LATms HOST"
    assert [f" {row['HOST']}" for row in shown.of(process.pid)] == [" " + name.partition(":")[2] for name in names]
    assert not other.stop().of(process.pid)


def test_a_slow_name_server_and_a_process():
    """A look-up takes as long as the name server that does not answer lets it: it is one of the process."""
    process, other = look_up("getaddrinfo:slow.example"), look_up("getaddrinfo:127.0.0.9")
    tracer = tool("gethostlatency", "-p", process.pid, json=True)
    by_path = tool("gethostlatency", "-l", LIBRARIES / "libc.so.6", json=True)
    other.go()
    (took,) = process.go()
    rows = tracer.stop().json[:-1]
    assert [(row["pid"], row["host"]) for row in rows] == [(process.pid, "slow.example")]
    assert 0 < rows[0]["lat_ns"] <= took
    assert {row["host"] for row in by_path.stop().json[:-1]} >= {"slow.example", "127.0.0.9"}


def test_names_are_untrusted_and_libraries_may_be_missing():
    process = look_up("getaddrinfo:a\x1b[31m\n.example")
    tracer = tool("gethostlatency")
    process.go()
    (line,) = [line for line in tracer.stop().out.splitlines() if f" {process.pid} " in line]
    assert line.endswith(r"a\x1b[31m\x0a.example")
    result = tool_run("gethostlatency", "-l", "/nonexistent/libc.so")
    assert result.code == 1 and "/nonexistent/libc.so" in result.err
