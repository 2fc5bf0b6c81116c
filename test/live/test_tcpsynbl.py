"""tcpsynbl: how many wait already, each time one more joins them."""

from connection import *
from harness import *


def test_backlogs():
    tracer, v4, v6 = tool("tcpsynbl", json=True), tool("tcpsynbl", "-4", json=True), tool("tcpsynbl", "-6", json=True)
    text = tool("tcpsynbl")
    kept = []
    # Limits that nobody else has tell the listeners apart. Over IPv4 a socket of IPv6 counts once.
    for host, to, limit, n in (("127.0.0.1", "127.0.0.1", 41, 6), ("::1", "::1", 42, 3), ("::", "127.0.0.1", 43, 9)):
        listener = listen(host, backlog=limit)
        kept += [listener, *(connect(to, port_of(listener)) for _ in range(n))]
    records = {record["backlog_max"]: record for record in tracer.stop().json[:-1]}
    buckets = lambda record: {one["low"]: one["count"] for one in record["buckets"]}
    assert buckets(records[41]) == {0: 2, 2: 2, 4: 2} and records[41]["sum"] == sum(range(6))
    assert buckets(records[42]) == {0: 2, 2: 1} and records[42]["sum"] == sum(range(3))
    assert buckets(records[43]) == {0: 2, 2: 2, 4: 4, 8: 1} and records[43]["sum"] == sum(range(9))
    limits = lambda process: {record["backlog_max"] for record in process.stop().json[:-1]} & {41, 42, 43}
    assert limits(v4) == {41, 43} and limits(v6) == {42}
    histograms = text.stop().histograms
    assert histograms["backlog_max = 41"] == {(0, 1): 2, (2, 3): 2, (4, 7): 2}
    assert "     backlog             : count     distribution" in text.out
    assert tool_run("tcpsynbl", "-4", "-6").code == 2


def test_intervals():
    tracer = tool("tcpsynbl", "-T", 1)
    listener = listen("127.0.0.1", backlog=44)
    clients = [connect("127.0.0.1", port_of(listener))]
    wait_for(lambda: "backlog_max = 44" in tracer.out)
    clients.append(connect("127.0.0.1", port_of(listener)))
    result = tracer.stop()
    assert result.out.count("backlog_max = 44\n") == 2
    assert re.search(r"^\d\d:\d\d:\d\d$", result.out, re.MULTILINE)
