"""tcprtt: the times that the connection itself says it has (TCP_INFO), one for each segment."""

from connection import *
from harness import *


def exchange(here, there, n):
    """Round trips, and the times that the connection had meanwhile."""
    rtts = [tcp_info(here)["rtt"]]
    for _ in range(n):
        here.send(b"x"), there.recv(1), there.send(b"y"), here.recv(1)
        rtts.append(tcp_info(here)["rtt"])
    wait_for(lambda: not tcp_info(here)["unacked"] and not tcp_info(there)["unacked"])
    return rtts


def bucket(value):
    return 1 << value.bit_length() - 1 if value > 1 else 0


def test_times_and_counts():
    load("sch_netem")
    with network() as (client, server):
        netem(client, "delay", "20ms")
        for host in (server.v4, server.v6):
            here, there = pair(host, client, server)
            seen = tcp_info(here)["segs_in"]
            us, ms = [tool("tcprtt", "-P", port_of(there), *args, json=True) for args in ((), ("-m", "-e"))]
            rtts = exchange(here, there, 8)
            arrived = tcp_info(here)["segs_in"] - seen
            for process, unit in ((us, 1), (ms, 1000)):
                record = process.stop().json[0]
                assert record["count"] == arrived >= 8 and record["unit"] == {1: "usecs", 1000: "msecs"}[unit]
                filled = [one["low"] for one in record["buckets"] if one["count"]]
                assert bucket(min(rtts) // unit) <= min(filled), (rtts, record)
                assert max(filled) <= bucket(max(rtts) // unit)
                assert min(rtts) // unit <= record["sum"] / arrived <= max(rtts) / unit
            assert min(rtts) >= 20000


def test_filters_and_labels():
    load("sch_netem")
    with network() as (client, server):
        here, there = pair(server.v4, client, server)
        here6, there6 = pair(server.v6, client, server)
        port, port6 = port_of(there), port_of(there6)
        tools = {name: tool("tcprtt", *map(str, args)) for name, args in {
            "lport": ("-p", port), "address": ("-a", server.v4, "-A", client.v4),
            "address6": ("-a", server.v6, "-A", client.v6), "swapped": ("-a", server.v4, "-A", server.v4),
            "local": ("-b", "-p", f"{port},{port6}"), "remote": ("-B", "-e", "-p", f"{port},{port6}"),
            "v4": ("-4", "-p", f"{port},{port6}"), "v6": ("-6", "-p", f"{port},{port6}")}.items()}
        before, before6 = tcp_info(there)["segs_in"], tcp_info(there6)["segs_in"]
        exchange(here, there, 4), exchange(here6, there6, 3)
        n, n6 = tcp_info(there)["segs_in"] - before, tcp_info(there6)["segs_in"] - before6
        found = {name: {label: sum(counts.values()) for label, counts in process.stop().histograms.items()}
                 for name, process in tools.items()}
    average = {re.sub(r" \[AVG \d+\]$", "", label): count for label, count in found.pop("remote").items()}
    assert average == {f"Remote Address = {client.v4}": n, f"Remote Address = {client.v6}": n6}
    everything = "All Addresses = *******"
    assert found == {"lport": {everything: n}, "address": {everything: n}, "address6": {everything: n6},
                     "swapped": {}, "local": {f"Local Address = {server.v4}": n,
                                              f"Local Address = {server.v6}": n6},
                     "v4": {everything: n}, "v6": {everything: n6}}
    assert "[AVG" in tools["remote"].out
    for args in (("-4", "-6"), ("-b", "-B"), ("-a", "1.2.3"), ("-A", "nonsense")):
        assert tool_run("tcprtt", *args).code == 2


def test_intervals():
    with network() as (client, server):
        here, there = pair(server.v4, client, server)
        before = tcp_info(there)["segs_in"]
        rtt = tool("tcprtt", "-i", 1, "-T", "-p", port_of(there))
        exchange(here, there, 2)
        wait_for(lambda: "All" in rtt.out)
        exchange(here, there, 2)
        n = tcp_info(there)["segs_in"] - before
        rtt = rtt.stop()
    counts = [int(count) for count in re.findall(r" : (\d+) +\|", rtt.out)]
    assert sum(counts) == n and rtt.out.count("All Addresses") >= 2
    assert re.search(r"^\d\d:\d\d:\d\d$", rtt.out, re.MULTILINE)
