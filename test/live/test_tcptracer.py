"""tcptracer: connect, accept and close of each connection, each by the process that does it."""

import socket

from connection import *
from harness import *


def events(result, did):
    rows = [row for row in result.json[:-1] if did["port"] in (row["lport"], row["rport"])]
    return sorted((row["type"], row["pid"], row["lport"], row["rport"]) for row in rows)


def test_connect_accept_close():
    for host, ip in (("127.0.0.1", 4), ("::1", 6), ("::ffff:127.0.0.1", 4)):
        tracer = tool("tcptracer", json=True)
        did = work("tcp", host, 100, 10, 5)
        result = tracer.stop()
        port, expected = did["port"], []
        for local in did["local"]:
            expected += [("connect", did["pid"], local, port), ("accept", did["server"], port, local),
                         ("close", did["pid"], local, port), ("close", did["server"], port, local)]
        assert events(result, did) == sorted(expected)
        shown = host.replace("::ffff:", "")
        rows = [row for row in result.json[:-1] if row["pid"] in (did["pid"], did["server"])]
        assert {(row["ip"], row["laddr"], row["raddr"], row["comm"]) for row in rows} == {
            (ip, shown, shown, "work")}
        assert not any(result.json[-1]["lost"].values())


def test_what_is_no_connection():
    """Refused, unanswered, closed while it still listens or connects; the process is not the one that a
    soft interrupt hit: a connect that takes its time is established while nobody waits for it."""
    load("sch_netem")
    with network() as (client, server):
        listener = listen(server.v4, side=server)
        tracer = tool("tcptracer", json=True)
        assert client.work("tcp_client", server.v4, 9, 1, 2)["errno"] == 111
        netem(client, "delay", "100ms")
        slow = socket_in(client, socket.AF_INET)
        slow.setblocking(False)
        slow.connect_ex((server.v4, port_of(listener)))
        accepted, _ = listener.accept()
        wait_for(lambda: '"connect"' in tracer.out)
        given_up = socket_in(client, socket.AF_INET)
        given_up.setblocking(False)
        given_up.connect_ex((server.v4, port_of(listener)))
        given_up.close()
        listener.close()
        rows = [row for row in tracer.stop().json[:-1] if {row["laddr"], row["raddr"]} & {client.v4, server.v4}]
    assert sorted((row["type"], row["pid"], row["laddr"]) for row in rows) == [
        ("accept", os.getpid(), server.v4), ("connect", os.getpid(), client.v4)]


def test_text_and_filters():
    first, second = listen("::"), listen("127.0.0.1")
    with network() as (client, server):
        inode = os.stat(f"/run/netns/{server.netns}").st_ino
        tools = {name: tool("tcptracer", *args) for name, args in {
            "plain": ("-tU",), "words": ("-vt",), "netns": ("-N", inode), "v4": ("-4",), "v6": ("-6",),
            "pid": ("-p", os.getpid()), "other": ("-p", 1), "user": ("-u", "daemon")}.items()}
        for host, listener in (("::1", first), ("127.0.0.1", second)):
            with connect(host, port_of(listener)) as sock:
                accepted, _ = listener.accept()
                accepted.close()
        did = server.work("tcp", "127.0.0.1", 1, 1, 1)
        results = {name: process.stop() for name, process in tools.items()}
    six, four, far = port_of(first), port_of(second), did["port"]
    kinds = lambda name, port: "".join(sorted(row["T"] for row in results[name].rows
                                              if port in (row["SPORT"], row["DPORT"])))
    assert {name: [kinds(name, port) for port in (six, four, far)] for name in tools if name != "words"} == {
        "plain": ["ACXX"] * 3, "netns": ["", "", "ACXX"], "v4": ["", "ACXX", "ACXX"], "v6": ["ACXX", "", ""],
        "pid": ["ACXX", "ACXX", ""], "other": [""] * 3, "user": [""] * 3}
    lines = results["plain"].out.splitlines()
    assert lines[0] == "Tracing TCP established connections. Ctrl-C to end."
    assert lines[1].split() == "TIME(s) UID T PID COMM IP SADDR DADDR SPORT DPORT".split()
    row = [row for row in results["words"].rows if row["DPORT"] == far][0]
    assert (row["TYPE"], row["PID"], row["NETNS"]) == ("connect", did["pid"], inode) and row["TIME(ns)"] > 1000
    assert tool_run("tcptracer", "-4", "-6").code == 2
