"""Connections that a test makes itself, with sockets in its own process; and what the kernel says of
them."""

import os
import socket
import struct

from harness import CLONE_NEWNET, LIBC


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def socket_in(side, family, kind=socket.SOCK_STREAM):
    """A socket in the network namespace of a Side; of this process where there is none."""
    if not side:
        return socket.socket(family, kind)
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    other = os.open(f"/run/netns/{side.netns}", os.O_RDONLY)
    try:
        assert not LIBC.setns(other, CLONE_NEWNET)
        return socket.socket(family, kind)
    finally:
        assert not LIBC.setns(own, CLONE_NEWNET)
        os.close(own)
        os.close(other)


def listen(host, port=0, backlog=16, side=None):
    listener = socket_in(side, family_of(host))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(backlog)
    return listener


def connect(host, port, side=None):
    client = socket_in(side, family_of(host))
    client.settimeout(30)
    client.connect((host, port))
    return client


def pair(host, side=None, other=None, port=0):
    """Both ends of a connection: the one that connected (in `side`), the one accepted (in `other`)."""
    with listen(host, port, side=other) as listener:
        client = connect(host, port_of(listener), side)
        server, _ = listener.accept()
    server.settimeout(30)
    return client, server


def port_of(sock):
    return sock.getsockname()[1]


def reset(sock):
    """Close with RST in place of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def tcp_info(sock):
    """Of struct tcp_info (linux/tcp.h) what tests look at."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 144)
    (rtt,) = struct.unpack_from("I", info, 68)
    (segs_in,) = struct.unpack_from("I", info, 140)
    return {"state": info[0], "ca_state": info[1], "unacked": struct.unpack_from("I", info, 24)[0],
            "rtt": rtt, "segs_in": segs_in}


def counters(side, file="snmp"):
    """/proc/net/snmp or netstat of a network namespace: {"Tcp": {"RetransSegs": 0, ...}, ...}"""
    lines = side.run(["cat", f"/proc/net/{file}"]).out.splitlines()
    found = {}
    for names, values in zip(lines[::2], lines[1::2]):
        kind, *names = names.split()
        found[kind.rstrip(":")] = dict(zip(names, map(int, values.split()[1:])))
    return found


def netem(side, *what):
    """Set (or, with nothing, end) what netem does to the packets that a Side sends."""
    if what:
        side.run(["tc", "qdisc", "replace", "dev", side.device, "root", "netem", *what])
    else:
        side.run(["tc", "qdisc", "del", "dev", side.device, "root"])
