"""sigsnoop: every signal, whoever sends it: sender, target, and what became of it."""

import os
import signal

from harness import *


def test_sent_by_a_process_and_by_the_kernel():
    sleeper = spawn(["sleep", 100])
    snoop, text = tool("sigsnoop", json=True), tool("sigsnoop", "-n", "-s", "KILL")
    did = work("kill", "kill", signal.SIGUSR1, 6)
    crashed = run(["sh", "-c", "kill -SEGV $$"], check=False)
    os.kill(sleeper.pid, signal.SIGKILL)
    sleeper.wait()
    result, text = snoop.stop(), text.stop()
    rows = [r for r in result.of(did["pid"]) if r["sig"] == signal.SIGUSR1]
    assert [r["code"] for r in rows] == [0] * 6 and {r["comm"] for r in rows} == {"work"}
    assert not any(result.json[-1]["lost"].values())
    (row,) = [r for r in result.json[:-1] if r.get("tpid") == crashed.pid and r["sig"] == signal.SIGSEGV]
    assert (row["pid"], row["result"], row["tcomm"]) == (crashed.pid, "delivered", "sh")
    # The death of a child is told to its parent by the kernel, in the child's name.
    (row,) = [r for r in result.of(sleeper.pid) if r["sig"] == signal.SIGCHLD]
    assert row["tpid"] == os.getpid() and row["code"] > 0
    (row,) = [r for r in result.of(os.getpid()) if r["sig"] == signal.SIGKILL and r["tpid"] == sleeper.pid]
    assert (row["tcomm"], row["result"], row["ttid"]) == ("sleep", "delivered", sleeper.pid)
    (row,) = [r for r in text.of(os.getpid()) if r["TPID"] == sleeper.pid]
    assert (row["SIG"], row["TCOMM"], row["RESULT"]) == ("KILL", "sleep", "delivered")
    assert text.out.splitlines()[0].split() == "TIME PID COMM SIG TPID TCOMM RESULT".split()


def test_ignored_and_pending():
    program = (
        "import os, signal\n"
        "signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])\n"
        "for sig in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR2): os.kill(os.getpid(), sig)\n"
    )
    every, failed = tool("sigsnoop", json=True), tool("sigsnoop", "-x", json=True)
    did = run(["/usr/bin/python3", "-c", program])
    sent = [(10, "ignored"), (12, "delivered"), (12, "pending")]
    of = lambda tracer: [(r["sig"], r["result"]) for r in tracer.stop().of(did.pid) if r["sig"] in (10, 12)]
    assert of(every) == sent and of(failed) == [sent[0], sent[2]]


def test_filters_and_calls():
    one = waiting_work("kill", "kill", 10, 3)
    by_pid = tool("sigsnoop", "-p", one.pid, "-s", "10", json=True)
    calls = tool("sigsnoop", "-k", "-x", json=True)
    work("kill", "kill", 10, 2)
    none = work("kill", "kill", 0, 3, 4194303)
    one.go()
    calls = calls.stop()
    assert [(r["pid"], r["sig"]) for r in by_pid.stop().json[:-1]] == [(one.pid, 10)] * 3
    assert [(r["tpid"], r["sig"], r["result"]) for r in calls.of(none["pid"])] == [(4194303, 0, "-3")] * 3
    assert len(calls.of(one.pid)) == 0
