"""exitsnoop: one row for each process that ends, with its age and what its parent gets from wait(2)."""

import collections
import datetime
import os
import signal
import sys

from harness import *


def exits(result, pid):
    return [(row["exit_code"], row["signal"], row["core_dumped"]) for row in result.of(pid)]


@alone
def test_codes_signals_and_ages():
    snoop, text = tool("exitsnoop", json=True), tool("exitsnoop")
    cases = [(0, 0), (3, 300), (255, 0), (0, 200, 9), (0, 0, 15, "thread"), (7, 100, 0, "thread"), (0, 0, 36)]
    did = []
    for case in cases:
        begin = time.monotonic_ns()
        did.append(work("exit", *case))
        did[-1]["whole"] = time.monotonic_ns() - begin
    snoop, text = snoop.stop(), text.stop()
    for case, one in zip(cases, did):
        (row,) = snoop.of(one["child"])
        assert (row["exit_code"], row["signal"]) == (one["code"], one["signal"]) == (case[0], (*case, 0)[2])
        assert (row["ppid"], row["tid"], row["comm"], row["uid"]) == (one["pid"], one["child"], "work", 0)
        assert case[1] * 1000000 <= row["age_ns"] <= one["whole"], (case, row["age_ns"], one["whole"])
        (parent,) = snoop.of(one["pid"])
        assert row["age_ns"] <= parent["age_ns"] <= one["whole"]
        (shown,) = text.of(one["child"])
        signals = {9: "signal 9 (KILL)", 15: "signal 15 (TERM)", 36: "signal 36 (RTMIN+2)"}
        word = signals.get(row["signal"]) or (f"code {case[0]}" if case[0] else 0)
        assert (shown["PCOMM"], shown["PPID"], shown["TID"], shown["EXIT_CODE"]) == (
            "work", one["pid"], one["child"], word)
        assert abs(shown["AGE(s)"] - row["age_ns"] / 1e9) <= 0.011
    assert text.out.splitlines()[0] == "PCOMM            PID    PPID   TID    AGE(s)  EXIT_CODE"
    assert not any(snoop.json[-1]["lost"].values())


def test_core_dumped():
    # A file of its own: the kernel removes what has the name of a core dump before it writes one.
    write("/proc/sys/kernel/core_pattern", "/tmp/core-of-the-test")
    snoop, text = tool("exitsnoop", json=True), tool("exitsnoop", "-x")
    did = work("core", 50)
    snoop, text = snoop.stop(), text.stop()
    assert (did["signal"], did["dumped"]) == (6, 1)
    assert exits(snoop, did["child"]) == [(0, 6, True)]
    assert [row["EXIT_CODE"] for row in text.of(did["child"])] == ["signal 6 (ABRT), core dumped"]


def test_threads_are_not_processes():
    snoop, each = tool("exitsnoop", json=True), tool("exitsnoop", "--per-thread", json=True)
    first = work("leader_first", 300)
    execed = work("exec_thread", "/bin/sleep", "0.2")
    many = work("exit_threads", 8, 100)
    snoop, each = snoop.stop(), each.stop()
    # The first thread left at once, but the process went on, and ended with the other's code.
    assert exits(snoop, first["child"]) == [(3, 0, False)] and first["code"] == 3
    (row,) = snoop.of(first["child"])
    assert row["age_ns"] >= 300e6 and row["tid"] == row["pid"]
    rows = each.of(first["child"])
    assert [(r["tid"] == r["pid"], r["exit_code"]) for r in rows] == [(True, 0), (False, 3)]
    assert rows[0]["age_ns"] < rows[1]["age_ns"] + 300e6 and rows[1]["age_ns"] >= 300e6
    # A thread that executes a program ends its process's other threads, not the process.
    (row,) = snoop.of(execed["child"])
    assert (row["comm"], row["exit_code"], row["signal"]) == ("sleep", 0, 0) and row["age_ns"] >= 250e6
    # Threads that exit together: each process is over once.
    counts = collections.Counter(r["pid"] for r in snoop.json[:-1] if r["ppid"] == many["pid"])
    assert len(counts) == 100 and set(counts.values()) == {1}
    counts = collections.Counter(r["pid"] for r in each.json[:-1] if r["ppid"] == many["pid"])
    assert len(counts) == 100 and set(counts.values()) == {8}


def test_failed_and_labels_and_times():
    snoop = tool("exitsnoop", "-x", json=True, env={"TZ": "XYZ-2"})
    local = tool("exitsnoop", "-t", "--label=mine", env={"TZ": "XYZ-2"})
    utc = tool("exitsnoop", "--utc", "--label", "")
    good, bad = work("exit", 0, 0), work("exit", 4, 0)
    now = datetime.datetime.now(datetime.timezone.utc)
    snoop, local, utc = snoop.stop(), local.stop(), utc.stop()
    assert exits(snoop, bad["child"]) == [(4, 0, False)] and not snoop.of(good["child"])
    assert all(row["exit_code"] or row["signal"] for row in snoop.json[:-1])
    assert local.out.splitlines()[0].split()[:3] == ["TIME-XYZ", "LABEL", "PCOMM"]
    assert utc.out.splitlines()[0].split()[:3] == ["TIME-UTC", "LABEL", "PCOMM"]
    (row,), (other,) = local.of(bad["child"]), utc.of(bad["child"])
    assert (row["LABEL"], other["LABEL"]) == ("mine", "exit")
    (twin,) = snoop.of(bad["child"])
    # Three tracers, that read the clock one behind the other.
    day = datetime.timedelta(days=1)
    of_day = lambda text: datetime.datetime.strptime(text[:12], "%H:%M:%S.%f")
    apart = lambda a, b: min((a - b) % day, (b - a) % day)
    at = of_day(twin["time"][11:])
    soon = datetime.timedelta(milliseconds=50)
    assert apart(of_day(other["TIME-UTC"]), at) < soon
    assert apart(of_day(row["TIME-XYZ"]), at + datetime.timedelta(hours=2)) < soon
    assert twin["time"][:13] in (now.isoformat()[:13], (now - datetime.timedelta(seconds=9)).isoformat()[:13])


def test_ends_with_its_process():
    first, second = waiting_work("exit", 0, 100), waiting_work("exit", 1, 100)
    snoop = tool("exitsnoop", "-p", f"{first.pid},{second.pid}", json=True)
    quiet = tool("exitsnoop", "-x", "-p", first.pid, json=True)
    work("exit", 5, 0)
    first.go()
    rest = quiet.wait(10)
    assert len(rest.json) == 1 and rest.code == 0  # its exit code was 0, which -x leaves out
    time.sleep(0.3)
    assert snoop.process.poll() is None
    second.go()
    rows = snoop.wait(10).json[:-1]
    assert [row["pid"] for row in rows] == [first.pid, second.pid]


def test_a_storm_loses_nothing():
    snoop = tool("exitsnoop", json=True)
    did = work("exec_storm", WORK, 500, 8, limit=50)
    result = snoop.stop()
    rows = [row for row in result.json[:-1] if row["ppid"] == did["pid"]]
    assert len(rows) == did["done"] == 500 and not any(result.json[-1]["lost"].values())
    assert {row["comm"] for row in rows} == {"work"}


def test_in_a_pid_namespace_and_exec():
    with folder() as path:
        inner = run(in_pid_namespace(["sh", "-c",
            f"BCCTOOL_READY_FD=9 {BCCTOOL} exitsnoop --json 9>{path}/ready >{path}/out & snoop=$!;"
            f"until [ -s {path}/ready ]; do sleep 0.1; done;"
            f"{WORK} exit 9 0; kill -INT $snoop; wait"]))
        did = inner.words
        rows = json_records((path / "out").read_text())
    (row,) = [row for row in rows[:-1] if row["pid"] == did["child"]]
    assert (row["ppid"], row["tid"], row["exit_code"]) == (did["pid"], did["child"], 9)
    result = tool_run("exitsnoop", "--json", "--exec", "/bin/sh", "-c", "exit 6")
    assert [(row["exit_code"], row["comm"]) for row in result.json[:-1]] == [(6, "sh")]


@needs("program:/usr/sbin/exitsnoop")
def test_peer_libbpf_tools():
    """Debian's exitsnoop over the same exits of processes of one thread."""
    ours = tool("exitsnoop")
    peer = spawn(["stdbuf", "-oL", "/usr/sbin/exitsnoop"])
    peer.until("PPID")
    wait_for(lambda: work("exit", 0, 0) and "work" in peer.out)
    did = [work("exit", code, 20) for code in range(5)]
    time.sleep(0.5)
    ours, theirs = ours.stop(), peer.stop()
    for code, one in enumerate(did):
        (a,), (b,) = ours.of(one["child"]), theirs.of(one["child"])
        assert [a[k] for k in ("PCOMM", "PPID", "TID")] == [b[k] for k in ("PCOMM", "PPID", "TID")]
        assert a["EXIT_CODE"] == b["EXIT_CODE"] == (f"code {code}" if code else 0)
        assert abs(a["AGE(s)"] - b["AGE(s)"]) <= 0.011
