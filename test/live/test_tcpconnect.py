"""tcpconnect: a row for each connect that was begun, with its addresses, ports and owner."""

from harness import *


def rows_of(result, did):
    return [row for row in result.json[:-1] if row["pid"] == did["pid"]]


def test_a_row_for_each_connect():
    for host, ip in (("127.0.0.1", 4), ("::1", 6), ("::ffff:127.0.0.1", 4)):
        connects = tool("tcpconnect", json=True)
        did = work("tcp", host, 100, 0, 25)
        result = connects.stop()
        rows = rows_of(result, did)
        shown = host.replace("::ffff:", "")
        assert [row["lport"] for row in rows] == did["local"] and len(rows) == 25
        assert {(row["laddr"], row["raddr"], row["rport"], row["ip"]) for row in rows} == {
            (shown, shown, did["port"], ip)}
        assert {(row["comm"], row["uid"], row["tid"]) for row in rows} == {("work", 0, did["pid"])}
        assert not [row for row in result.json[:-1] if row["pid"] == did["server"]]
        assert not any(result.json[-1]["lost"].values())


def test_text_and_its_options():
    text = tool("tcpconnect", "-t", "-U", "-L")
    plain, json = tool("tcpconnect"), tool("tcpconnect", json=True)
    did = work("tcp", "::1", 1, 0, 5)
    text, plain, json = text.stop(), plain.stop(), json.stop()
    head = "TIME(s)  UID   PID     COMM         IP SADDR            LPORT  DADDR            DPORT"
    assert text.out.splitlines()[0] == head
    assert plain.out.splitlines()[0] == "PID     COMM         IP SADDR            DADDR            DPORT"
    rows, twins = text.of(did["pid"]), rows_of(json, did)
    assert len(rows) == len(twins) == len(plain.of(did["pid"])) == 5
    for row, twin in zip(rows, twins):
        assert (row["UID"], row["COMM"], row["IP"], row["SADDR"], row["LPORT"], row["DADDR"],
                row["DPORT"]) == tuple(twin[key] for key in
                                       "uid comm ip laddr lport raddr rport".split())
    times = [row["TIME(s)"] for row in rows]
    assert times == sorted(times) and 0 < times[0] and times[-1] < 60


def test_refused_and_non_blocking():
    with network() as (client, server):
        connects = tool("tcpconnect", json=True)
        refused = client.work("tcp_client", server.v4, 9, 1, 4)
        refused6 = client.work("tcp_client", server.v6, 9, 1, 4)
        waits = client.work("tcp_nonblock", server.v4, 9, 6)
        unreachable = client.work("tcp_client", "192.0.2.1", 9, 1, 3)
        result = connects.stop()
    assert refused["errno"] == refused6["errno"] == 111 and waits["under_way"] == 6
    for did, host, own, ip, n in ((refused, server.v4, client.v4, 4, 4),
                                  (refused6, server.v6, client.v6, 6, 4),
                                  (waits, server.v4, client.v4, 4, 6)):
        rows = rows_of(result, did)
        assert [(row["ip"], row["laddr"], row["raddr"], row["rport"]) for row in rows] == [
            (ip, own, host, 9)] * n
    assert [row["lport"] for row in rows_of(result, waits)] == waits["local"]
    assert unreachable["errno"] == 101 and not rows_of(result, unreachable)


def test_threads_belong_to_their_process():
    listener = spawn([WORK, "tcp_server", "127.0.0.1", 0, 12])
    port = int(listener.until(r"port (\d+)").group(1))
    connects = tool("tcpconnect", json=True)
    did = work("tcp_threads", "127.0.0.1", port, 12)
    rows = rows_of(connects.stop(), did)
    assert sorted(row["tid"] for row in rows) == sorted(did["tids"]) and len(rows) == 12
    listener.wait()


def test_filters_drop_the_rest():
    listener = spawn([WORK, "tcp_server", "::", 0, 100])  # IPv4 too
    port = int(listener.until(r"port (\d+)").group(1))
    one = waiting_work("tcp_client", "127.0.0.1", port, 1, 7)
    tools = {name: tool("tcpconnect", *args, json=True) for name, args in {
        "pid": ("-p", one.pid), "ports": ("-P", f"{port},1"), "other": ("-P", 1), "v4": ("-4",),
        "v6": ("-6",), "user": ("-u", "daemon")}.items()}
    one = one.go()
    six = work("tcp_client", "::1", port, 1, 3)
    mapped = work("tcp_client", "::ffff:127.0.0.1", port, 1, 4)
    elsewhere = work("tcp", "127.0.0.1", 1, 0, 2)
    user = run(["setpriv", "--reuid=daemon", "--clear-groups", WORK, "tcp_client", "::1", port, 1, 5]).words
    listener.stop()
    results = {name: process.stop() for name, process in tools.items()}
    counts = {name: [len(rows_of(result, did)) for did in (one, six, mapped, elsewhere, user)]
              for name, result in results.items()}
    assert counts == {"pid": [7, 0, 0, 0, 0], "ports": [7, 3, 4, 0, 5], "other": [0] * 5,
                      "v4": [7, 0, 4, 2, 0], "v6": [0, 3, 0, 0, 5], "user": [0, 0, 0, 0, 5]}
    assert {row["uid"] for row in results["user"].json[:-1]} == {1}
    assert len(results["pid"].json) == 8


def test_counts():
    count, by_port = tool("tcpconnect", "-c"), tool("tcpconnect", "-c", "--source-port", json=True)
    four = work("tcp", "127.0.0.1", 1, 0, 9)
    six = work("tcp", "::1", 1, 0, 4)
    count, by_port = count.stop(), by_port.stop()
    head = f"{'LADDR':25} {'RADDR':25} {'RPORT':20} CONNECTS"
    assert count.out.splitlines()[:3] == ["Tracing connects... Hit Ctrl-C to end.", "", head]
    rows = [tuple(row.values()) for row in count.rows if row["RPORT"] in (four["port"], six["port"])]
    assert rows == [("127.0.0.1", "127.0.0.1", four["port"], 9), ("::1", "::1", six["port"], 4)]
    rows = [row for row in by_port.json[:-1] if row["rport"] == four["port"]]
    assert sorted(row["lport"] for row in rows) == sorted(four["local"])
    assert {row["connects"] for row in rows} == {1}


def test_a_storm_loses_nothing():
    connects = tool("tcpconnect", json=True)
    did = work("tcp", "127.0.0.1", 1, 0, 500)
    result = connects.stop()
    assert [row["lport"] for row in rows_of(result, did)] == did["local"]
    assert not any(result.json[-1]["lost"].values())


def test_names():
    ways = [("127.0.0.53", "www.one.example", "127.0.0.7", 9, "recv"),
            ("127.0.0.53", "two.example", "127.0.0.8", 9, "recvfrom"),
            ("127.0.0.53", "three.example", "127.0.0.9", 9, "recvmsg"),
            ("127.0.0.53", "four.example", "127.0.0.10", 9, "read"),
            ("::1", "six.example", "127.0.0.11", 9, "recv"),
            ("::1", "seven.example", "127.0.0.12", 9, "recvfrom"),
            ("127.0.0.53", "late.example", "127.0.0.13", 9, "recv", 200),
            ("127.0.0.53", "self.example", "::1", 9, "recv")]
    with network() as (client, _):
        text, json = tool("tcpconnect", "-d"), tool("tcpconnect", "-d", json=True)
        did = [client.work("dns", *way) for way in ways]
        unasked = client.work("tcp_client", "127.0.0.99", 9, 1)
        others = [client.work("dns", server, "other.example", "127.0.0.14", 9, how, 0, 5353)
                  for server in ("127.0.0.53", "::1") for how in ("recv", "recvfrom")]
        text, json = text.stop(), json.stop()
    assert not any(json.json[-1]["lost"].values())
    for one, way in zip(did, ways):
        (row,) = rows_of(json, one)
        assert (row["query"], row["raddr"]) == (way[1], way[2])
        (row,) = text.of(one["pid"])
        delay = re.fullmatch(re.escape(way[1]) + r"(?: \((\d+\.\d{3})ms\))?", row["QUERY"])
        if way[5:]:
            assert 200 <= float(delay.group(1)) < 30000
        assert delay
    # Nobody asked, or not a name server's port.
    for one in (unasked, *others):
        (row,) = rows_of(json, one)
        assert row["query"] == "" and row["query_age_ns"] == 0
        assert [row["QUERY"] for row in text.of(one["pid"])] == ["No DNS Query"]


def test_wrong_options():
    assert tool_run("tcpconnect", "-d", "-c").code == 2
    assert tool_run("tcpconnect", "-4", "-6").code == 2
    assert tool_run("tcpconnect", "-P", "70000").code == 2


@needs("program:/usr/sbin/tcpconnect")
def test_peer_libbpf_tools():
    """Debian's tcpconnect over the same connects: the rows agree."""
    listener = spawn([WORK, "tcp_server", "::", 0, 1000])
    port = int(listener.until(r"port (\d+)").group(1))
    ours = tool("tcpconnect", "-P", port)
    peer = spawn(["stdbuf", "-oL", "/usr/sbin/tcpconnect", "-P", port])
    settle = lambda: work("tcp_client", "127.0.0.1", port, 1) and str(port) in peer.out
    wait_for(settle, limit=30)
    did = [work("tcp_client", host, port, 1, 5) for host in ("127.0.0.1", "::1")]
    wait_for(lambda: str(did[1]["pid"]) in peer.out)
    time.sleep(1)
    ours, theirs = ours.stop(), peer.stop()
    listener.stop()
    key = lambda row: (row["PID"], row["COMM"], row["IP"], row["SADDR"], row["DADDR"], row["DPORT"])
    for one in did:
        a, b = [key(row) for row in ours.of(one["pid"])], [key(row) for row in theirs.of(one["pid"])]
        assert a == b and len(a) == 5, (a, b)
