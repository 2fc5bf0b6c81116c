"""argdist: counts and histograms of values that the workloads are known to pass and return."""

import os
import signal

from harness import *

PIE = WORK.parent / "work-pie"
GETPPID, CLOSE = syscall_function("getppid"), syscall_function("close")
ID = {name: syscall_number(name) for name in ("close", "nanosleep", "getppid")}


def lost(result):
    return {kind: n for kind, n in result.json[-1]["lost"].items() if n}


def events(result, nothing_lost=True):
    """{values: count} of all reports; of one value, not a tuple of one."""
    assert result.code == 0, result.err
    assert not nothing_lost or not lost(result), lost(result)
    found = {}
    for row in result.json:
        if "event" in row:
            key = tuple(row["event"].values())
            key = key[0] if len(key) == 1 else key
            found[key] = found.get(key, 0) + row["count"]
    return found


def buckets(result):
    """{(low, high): count} of all reports, without what is empty."""
    assert result.code == 0, result.err
    found = {}
    for row in result.json:
        for bucket in row.get("buckets", []):
            if bucket["count"]:
                key = bucket["low"], bucket["high"]
                found[key] = found.get(key, 0) + bucket["count"]
    return found


def traced(*args, did=("calls", 1000, 10, 1, 7)):
    """argdist's result of a workload of its own pid."""
    child = waiting_work(*did)
    tracer = tool("argdist", "-p", child.pid, *args, json=True)
    child.go()
    return tracer.stop()


def user(*args, rounds=10, us=0, path=WORK):
    """argdist's result of `work user`. Other tests run the same program: only this process."""
    child = Waiting([path, "-w", "user", rounds, us])
    tracer = tool("argdist", "-p", child.pid, *args, json=True)
    child.go()
    return tracer.stop()


class Script(Process):
    """A Python program, known by its pid, that goes on when it is told to."""

    def __init__(self, text):
        reader, self.gate = os.pipe()
        begin = "import os, sys, time, socket; print('up', flush=True); os.read(0, 1)\n"
        super().__init__(["/usr/bin/python3", "-c", begin + text], stdin=reader)
        os.close(reader)
        self.until("up")

    def go(self):
        os.write(self.gate, b"\n")
        os.close(self.gate)
        result = self.wait(60)
        assert result.code == 0, result.err


def scripted(text, *args):
    script = Script(text)
    tracer = tool("argdist", "-p", script.pid, *args, json=True)
    script.go()
    return tracer.stop()


# The commands of the notes


def test_results_of_a_kernel_function():
    with folder() as path:
        result = traced("-H", "r::vfs_read()", did=("rw", path / "file", 1000, 30, 1))
    assert buckets(result) == {(512, 1023): 30} and not lost(result)
    (row, *_) = [row for row in result.json if row.get("count")]
    assert row["value"] == "retval" and row["probe"] == "r::vfs_read()"


def test_results_of_a_library():
    text = "r, w = os.pipe()\nfor i in range(50):\n os.write(w, b'x' * 100)\n os.read(r, 200)"
    result = scripted(text, "-H", "r:c:read()")
    assert buckets(result) == {(64, 127): 50} and not lost(result)


def test_system_calls():
    found = events(traced("-C", "t:raw_syscalls:sys_enter():int:args->id"))
    assert found[ID["getppid"]] == 1000 and found[ID["nanosleep"]] == 10 and found[ID["close"]] == 7


MESSAGES = """
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen()
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
for size in [1234] * 20 + [10] * 5:
    client.send(b"x" * size)
    server.recv(size, socket.MSG_WAITALL)
"""
SENDMSG = "p::tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size):u32:size"


def test_sizes_of_messages():
    assert events(scripted(MESSAGES, "-C", SENDMSG)) == {1234: 20, 10: 5}
    assert buckets(scripted(MESSAGES, "-H", SENDMSG)) == {(1024, 2047): 20, (8, 15): 5}
    # The same by the kernel's own types; and members of what the parameters point to.
    assert events(scripted(MESSAGES, "-C", "p::tcp_sendmsg():u32:size")) == {1234: 20, 10: 5}
    families = events(scripted(MESSAGES, "-C", "p::tcp_sendmsg():u16,u16:sk->sk_family,sk->__sk_common.skc_family"))
    assert families == {(2, 2): 25}


def test_descriptors_of_a_process():
    text = "r, w = os.pipe(); os.dup2(w, 77); os.dup2(w, 78)\nfor i in range(42): os.write(77 + (i < 12), b'x')"
    assert events(scripted(text, "-C", "p:c:write(int fd):int:fd")) == {77: 30, 78: 12}


def test_slow_reads():
    old = tool_run("argdist", "-C", "r::__vfs_read():u32:$PID:$lantency > 100000")
    assert old.code == 1 and "'vfs_read' now" in old.err and "\n" + " " * 12 not in old.out
    typo = tool_run("argdist", "-C", "r::vfs_read():u32:$PID:$lantency > 100000")
    assert typo.code == 2 and "did you mean '$latency'?" in typo.err
    line, caret = typo.err.splitlines()[1:3]
    assert line[caret.index("^"):].startswith("$lantency") and caret.count("~") == len("$lantency") - 1
    script = Script("r, w = os.pipe()\nif os.fork():\n os.close(w)\n for i in range(20): os.read(r, 1)\n"
                    "else:\n for i in range(20): time.sleep(0.02); os.write(w, b'x')")
    tracer = tool("argdist", "-C", "r::vfs_read():u32:$PID:$latency > 100000", json=True)
    script.go()
    assert events(tracer.stop())[script.pid] == 20


# Values


def test_strings():
    name = f"p:{WORK}:work_user_name(char *name)"
    assert events(user("-C", f"{name}:char*:name")) == {f"user {i}": 2 for i in range(10)}
    assert events(user("-C", f'{name}:char*:name:STRCMP("user 3", name)')) == {"user 3": 2}
    assert events(user("-C", f'{name}:char*:name:name == "user 4"')) == {"user 4": 2}
    assert events(user("-z", 5, "-C", f"{name}:char*:name")) == {"user": 20}
    assert events(user("-z", 600, "-C", f"{name}:char*,int:name,*name", rounds=2)) == {
        ("user 0", ord("u")): 2, ("user 1", ord("u")): 2}
    assert events(user("-C", f"{name}:char*:$COMM")) == {"work": 20}


def test_long_strings():
    """Short strings after long ones are keys of their own, whatever is behind their end."""
    text = "for i in range(20):\n for n in (2000, 3, 700):\n  try: os.stat('/' + 'x' * n)\n  except OSError: pass"
    found = events(scripted(text, "-z", 4000, "-C", "p:c:stat64(char *path):char*:path:path[1] == 'x'"))
    assert {len(path): n for path, n in found.items()} == {2001: 20, 4: 20, 701: 20}


def test_entry_and_latency():
    sleep = f"r:{WORK}:work_user_sleep(long us)"
    slept = user("-C", f"{sleep}:long:$entry(us):$latency >= $entry(us) * 1000", us=2000)
    assert events(slept) == {2000: 10}
    assert events(user("-C", f"{sleep}:long:$entry(us):$latency < $entry(us) * 1000", us=2000)) == {}
    named = user("-C", f"r:{WORK}:work_user_name(char *name):char*,u64:$entry(name),$retval")
    assert events(named) == {(f"user {i}", 6): 2 for i in range(10)}
    summed = user("-C", f"r:{PIE}:work_user_add(int a, int b):int:$retval - $entry(a)", path=PIE)
    assert events(summed) == {1000: 10}


def test_entries_are_forgotten():
    """What a condition leaves out does not fill the map of entries."""
    tracer = tool("argdist", "-C", f"r::{GETPPID}():u64:$latency:$PID == 1", json=True)
    for _ in range(20):
        work("threads", 40, "syscalls", 50)
    assert lost(tracer.stop()) == {}


def test_innermost_of_a_recursion():
    found = events(user("-C", f"r:{WORK}:work_user_recurse(long depth):long,long:$entry(depth),$retval"))
    assert found == {(0, 0): 10}
    assert events(user("-C", f"r:{WORK}:work_user_recurse():long:$retval")) == {i: 10 for i in range(4)}


def test_usdt():
    tracer = tool("argdist", "-C", f"u:{PIE}:forms():int,u64,char*:arg1,arg4,arg12:arg3 == -300",
                  "-C", f"u:{PIE}:many():long:arg1", "-C", f"u:{PIE}:work:guarded():u64:arg1#g", json=True)
    did = run([PIE, "usdt", 5]).words
    result = tracer.stop()
    forms = {(-1 - i, 60000, f"round {i}"): 1 for i in range(5)}
    many = {i + place: 1 for i in range(5) for place in (1000, 2000)}
    both = {i: 2 for i in range(5)}  # of many's first place, and guarded
    assert events(result) == {**forms, **many, **both} and did["seen"] == 5


def test_structs():
    with folder() as path:
        found = events(traced("-C", "p::vfs_write():u32,u64:file->f_inode->i_mode & 0170000,count",
                              did=("rw", path / "file", 4096, 1, 10)))
        assert found[0o100000, 4096] == 10
        condition = "(file->f_inode->i_mode & S_IFMT) == S_IFREG"
        found = events(traced("-I", "linux/stat.h", "-C", f"p::vfs_write():u64:count:{condition}",
                              did=("rw", path / "file", 100, 1, 7)))
        assert found[100] == 7 and sum(found.values()) <= 8


def test_tracepoint_strings():
    tracer = tool("argdist", "-C", 't:sched:sched_process_exec():char*:args->filename:args->pid == args->old_pid',
                  "-C", "t:sched:sched_process_fork():char*:args->parent_comm#forks",
                  "-C", "t:sched:sched_process_fork():int,char*:args->parent_pid,args->parent_comm", json=True)
    for _ in range(3):
        run(["/bin/true"])
    did = work("fork", 7)
    result = tracer.stop()
    found = events(result)
    assert found["/bin/true"] == 3 and found["work"] >= 7 and found[did["pid"], "work"] == 7
    assert {row.get("label") for row in result.json if row.get("event") == {"args->parent_comm": "work"}} == {"forks"}


def test_faults():
    """What cannot be read is told, and is no 0."""
    spec = f"p::{GETPPID}():u64,u32:*(unsigned long *)8,$PID"
    result = traced("-C", spec)
    (values, count), = events(result, False).items()
    assert values[0] is None and values[1] and count == 1000 and lost(result) == {"truncated": 1000}
    child = waiting_work("calls", 30, 0, 0, 0)
    tracer = tool("argdist", "-p", child.pid, "-C", spec, "-H", f"p::{GETPPID}():u64:*(unsigned long *)8")
    child.go()
    text = tracer.stop()
    assert f"\t30         *(unsigned long *)8 = (fault), $PID = {child.pid}\n" in text.out
    assert "(fault)               : 30\n" in text.out and "60 values cut short or unreadable" in text.err
    result = traced("-C", f"p::{GETPPID}():u32:$PID:*(unsigned long *)8 == 0")
    assert events(result, False) == {} and lost(result) == {"truncated": 1000}


def test_full_map():
    result = user("--keys", 4, "-C", f"p:{WORK}:work_user_add(int a):int:a", rounds=100)
    assert sum(events(result, False).values()) == 4 and lost(result) == {"keys": 96}


def test_negative_values():
    result = traced("-H", f"r::{CLOSE}():int:$retval", "-H", f"r::{GETPPID}()")
    assert buckets(result)[-1 << 63, -1] == 7
    child = waiting_work("calls", 0, 0, 0, 40)
    tracer = tool("argdist", "-p", child.pid, "-H", f"r::{CLOSE}():int:$retval", "-C",
                  f"r::{CLOSE}()")
    child.go()
    text = tracer.stop().out
    assert "       < 0               : 40       |****************************************|\n" in text
    assert "\t40         retval = -9\n" in text


def test_linear():
    add = f"p:{WORK}:work_user_add(int a, int b):int"
    assert buckets(user("--linear", "-H", f"{add}:a")) == {(i, i): 1 for i in range(10)}
    assert buckets(user("--linear", "-H", f"{add}:a - 5")) == {(i - 5, i - 5): 1 for i in range(10)}
    wide = buckets(user("--linear", "-H", f"{add}:a - 500", rounds=1000))
    assert wide == {(low, low + 19): 20 for low in range(-500, 500, 20)}
    assert buckets(user("--linear", "-H", f"{add}:b")) == {(1000, 1000): 10}


def test_whole_range():
    result = traced("-H", f"p::{GETPPID}():u64:~0ull", "-H", f"p::{GETPPID}():u64:0", "-H",
                    f"p::{GETPPID}():u64:1ull << 40", did=("calls", 30, 0, 0, 0))
    assert buckets(result) == {(1 << 63, (1 << 64) - 1): 30, (0, 1): 30, (1 << 40, (2 << 40) - 1): 30}


# Who is traced, how often, how much


def test_text():
    child = waiting_work("calls", 300, 20, 1, 7)
    tracer = tool("argdist", "-p", child.pid, "-i", 600, "-C", f"p::{GETPPID}()", "-C",
                  "t:raw_syscalls:sys_enter():u64,char*:args->id,$COMM:args->id == %d || args->id == %d#two calls" % (ID["getppid"], ID["nanosleep"]),
                  "-H", f"p::{GETPPID}():u32:5")
    child.go()
    out = re.sub(r"\[\d\d:\d\d:\d\d\]", "[TIME]", tracer.stop().out)
    assert out == (
        "[TIME]\n"
        f"p::{GETPPID}()\n"
        "\tCOUNT      EVENT\n"
        "\t300        total calls\n"
        "two calls\n"
        "\tCOUNT      EVENT\n"
        f"\t20         args->id = {ID['nanosleep']}, $COMM = work\n"
        f"\t300        args->id = {ID['getppid']}, $COMM = work\n"
        f"p::{GETPPID}():u32:5\n"
        "     5                   : count     distribution\n"
        "         0 -> 1          : 0        |                                        |\n"
        "         2 -> 3          : 0        |                                        |\n"
        "         4 -> 7          : 300      |****************************************|\n"
    ), out


def test_csv():
    child = waiting_work("calls", 30, 0, 0, 0)
    tracer = tool("argdist", "--csv", "-p", child.pid, "-i", 600, "-C", f"p::{GETPPID}():u32,int:$PID,-1", "-H",
                  f"p::{GETPPID}():u32:3#three")
    child.go()
    head, *lines = tracer.stop().out.splitlines()
    assert head == "time,probe,event,low,high,count"
    assert [line.split(",", 1)[1] for line in lines] == [
        f'"p::{GETPPID}():u32,int:$PID,-1","$PID = {child.pid}, -1 = -1",,,30', "three,3,0,1,0", "three,3,2,3,30"]


def test_top():
    result = user("-T", 2, "-C", f"p:{WORK}:work_user_recurse(long depth):long:depth > 1 ? depth : 1", rounds=30)
    assert [(row["event"]["depth > 1 ? depth : 1"], row["count"]) for row in result.json[:-1]] == [(3, 30), (1, 60)]


def test_intervals():
    """No count is lost or seen twice; -c begins never anew."""
    spec = f"p:{WORK}:work_user_add(int a):int:$CPU * 0 + 1"
    tracer = tool("argdist", "-i", 1, "-n", 3, "-C", spec, json=True)
    run([WORK, "user", 300, 5000], limit=60)
    result = tracer.wait()
    parts = [row["count"] for row in result.json if "event" in row]
    assert 1 < len(parts) <= 3 and sum(parts) <= 300
    tracer = tool("argdist", "-i", 1, "-C", spec, json=True)
    run([WORK, "user", 1000, 2500], limit=60)
    assert events(tracer.stop()) == {1: 1000}
    tracer = tool("argdist", "-c", "-i", 1, "-C", spec, json=True)
    run([WORK, "user", 300, 5000], limit=60)
    parts = [row["count"] for row in tracer.stop().json if "event" in row]
    assert parts == sorted(parts) and parts[-1] == 300 and len(parts) > 1
    begin = time.monotonic()
    assert tool("argdist", "-d", 2, "-C", spec).wait().out.count("COUNT") == 1
    assert time.monotonic() - begin >= 2


def test_one_thread():
    child, other = waiting_work("calls", 50, 0, 0, 0), waiting_work("calls", 70, 0, 0, 0)
    tracer = tool("argdist", "-t", child.pid, "-C", f"p::{GETPPID}():u32,u32:$TID,$PID", json=True)
    child.go()
    other.go()
    assert events(tracer.stop()) == {(child.pid, child.pid): 50}


def test_cgroup():
    with cgroup() as path:
        tracer = tool("argdist", "--cgroup", path, "-C", f"p::{GETPPID}()", "-C", f"r::{GETPPID}():u32:$PID:$latency",
                      json=True)
        work("syscalls", 40)
        inside = work("syscalls", 60, cgroup=path)
        assert events(tracer.stop()) == {(): 60, inside["pid"]: 60}


def test_command():
    result = tool_run("argdist", "-C", f"p::{GETPPID}():char*:$COMM", "--exec", WORK, "syscalls", 50)
    assert result.code == 0 and "\t50         $COMM = work" in result.out, result.out


def test_pid_namespace():
    """Processes are numbered as who asks sees them."""
    result = run(in_pid_namespace([BCCTOOL, "argdist", "-i", 600, "-C", f"p::{GETPPID}():u32,u32:$PID,$TID", "--exec",
                                   WORK, "syscalls", 30]), limit=60)
    count, pid, tid = map(int, re.search(r"\t(\d+) +\$PID = (\d+), \$TID = (\d+)\n", result.out).groups())
    assert count == 30 and 1 < pid < 20 and tid == pid and result.out.count("$PID =") == 1


def test_two_on_one_function():
    found = traced("-C", f"p::{GETPPID}()", "-C", f"p::{GETPPID}():int:7", "-C", f"k:{GETPPID}():int:8")
    assert events(found) == {(): 1000, 7: 1000, 8: 1000}


@timeout(180)
def test_patterns():
    number = f"u64:((struct pt_regs *)arg1)->{THIS_MACHINE.number}"
    function = syscall_function()
    found = events(traced("-C", f"p::{function}n*():{number}", "-C", f"p::{function}[cn]*():{number}#two",
                          "-C", f"p::{function}n*sleep:int:-1"))
    assert found[ID["nanosleep"]] == 20 and found[ID["close"]] == 7 and found[-1] == 10
    found = events(traced("-C", f"r::{function}n*():int:$latency > 500000", "-C", f"r::{function}clos*()#closed"))
    assert found[1] == 10 and found[-9] == 7


def test_module():
    """Types of a module's functions come from the module."""
    with filesystem("ext4") as path:
        probe = "p::ext4_file_write_iter():u64:iocb->ki_pos"
        found = events(traced("-C", probe, did=("rw", path / "file", 512, 1, 4)))
    assert found == {512 * i: 1 for i in range(4)}


def test_errors_that_the_kernel_knows():
    for spec, words in (
            ("p::tcp_sendmsgg():u32:size", "did you mean 'tcp_sendmsg'"),
            ("p::tcp_sendmsg():u32:syze", "did you mean 'size'"),
            ("p::tcp_sendmsg():u16:sk->sk_dprot", "struct sock has no member 'sk_dprot'; did you mean 'sk_dport'?"),
            ("t:sched:sched_switch():int:args->prev_pit", "did you mean 'prev_pid'"),
            ("t:sched:sched_swich():int:1", "did you mean 'sched_switch'"),
            ("r::vfs_read():u64:count", "use $entry(count)"),
            ("p::vfs_read():u64:$retval", "where a function returns"),
            ("p::vfs_read():struct file:file", "number"),
    ):
        result = tool_run("argdist", "-C", spec)
        assert result.code in (1, 2) and words in result.err and "^" in result.err, (spec, result.err)
