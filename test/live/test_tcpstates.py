"""tcpstates: every change of a connection in its order, with the time in between."""

import socket

from connection import *
from harness import *

CLIENT = ["CLOSE", "SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE"]
SERVER = ["LISTEN", "SYN_RECV", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"]
LISTENER = ["CLOSE", "LISTEN", "CLOSE"]


def sockets(rows, port):
    """The rows with a port by socket, in their order; each socket's are a chain of states."""
    found = {}
    for row in rows:
        chain = found.setdefault(row["skaddr"], [])
        if chain and chain[-1]["newstate"] == "CLOSE":
            chain = found[row["skaddr"]] = []  # its memory was used again
        chain.append(row)
    found = [rows for rows in found.values() if any(port in (row["lport"], row["rport"]) for row in rows)]
    for rows in found:
        assert all(a["newstate"] == b["oldstate"] for a, b in zip(rows, rows[1:]))
    return {tuple([rows[0]["oldstate"], *(row["newstate"] for row in rows)]): rows for rows in found}


def test_states_of_a_connection():
    for host, ip in (("127.0.0.1", 4), ("::1", 6), ("::ffff:127.0.0.1", 4)):
        states = tool("tcpstates", json=True)
        began = time.monotonic_ns()
        did = work("tcp", host, 10, 10, 1, 150)
        took = time.monotonic_ns() - began
        result = states.stop()
        found = sockets(result.json[:-1], did["port"])
        assert set(found) == {tuple(CLIENT), tuple(SERVER), tuple(LISTENER)}
        client, server, listener = (found[tuple(chain)] for chain in (CLIENT, SERVER, LISTENER))
        shown = host.replace("::ffff:", "")
        assert {(row["raddr"], row["rport"]) for row in client} == {(shown, did["port"])}
        assert {(row["laddr"], row["lport"]) for row in client[1:]} == {(shown, did["local"])}
        assert {(row["lport"], row["rport"]) for row in server[1:]} == {(did["port"], did["local"])}
        assert {row["ip"] for row in client + server[1:]} == {ip}
        # The system calls of the two: connect, close, close, and listen.
        assert (client[0]["pid"], client[2]["pid"]) == (did["pid"],) * 2
        assert server[3]["pid"] == did["server"] and listener[0]["pid"] == did["pid"]
        # Established is what the client makes of it; a state lasts as long as between its two rows.
        assert 150e6 <= client[2]["span_ns"] <= took
        assert client[0]["span_ns"] == server[0]["span_ns"] == 0
        assert sum(row["span_ns"] for row in client) <= took
        assert not any(result.json[-1]["lost"].values())


def test_resets():
    listener = listen("127.0.0.1")
    states = tool("tcpstates", "-D", f"1,{port_of(listener)}", json=True)
    client = connect("127.0.0.1", port_of(listener))
    server, _ = listener.accept()
    reset(server)
    wait_for(lambda: '"newstate":"CLOSE"' in states.out)
    found = sockets(states.stop().json[:-1], port_of(client))
    # The server's end has that port for its local one.
    assert set(found) == {("CLOSE", "SYN_SENT", "ESTABLISHED", "CLOSE")}


def test_text_and_filters():
    first, second = listen("::1"), listen("127.0.0.1")
    ports = port_of(first), port_of(second)
    tools = {name: tool("tcpstates", *args) for name, args in {
        "wide": ("-wTt",), "plain": (), "local": ("-L", ports[0]), "v6": ("-6",), "v4": ("-4",)}.items()}
    clients = []
    for host, port in zip(("::1", "127.0.0.1"), ports):
        with connect(host, port) as client:
            clients.append(port_of(client))
    closes = lambda process: all(re.search(rf" {port} .*-> FIN_WAIT1", process.out) for port in clients)
    wait_for(lambda: closes(tools["plain"]))
    results = {name: table(process.stop().out, "SKADDR") for name, process in tools.items()}
    head = ("SKADDR             C-PID   C-COMM     LADDR           LPORT RADDR           RPORT OLDSTATE    "
            "-> NEWSTATE    MS")
    assert tools["plain"].out.splitlines()[0] == head
    assert tools["wide"].out.split()[:6] == ["TIME", "TIME(s)", "SKADDR", "C-PID", "C-COMM", "IP"]
    ours = lambda rows, port: [(row["OLDSTATE"], row["->"], row["NEWSTATE"]) for row in rows
                               if port in (row["LPORT"], row["RPORT"])]
    opened = ("SYN_SENT", "->", "ESTABLISHED")
    for name, has in {"wide": (1, 1), "plain": (1, 1), "local": (0, 0), "v6": (1, 0), "v4": (0, 1)}.items():
        assert tuple(opened in ours(results[name], port) for port in clients) == tuple(map(bool, has)), name
    assert ("SYN_RECV", "->", "ESTABLISHED") in ours(results["local"], clients[0])
    assert {row["LPORT"] for row in results["local"]} == {ports[0]}
    assert tool_run("tcpstates", "-4", "-6").code == 2


@alone
def test_journal():
    """A stand-in for journald takes what is written, and has all fields of each row."""
    path = Path("/run/systemd/journal/socket")
    path.unlink(missing_ok=True)
    result = tool_run("tcpstates", "-Y")
    assert result.code == 1 and "cannot write to the journal" in result.err
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(path))
        journal.settimeout(20)
        states = tool("tcpstates", "-Y", json=True)
        did = work("tcp", "::1", 10, 0, 1)
        rows = [row for row in states.stop().json[:-1] if row["rport"] == did["port"]]
        entries = []
        while len(entries) < len(rows):
            entry = dict(line.split("=", 1) for line in journal.recv(65536).decode().splitlines())
            if entry["OBJECT_TCP_DESTINATION_PORT"] == str(did["port"]):
                entries.append(entry)
    path.unlink()
    assert len(rows) == 5
    for row, entry in zip(rows, entries):
        assert (entry["OBJECT_PID"], entry["OBJECT_COMM"], entry["OBJECT_IPV6_SOURCE_ADDRESS"],
                entry["OBJECT_IPV6_DESTINATION_ADDRESS"], entry["OBJECT_TCP_SOURCE_PORT"]) == (
                    str(row["pid"]), row["comm"], "::1", "::1", str(row["lport"]))
        assert (entry["OBJECT_TCP_OLD_STATE"], entry["OBJECT_TCP_NEW_STATE"]) == (row["oldstate"],
                                                                                 row["newstate"])
        assert entry["OBJECT_TCP_SPAN_TIME"] == str(row["span_ns"] // 1000)
        assert entry["SYSLOG_IDENTIFIER"] == "tcpstates" and entry["MESSAGE"].endswith(row["newstate"])
