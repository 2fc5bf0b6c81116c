"""tcpretrans: rows are what the kernel's own counter counts, of the connection that lost something."""

import socket

from connection import *
from harness import *


def retransmitted(side):
    return counters(side)["Tcp"]["RetransSegs"]


def rows_between(result, *ends):
    return [row for row in result.json[:-1] if {row["laddr"], row["raddr"]} & set(ends)]


def test_data_that_is_lost():
    load("sch_netem")
    with network() as (client, server):
        for host, own, ip in ((server.v4, client.v4, 4), (server.v6, client.v6, 6)):
            here, there = pair(host, client, server)
            before = retransmitted(client)
            again = tool("tcpretrans", json=True)
            netem(client, "loss", "100%")
            here.send(b"lost")
            wait_for(lambda: retransmitted(client) >= before + 3, limit=30)
            netem(client)
            assert there.recv(4, socket.MSG_WAITALL) == b"lost"
            result = again.stop()
            rows = rows_between(result, host)
            assert sum(row["segments"] for row in rows) == len(rows) == retransmitted(client) - before >= 3
            assert {(row["ip"], row["laddr"], row["lport"], row["raddr"], row["rport"], row["type"],
                     row["state"]) for row in rows} == {
                (ip, own, port_of(here), host, port_of(there), "R>", "ESTABLISHED")}
            assert len({row["seq"] for row in rows}) == 1
            assert not any(result.json[-1]["lost"].values())
            here.close(), there.close()


def test_syn_and_synack():
    load("sch_netem")
    with network() as (client, server):
        pair(server.v4, client, server)  # they know each other's hardware addresses, then
        listener = listen(server.v4, side=server)
        port = port_of(listener)
        again = tool("tcpretrans", json=True)
        netem(server, "loss", "100%")
        here = socket_in(client, socket.AF_INET)
        here.setblocking(False)
        here.connect_ex((server.v4, port))
        wait_for(lambda: retransmitted(client) and retransmitted(server), limit=30)
        netem(server)
        listener.accept()
        rows = rows_between(again.stop(), server.v4)
        syn = [row for row in rows if row["state"] == "SYN_SENT"]
        synack = [row for row in rows if row["state"] == "SYN_RECV"]
        assert len(syn) == retransmitted(client) and len(synack) == retransmitted(server)
        assert len(rows) == len(syn) + len(synack)
        assert {(row["laddr"], row["raddr"], row["rport"]) for row in syn} == {(client.v4, server.v4, port)}
        assert {(row["laddr"], row["lport"], row["raddr"]) for row in synack} == {(server.v4, port, client.v4)}


def test_counts_and_loss_probes():
    load("sch_netem")
    with network() as (client, server):
        here, there = pair(server.v4, client, server)
        probes = lambda: counters(client, "netstat")["TcpExt"]["TCPLossProbes"]
        # A connection that has measured its round trips sends a probe before its timer is over.
        for _ in range(5):
            here.send(b"x"), there.recv(1), there.send(b"y"), here.recv(1)
        before, probes_before = retransmitted(client), probes()
        count, text = tool("tcpretrans", "-c"), tool("tcpretrans", "-l", "-s")
        by_json, v6 = tool("tcpretrans", "-c", "-4", json=True), tool("tcpretrans", "-6", json=True)
        netem(client, "loss", "100%")
        here.send(b"lost")
        wait_for(lambda: retransmitted(client) >= before + 3 and probes() > probes_before, limit=30)
        netem(client)
        assert there.recv(4, socket.MSG_WAITALL) == b"lost"
        count, text, by_json, v6 = count.stop(), text.stop(), by_json.stop(), v6.stop()
        n, sent = retransmitted(client) - before, probes() - probes_before
    own, other = f"{client.v4}:{port_of(here)}", f"{server.v4}:{port_of(there)}"
    lines = count.out.splitlines()
    assert lines[2].split() == ["LADDR:LPORT", "RADDR:RPORT", "RETRANSMITS"]
    assert [line.split() for line in lines if own in line] == [[own, "<->", other, str(n)]]
    (row,) = rows_between(by_json, client.v4)
    assert (row["laddr"], row["lport"], row["retransmits"]) == (client.v4, port_of(here), n)
    assert not rows_between(v6, client.v4)
    head = "TIME     PID     IP LADDR:LPORT          T> RADDR:RPORT          STATE               SEQ"
    assert text.out.splitlines()[1] == head
    rows = [line.split() for line in text.out.splitlines() if own in line]
    assert [row[4] for row in rows].count("R>") == n and [row[4] for row in rows].count("L>") == sent == 1
    assert {(row[2], row[3], row[5], row[6]) for row in rows} == {("4", own, other, "ESTABLISHED")}
    assert tool_run("tcpretrans", "-4", "-6").code == 2
