"""capable: a row for each check that a system call is known to make, with its verdict."""

import os

from harness import *

CALLS = (
    "import os, socket, time\n"
    "def no(call, *args):\n"
    "    try: call(*args)\n"
    "    except PermissionError: pass\n"
    "for i in range(5): no(os.chroot, '/')\n"
    "for i in range(3): no(os.setuid, 0)\n"
    "for i in range(2): no(socket.sethostname, 'x')\n"
    "for i in range(4): open('/proc/1/stat').read()\n"
)
WANTED = [("CAP_SYS_CHROOT", 18)] * 5 + [("CAP_SETUID", 7)] * 3 + [("CAP_SYS_ADMIN", 21)] * 2
DAEMON = ["setpriv", "--reuid=daemon", "--clear-groups", "/usr/bin/python3", "-c", CALLS]


def test_denied():
    snoop, text = tool("capable", json=True), tool("capable", "-x")
    did = run(DAEMON)
    result, text = snoop.stop(), text.stop()
    rows = [r for r in result.of(did.pid) if r["uid"] == 1 and r["comm"] == "python3"]
    assert [r["cap"] for r in rows] == [number for _, number in WANTED]
    assert all(r["allowed"] is False and r["audit"] is True and r["tid"] == did.pid for r in rows)
    assert [r["insetid"] for r in rows] == [0] * 5 + [1] * 3 + [0] * 2
    assert not any(result.json[-1]["lost"].values())
    assert text.out.splitlines()[0].split() == "TIME UID PID TID COMM CAP NAME AUDIT VERDICT INSETID".split()
    rows = [r for r in text.of(did.pid) if r["COMM"] == "python3" and r["UID"] == 1]
    assert [(r["NAME"], r["CAP"], r["VERDICT"]) for r in rows] == [(*one, "deny") for one in WANTED]


def test_allowed_and_unaudited():
    snoop, every = tool("capable", json=True), tool("capable", "-v", json=True)
    did = run(["chroot", "/", "true"])
    denied = run(DAEMON)
    snoop, every = snoop.stop(), every.stop()
    (row,) = [r for r in snoop.of(did.pid) if r["cap"] == 18]
    assert row["allowed"] is True and row["comm"] == "chroot"
    assert all(r["audit"] for r in snoop.json[:-1])
    # Whoever reads the state of another user's process may see more of it: CAP_SYS_PTRACE, unaudited.
    rows = [r for r in every.of(denied.pid) if r["cap"] == 19 and r["comm"] == "python3" and r["uid"] == 1]
    assert [(r["audit"], r["allowed"]) for r in rows] == [(False, False)] * 4
    assert 19 not in {r["cap"] for r in snoop.of(denied.pid)}


def test_unique_pid_and_stacks():
    one = spawn(["sh", "-c", "read go; exec chroot / true"], stdin=(pipe := os.pipe())[0])
    unique, only = tool("capable", "--unique", json=True), tool("capable", "-p", one.pid, json=True)
    stacks = tool("capable", "-K", "-p", one.pid)
    shallow = tool("capable", "-K", "--perf-max-stack-depth", 3, "-p", one.pid, json=True)
    did = run(DAEMON)
    os.write(pipe[1], b"go\n")
    one.wait()
    assert {len(r["kernel"]) for r in shallow.stop().json[:-1]} == {3}
    unique, only, stacks = unique.stop(), only.stop(), stacks.stop()
    caps = [r["cap"] for r in unique.of(did.pid)]
    assert len(caps) == len(set(caps)) and {18, 7, 21} <= set(caps)
    assert {r["pid"] for r in only.json[:-1]} == {one.pid} and 18 in {r["cap"] for r in only.json[:-1]}
    assert "CAP_SYS_CHROOT" in stacks.out and re.search(r"^ +\w*sys_chroot$", stacks.out, re.M)
