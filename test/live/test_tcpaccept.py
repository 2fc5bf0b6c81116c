"""tcpaccept: a row for each accept, of the process that accepts, whoever connects."""

import socket

from connection import *
from harness import *


def test_a_row_for_each_accept():
    for host, ip in (("127.0.0.1", 4), ("::1", 6), ("::ffff:127.0.0.1", 4)):
        accepts = tool("tcpaccept", json=True)
        did = work("tcp", host, 10, 10, 12)
        result = accepts.stop()
        rows = result.of(did["server"])
        shown = host.replace("::ffff:", "")
        assert [row["rport"] for row in rows] == did["local"] and len(rows) == 12
        assert {(row["comm"], row["ip"], row["raddr"], row["laddr"], row["lport"], row["uid"], row["tid"])
                for row in rows} == {("work", ip, shown, shown, did["port"], 0, did["server"])}
        assert not result.of(did["pid"]) and not any(result.json[-1]["lost"].values())


def test_acceptors_that_sleep_already():
    """More of them than return probes at a time, and before tracing began (bcc#1072)."""
    listener = listen("127.0.0.1", backlog=128)
    children = []
    for _ in range(48):
        child = os.fork()
        if not child:
            listener.accept()
            os._exit(0)
        children.append(child)
    numbers = [str(syscall_number(name)) for name in ("accept", "accept4")]
    accepts_now = lambda pid: Path(f"/proc/{pid}/syscall").read_text().split()[0] in numbers
    wait_for(lambda: all(map(accepts_now, children)), limit=30)
    accepts = tool("tcpaccept", "-P", port_of(listener), json=True)
    clients = [connect("127.0.0.1", port_of(listener)) for _ in children]
    for child in children:
        os.waitpid(child, 0)
    rows = accepts.stop().json[:-1]
    assert sorted(row["pid"] for row in rows) == sorted(children)
    assert sorted(row["rport"] for row in rows) == sorted(map(port_of, clients))


def test_text_and_filters():
    first, second = listen("::"), listen("127.0.0.1")
    ports = port_of(first), port_of(second)
    tools = {name: tool("tcpaccept", *args) for name, args in {
        "all": ("-tT",), "port": ("-P", ports[0]), "ports": ("-P", f"{ports[0]},{ports[1]}"), "v4": ("-4",),
        "v6": ("-6",), "pid": ("-p", os.getpid()), "other": ("-p", 1)}.items()}
    for host, listener in (("::1", first), ("127.0.0.1", first), ("127.0.0.1", second)):
        with connect(host, port_of(listener)) as client:
            listener.accept()
    results = {name: process.stop() for name, process in tools.items()}
    mine = {name: [(row["IP"], row["LPORT"]) for row in result.of(os.getpid())]
            for name, result in results.items()}
    six, mapped, four = (6, ports[0]), (4, ports[0]), (4, ports[1])
    assert mine == {"all": [six, mapped, four], "port": [six, mapped], "ports": [six, mapped, four],
                    "v4": [mapped, four], "v6": [six], "pid": [six, mapped, four], "other": []}
    assert len(results["pid"].rows) == 3
    head = "TIME     TIME(s)   PID     COMM         IP RADDR            RPORT LADDR            LPORT"
    assert results["all"].out.splitlines()[0] == head
    row = results["all"].of(os.getpid())[2]
    assert re.fullmatch(r"\d\d:\d\d:\d\d", row["TIME"]) and 0 < row["TIME(s)"] < 60
    assert (row["COMM"], row["RADDR"], row["LADDR"]) == (
        Path("/proc/self/comm").read_text().strip(), "127.0.0.1", "127.0.0.1")
    assert tool_run("tcpaccept", "-4", "-6").code == 2
