"""execsnoop: a row for each program executed, with all of its arguments, and for each call that failed."""

import os
import signal
import sys

from harness import *

LONG = ("exec_long", "/bin/true", 300, 4000)


def words_of(n, length):
    """The arguments of the workload exec_long."""
    found = []
    for i in range(1, n + 1):
        found.append((f"{i}." + chr(ord("a") + i % 26) * length)[:length])
    return found


def lost(result):
    return {kind: n for kind, n in result.json[-1]["lost"].items() if n}


def test_every_form():
    with folder() as path:
        script, option, nested = path / "script", path / "option", path / "nested"
        script.write_text("#!/bin/sh\nexit 0\n")
        option.write_text("#!/bin/sh -e\nexit 0\n")
        nested.write_text(f"#!{option} -x\n")
        for file in script, option, nested:
            file.chmod(0o755)
        snoop = tool("execsnoop", json=True)
        calls = {call: work("exec", call, "/bin/true", "a b", "", "ä\n\"'", "")
                 for call in ("execve", "execveat", "fexecve")}
        memory = work("exec_memory", "/bin/true", "in memory")
        cold = work("exec_cold", "/bin/true", "cold argument")
        thread = work("exec_thread", "/bin/true", "by a thread")
        scripts = {file: work("exec", "execve", file, file.name, "x", "") for file in (script, option, nested)}
        bare = run([sys.executable, "-c", "import os; os.execve('/bin/true', ['other name', '1'], {})"])
        result = snoop.stop()
    for call, did in calls.items():
        (row,) = result.of(did["child"])
        assert row["args"][1:] == ["a b", "", "ä\n\"'", ""], call
        assert (row["ret"], row["ppid"], row["uid"]) == (0, did["pid"], 0)
        assert (row["pcomm"], row["tid"], row["truncated"]) == ("work", row["pid"], False)
        if call == "fexecve":
            assert re.fullmatch(r"/dev/fd/\d+", row["args"][0])
        else:
            assert (row["args"][0], row["comm"]) == ("/bin/true", "true")
    (row,) = result.of(memory["child"])
    assert row["args"] == [f"/dev/fd/{memory['fd']}", "in memory"]
    (row,) = result.of(cold["child"])
    assert row["args"] == ["/bin/true", "cold argument"]
    (row,) = result.of(thread["child"])
    assert row["args"] == ["/bin/true", "by a thread"] and row["tid"] == row["pid"]
    # A script is what was executed, not its interpreter.
    for file, did in scripts.items():
        (row,) = [row for row in result.of(did["child"]) if row["comm"] == file.name]
        assert row["args"] == [str(file), file.name, "x", ""], row
    assert result.of(bare.pid)[-1]["args"] == ["/bin/true", "1"]
    assert lost(result) == {}


def test_long_arguments():
    snoop = tool("execsnoop", "--max-args", 0, "-x", json=True)
    twenty = tool("execsnoop", "-x", json=True)
    text = tool("execsnoop", "-x")
    did = work(*LONG)
    most = work("exec_long", "/bin/true", 15, 131071)
    exact, above = work("exec_long", "/bin/true", 19, 5), work("exec_long", "/bin/true", 20, 5)
    failed = work("exec_long", "/nonexistent", 19, 40000)
    fails = work("exec_long", "/nonexistent", 20, 5)
    whole, twenty, text = snoop.stop(), twenty.stop(), text.stop()
    (row,) = whole.of(did["child"])
    assert row["args"] == ["/bin/true", *words_of(300, 4000)] and not row["truncated"]
    (row,) = whole.of(most["child"])
    assert row["args"] == ["/bin/true", *words_of(15, 131071)]
    (row,) = whole.of(failed["child"])
    assert row["args"] == ["/nonexistent", *words_of(19, 40000)] and row["ret"] == -2
    assert lost(whole) == {}
    for one, n, length, more in ((did, 300, 4000, True), (exact, 19, 5, False), (above, 20, 5, True),
                                 (failed, 19, 40000, False), (fails, 20, 5, True)):
        name = "/nonexistent" if one["errno"] else "/bin/true"
        (row,) = twenty.of(one["child"])
        assert row["args"] == [name, *words_of(n, length)[:19]] and row["truncated"] == more
        (line,) = text.of(one["child"])
        assert line["ARGS"] == " ".join(row["args"]) + (" ..." if more else "")
    assert lost(twenty) == {}


def test_failed_calls():
    failing, working = tool("execsnoop", "-x", json=True), tool("execsnoop", json=True)
    did = {call: work("exec", call, "/nonexistent/x", "", "b c") for call in ("execve", "execveat")}
    did["directory"] = work("exec", "execve", "/tmp", "d")
    closed = run([sys.executable, "-c", "import ctypes; a = (ctypes.c_char_p * 2)(b'zero', None);"
                  f"ctypes.CDLL(None).syscall({syscall_number('execveat')}, 99, b'', a, None, 0x1000)"])
    bad = run([sys.executable, "-c", "import ctypes; ctypes.CDLL(None).execve(b'/bin/true', 1, None)"])
    failing, working = failing.stop(), working.stop()
    for call in "execve", "execveat":
        (row,) = failing.of(did[call]["child"])
        assert (row["args"], row["ret"]) == (["/nonexistent/x", "", "b c"], -2)
        assert (row["comm"], row["ppid"]) == ("work", did[call]["pid"])
        assert did[call]["errno"] == 2
    (row,) = failing.of(did["directory"]["child"])
    assert (row["args"], row["ret"]) == (["/tmp", "d"], -13)
    rows = [(row["args"], row["ret"]) for row in failing.of(closed.pid) if row["ret"]]
    assert rows[-1] == (["/dev/fd/99"], -9)
    rows = [(row["args"], row["ret"]) for row in failing.of(bad.pid) if row["ret"]]
    assert rows[-1] == (["/bin/true"], -14)
    assert not any(row["ret"] for row in working.json[:-1])
    assert lost(failing) == {}


def test_columns():
    every = tool("execsnoop", "-T", "-t", "-U", "-C", "-M", "-q")
    plain, json = tool("execsnoop"), tool("execsnoop", json=True)
    did = work("exec", "execve", "/bin/true", 'say "x"', "", "z")
    every, plain, json = every.stop(), plain.stop(), json.stop()
    head = "TIME TIME(s) UID COMM PID PCOMM PPID CPU RET ARGS"
    assert every.out.splitlines()[0].split() == head.split()
    assert plain.out.splitlines()[0].split() == "COMM PID PPID RET ARGS".split()
    (row,), (twin,) = every.of(did["child"]), json.of(did["child"])
    assert re.fullmatch(r"\d\d:\d\d:\d\d", row["TIME"]) and row["TIME"] == twin["time"][11:19]
    assert 0 < row["TIME(s)"] < 60
    assert (row["UID"], row["COMM"], row["PCOMM"], row["PPID"]) == (0, "true", "work", did["pid"])
    assert row["CPU"] in range(os.cpu_count()) and row["CPU"] == twin["cpu"]
    assert row["ARGS"] == r'"/bin/true" "say \"x\"" "" "z"'
    (row,) = plain.of(did["child"])
    assert row["ARGS"] == '/bin/true say "x"  z' and row["RET"] == 0
    assert twin["args"] == ["/bin/true", 'say "x"', "", "z"]


def test_filters():
    named = tool("execsnoop", "-n", "^tr.e$", json=True)
    lined = tool("execsnoop", "-l", "one tw[o0]$", "-x", json=True)
    user = tool("execsnoop", "-u", "daemon", json=True)
    child = tool("execsnoop", "-P", os.getpid(), json=True)
    did = work("exec", "execve", "/bin/true", "one", "two")
    other = work("exec", "execve", "/bin/echo", "two", "one")
    absent = work("exec", "execve", "/nonexistent", "one", "tw0")
    both = run(["setpriv", "--reuid=daemon", "--clear-groups", "/bin/echo", "one two"])
    named, lined, user, child = named.stop(), lined.stop(), user.stop(), child.stop()
    assert {row["comm"] for row in named.json[:-1]} == {"true"} and len(named.of(did["child"])) == 1
    assert all(" ".join(row["args"]).endswith(("one two", "one tw0")) for row in lined.json[:-1])
    assert len(lined.of(did["child"])) == len(lined.of(absent["child"])) == 1
    assert not lined.of(other["child"]) and lined.of(both.pid)
    assert [(row["args"], row["uid"]) for row in user.json[:-1]] == [(["/bin/echo", "one two"], 1)]
    assert child.of(did["pid"]) and not child.of(did["child"])
    assert {row["ppid"] for row in child.json[:-1]} == {os.getpid()}
    bad = tool_run("execsnoop", "-n", "(")
    assert bad.code == 2 and "regular expression" in bad.err


@timeout(120)
@alone
def test_5000_in_parallel():
    snoop = tool("execsnoop", json=True)
    did = work("exec_storm", WORK, 5000, 64, limit=100)
    result = snoop.stop()
    rows = [row for row in result.json[:-1] if row["ppid"] == did["pid"]]
    assert did["done"] == 5000
    assert len(rows) + result.json[-1]["lost"]["events"] == 5000
    assert len(rows) == 5000 and lost(result) == {}
    assert sorted(int(row["args"][2]) for row in rows) == list(range(5000))
    assert all(row["args"][:2] == [str(WORK), "storm"] for row in rows)


def test_a_small_buffer_counts_what_it_loses():
    snoop = tool("execsnoop", "--buffer", "8K", "--max-args", 0, json=True)
    did = work(*LONG)
    result = snoop.stop()
    (row,) = result.of(did["child"])
    assert row["truncated"] and result.json[-1]["lost"]["truncated"] == 1
    got = row["args"]
    assert all(a == b for a, b in zip(got[:-1], ["/bin/true", *words_of(300, 4000)]))


def test_in_a_pid_namespace():
    with folder() as path:
        inner = run(in_pid_namespace(["sh", "-c",
            f"BCCTOOL_READY_FD=9 {BCCTOOL} execsnoop --json 9>{path}/ready >{path}/out & snoop=$!;"
            f"until [ -s {path}/ready ]; do sleep 0.1; done;"
            f"{WORK} exec execve /bin/true inside; kill -INT $snoop; wait"]))
        did = inner.words
        rows = json_records((path / "out").read_text())
    (row,) = [row for row in rows[:-1] if row["pid"] == did["child"]]
    assert (row["ppid"], row["args"]) == (did["pid"], ["/bin/true", "inside"]) and row["pid"] < 1000


def test_without_kernel_types():
    """By the tracepoints of the system calls; a parent that is gone by then has no number."""
    with folder() as path:
        result = run(["unshare", "-m", "sh", "-c", "mount -t tmpfs none /sys/kernel/btf;"
            f"BCCTOOL_READY_FD=9 {BCCTOOL} execsnoop -x --max-args 0 --json 9>{path}/ready >{path}/out & snoop=$!;"
            f"until [ -s {path}/ready ]; do sleep 0.1; done;"
            f"for w in 'exec execve' 'exec execveat' 'exec fexecve'; do {WORK} $w /bin/true a ''; done;"
            f"{WORK} exec_thread /bin/true thread; {WORK} exec execve /nonexistent b ''; {WORK} exec_long /bin/true 50 4000;"
            "kill -INT $snoop; wait"])
        rows = json_records((path / "out").read_text())
    did = [words(line) for line in result.out.splitlines()]
    # Arguments are read before the call here: those of other programs may not be in memory yet.
    assert not any(n for kind, n in rows[-1]["lost"].items() if kind != "truncated")
    found = []
    for one in did:
        (row,) = [row for row in rows[:-1] if row["pid"] == one["child"]]
        assert row["ret"] == -one.get("errno", 0) and row["ppid"] in (one["pid"], 0)
        found.append(row["args"])
    assert found[:2] == [["/bin/true", "a", ""]] * 2 and found[2][1:] == ["a", ""]
    assert found[3:] == [["/bin/true", "thread"], ["/nonexistent", "b", ""], ["/bin/true", *words_of(50, 4000)]]


def test_perf_buffers():
    snoop = tool("execsnoop", "--max-args", 0, json=True, env={"BCCTOOL_PERF_BUFFER": "1"})
    did = work("exec_long", "/bin/true", 20, 4000)
    (row,) = snoop.stop().of(did["child"])
    assert row["args"] == ["/bin/true", *words_of(20, 4000)]


@needs("program:/usr/sbin/execsnoop")
def test_peer_libbpf_tools():
    """Debian's execsnoop over the same calls: the file's name first, then the arguments from the 1st."""
    ours = tool("execsnoop", "-x")
    peer = spawn(["stdbuf", "-oL", "/usr/sbin/execsnoop", "-x"])
    peer.until("PPID")
    wait_for(lambda: work("exec", "execve", "/bin/true", "settle") and "settle" in peer.out)
    did = [work("exec", "execve", "/bin/true", "a", str(n)) for n in range(10)]
    did += [work("exec", "execve", "/nonexistent", "b", str(n)) for n in range(10)]
    time.sleep(0.5)
    ours, theirs = ours.stop(), peer.stop()
    for one in did:
        (a,), (b,) = ours.of(one["child"]), theirs.of(one["child"])
        assert (a["COMM"], a["PPID"], a["RET"], a["ARGS"]) == (
            b["PCOMM"], b["PPID"], b["RET"], b["ARGS"].replace('"', "")), (a, b)
