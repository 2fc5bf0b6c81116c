"""bindsnoop: each bind, with the options of its socket."""

import errno
import socket

from connection import *
from harness import *

FREEBIND, TRANSPARENT, NO_PORT = 15, 19, 24  # IP_* of linux/in.h
OPTIONS = [("F", socket.IPPROTO_IP, FREEBIND), ("T", socket.IPPROTO_IP, TRANSPARENT),
           ("N", socket.IPPROTO_IP, NO_PORT), ("R", socket.SOL_SOCKET, socket.SO_REUSEADDR),
           ("r", socket.SOL_SOCKET, socket.SO_REUSEPORT)]


def bind(host, port=0, kind=socket.SOCK_STREAM, letters="", device=None):
    sock = socket.socket(family_of(host), kind)
    for letter, level, option in OPTIONS:
        if letter in letters:
            sock.setsockopt(level, option, 1)
    if device:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    sock.bind((host, port))
    return sock


def test_addresses_options_and_devices():
    snoop = tool("bindsnoop", json=True)
    socks, expected = [], []
    for host, kind, letters, device in (
            ("127.0.0.1", "TCP", "", None), ("127.0.0.1", "UDP", "R", None), ("::1", "TCP", "r", "lo"),
            ("::1", "UDP", "Rr", None), ("0.0.0.0", "TCP", "F", None), ("127.0.0.1", "TCP", "T", "lo"),
            ("::ffff:127.0.0.1", "TCP", "FTRr", None), ("127.0.0.2", "UDP", "FTRr", None)):
        sock = bind(host, 0, socket.SOCK_STREAM if kind == "TCP" else socket.SOCK_DGRAM, letters, device)
        shown = "".join(letter if letter in letters else "." for letter in "FTNRr")
        socks.append(sock)
        expected.append((kind, host.replace("::ffff:", ""), port_of(sock), shown, int(bool(device)), 0))
    late = bind("127.0.0.1", 0, letters="N")  # no port before it connects
    expected.append(("TCP", "127.0.0.1", 0, "..N..", 0, 0))
    result = snoop.stop()
    rows = result.of(os.getpid())
    assert [(row["protocol"], row["addr"], row["port"], row["opts"], row["device"], row["ret"])
            for row in rows] == expected
    assert {(row["tid"], row["uid"]) for row in rows} == {(os.getpid(), 0)}
    assert not any(result.json[-1]["lost"].values())
    late.close()


def test_errors():
    with bind("127.0.0.1") as four, bind("::1") as six:
        quiet, errors = tool("bindsnoop"), tool("bindsnoop", "-E", json=True)
        wide, narrow = tool("bindsnoop", "-E", "-w"), tool("bindsnoop", "-x")
        for host, sock in (("127.0.0.1", four), ("::1", six)):
            try:
                bind(host, port_of(sock))
                raise AssertionError("two sockets bound to one port")
            except OSError as error:
                assert error.errno == errno.EADDRINUSE
        quiet, errors, wide, narrow = quiet.stop(), errors.stop(), wide.stop(), narrow.stop()
    assert [(row["ret"], row["addr"], row["port"]) for row in errors.of(os.getpid())] == [
        (-errno.EADDRINUSE, "127.0.0.1", port_of_row(errors, 0)), (-errno.EADDRINUSE, "::1", port_of_row(errors, 1))]
    assert not quiet.of(os.getpid())
    assert [line.split()[0] for line in narrow.out.splitlines() if f" {os.getpid()} " in line] == ["-98", "-98"]
    assert narrow.out.splitlines()[0].split()[:2] == ["RC", "PID"]
    assert len(re.findall(rf"^Address already in use\s+{os.getpid()} ", wide.out, re.MULTILINE)) == 2


def port_of_row(result, i):
    port = result.of(os.getpid())[i]["port"]
    assert port > 1023
    return port


def test_text_counts_and_filters():
    tools = {name: tool("bindsnoop", *args) for name, args in {
        "all": ("-t", "-U"), "port": ("-P", "4711,4712"), "pid": ("-p", os.getpid()), "other": ("-p", 1),
        "user": ("-u", "daemon"), "count": ("--count",)}.items()}
    for port in (4711, 4711, 4713, 4711):
        bind("127.0.0.1", port, letters="R").close()
    bind("::1", 4711).close()
    results = {name: process.stop() for name, process in tools.items()}
    ports = {name: [row["PORT"] for row in result.of(os.getpid())] for name, result in results.items()
             if name != "count"}
    everything = [4711, 4711, 4713, 4711, 4711]
    assert ports == {"all": everything, "port": [4711] * 4, "pid": everything, "other": [], "user": []}
    assert len(results["pid"].rows) == 5
    head = "TIME(s)   UID    PID      COMM         PROT ADDR            PORT  OPTS  IF"
    assert results["all"].out.splitlines()[0] == head
    row = results["all"].of(os.getpid())[0]
    assert (row["UID"], row["PROT"], row["ADDR"], row["OPTS"], row["IF"]) == (0, "TCP", "127.0.0.1", "...R.", 0)
    counts = {(row["LADDR"], row["LPORT"]): row["BINDS"] for row in results["count"].rows}
    assert (counts["127.0.0.1", 4711], counts["127.0.0.1", 4713], counts["::1", 4711]) == (3, 1, 1)
