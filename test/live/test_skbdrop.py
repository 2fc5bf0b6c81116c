"""skbdrop: datagrams that nobody listens for."""

import re

from harness import *

N = 25
SEND = "import socket\ns = socket.socket(socket.AF_{family}, socket.SOCK_DGRAM)\n" \
    "for i in range({n}): s.sendto(b'x', ('{to}', 9))"


def send(side, family, to):
    side.run(["/usr/bin/python3", "-c", SEND.format(family=family, n=N, to=to)])


@alone
def test_datagrams_to_a_closed_port():
    with network() as (client, server):
        tracer = tool("skbdrop", json=True)
        send(client, "INET", server.v4)
        send(client, "INET6", server.v6)
        rows = tracer.stop().json[:-1]
    drops = [row for row in rows if row["reason"] == "NO_SOCKET"]
    for function in ("__udp4_lib_rcv", "__udp6_lib_rcv"):
        mine = [row for row in drops if function in row["kernel"]]
        assert sum(row["count"] for row in mine) == N, (function, drops)
    assert sum(row["count"] for row in drops) == 2 * N


@alone
def test_text_has_the_counters():
    with network() as (client, server):
        tracer = tool("skbdrop", netns=server.netns)
        send(client, "INET", server.v4)
        out = tracer.stop().out
    assert "#kernel\n" in out
    counters = dict(re.findall(r"^(\w+) +(\d+) +[\d.]+$", out, re.MULTILINE))
    assert int(counters["UdpNoPorts"]) == N
    assert "TcpRtoMax" not in counters, "what did not move"
    drops = re.findall(r"^    -                NO_SOCKET\n        (\d+)$", out, re.MULTILINE)
    assert sum(map(int, drops)) == N
