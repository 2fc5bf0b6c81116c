"""tcplife: whose connection it was, its bytes to the byte, its time; however it ends."""

import socket

from connection import *
from harness import *


def by_port(result, port):
    """The rows of a connection or listener's port, told by which end they are."""
    rows = [row for row in result.json[:-1] if port in (row["lport"], row["rport"])]
    return [row for row in rows if row["rport"] == port], [row for row in rows if row["lport"] == port]


def test_bytes_of_both_ends():
    for host, ip, back in (("127.0.0.1", 4, 12345), ("::1", 6, 0), ("::ffff:127.0.0.1", 4, 70000)):
        life = tool("tcplife", json=True)
        began = time.monotonic_ns()
        did = work("tcp", host, 300001, back, 3, 200)
        took = time.monotonic_ns() - began
        result = life.stop()
        clients, servers = by_port(result, did["port"])
        shown = host.replace("::ffff:", "")
        assert sorted(row["lport"] for row in clients) == sorted(row["rport"] for row in servers) == sorted(
            did["local"])
        assert {(row["pid"], row["comm"], row["tx_bytes"], row["rx_bytes"]) for row in clients} == {
            (did["pid"], "work", 300001, back)}
        assert {(row["pid"], row["comm"], row["tx_bytes"], row["rx_bytes"]) for row in servers} == {
            (did["server"], "work", back, 300001)}
        assert {(row["ip"], row["laddr"], row["raddr"]) for row in clients + servers} == {(ip, shown, shown)}
        assert all(200e6 <= row["span_ns"] <= took for row in clients)  # it keeps them so long
        assert sum(row["span_ns"] for row in clients) <= took
        assert not any(result.json[-1]["lost"].values())


def serve(listener, how):
    """A child that accepts one connection, reads what comes, answers and ends it."""
    child = os.fork()
    if child:
        return child
    server, _ = listener.accept()
    server.recv(100)
    server.send(b"x" * 7)
    if how == "reset":
        reset(server)
    elif how == "close":
        server.close()
    else:
        try:
            while server.recv(100):
                pass
        except ConnectionResetError:
            pass
        server.close()
    os._exit(0)


def test_all_ways_to_end():
    """bcc#788, #1788: the server closes, the client does, either resets; nobody accepts; refused."""
    life = tool("tcplife", json=True)
    cases = {}
    for how in ("close", "reset", "client", "client reset"):
        listener = listen("127.0.0.1")
        child = serve(listener, how)
        client = connect("127.0.0.1", port_of(listener))
        client.send(b"y" * 11)
        assert client.recv(7, socket.MSG_WAITALL) == b"x" * 7
        if how in ("close", "reset"):
            try:
                client.recv(1)
            except ConnectionResetError:
                pass
        (reset if how.endswith("reset") and how != "reset" else socket.socket.close)(client)
        os.waitpid(child, 0)
        cases[how] = (port_of(listener), child)
    unread = listen("::1")
    connect("::1", port_of(unread)).close()
    wait_for(lambda: len(by_port_text(life, port_of(unread))) == 1)
    unread_port = port_of(unread)
    unread.close()
    try:
        connect("127.0.0.1", 9)
    except ConnectionRefusedError:
        pass
    result = life.stop()
    for how, (port, child) in cases.items():
        (client,), (server,) = by_port(result, port)
        assert (client["pid"], client["tx_bytes"], client["rx_bytes"]) == (os.getpid(), 11, 7), how
        assert (server["pid"], server["tx_bytes"], server["rx_bytes"]) == (child, 7, 11), how
    (client,), (server,) = by_port(result, unread_port)
    assert (client["pid"], client["tx_bytes"], client["rx_bytes"]) == (os.getpid(), 0, 0)
    assert (server["pid"], server["comm"]) == (0, "")
    (refused,) = [row for row in result.of(os.getpid()) if row["rport"] == 9]
    assert (refused["tx_bytes"], refused["rx_bytes"]) == (0, 0)


def test_ends_by_time():
    """Neither end closes: the kernel gives up, in a timer's interrupt. The owner is who it was (bcc#1788)."""
    load("sch_netem")
    with network() as (client, server):
        old, other = pair(server.v4, client, server)
        old_port = port_of(old)
        life = tool("tcplife", json=True)
        here, there = pair(server.v4, client, server)
        port = port_of(here)
        here.setsockopt(socket.IPPROTO_TCP, 18, 300)  # TCP_USER_TIMEOUT
        netem(client, "loss", "100%")
        here.send(b"lost")
        try:
            here.recv(1)
            raise AssertionError("something came")
        except TimeoutError as error:
            assert error.errno == 110
        netem(client)
        old.close(), other.close()
        result = life.stop()
    (row,) = [row for row in result.json[:-1] if row["lport"] == port]
    assert (row["pid"], row["comm"], row["tx_bytes"], row["rx_bytes"]) == (
        os.getpid(), Path("/proc/self/comm").read_text().strip(), 0, 0)
    assert row["span_ns"] >= 300e6
    # Of what had begun before, nobody knows how long it lasted: no row.
    assert not [row for row in result.json[:-1] if old_port in (row["lport"], row["rport"])]


def by_port_text(life, port):
    return [row for row in json_records(life.out) if port in (row["lport"], row["rport"])]


def test_filters_drop_the_rest():
    """Ports 80 and 20480 are each other with their bytes exchanged; both ends have an own process."""
    with network() as (client, server):
        tools = {name: tool("tcplife", *args, json=True) for name, args in {
            "local": ("-L", "80"), "locals": ("-L", "1,20480"), "remote": ("-D", "20480"),
            "pid": ("-p", os.getpid()), "v6": ("-6",), "v4": ("-4",)}.items()}
        seen = []
        for host, port in ((server.v4, 80), (server.v4, 20480), (server.v6, 80)):
            listener = listen(host, port, side=server)
            child = serve(listener, "close")
            sock = connect(host, port, client)
            seen.append(port_of(sock))
            sock.send(b"y")
            assert sock.recv(7, socket.MSG_WAITALL) and not sock.recv(1)
            sock.close()
            os.waitpid(child, 0)
            listener.close()
        results = {name: process.stop().json[:-1] for name, process in tools.items()}
    a, b, c = seen
    ends = {name: sorted((row["lport"], row["rport"]) for row in rows
                         if {row["lport"], row["rport"]} & set(seen)) for name, rows in results.items()}
    assert ends["local"] == sorted([(80, a), (80, c)]) and ends["locals"] == [(20480, b)]
    assert ends["remote"] == [(b, 20480)]
    assert ends["pid"] == sorted([(a, 80), (b, 20480), (c, 80)])
    assert ends["v6"] == sorted([(80, c), (c, 80)])
    assert ends["v4"] == sorted([(80, a), (a, 80), (20480, b), (b, 20480)])
    assert {row["pid"] for row in results["pid"]} == {os.getpid()}


def test_text():
    plain, wide, csv = tool("tcplife"), tool("tcplife", "-w", "-T", "-t"), tool("tcplife", "-s")
    did = work("tcp", "::1", 2048, 10239, 1, 50)
    plain, wide, csv = plain.stop(), wide.stop(), csv.stop()
    head = "PID     COMM       LADDR           LPORT RADDR           RPORT  TX_KB  RX_KB MS"
    assert plain.out.splitlines()[0] == head
    for result in (plain, wide):
        (row,) = result.of(did["pid"])
        assert (row["COMM"], row["LADDR"], row["LPORT"], row["RADDR"], row["RPORT"], row["TX_KB"], row["RX_KB"]
                ) == ("work", "::1", did["local"], "::1", did["port"], 2, 9) and row["MS"] >= 50
    assert wide.out.split()[:5] == ["TIME", "TIME(s)", "PID", "COMM", "IP"] and row["IP"] == 6
    names = csv.out.splitlines()[0].split(",")
    (line,) = [line for line in csv.out.splitlines() if line.split(",")[1:2] == [str(did["pid"])]]
    row = dict(zip(names, line.split(",")))
    assert (row["comm"], row["laddr"], row["tx_bytes"], row["rx_bytes"]) == ("work", "::1", "2048", "10239")
    assert tool_run("tcplife", "-4", "-6").code == 2


@needs("program:/usr/sbin/tcplife")
def test_peer_libbpf_tools():
    """Debian's tcplife over the same connections: addresses and ports agree, and KB, in which it counts
    SYN and FIN as bytes. The process it shows is that of the last system call on the socket; ours the
    one that connected or accepted: here they are the same for the client."""
    ours = tool("tcplife")
    peer = spawn(["stdbuf", "-oL", "/usr/sbin/tcplife"])
    settle = lambda: work("tcp", "127.0.0.1", 1, 0, 1) and len(peer.out.splitlines()) > 2
    wait_for(settle, limit=30)
    did = [work("tcp", host, 102400, 51200, 4) for host in ("127.0.0.1", "::1")]
    wait_for(lambda: all(peer.out.count(str(one["port"])) >= 8 for one in did))
    ours, theirs = ours.stop(), peer.stop()
    key = lambda row: (row["PID"], row["COMM"], row["LADDR"], row["LPORT"], row["RADDR"], row["RPORT"],
                       int(row["TX_KB"]), int(row["RX_KB"]))
    for one in did:
        a, b = sorted(map(key, ours.of(one["pid"]))), sorted(map(key, theirs.of(one["pid"])))
        assert a == b and len(a) == 4, (a, b)
