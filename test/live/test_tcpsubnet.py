"""tcpsubnet: bytes sent, under the first subnet that has the remote address."""

import socket

from connection import *
from harness import *


def sums(records):
    found = {}
    for record in records:
        for subnet, sent in record.get("entries", {}).items():
            found[subnet] = found.get(subnet, 0) + sent
    return found


def test_bytes_by_subnet():
    with network() as (client, server):
        near = client.v4.rpartition(".")[0]
        subnets = f"{client.v4}/32,{near}.0/24,{server.v6},{client.v6}/112,255.0.0.0/8"
        tracer = tool("tcpsubnet", "-J", "-i", 1, subnets)
        text = tool("tcpsubnet", "-f", "k", "-i", 100, subnets)
        for host, back in ((server.v4, 5000), (server.v6, 300)):
            listener = server.spawn([WORK, "tcp_server", host, 0, 3, back])
            port = int(listener.until(r"port (\d+)").group(1))
            client.work("tcp_client", host, port, 40000, 3, 0, back)
            listener.wait()
        mapped = server.spawn([WORK, "tcp_server", "::", 0, 1])
        port = int(mapped.until(r"port (\d+)").group(1))
        client.work("tcp_client", f"::ffff:{server.v4}", port, 1000, 1)
        mapped.wait()
        result, text = tracer.stop(), text.stop()
        # To the client it is its own address that comes first, to the server its network.
        assert sums(result.json) == {f"{client.v4}/32": 15000, f"{near}.0/24": 121000, server.v6: 120000,
                                     f"{client.v6}/112": 900}
        assert all(re.fullmatch(r"\d\d/\d\d/\d\d", record["date"]) for record in result.json[:-1])
        lines = text.out.splitlines()
        assert lines[0] == "Tracing... Output every 100 secs. Hit Ctrl-C to end"
        assert re.fullmatch(r"\[\d\d/\d\d/\d\d \d\d:\d\d:\d\d\]", lines[1])
        assert [line.split() for line in lines[2:]] == [
            [f"{near}.0/24", str(121000 * 8 // 1024)], [server.v6, str(120000 * 8 // 1024)],
            [f"{client.v4}/32", str(15000 * 8 // 1024)], [f"{client.v6}/112", str(900 * 8 // 1024)]]


def test_what_was_not_sent_is_not_counted():
    """A full socket takes a part, then nothing: BCC counts what was asked for."""
    with network() as (client, server):
        here, there = pair(server.v4, client, server)
        tracer = tool("tcpsubnet", "-J", "-i", 100, f"{server.v4}/32")
        here.setblocking(False)
        sent = 0
        try:
            while True:
                sent += here.send(b"x" * 300000)
        except BlockingIOError:
            pass
        assert sums(tracer.stop().json) == {f"{server.v4}/32": sent}


def test_defaults_units_and_errors():
    with network() as (client, server):
        units = {unit: tool("tcpsubnet", "-f", unit, "-i", 100, f"{server.v4}/32") for unit in "bkmBKM"}
        default = tool("tcpsubnet", "-J", "-i", 100)
        here, there = pair(server.v4, client, server)
        sent = 0
        while sent < 3 << 20:
            sent += here.send(b"x" * 65536)
            there.recv(65536, socket.MSG_WAITALL)
        values = {unit: int(process.stop().out.splitlines()[2].split()[1]) for unit, process in units.items()}
        assert values == {"b": sent * 8, "k": sent * 8 >> 10, "m": sent * 8 >> 20, "B": sent, "K": sent >> 10,
                          "M": sent >> 20}
        assert sums(default.stop().json)["10.0.0.0/8"] >= sent
    for args in (("1.2.3.4/33",), ("::/129",), ("1.2.3/8",), ("10.0.0.0/8,",), ("-f", "x"),
                 (",".join(["1.2.3.4"] * 65),), ("10.0.0.0/-1",), ("10.0.0.0/",)):
        result = tool_run("tcpsubnet", *args)
        assert result.code == 2 and result.err, args
