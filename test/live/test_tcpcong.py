"""tcpcong: the time in Loss of a connection whose packets are all lost for a while."""

import socket

from connection import *
from harness import *

LOSS = 4  # TCP_CA_Loss


def lose_for_a_while(here, there, side, hold=0.5):
    """Lose all that `here` sends; the least and the most time that it can have been in Loss, in ns."""
    netem(side, "loss", "100%")
    sent = time.monotonic_ns()
    here.send(b"lost")
    wait_for(lambda: tcp_info(here)["ca_state"] == LOSS, limit=30)
    entered = time.monotonic_ns()
    time.sleep(hold)
    least = time.monotonic_ns() - entered
    netem(side)
    assert there.recv(4, socket.MSG_WAITALL) == b"lost"
    wait_for(lambda: tcp_info(here)["ca_state"] != LOSS, limit=30)
    return least, time.monotonic_ns() - sent


def test_time_in_loss():
    load("sch_netem")
    with network() as (client, server):
        for host, own in ((server.v4, client.v4), (server.v6, client.v6)):
            here, there = pair(host, client, server)
            cong = tool("tcpcong", json=True)
            least, most = lose_for_a_while(here, there, client)
            opened = time.monotonic_ns()
            time.sleep(0.3)
            quiet = time.monotonic_ns() - opened
            ends = own, port_of(here), port_of(there)
            here.close(), there.close()
            wait_for(lambda: counters(client)["Tcp"]["CurrEstab"] == 0)
            time.sleep(0.1)
            result = cong.stop()
            (row,) = [row for row in result.json[:-1] if row["raddr"] == host]
            assert (row["laddr"], row["lport"], row["rport"]) == ends
            assert least <= row["loss_ns"] <= most, (least, most, row)
            assert row["changes"] >= 2 and row["open_ns"] + row["disorder_ns"] >= quiet
            assert row["recovery_ns"] == row["cwr_ns"] == 0
            assert not any(result.json[-1]["lost"].values())


def test_text_histograms_and_ports():
    load("sch_netem")
    with network() as (client, server):
        # Next to each other: between ports that the kernel chose, other tests may have theirs.
        here, there = pair(server.v4, client, server, 7001)
        here6, there6 = pair(server.v6, client, server, 7002)
        both = "7001-7002"
        tools = {name: tool("tcpcong", *args) for name, args in {
            "us": ("-u", "-R", both), "ms": ("-R", both), "one": ("-R", port_of(there)),
            "local": ("-L", f"{port_of(here)}-{port_of(here)}"), "dist": ("-d", "-R", both),
            "dist_us": ("-d", "-u", "-R", both), "none": ("-L", "1-2")}.items()}
        spans = [lose_for_a_while(a, b, client, 0.2) for a, b in ((here, there), (here6, there6))]
        results = {name: process.stop() for name, process in tools.items()}
    ends = lambda text: re.findall(r"^(10\.\S+|fd\S+) +(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)", text, re.M)
    v4, v6 = (f"{client.v4}:{port_of(here)}", f"{server.v4}:{port_of(there)}"), (
        f"{client.v6}:{port_of(here6)}", f"{server.v6}:{port_of(there6)}")
    for name, unit in (("us", 1000), ("ms", 1000000)):
        rows = ends(results[name].out)
        assert [row[:2] for row in rows] == [v4, v6]
        for row, (least, most) in zip(rows, spans):
            assert least // unit <= int(row[6]) <= most // unit
        assert f"LAddrPort6                       RAddrPort6                       Open_{name}" in results[name].out
        assert re.search(rf"^LAddrPort +RAddrPort +Open_{name} +Dod_{name} +Rcov_{name} +Cwr_{name} +Los_{name} +"
                         r"Chgs", results[name].out, re.M)
    assert [row[:2] for row in ends(results["one"].out)] == [v4]
    assert [row[:2] for row in ends(results["local"].out)] == [v4]
    assert ends(results["none"].out) == []
    for name, unit in (("dist", 1000000), ("dist_us", 1000)):
        loss = results[name].histograms["tcp_congest_state = loss"]
        assert sum(loss.values()) == 2
        low = min(low for (low, _), n in loss.items() if n)
        high = max(high for (_, high), n in loss.items() if n)
        assert high >= min(least for least, _ in spans) // unit and low <= max(most for _, most in spans) // unit
    for args in (("-L", "5-4"), ("-R", "x"), ("-L", "70000")):
        assert tool_run("tcpcong", *args).code == 2
