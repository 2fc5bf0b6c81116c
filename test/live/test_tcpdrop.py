"""tcpdrop: packets that are dropped, from whom to whom, with the reason as this kernel calls it."""

import socket
import struct

from connection import *
from harness import *


def test_nobody_listens():
    with network() as (client, server):
        drops = tool("tcpdrop", json=True)
        did = [(host, own, ip, client.work("tcp_client", host, 9, 1, 3)) for host, own, ip in (
            (server.v4, client.v4, 4), (server.v6, client.v6, 6))]
        result = drops.stop()
    for host, own, ip, one in did:
        assert one["errno"] == 111
        rows = [row for row in result.json[:-1] if row["daddr"] == host]
        # Of v6 the ends are not exchanged (bcc@7e3f0c08).
        assert [(row["ip"], row["saddr"], row["dport"], row["flags"], row["reason"]) for row in rows] == [
            (ip, own, 9, "SYN", "SKB_DROP_REASON_NO_SOCKET")] * 3
        assert len({row["sport"] for row in rows}) == 3
        assert all(any("rcv" in frame for frame in row["stack"]) for row in rows)
    assert not any(result.json[-1]["lost"].values())


def test_a_socket_that_refuses():
    """A filter on the socket drops all that comes to it: what was sent, and what is sent again."""
    with network() as (client, server):
        here, there = pair(server.v4, client, server)
        drops = tool("tcpdrop", json=True)
        text = tool("tcpdrop", "-4")
        nothing = struct.pack("HBBI", 0x06, 0, 0, 0)  # BPF_RET | BPF_K
        buffer = (ctypes.c_char * len(nothing)).from_buffer_copy(nothing)
        there.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HxxxxxxQ", 1, ctypes.addressof(buffer)))
        here.send(b"nobody will read this")
        sent = lambda: counters(client)["Tcp"]["RetransSegs"] + 1
        wait_for(lambda: sent() >= 4, limit=30)
        there.setsockopt(socket.SOL_SOCKET, 27, 0)
        assert there.recv(100) == b"nobody will read this"
        n = sent() - 1  # all but the last, that arrived
        drops, text = drops.stop(), text.stop()
        rows = [row for row in drops.json[:-1] if row["saddr"] == client.v4 and row["daddr"] == server.v4
                and row["reason"] == "SKB_DROP_REASON_SOCKET_FILTER"]
    assert len(rows) == n >= 3
    state = "ESTABLISHED" if KERNEL >= (6, 11) else "-"
    assert {(row["sport"], row["dport"], row["state"], row["flags"], row["ip"]) for row in rows} == {
        (port_of(here), port_of(there), state, "PSH|ACK", 4)}
    lines = text.out.splitlines()
    head = "TIME     PID     IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS)          REASON (CODE)"
    assert lines[0] == head
    ends = f" {client.v4}:{port_of(here)} "
    shown = [i for i, line in enumerate(lines) if ends in line and "SOCKET_FILTER" in line]
    assert len(shown) == n
    for i in shown:
        assert re.fullmatch(r"\d\d:\d\d:\d\d \d+ +4  " + re.escape(f"{client.v4}:{port_of(here)}") + r" +> "
                            + re.escape(f"{server.v4}:{port_of(there)}") + rf" +{state} \(PSH\|ACK\) +"
                            r"SKB_DROP_REASON_SOCKET_FILTER \(\d+\)", lines[i]), lines[i]
        assert any("tcp_v4_rcv" in line for line in lines[i + 1:i + 6])


def test_network_namespaces_and_families():
    with network() as (client, server):
        sleeper = server.spawn(["sleep", "100"])
        inode = os.stat(f"/run/netns/{server.netns}").st_ino
        tools = {name: tool("tcpdrop", *args, json=True) for name, args in {
            "pid": ("--pid-netns", sleeper.pid), "id": ("--netns-id", inode),
            "other": ("--netns-id", os.stat(f"/run/netns/{client.netns}").st_ino), "v4": ("-4",),
            "v6": ("-6",)}.items()}
        client.work("tcp_client", server.v4, 9, 1, 2)
        client.work("tcp_client", server.v6, 9, 1, 2)
        here = work("tcp_client", "127.0.0.1", 9, 1, 2)
        sleeper.stop()
        results = {name: process.stop().json[:-1] for name, process in tools.items()}
    assert here["errno"] == 111
    ends = lambda name: sorted(row["daddr"] for row in results[name] if row["dport"] == 9
                               and row["reason"] == "SKB_DROP_REASON_NO_SOCKET"
                               and row["daddr"] in (server.v4, server.v6))
    both = sorted([server.v4, server.v6] * 2)
    assert ends("pid") == ends("id") == both and ends("other") == []
    assert ends("v4") == [server.v4] * 2 and ends("v6") == [server.v6] * 2
    assert {row["netns"] for row in results["pid"]} == {inode}
    assert {row["ip"] for row in results["v4"]} == {4} and {row["ip"] for row in results["v6"]} == {6}
    for args in (("-4", "-6"), ("--pid-netns", "1", "--netns-id", "5")):
        assert tool_run("tcpdrop", *args).code == 2
    assert tool_run("tcpdrop", "--pid-netns", "4000000").code == 1
