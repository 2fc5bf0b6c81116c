"""tcptop: bytes of each direction equal what the workload sent and received, to the byte."""

from harness import *


def sums(result, did):
    """(received, sent) by pid, over all intervals and all of its connections to that port."""
    found = {}
    for row in result.json[:-1]:
        if did["port"] in (row["lport"], row["rport"]):
            rx, tx = found.get(row["pid"], (0, 0))
            found[row["pid"]] = (rx + row["rx_bytes"], tx + row["tx_bytes"])
    return found


def measure(*way, host="127.0.0.1"):
    top = tool("tcptop", json=True)
    did = work("tcp_way", host, *way)
    result = top.stop()
    assert not any(result.json[-1]["lost"].values())
    return did, result


def test_bytes_of_both_directions():
    for host, back in (("127.0.0.1", 12345), ("::1", 3), ("::ffff:127.0.0.1", 70000)):
        top = tool("tcptop", json=True)
        did = work("tcp", host, 300001, back, 3)
        result = top.stop()
        assert sums(result, did) == {
            did["pid"]: (did["received"], did["sent"]), did["server"]: (did["sent"], did["received"])}
        assert (did["received"], did["sent"]) == (3 * back, 3 * 300001)
        rows = result.of(did["pid"])
        assert sorted({row["lport"] for row in rows}) == sorted(did["local"])
        shown = host.replace("::ffff:", "")
        assert {(row["laddr"], row["raddr"], row["rport"]) for row in rows} == {(shown, shown, did["port"])}
        assert {row["comm"] for row in rows} == {"work"}


def test_across_hosts():
    with network() as (client, server):
        top = tool("tcptop", json=True)
        for host, own in ((server.v4, client.v4), (server.v6, client.v6)):
            listener = server.spawn([WORK, "tcp_server", host, 0, 2, 10])
            port = int(listener.until(r"port (\d+)").group(1))
            did = client.work("tcp_client", host, port, 5000, 2, 0, 10)
            listener.wait()
            did["port"], did["peer"], did["own"] = port, listener.pid, own
            did["host"] = host
            wait_for(lambda: f'"rport":{port},' in top.out)
            time.sleep(1)
            rows = [json_module.loads(line) for line in top.out.splitlines() if f":{port}," in line]
            mine = [row for row in rows if row["pid"] == did["pid"]]
            assert {(row["laddr"], row["raddr"]) for row in mine} == {(own, host)}
            assert sum(row["tx_bytes"] for row in mine) == 10000
            assert sum(row["rx_bytes"] for row in mine) == 20
            theirs = [row for row in rows if row["pid"] == listener.pid]
            assert sum(row["rx_bytes"] for row in theirs) == 10000
        top.stop()


def test_peeking_does_not_count():
    did, result = measure("peek", 50000)
    assert did["peeked"] == 250000 and did["received"] == 50000
    assert sums(result, did) == {did["pid"]: (50000, 0), did["server"]: (0, 50000)}


def test_failed_receives_do_not_count():
    did, result = measure("again", 777)
    assert did["again"] == 100
    assert sums(result, did) == {did["pid"]: (777, 0), did["server"]: (0, 777)}


def test_waiting_for_all_counts_once():
    did, result = measure("waitall", 20000)
    assert did["received"] == 20000
    assert sums(result, did) == {did["pid"]: (20000, 0), did["server"]: (0, 20000)}


def test_partial_sends():
    did, result = measure("partial", 0, host="::1")
    assert did["again"] >= 1 and did["sent"] > 0
    assert sums(result, did) == {did["pid"]: (0, did["sent"]), did["server"]: (did["sent"], 0)}


def test_sendfile_and_splice():
    did, result = measure("splice", 200000)
    assert sums(result, did) == {did["pid"]: (0, 200000), did["server"]: (200000, 0)}


def test_port_of_a_connection_that_is_over():
    did, result = measure("half", 40000)
    assert did["received"] == 40000
    (row,) = result.of(did["pid"])
    assert (row["lport"], row["rport"], row["rx_bytes"]) == (did["local"], did["port"], 40000)


def test_intervals_lose_nothing():
    top = tool("tcptop", "1", json=True)
    did = work("tcp_way", "127.0.0.1", "slow", 1000, 300, 10)
    result = top.stop()
    assert sums(result, did) == {did["pid"]: (0, 300000), did["server"]: (300000, 0)}
    assert len(result.of(did["pid"])) >= 3


def test_filters_drop_the_rest():
    one = waiting_work("tcp", "::1", 5000, 5)
    by_pid = tool("tcptop", "-p", one.pid, json=True)
    v4, v6 = tool("tcptop", "-4", json=True), tool("tcptop", "-6", json=True)
    two = work("tcp", "127.0.0.1", 6000, 6)
    mapped = work("tcp", "::ffff:127.0.0.1", 7000, 7)
    one = one.go()
    assert sums(by_pid.stop(), one) == {one["pid"]: (5, 5000)}
    v4, v6 = v4.stop(), v6.stop()
    assert {row["pid"] for row in by_pid.wait().json[:-1]} == {one["pid"]}
    assert sums(v4, one) == {} and sums(v4, two)[two["pid"]] == (6, 6000)
    assert sums(v4, mapped)[mapped["pid"]] == (7, 7000)
    assert sums(v6, two) == sums(v6, mapped) == {} and sums(v6, one)[one["pid"]] == (5, 5000)


def test_text():
    top = tool("tcptop", "-C", 3, 1)
    quiet = tool("tcptop", "-S", "--rows", 1, "--sort", "received", 3, 1)
    v6 = work("tcp", "::1", 10240, 2048)
    v4 = work("tcp", "127.0.0.1", 102400, 0)
    top, quiet = top.wait(), quiet.wait()
    lines = top.out.splitlines()
    assert lines[0] == "Tracing... Output every 3 secs. Hit Ctrl-C to end." and lines[1] == ""
    assert re.fullmatch(r"\d\d:\d\d:\d\d loadavg: \d+\.\d\d \d+\.\d\d \d+\.\d\d \d+/\d+ \d+", lines[2])
    first, second = tables(top.out)
    ours = [row for row in first if row["PID"] in (v4["pid"], v4["server"])]
    assert [(row["RX_KB"], row["TX_KB"]) for row in ours if row["PID"] == v4["pid"]] == [(0, 100)]
    assert [(row["RX_KB"], row["TX_KB"]) for row in ours if row["PID"] == v4["server"]] == [(100, 0)]
    (row,) = [row for row in second if row["PID"] == v6["pid"]]
    assert row == {"PID": v6["pid"], "COMM": "work", "LADDR6": f"::1:{v6['local']}",
                   "RADDR6": f"::1:{v6['port']}", "RX_KB": 2, "TX_KB": 10}
    assert "loadavg" not in quiet.out and [row["PID"] for row in quiet.rows] == [v4["server"]]


def test_wrong_options():
    assert tool_run("tcptop", "-4", "-6").code == 2
    assert tool_run("tcptop", "--sort", "name").code == 2
