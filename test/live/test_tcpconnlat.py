"""tcpconnlat: from connect to the answer; between what the network takes and what the process waits."""

import errno
import select
import socket

from connection import *
from harness import *


def test_latency_is_between_network_and_caller():
    load("sch_netem")
    with network() as (client, server):
        netem(client, "delay", "60ms")
        for host, own, ip in ((server.v4, client.v4, 4), (server.v6, client.v6, 6),
                              ("::ffff:" + server.v4, client.v4, 4)):
            listener = listen(host, side=server)
            connects = tool("tcpconnlat", "-p", os.getpid(), json=True)
            took, ports = [], []
            for _ in range(3):
                began = time.monotonic_ns()
                ports.append(port_of(connect(host, port_of(listener), client)))
                took.append(time.monotonic_ns() - began)
            rows = connects.stop().json[:-1]
            assert [row["lport"] for row in rows] == ports
            assert all(60e6 <= row["lat_ns"] <= limit for row, limit in zip(rows, took)), (rows, took)
            assert {(row["ip"], row["laddr"], row["raddr"], row["rport"]) for row in rows} == {
                (ip, own, host.replace("::ffff:", ""), port_of(listener))}
            assert {(row["pid"], row["tid"]) for row in rows} == {(os.getpid(),) * 2}


def test_refused_and_non_blocking():
    load("sch_netem")
    with network() as (client, server):
        netem(client, "delay", "60ms")
        listener = listen(server.v4, side=server)
        connects = tool("tcpconnlat", json=True)
        for port, result in ((port_of(listener), 0), (9, errno.ECONNREFUSED)):
            sock = socket_in(client, socket.AF_INET)
            sock.setblocking(False)
            began = time.monotonic_ns()
            assert sock.connect_ex((server.v4, port)) == errno.EINPROGRESS
            select.select([], [sock], [], 30)
            took = time.monotonic_ns() - began
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == result
            wait_for(lambda: f'"rport":{port},' in connects.out)
            (row,) = [row for row in json_records(connects.out) if row["rport"] == port]
            assert row["pid"] == os.getpid() and 60e6 <= row["lat_ns"] <= took
        # Nobody answers: no row, and none from its end.
        netem(client, "loss", "100%")
        lost = socket_in(client, socket.AF_INET)
        lost.setblocking(False)
        lost.connect_ex((server.v4, 7))
        lost.close()
        rows = connects.stop().of(os.getpid())
    assert [row["rport"] for row in rows] == [port_of(listener), 9]


def test_text_and_filters():
    load("sch_netem")
    with network() as (client, server):
        netem(client, "delay", "60ms")
        far = listen(server.v4, side=server)
        near, near6 = listen("127.0.0.1"), listen("::1")
        tools = {name: tool("tcpconnlat", *args) for name, args in {
            "all": ("-tL",), "slow": ("59.5",), "v4": ("-4",), "v6": ("-6",), "pid": ("-p", os.getpid()),
            "other": ("-p", 1), "never": (3600000,)}.items()}
        for host, listener, side in ((server.v4, far, client), ("127.0.0.1", near, None), ("::1", near6, None)):
            connect(host, port_of(listener), side)
        results = {name: process.stop() for name, process in tools.items()}
    ports = [port_of(far), port_of(near), port_of(near6)]
    mine = {name: [row["DPORT"] for row in result.of(os.getpid())] for name, result in results.items()}
    # Slow is whatever took so long: that through loopback may, on this machine.
    assert {row["DPORT"] for row in results["slow"].of(os.getpid())} >= {ports[0]}
    assert all(row["LAT(ms)"] >= 59.5 for row in results["slow"].rows)
    mine.pop("slow")
    assert mine == {"all": ports, "v4": ports[:2], "v6": ports[2:], "pid": ports, "other": [], "never": []}
    assert len(results["pid"].rows) == 3
    head = "TIME(s)   PID     COMM         IP SADDR            LPORT  DADDR            DPORT LAT(ms)"
    assert results["all"].out.splitlines()[0] == head
    for args in (("-4", "-6"), ("x",), ("-1",)):
        assert tool_run("tcpconnlat", *args).code == 2
