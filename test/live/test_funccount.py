"""funccount: every call of a workload is counted, once, and nobody else's."""

import shutil

from harness import *

LISTED = TRACING / "kprobe_events"
GETPPID, CLOSE, NANOSLEEP = map(syscall_function, ("getppid", "close", "nanosleep"))
GETPRIORITY = syscall_number("getpriority")  # getppid and others without arguments may be listed by another name


def counts(result):
    return {row["func"]: row["count"] for row in result.json if "func" in row}


def lost(result):
    return {kind: n for kind, n in result.json[-1]["lost"].items() if n}


def counted(*args, did=("calls", 1000, 10, 1, 7), cpu=None):
    """What funccount counts of a workload of its own pid."""
    child = waiting_work(*did, cpu=cpu)
    tracer = tool("funccount", "-p", child.pid, *args, json=True)
    child.go()
    result = tracer.stop()
    assert not lost(result), lost(result)
    return counts(result)


def test_one_function_in_all_spellings():
    for way in ("", "p:", "p::", "kprobe:"):
        assert counted(way + GETPPID) == {GETPPID: 1000}


def test_many_functions():
    found = counted(syscall_function("*"))
    assert found[NANOSLEEP] == 10 and found[CLOSE] == 7
    assert syscall_function("openat") not in found
    found = counted(syscall_function("get*"), did=("syscalls", 5000, GETPRIORITY))
    found.pop(syscall_function("getpid"), None)  # it says its pid
    assert found == {syscall_function("getpriority"): 5000}


def test_offset_in_a_function():
    behind = THIS_MACHINE.behind
    assert counted(f"{GETPPID}+{behind}") == {GETPPID: 1000}
    assert counted(f"{GETPPID}+{behind:#x}") == {GETPPID: 1000}
    bad = tool_run("funccount", f"{GETPPID}+{behind - 2}")
    assert bad.code == 1 and "no instruction at this offset" in bad.err


def test_regular_expression():
    found = counted("-r", f"^{syscall_function()}(close|nanosleep|mkdir|rmdir|mknod|unlink)$")
    assert found == {CLOSE: 7, NANOSLEEP: 10}


def test_several_patterns_count_once():
    found = counted(
        syscall_function("n*"), NANOSLEEP, syscall_function("na*"), GETPPID, "t:syscalls:sys_enter_getppid"
    )
    assert found[NANOSLEEP] == 10 and found[GETPPID] == 1000
    assert found["syscalls:sys_enter_getppid"] == 1000


def test_returns():
    assert counted(f"r::{GETPPID}") == {GETPPID: 1000}
    assert counted(f"r:{syscall_function('n*')}")[NANOSLEEP] == 10


def test_tracepoints():
    found = counted("t:syscalls:sys_*_[gn]*")
    assert found["syscalls:sys_enter_getppid"] == 1000 == found["syscalls:sys_exit_getppid"]
    assert found["syscalls:sys_enter_nanosleep"] == 10
    assert counted("t:raw_syscalls:sys_enter")["raw_syscalls:sys_enter"] >= 1017


def test_many_tracepoints():
    """Raw ones: a copy of the program for each."""
    found = counted("t:sched:sched_*", "t:syscalls:sys_enter_clone*", did=("tasks", 25))
    assert found["sched:sched_process_fork"] == 50 and found["sched:sched_process_wait"] >= 25
    assert sum(n for name, n in found.items() if "sys_enter_clone" in name) == 50


def test_everybody():
    """By a call that no other test makes meanwhile."""
    function = syscall_function("sched_getparam")
    tracer = tool("funccount", function, json=True)
    many = tool("funccount", syscall_function("sched_get*"), json=True)
    for n in (300, 700):
        work("syscalls", n, syscall_number("sched_getparam"))
    assert counts(tracer.stop())[function] == 1000
    assert counts(many.stop())[function] == 1000


def test_one_cpu():
    if os.cpu_count() < 2:
        raise Skip("one CPU")
    assert counted("-c", 1, GETPPID, cpu=1) == {GETPPID: 1000}
    assert counted("-c", 0, GETPPID, cpu=1) == {}


def test_intervals_add_up():
    child = waiting_work("syscalls", 300000, GETPRIORITY)
    tracer = tool("funccount", "-i", 1, "-p", child.pid, syscall_function("getp*"), json=True)
    child.go(60)
    time.sleep(1.5)
    rows = [row["count"] for row in tracer.stop().json if row.get("func") == syscall_function("getpriority")]
    assert sum(rows) == 300000


def test_text_form():
    child = waiting_work("calls", 1000, 10, 1, 70)
    tracer = tool("funccount", "-T", "-D", "-p", child.pid, syscall_function("[cn]*"))
    child.go()
    result = tracer.stop()
    lines = result.out.splitlines()
    assert re.fullmatch(rf'Tracing \d+ functions for "{syscall_function()}\[cn\]\*"... Hit Ctrl-C to end.', lines[0])
    assert not lines[1] and re.fullmatch(r"\d\d:\d\d:\d\d", lines[2])
    assert lines[3] == f"{'FUNC':<36} {'COUNT':>8}"
    assert f"{NANOSLEEP:<36} {10:8}" in lines
    assert lines[-1] == f"{CLOSE:<36} {70:8}"
    numbers = [int(line.split()[1]) for line in lines[4:]]
    assert numbers == sorted(numbers)
    assert NANOSLEEP in result.err.split()  # -D


def test_duration_and_command():
    begin = time.monotonic()
    assert tool_run("funccount", "-d", 2, "vfs_read").code == 0
    assert 2 <= time.monotonic() - begin < 8
    result = tool_run("funccount", GETPPID, "--exec", WORK, "syscalls", 77)
    assert re.search(rf"^{GETPPID} +77$", result.out, re.M)


def test_vfs():
    folder = tempfile.mkdtemp()
    found = counted("vfs_*", did=("vfs", folder, 20))
    assert [found["vfs_" + name] for name in ("read", "unlink", "mkdir", "rmdir", "create", "open")] == [20] * 6
    assert found["vfs_write"] == 21


def test_user_functions():
    found = counted(f"{WORK}:work_user_*", did=("user", 50))
    assert found == {
        "work_user_add": 50, "work_user_name": 100, "work_user_struct": 50,
        "work_user_static": 50, "work_user_recurse": 200,
    }
    assert counted(f"r:{WORK}:work_user_add", did=("user", 50)) == {"work_user_add": 50}
    assert counted("-r", f"{WORK}:work_user_(add|name)$", did=("user", 5)) == {
        "work_user_add": 5, "work_user_name": 10,
    }


def test_library_by_its_short_name():
    code = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read(1); [os.getppid() for _ in range(123)]"
    reader, writer = os.pipe()
    child = spawn(["/usr/bin/python3", "-c", code], stdin=reader)
    child.until(r"\d+")
    tracer = tool("funccount", "-p", child.pid, "c:getppid", json=True)
    os.close(writer)
    child.wait()
    assert counts(tracer.stop()) == {"getppid": 123}


def test_usdt_probes():
    found = counted(f"u:{WORK}:*", did=("usdt", 20))
    assert found["work:plain"] == found["work:forms"] == found["work:guarded"] == 20
    assert found["work:many"] == 60  # three places
    assert counted(f"u:{WORK}:work:pl*", did=("usdt", 20)) == {"work:plain": 20}
    tracer = tool("funccount", f"u:{WORK}:guarded", json=True)  # before it starts
    work("usdt", 9)
    assert counts(tracer.stop()) == {"work:guarded": 9}


def test_what_is_not_there():
    def says(*args):
        result = tool_run("funccount", *args)
        assert result.code == 1 and not result.out
        return result.err

    err = says("vfs_raed").splitlines()
    assert err == ["funccount: no such kernel function; did you mean 'vfs_read'?", "  vfs_raed", "  ^"]
    assert "'vfs_read' now" in says("__vfs_read")
    assert "t:block:block_rq_issue" in says("p::blk_start_request")
    assert "functions of this name" in says("load_elf_binary")
    assert "no kernel function matches" in says("no_such_*")
    assert "did you mean 'sched_switch'" in says("t:sched:sched_swicth")
    assert "no tracepoints of category" in says("t:scehd:sched_switch")
    assert "no tracepoint matches" in says("t:sched:nothing_*")
    assert "not a regular expression" in says("-r", "vfs_(")


def test_commands_of_the_notes():
    """With an interval; of block tracepoints; of a program that is found by its name."""
    child = waiting_work("tcp", "127.0.0.1", 1000, 0, 25)
    sends = tool("funccount", "-i", 1, "tcp_send*", "-p", child.pid, json=True)
    child.go()
    assert sum(row["count"] for row in sends.stop().json if row.get("func") == "tcp_sendmsg") == 25
    with null_blk() as disk:
        child = waiting_work("disk", disk, 30, 4096, "r")
        block = tool("funccount", "-i", 1, "t:block:*", "-p", child.pid, json=True)
        child.go()
        found = [row for row in block.stop().json if row.get("func") == "block:block_rq_issue"]
        assert sum(row["count"] for row in found) == 30
    with folder() as path:
        shutil.copy(WORK, path / "go")
        go = tool("funccount", "go:os.*", json=True, env={"PATH": f"{path}:{os.environ['PATH']}"})
        run([path / "go", "user", 40])
        assert counts(go.stop()) == {"os.Work": 40}


@alone  # others make and remove events of tracefs, too
def test_nothing_is_left():
    before = Path("/sys/kernel/rcu_expedited").read_text()
    kept = LISTED.read_text()
    killed = tool("funccount", "tcp_*")
    assert LISTED.read_text() == kept or not attaches_to_many()
    killed.stop(signal.SIGKILL)
    wait_for(lambda: LISTED.read_text() == kept, 30)
    tool("funccount", "tcp_*").stop()
    assert LISTED.read_text() == kept
    assert Path("/sys/kernel/rcu_expedited").read_text() == before


@alone
@timeout(180)
@needs("kernel:6.12", "function:register_fprobe_ips")
def test_everything():
    """All functions of the kernel: it attaches, the machine goes on, it lets go."""
    with one_cpu():
        tracer = tool("funccount", "*", json=True)
        did = work("vfs", tempfile.mkdtemp(), 200)
        for _ in range(20):
            run(["/bin/true"])
        found = counts(tracer.stop())
    assert did["each"] == 200 and found["vfs_mkdir"] >= 200 and found["vfs_rmdir"] >= 200
    assert len(found) > 1000, len(found)
