"""killsnoop: a row for each signal sent, by whichever call, with sender, target and result."""

import collections
import os
import signal
import sys

from harness import *

CALLS = ["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"]
THREAD = ["tkill", "tgkill", "rt_tgsigqueueinfo"]


def test_every_call():
    snoop = tool("killsnoop", json=True)
    did = {call: work("kill", call, signal.SIGUSR2, 5 + n) for n, call in enumerate(CALLS)}
    result = snoop.stop()
    for n, call in enumerate(CALLS):
        rows = [row for row in result.of(did[call]["pid"]) if row["sig"] == signal.SIGUSR2]
        assert len(rows) == did[call]["sent"] == 5 + n, call
        target = did[call]["target"]
        assert {(r["call"], r["tpid"], r["ttid"], r["result"], r["comm"], r["tid"], r["uid"]) for r in rows} == {
            (call, target, target if call in THREAD else 0, 0, "work", did[call]["pid"], 0)}
        # Each workload ends its child: by kill(2), whatever the call under test.
        last = [row for row in result.of(did[call]["pid"]) if row["sig"] == signal.SIGKILL]
        assert [(row["call"], row["tpid"], row["result"]) for row in last] == [("kill", target, 0)]
    assert not any(result.json[-1]["lost"].values())


def test_text_and_json_agree():
    text, json = tool("killsnoop"), tool("killsnoop", json=True)
    named = tool("killsnoop", "-n")
    did = work("kill", "tgkill", signal.SIGUSR1, 4)
    text, json, named = text.stop(), json.stop(), named.stop()
    assert text.out.splitlines()[0].split() == "TIME PID COMM SIG TPID RESULT".split()
    rows, twins = text.of(did["pid"]), json.of(did["pid"])
    assert len(rows) == len(twins) == 5
    for row, twin in zip(rows, twins):
        assert re.fullmatch(r"\d\d:\d\d:\d\d", row["TIME"])
        assert [row[k] for k in ("COMM", "SIG", "TPID", "RESULT")] == [
            twin[k] for k in ("comm", "sig", "tpid", "result")]
    assert [row["SIG"] for row in named.of(did["pid"])] == ["USR1"] * 4 + ["KILL"]


def test_failed():
    snoop, every = tool("killsnoop", "-x", json=True), tool("killsnoop", json=True)
    none = work("kill", "kill", 0, 3, 4194303)
    bad = work("kill", "tgkill", 99, 2)
    refused = run(["setpriv", "--reuid=daemon", "--clear-groups", WORK, "kill", "kill", 15, 4, 1]).words
    closed = work("kill", "pidfd_send_signal", 10, 2, 4194303)
    work("kill", "kill", 10, 3)
    failed, every = snoop.stop(), every.stop()
    for result in failed, every:
        assert [(r["tpid"], r["sig"], r["result"]) for r in result.of(none["pid"])] == [(4194303, 0, -3)] * 3
        rows = [r for r in result.of(bad["pid"]) if r["call"] == "tgkill"]
        assert [r["result"] for r in rows] == [-22] * 2 and {r["sig"] for r in rows} == {99}
        rows = result.of(refused["pid"])
        assert [(r["tpid"], r["result"], r["uid"]) for r in rows] == [(1, -1, 1)] * 4
        assert [(r["tpid"], r["result"]) for r in result.of(closed["pid"])] == [(0, -9)] * 2
    assert all(row["result"] < 0 for row in failed.json[:-1])


def test_filters():
    one = waiting_work("kill", "kill", signal.SIGUSR1, 6)
    by_pid = tool("killsnoop", "-p", one.pid, json=True)
    by_signal = tool("killsnoop", "-s", "12,SIGKILL", json=True)
    by_user = tool("killsnoop", "-u", "daemon", json=True)
    other = work("kill", "kill", signal.SIGUSR2, 3)
    did = one.go()
    sleeper = spawn(["sleep", 100])
    by_target = tool("killsnoop", "-T", sleeper.pid, json=True)
    run(["setpriv", "--reuid=daemon", "--clear-groups", WORK, "kill", "kill", 10, 2, sleeper.pid])
    by_both = tool("killsnoop", "-T", sleeper.pid, "-s", "9", json=True)
    os.kill(sleeper.pid, signal.SIGCONT)
    os.kill(sleeper.pid, signal.SIGKILL)
    rows = by_pid.stop().json[:-1]
    assert [row["sig"] for row in rows] == [10] * 6 + [9] and {row["pid"] for row in rows} == {did["pid"]}
    result = by_signal.stop()
    assert {row["sig"] for row in result.json[:-1]} == {9, 12}
    assert [row["sig"] for row in result.of(other["pid"])] == [12] * 3 + [9]
    rows = by_user.stop().json[:-1]
    assert [(r["uid"], r["sig"], r["result"], r["tpid"]) for r in rows] == [(1, 10, -1, sleeper.pid)] * 2
    rows = by_target.stop().json[:-1]
    assert [(r["sig"], r["result"]) for r in rows] == [(10, -1)] * 2 + [(18, 0), (9, 0)]
    assert [r["sig"] for r in by_both.stop().json[:-1]] == [9]


def test_groups_and_a_thread_that_sends():
    program = (
        "import os, signal, sys, threading\n"
        "signal.signal(signal.SIGURG, signal.SIG_IGN)\n"
        "os.setpgid(0, 0)\n"
        "def send():\n"
        "    os.kill(0, signal.SIGURG)\n"
        "    os.killpg(os.getpid(), signal.SIGURG)\n"
        "    signal.pidfd_send_signal(os.open('/proc/self', os.O_DIRECTORY), signal.SIGURG)\n"
        "    print('pid', os.getpid(), 'tid', threading.get_native_id())\n"
        "t = threading.Thread(target=send); t.start(); t.join()\n"
    )
    snoop = tool("killsnoop", "-s", "URG", json=True)
    did = run([sys.executable, "-c", program]).words
    rows = snoop.stop().of(did["pid"])
    assert did["pid"] != did["tid"]
    assert [(r["tpid"], r["tid"], r["result"]) for r in rows] == [
        (0, did["tid"], 0), (-did["pid"], did["tid"], 0), (did["pid"], did["tid"], 0)]


@needs("file:/sys/kernel/btf/vmlinux")
@needs("machine:x86_64")
def test_32_bit_calls():
    snoop = tool("killsnoop", json=True)
    did = work("compat_kill", 4)
    result = snoop.stop()
    assert did["failed"] == 0
    counts = collections.Counter(
        (r["call"], r["tpid"], r["ttid"], r["sig"], r["result"]) for r in result.of(did["pid"]))
    pid = did["pid"]
    assert counts == {(call, pid, pid if call in THREAD else 0, 0, 0): 4 for call in CALLS[:-1]}


def test_a_storm_loses_nothing():
    snoop = tool("killsnoop", json=True)
    storm = [spawn([WORK, "kill", call, 10, 20000]) for call in ("kill", "tgkill")]
    did = [process.wait(60).words for process in storm]
    result = snoop.stop()
    assert not any(result.json[-1]["lost"].values())
    for one in did:
        assert len([r for r in result.of(one["pid"]) if r["sig"] == 10]) == one["sent"] == 20000


def test_exec():
    out = tool_run("killsnoop", "--json", "--exec", WORK, "kill", "kill", 10, 3).out
    rows = json_records("\n".join(line for line in out.splitlines() if line[0] == "{"))
    assert [row["sig"] for row in rows[:-1]] == [10] * 3 + [9]


def test_in_a_pid_namespace():
    with folder() as path:
        did = run(in_pid_namespace(["sh", "-c",
            f"BCCTOOL_READY_FD=9 {BCCTOOL} killsnoop --json 9>{path}/ready >{path}/out & snoop=$!;"
            f"until [ -s {path}/ready ]; do sleep 0.1; done;"
            f"{WORK} kill kill 10 3; {WORK} kill pidfd_send_signal 12 3; kill -INT $snoop; wait"]))
        rows = json_records((path / "out").read_text())
    # Who is not of the namespace has no number in it: 0.
    sent = [(row["pid"], row["tpid"], row["sig"]) for row in rows[:-1] if row["pid"] and row["sig"] in (10, 12)]
    senders = [words(line) for line in did.out.splitlines()]
    assert sent == [(one["pid"], one["target"], sig) for one, sig in zip(senders, (10, 12)) for _ in range(3)]
    assert len(sent) == 6 and all(one["pid"] < 100 for one in senders)


@needs("program:/usr/sbin/sigsnoop")
def test_peer_libbpf_tools():
    """Debian's sigsnoop traces kill, tkill and tgkill; as TPID of tgkill it has the thread's ID."""
    ours = tool("killsnoop")
    peer = spawn(["stdbuf", "-oL", "/usr/sbin/sigsnoop"])
    peer.until("TPID")
    wait_for(lambda: work("kill", "kill", 10, 1) and " 10 " in peer.out)
    did = [work("kill", call, 12, 20) for call in CALLS[:3]]
    time.sleep(1)
    ours, theirs = ours.stop(), peer.stop()
    key = lambda row: (row["PID"], row["COMM"], row["SIG"], row["TPID"], row["RESULT"])
    for one in did:
        a = [key(row) for row in ours.of(one["pid"])]
        b = [key(row) for row in theirs.of(one["pid"]) if row["SIG"] in (12, 9)]
        # Its signal_generate tracepoint adds rows for signals the kernel makes.
        assert [row for row in b if row in a] == a and len(a) == 21, (a, b)
