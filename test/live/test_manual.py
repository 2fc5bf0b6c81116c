"""The examples of bcctool-probe(7): each runs as it stands there, and tells what a process did.

A workload does everything that the examples watch, so many times; for all of one group at once.
"""

import resource
import shlex

from harness import *

PAGE = CHECKOUT / "man" / "bcctool-probe.7"


def on_the_page():
    text = PAGE.read_text().replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\")
    return re.findall(r"^    ([a-z]+ .*)$", text, re.M)


# Of the 34 reads, 30 are of a file, and one of a pipe takes 50 ms; so does whatever the disk does. A
# write of 100000 bytes to a pipe ends after 65536.
EVERYTHING = """
import ctypes, gc, mmap, os, socket, sys, time
disk, path = sys.argv[1:]
libc = ctypes.CDLL(None)
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen()
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
file = os.open(path + "/manual", os.O_RDWR | os.O_CREAT)
direct = os.open(disk, os.O_RDONLY | os.O_DIRECT)
synced = os.open(disk, os.O_RDWR)
page = mmap.mmap(-1, 4096)
r, w = os.pipe(); back, forth = os.pipe(); full = os.pipe(); os.set_blocking(full[1], False)
big = b"x" * 100000
gc.disable()
print("up", os.getpid(), client.getsockname()[1], os.fstat(file).st_ino, flush=True)
os.read(0, 1)
for size in [1234] * 20 + [10] * 5:
    client.send(big[:size])
    server.recv(size, socket.MSG_WAITALL)
for i in range(6):
    os.write(file, big[:4096])
for i in range(30):
    os.pread(file, 700, 0)
    os.preadv(direct, [page], 4096 * i)
for i in range(3):
    os.write(w, b"x" * 100)
    os.read(r, 100)
os.write(full[1], big)
if not os.fork():
    time.sleep(0.05)
    os.write(forth, b"x")
    os._exit(0)
os.read(back, 1)
os.wait()
for i in range(9):
    if not os.fork():
        os._exit(0)
    os.wait()
for i in range(7):
    socket.getaddrinfo("127.0.0.1", 80, flags=socket.AI_NUMERICHOST)
os.pwrite(synced, big[:4096], 0); os.fsync(synced)
for i in range(5):
    libc.getenv(b"BCCTOOL_MANUAL")
for i in range(3):
    os.open("/etc/passwd", os.O_RDONLY)
    gc.collect(1)
    os.open("/etc/hosts", os.O_RDONLY)
for i in range(8):
    dict(*(), **{})
os._exit(0)
"""

class Doing(Process):
    """A Python program that says "up" and some numbers, and waits for go()."""

    def __init__(self, code, *args):
        reader, self.gate = os.pipe()
        super().__init__(["/usr/bin/python3", "-c", code, *args], stdin=reader)
        os.close(reader)
        self.facts = list(map(int, self.until(r"^up (.*)$")[1].split()))

    def go(self):
        os.write(self.gate, b"\n")
        os.close(self.gate)
        result = self.wait(60)
        assert result.code == 0, result.err


class Rows:
    """What an example printed."""

    def __init__(self, records, facts):
        self.records, self.facts = records, facts

    @property
    def calls(self):
        """{function: count} of funccount, funclatency and funcinterval."""
        return added((row["func"], row["count"]) for row in self.records if "func" in row and "count" in row)

    @property
    def values(self):
        """{values: count} of argdist -C; one value is no tuple."""
        rows = [row for row in self.records if "event" in row]
        values = (tuple(row["event"].values()) for row in rows)
        return added((key[0] if len(key) == 1 else key, row["count"]) for key, row in zip(values, rows))

    @property
    def buckets(self):
        """{lowest: count} of argdist -H."""
        found = [bucket for row in self.records for bucket in row.get("buckets", []) if bucket["count"]]
        return added((bucket["low"], bucket["count"]) for bucket in found)

    def stacks(self, stack, frame):
        """How often stackcount found that frame in front."""
        return sum(row["count"] for row in self.records if row.get(stack, [None])[:1] == [frame])


def added(pairs):
    found = {}
    for key, count in pairs:
        found[key] = found.get(key, 0) + count
    return found


SIZES = {1234: 20, 10: 5}
FILE, PIPE = 0o100000, 0o010000

COUNTS = {
    "funccount 'tcp_*'": lambda rows: rows.calls["tcp_sendmsg"] == 25,
    "funccount -i 1 'tcp_send*'": lambda rows: rows.calls["tcp_sendmsg"] == 25,
    "funccount -i 1 't:block:*'": lambda rows: rows.calls["block:block_bio_queue"] >= 31,
    "funccount -i 1 t:sched:sched_process_fork": lambda rows: rows.calls == {"sched:sched_process_fork": 10},
    "funccount -i 1 c:getaddrinfo": lambda rows: rows.calls == {"getaddrinfo": 7},
    "funccount r::vfs_read p::vfs_write": lambda rows: rows.calls == {"vfs_read": 34, "vfs_write": 11},
    "funccount -r '^vfs_(read|write)$'": lambda rows: rows.calls == {"vfs_read": 34, "vfs_write": 11},
    "funccount kprobe:vfs_read tracepoint:sched:sched_switch":
        lambda rows: rows.calls["vfs_read"] == 34 and rows.calls["sched:sched_switch"] >= 10,
    "funccount uprobe:/usr/bin/python3:PyObject_Call 'usdt:python3:python:gc*'":
        lambda rows: rows.calls["python:gc__start"] == rows.calls["python:gc__done"] == 3
        and rows.calls["PyObject_Call"] >= 8,
}

CALLS = {
    "funclatency -u vfs_read": lambda rows: rows.calls == {"vfs_read": 34} and rows.records[0]["sum"] >= 50_000,
    "funclatency -F 'vfs_r*' c:getaddrinfo":
        lambda rows: rows.calls["vfs_read"] == 34 and rows.calls["getaddrinfo"] == 7,
    "funcslower -m 10 -K vfs_fsync c:fsync":
        lambda rows: [row["lat_ns"] >= 20_000_000 for row in rows.records if row.get("func") == "fsync"] == [True],
    "funcinterval -m t:sched:sched_process_fork": lambda rows: sum(row.get("count", 0) for row in rows.records) == 9,
    "stackcount -K ip_output": lambda rows: rows.stacks("kernel", "ip_output") >= 25,
    "stackcount -P -i 1 t:block:block_rq_insert":
        lambda rows: sum(row["count"] for row in rows.records if row.get("comm") == "python3") >= 30,
    "stackcount -U c:getaddrinfo": lambda rows: rows.stacks("user", "getaddrinfo") == 7,
}

RESULTS = {
    "argdist -H 'r::vfs_read()'": lambda rows: rows.buckets == {512: 30, 64: 3, 0: 1},
    "argdist -H 'r:c:read()'": lambda rows: rows.buckets == {64: 3, 0: 1},
    "argdist -C 't:raw_syscalls:sys_enter():int:args->id'":
        lambda rows: [rows.values[syscall_number(name)] for name in ("read", "pread64", "write")] == [4, 30, 10],
    "argdist -C 'p::tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size):u32:size'":
        lambda rows: rows.values == SIZES,
    "argdist -H 'p::tcp_sendmsg():u32:size'": lambda rows: rows.buckets == {1024: 20, 8: 5},
    "argdist -C 'p:c:write(int fd):int:fd'": lambda rows: sorted(rows.values.values()) == [1, 3, 6],
    "argdist -C 'r::vfs_read():u32:$PID:$latency > 100000'":
        lambda rows: list(rows.values) == rows.facts[:1] and 1 <= rows.values[rows.facts[0]] <= 34,
    "argdist -H 'r:c:malloc(size_t size):u64:$latency/$entry(size)#ns a byte'":
        lambda rows: rows.buckets and rows.records[0]["label"] == "ns a byte",
    "argdist -C 'p::vfs_write():char*,size_t:$COMM,count:count >= 4096'":
        lambda rows: rows.values == {("python3", 4096): 7, ("python3", 100000): 1},
    "argdist -C 'r::vfs_write():long,long:$entry(count),$retval:$retval != $entry(count)'":
        lambda rows: rows.values == {(100000, 65536): 1},
}

MEMBERS = {
    "argdist -C 'p::tcp_sendmsg():u16,u16:sk->sk_family,sk->sk_num'":
        lambda rows: rows.values == {(2, rows.facts[1]): 25},
    "argdist -C 'p::tcp_sendmsg():int:sk->sk_state == TCP_ESTABLISHED ? 1 : 0'":
        lambda rows: rows.values == {1: 25},
    "argdist -C 'p::vfs_read():u32:file->f_inode->i_mode & 0170000'":
        lambda rows: rows.values == {FILE: 30, PIPE: 4},
    "argdist -C 'p::vfs_read():char*:file->f_path.dentry->d_name.name'":
        lambda rows: rows.values == {"manual": 30, "": 4},
    "argdist -C 'p::vfs_read():u64:((struct file *)arg1)->f_inode->i_ino'":
        lambda rows: rows.values[rows.facts[2]] == 30,
    "argdist -C 'p::tcp_sendmsg():int:sk->sk_no_check_tx'": lambda rows: rows.values == {0: 25},
    "argdist -C 'p::vfs_write():int:$task->signal->rlim[7].rlim_cur > 1024'":
        lambda rows: rows.values == {int(resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 1024): 11},
    "argdist -C 'p::vfs_read():u64:sizeof(struct file) + sizeof *file'":
        lambda rows: [(size % 2, count) for size, count in rows.values.items()] == [(0, 34)],
    "argdist -I linux/stat.h -C 'p::vfs_read():int:(file->f_inode->i_mode & S_IFMT) == S_IFREG'":
        lambda rows: rows.values == {1: 30, 0: 4},
}

STRINGS = {
    "argdist -C 'p::do_sys_openat2():char*:filename'":
        lambda rows: rows.values == {"/etc/passwd": 3, "/etc/hosts": 3},
    "argdist -C 'p::do_sys_openat2():char*:filename@user:STRCMP(\"/etc/passwd\", filename)'":
        lambda rows: rows.values == {"/etc/passwd": 3},
    "argdist -C 'p:c:getenv(char *name):char*:name' -z 32": lambda rows: rows.values == {"BCCTOOL_MANUAL": 5},
    "argdist -C 'u:python3:gc__start(int generation):int,u32:generation,$PID'":
        lambda rows: rows.values == {(1, rows.facts[0]): 3},
}

# The process becomes another program.
LEAVING = "import os\nprint('up', os.getpid(), flush=True)\nos.read(0, 1)\nos.execv('/bin/cat', ['cat', '/etc/passwd'])"
LEFT = {
    "argdist -C 't:syscalls:sys_enter_openat():char*:args->filename:$COMM == \"cat\"'":
        lambda rows: rows.values["/etc/passwd"] == 1,
    "argdist -C 't:sched:sched_process_exec():char*,int:args->filename,args->pid'":
        lambda rows: rows.values == {("/bin/cat", rows.facts[0]): 1},
}


def check(examples, doing):
    """Runs them all over one workload, and for that process only; says all that do not hold."""
    tools, wrong = {}, []
    for example in examples:
        name, *args = shlex.split(example)
        tools[example] = tool(name, *args, "-p", doing.pid, json=True)
    doing.go()
    for example, holds in examples.items():
        result = tools[example].stop()
        if result.code or not holds(Rows(result.json, doing.facts)):
            wrong.append(f"{example}\n{result.code} {result.out}{result.err}")
    assert not wrong, "\n".join(wrong)


def check_everything(examples):
    load("mq-deadline")
    with null_blk(completion_nsec=20_000_000, irqmode=2) as disk, folder() as path:
        write(f"/sys/block/{Path(disk).name}/queue/scheduler", "mq-deadline")
        check(examples, Doing(EVERYTHING, disk, path))


@timeout(120)
def test_counts():
    check_everything(COUNTS)


@timeout(120)
def test_calls_and_stacks():
    check_everything(CALLS)


@timeout(120)
def test_results():
    check_everything(RESULTS)


@timeout(120)
def test_members():
    check_everything(MEMBERS)


def test_strings():
    check_everything(STRINGS)


def test_another_program():
    check(LEFT, Doing(LEAVING))


def test_each_example_is_here():
    here = [example for examples in (COUNTS, CALLS, RESULTS, MEMBERS, STRINGS, LEFT) for example in examples]
    assert sorted(on_the_page()) == sorted(here)
