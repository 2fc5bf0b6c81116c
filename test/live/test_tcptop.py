"""tcptop: bytes of each direction equal what the workload sent and received, to the byte."""

import socket
import threading

from harness import *


def sums(result, did):
    """(received, sent) by pid, over all intervals and all of its connections to that port."""
    found = {}
    for row in result.json[:-1]:
        if did["port"] in (row["lport"], row["rport"]):
            rx, tx = found.get(row["pid"], (0, 0))
            found[row["pid"]] = (rx + row["rx_bytes"], tx + row["tx_bytes"])
    return found


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


def test_every_way_of_sending_and_receiving():
    top = tool("tcptop", json=True)
    peek = work("tcp_way", "127.0.0.1", "peek", 50000)
    again = work("tcp_way", "127.0.0.1", "again", 777)
    waitall = work("tcp_way", "127.0.0.1", "waitall", 20000)
    partial = work("tcp_way", "::1", "partial", 0)
    splice = work("tcp_way", "127.0.0.1", "splice", 200000)
    half = work("tcp_way", "127.0.0.1", "half", 40000)
    result = top.stop()
    assert not any(result.json[-1]["lost"].values())
    received = lambda did, n: {did["pid"]: (n, 0), did["server"]: (0, n)}
    sent = lambda did, n: {did["pid"]: (0, n), did["server"]: (n, 0)}
    # Peeking five times does not count, nor does failing a hundred times.
    assert peek["peeked"] == 250000 and peek["received"] == 50000
    assert sums(result, peek) == received(peek, 50000)
    assert again["again"] == 100 and sums(result, again) == received(again, 777)
    # One call that waits between two parts counts each byte once.
    assert waitall["received"] == 20000 and sums(result, waitall) == received(waitall, 20000)
    # Sends that were taken in part, then refused.
    assert partial["again"] >= 1 and sums(result, partial) == sent(partial, partial["sent"])
    assert sums(result, splice) == sent(splice, 200000)
    # Read when the connection was over, and its local port given back.
    assert half["received"] == 40000 and sums(result, half) == received(half, 40000)
    (row,) = result.of(half["pid"])
    assert (row["lport"], row["rport"]) == (half["local"], half["port"])


def test_returns_hidden_by_another_tracer_are_counted():
    """The kernel skips the ends of calls in flight when another comes to the same function."""
    received = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()

    def receive():
        while data := server.recv(1000):
            received.append(len(data))

    def send_to_waiting(reader):
        wchan = Path(f"/proc/self/task/{reader.native_id}/wchan")
        wait_for(lambda: wchan.read_text() in ("wait_woken", "sk_wait_data"))
        before = len(received)
        client.sendall(bytes(1000))
        wait_for(lambda: len(received) > before)

    top = tool("tcptop", "-p", os.getpid(), json=True)
    reader = threading.Thread(target=receive)
    reader.start()
    send_to_waiting(reader)
    tool("tcptop").stop()  # the call in flight has lost its end
    send_to_waiting(reader)
    send_to_waiting(reader)
    client.close()
    reader.join()
    result = top.stop()
    assert sum(row["rx_bytes"] for row in result.json[:-1]) == 2000 and sum(received) == 3000
    lost = result.json[-1]["lost"]
    assert lost.pop("returns") == 1 and not any(lost.values())
    assert "1 returns missed" in result.err, result.err


@alone  # another tracer of its functions, come or gone meanwhile, would hide bytes: see above
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
    top = tool("tcptop", "-C", 50)
    quiet = tool("tcptop", "-S", "--rows", 1, "--sort", "received", 50, 2)
    v6 = work("tcp", "::1", 10240, 2048)
    v4 = work("tcp", "127.0.0.1", 102400, 0)
    top, quiet = top.stop(), quiet.stop()  # a report of what there is
    lines = top.out.splitlines()
    assert lines[0] == "Tracing... Output every 50 secs. Hit Ctrl-C to end." and lines[1] == ""
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


@needs("program:/usr/sbin/tcptop")
def test_peer_libbpf_tools():
    """Debian's tcptop over the same connections: the KB of each process and direction agree."""
    peer = spawn(["stdbuf", "-oL", "/usr/sbin/tcptop", "-C", "-S", 1000])

    wait_for(lambda: sum("bpf_link" in name for name in open_files(peer.pid)) >= 2, 30)
    ours = tool("tcptop", "-C", "-S", 1000)
    did = [work("tcp", host, 204800, 51200) for host in ("127.0.0.1", "::1")]
    ours, theirs = ours.stop(), peer.stop()
    key = lambda row: (row["PID"], row["COMM"], row["RX_KB"], row["TX_KB"])
    for one in did:
        for pid, kb in ((one["pid"], (50, 200)), (one["server"], (200, 50))):
            a, b = [key(row) for row in ours.of(pid)], [key(row) for row in theirs.of(pid)]
            assert a == b == [(pid, "work", *kb)], (a, b)
