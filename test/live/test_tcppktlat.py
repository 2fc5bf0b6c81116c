"""tcppktlat: how long data waited, between what its reader can tell of both ends."""

import select
import threading

from connection import *
from harness import *


def leave_waiting(sender, reader, seconds):
    """Send, wait, read; the least and the most that it can have waited, in ns."""
    before = time.monotonic_ns()
    sender.send(b"data")
    select.select([reader], [], [], 30)
    there = time.monotonic_ns()
    time.sleep(seconds)
    least = time.monotonic_ns() - there
    assert reader.recv(100) == b"data"
    return least, time.monotonic_ns() - before


def test_waits():
    for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        client, server = pair(host)
        lat = tool("tcppktlat", "-l", port_of(server), json=True)
        spans = [leave_waiting(client, server, 0.05 * i) for i in range(4)]
        leave_waiting(server, client, 0)  # the other direction: not of this local port
        result = lat.stop()
        rows = result.json[:-1]
        assert len(rows) == 4 and not any(result.json[-1]["lost"].values())
        for row, (least, most) in zip(rows, spans):
            assert least <= row["lat_ns"] <= most, (rows, spans)
        shown = host.replace("::ffff:", "")
        assert {(row["pid"], row["tid"], row["laddr"], row["lport"], row["raddr"], row["rport"]) for row in rows
                } == {(os.getpid(), os.getpid(), shown, port_of(server), shown, port_of(client))}


def test_the_first_that_was_not_read():
    """Several segments that are read at once waited as long as the first."""
    client, server = pair("127.0.0.1")
    lat = tool("tcppktlat", "-p", os.getpid(), json=True)
    before = time.monotonic_ns()
    client.send(b"first")
    select.select([server], [], [], 30)
    began = time.monotonic_ns()
    time.sleep(0.2)
    client.send(b"second")
    select.select([server], [], [], 30)
    least = time.monotonic_ns() - began
    assert server.recv(100).startswith(b"first")
    most = time.monotonic_ns() - before
    (row,) = lat.stop().json[:-1]
    assert 200e6 <= least <= row["lat_ns"] <= most


def test_threads_text_and_filters():
    client, server = pair("127.0.0.1")
    other, other_server = pair("127.0.0.1")
    tools = {name: tool("tcppktlat", *args) for name, args in {
        "wide": ("-T", "-w"), "plain": (), "slow": (100000,), "remote": ("-r", port_of(client)), "nobody": ("-p", 1),
        "tid": ("-t", os.getpid())}.items()}
    slow = leave_waiting(client, server, 0.15)
    fast = leave_waiting(other, other_server, 0)
    tids = []
    other.send(b"data")
    thread = threading.Thread(target=lambda: (tids.append(threading.get_native_id()), other_server.recv(10)))
    thread.start(), thread.join()
    results = {name: process.stop() for name, process in tools.items()}
    mine = {name: [(row["TID"], row["RPORT"]) for row in result.of(os.getpid())] for name, result in results.items()}
    first, second, third = (os.getpid(), port_of(client)), (os.getpid(), port_of(other)), (tids[0], port_of(other))
    if fast[1] < 100e6:  # else this machine made the other one wait as well
        assert mine["slow"] == [first]
    mine.pop("slow")
    assert mine == {"wide": [first, second, third], "plain": [first, second, third], "remote": [first], "nobody": [],
                    "tid": [first, second]}
    head = "PID     TID     COMM             LADDR           LPORT RADDR           RPORT MS"
    assert results["plain"].out.splitlines()[0] == head
    row = results["plain"].of(os.getpid())[0]
    assert slow[0] // 1000 / 1000 <= row["MS"] <= slow[1] / 1e6 and row["LADDR"] == row["RADDR"] == "127.0.0.1"
    assert results["wide"].out.startswith("TIME(s) ")
    assert tool_run("tcppktlat", "x").code == 2
