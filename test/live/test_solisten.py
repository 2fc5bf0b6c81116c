"""solisten: each listen, with its backlog and where."""

import socket

from connection import *
from harness import *


def test_sockets_that_listen():
    tracer = tool("solisten", json=True)
    four, six, mapped = listen("127.0.0.1", backlog=7), listen("::1", backlog=8), listen("::ffff:127.0.0.1", backlog=9)
    any_port = socket.socket()
    any_port.listen(11)  # without bind: the kernel chooses a port
    any_port.listen(12)
    connected, _ = pair("127.0.0.1")
    try:
        connected.listen(13)
        raise AssertionError("a connected socket listens")
    except OSError:
        pass
    result = tracer.stop()
    rows = [row for row in result.of(os.getpid()) if row["backlog"] != 16]
    assert [(row["ip"], row["backlog"], row["lport"], row["laddr"], row["ret"]) for row in rows] == [
        ("TCPv4", 7, port_of(four), "127.0.0.1", 0), ("TCPv6", 8, port_of(six), "::1", 0),
        ("TCPv6", 9, port_of(mapped), "127.0.0.1", 0), ("TCPv4", 11, port_of(any_port), "0.0.0.0", 0),
        ("TCPv4", 12, port_of(any_port), "0.0.0.0", 0), ("TCPv4", 13, port_of(connected), "127.0.0.1", -22)]
    assert {row["netns"] for row in rows} == {os.stat("/proc/self/ns/net").st_ino}
    assert not any(result.json[-1]["lost"].values())


def test_text_and_namespaces():
    with network() as (client, server):
        inode = os.stat(f"/run/netns/{server.netns}").st_ino
        tools = {name: tool("solisten", *args) for name, args in {
            "plain": (), "netns": ("--show-netns", "-n", inode), "pid": ("-p", os.getpid(), "-t"), "other": ("-p", 1)
        }.items()}
        here, there = listen("::", backlog=5), server.spawn([WORK, "tcp_server", server.v4, 0, 1])
        port = int(there.until(r"port (\d+)").group(1))
        results = {name: process.stop() for name, process in tools.items()}
        there.stop()
    comm = Path("/proc/self/comm").read_text().strip()
    assert results["plain"].out.splitlines()[0] == "PID     COMM             PROTO  BACKLOG PORT   ADDR"
    (row,) = results["plain"].of(os.getpid())
    assert row == {"PID": os.getpid(), "COMM": comm, "PROTO": "TCPv6", "BACKLOG": 5, "PORT": port_of(here),
                   "ADDR": "::"}
    (row,) = results["netns"].rows
    assert row == {"PID": there.pid, "COMM": "work", "NETNS": inode, "PROTO": "TCPv4", "BACKLOG": 64, "PORT": port,
                   "ADDR": server.v4}
    (row,) = results["pid"].rows
    assert row["PORT"] == port_of(here) and 0 < row["TIME(s)"] < 60
    assert not results["other"].of(os.getpid())


@needs("program:/usr/sbin/solisten")
def test_peer_libbpf_tools():
    """Debian's solisten: the same rows, in columns of another order; but it has :: for any address of
    IPv6, where ours has what the socket is bound to."""
    ours, peer = tool("solisten"), spawn(["stdbuf", "-oL", "/usr/sbin/solisten"])
    wait_for(lambda: listen("127.0.0.1").close() or len(peer.out.splitlines()) > 2, limit=30)
    listeners = [listen(host, backlog=n) for host, n in (("127.0.0.1", 101), ("::1", 102))]
    wait_for(lambda: " 102" in peer.out)
    ours, theirs = ours.stop(), peer.stop()
    key = lambda row: (row["PID"], row["COMM"], row["PROTO"], row["BACKLOG"], row["PORT"], row["ADDR"])
    select = lambda result: [key(row) for row in result.of(os.getpid()) if row["BACKLOG"] > 100]
    four, six = select(ours)
    assert len(listeners) == 2 and six[5] == "::1" and select(theirs) == [four, (*six[:5], "::")]
