"""Debian's libbpf-tools beside ours, over the same workload: those that no test of their applet compares.

COMPARED says for each of the package where it is.
"""

from connection import *
from fsops import OPERATIONS, mounted, operations
from harness import *
from test_bashreadline import LINES, typed
from test_cachestat import cached_file
from test_capable import DAEMON
from test_drsnoop import little_memory
from test_gethostlatency import look_up
from test_javagc import JAVA, Java
from test_klockstat import DELAY_NS, N, is_what_was_waited, of
from test_mdflush import FLUSHES, array
from test_mountsnoop import MS, mount
from test_numamove import migrated
from test_runqlat import AFTER, gained
from test_statsnoop import stat_all
from test_tcprtt import exchange

MS_NS = 1_000_000


WAITS = {"7", "230", "232", "281"}  # poll, clock_nanosleep, epoll_wait, epoll_pwait of x86


def peer(name, *args):
    """Traces once it waits for events, or sleeps until a report is due; it does not say so itself."""
    process = spawn(["stdbuf", "-oL", f"/usr/sbin/{name}", *args])
    wait_for(lambda: Path(f"/proc/{process.pid}/syscall").read_text().split()[0] in WAITS, limit=30)
    return process


def both(name, *args, theirs=None):
    return tool(name, *args), peer(name, *(args if theirs is None else theirs))


def keys(rows, *columns):
    return [tuple(row[column] for column in columns) for row in rows]


def filled(histograms):
    return {label: {bucket: n for bucket, n in h.items() if n} for label, h in histograms.items()}


# What those say that do not run on either kernel, or on 6.12 alone; there is nothing to compare.
NOT_RUNNING = {
    "biosnoop": "failed to load BPF object",
    "biostacks": "failed to",
    "biotop": "failed to load attach blk_account_io_start",
    "cachestat": "failed to load BPF object",
    "cpufreq": "failed to init freqs",
    "llcstat": "failed to init perf sampling",
    "readahead": "failed to set attach target for do_page_cache_ra",
}
NOT_RUNNING_NEWER = {
    "bindsnoop": "failed to load BPF object",
    "numamove": "failed to open and/or load BPF object",
    "slabratetop": "failed to attach BPF",
}

# The test of each that runs. Programs that are there under several names have one for each name.
COMPARED = {
    **{name: f"peers.{name}" for name in (
        "bashreadline", "bindsnoop", "biopattern", "bitesize", "capable", "drsnoop", "funclatency", "gethostlatency",
        "javagc", "killsnoop", "klockstat", "mdflush", "mountsnoop", "numamove", "oomkill", "runqslower", "statsnoop",
        "tcpconnlat", "tcprtt", "tcpstates", "tcpsynbl", "tcptracer", "wakeuptime")},
    **{name: f"{name}.peer" for name in (
        "biolatency", "cpudist", "ext4dist", "ext4slower", "filelife", "filetop", "fsdist", "hardirqs", "ksnoop",
        "runqlat", "runqlen", "softirqs")},
    **{name: f"{name}.peer_libbpf_tools" for name in (
        "execsnoop", "exitsnoop", "offcputime", "opensnoop", "solisten", "syscount", "tcpconnect", "tcplife", "tcptop")},
    "btrfsdist": "peers.btrfs", "btrfsslower": "peers.btrfs",
    "xfsdist": "peers.xfs", "xfsslower": "peers.xfs", "fsslower": "peers.xfs",
    "nfsdist": "peers.nfs", "nfsslower": "peers.nfs",
    "sigsnoop": "killsnoop.peer_libbpf_tools",
    "slabratetop": "slabratetop.peer_sees_those_of_one_function",
    "vfsstat": "vfsstat.peer_agrees",
}

INSTALLED = Path("/var/lib/dpkg/info/libbpf-tools.list")


@needs(f"file:{INSTALLED}")
def test_every_program_is_compared():
    """Whatever the package installs is compared by a test that there is, or said not to run; nothing is in both."""
    programs = set(re.findall(r"^/usr/sbin/(.+)$", INSTALLED.read_text(), re.MULTILINE))
    assert len(programs) == 61
    assert not set(COMPARED) & set(NOT_RUNNING) and set(COMPARED) | set(NOT_RUNNING) == programs
    # All are names of applets: none of the package is left out as not ours.
    assert programs <= set(run([BCCTOOL, "--names"]).out.split())
    folder = Path(__file__).parent
    for name, test in COMPARED.items():
        file, _, function = test.partition(".")
        # From its marks to the next function.
        (text,) = re.findall(rf"(?:^@.*\n)*^def test_{function}\(.*\n(?:(?:[ #].*)?\n)*",
                             (folder / f"test_{file}.py").read_text(), re.MULTILINE)
        assert f"/usr/sbin/{name}" in text, (name, test)
        assert ('"below:' in text) == (name in NOT_RUNNING_NEWER), (name, test)


def test_that_do_not_run():
    for name, text in {**NOT_RUNNING, **({} if lacking("kernel:6.12") else NOT_RUNNING_NEWER)}.items():
        result = run([f"/usr/sbin/{name}"], check=False)
        assert text in result.err and "\n" not in result.out.strip(), (name, result.err)


@alone
@needs("program:/usr/sbin/bitesize")
def test_bitesize():
    with null_blk(irqmode=2, completion_nsec=MS_NS) as disk:
        ours, theirs = both("bitesize", "-d", os.path.basename(disk))
        work("disk", disk, 20, 4096, "r")
        work("disk", disk, 7, 65536, "w")
        ours, theirs = filled(ours.stop().histograms), filled(theirs.stop().histograms)
    assert ours == {"Process Name = work": {(4, 7): 20, (64, 127): 7}}
    # Ours are of who submitted a request; theirs of who issued it, which may be a kernel thread.
    assert {bucket: sum(h.get(bucket, 0) for h in theirs.values()) for bucket in ((4, 7), (64, 127))} == {
        (4, 7): 20, (64, 127): 7}
    assert sum(sum(h.values()) for h in theirs.values()) == 27


@alone
@needs("program:/usr/sbin/biopattern")
def test_biopattern():
    with null_blk(irqmode=2, completion_nsec=MS_NS) as disk:
        ours, theirs = both("biopattern", "-d", os.path.basename(disk))
        work("disk", disk, 31, 4096, "r")
        work("disk", disk, 10, 4096, "w", 65536)
        ours, theirs = ours.stop(), theirs.stop()
    columns = ("DISK", "%RND", "%SEQ", "COUNT", "KBYTES")
    assert keys(ours.rows, *columns) == keys(theirs.rows, *columns) and len(ours.rows) == 1


@needs("program:/usr/sbin/bindsnoop", "below:6.3")
def test_bindsnoop():
    ours, theirs = tool("bindsnoop", "-p", os.getpid(), json=True), peer("bindsnoop", "-p", os.getpid())
    socks = [listen("127.0.0.1"), listen("::1"), listen("0.0.0.0")]
    ours, theirs = ours.stop(), theirs.stop()
    a = [(row["pid"], row["comm"], row["ret"], row["protocol"], row["opts"], row["device"], row["port"], row["addr"])
         for row in ours.json[:-1]]
    assert a == keys(theirs.rows, "PID", "COMM", "RET", "PROTO", "OPTS", "IF", "PORT", "ADDR")
    assert [row[6] for row in a] == [port_of(sock) for sock in socks]


@needs("program:/usr/sbin/capable")
def test_capable():
    ours, theirs = both("capable", "-v")
    did = run(DAEMON)
    ours, theirs = ours.stop(), theirs.stop()
    rows = lambda result: keys([row for row in result.of(did.pid) if row["UID"] == 1 and row["COMM"] == "python3"],
                               "UID", "PID", "COMM", "CAP", "NAME", "AUDIT")
    assert rows(ours) == rows(theirs) and len(rows(ours)) >= 10


@needs("program:/usr/sbin/funclatency")
def test_funclatency():
    mine = waiting_work("stack", 20, 10000)
    ours, theirs = both("funclatency", "-p", mine.pid, "do_nanosleep")
    mine.go()
    ours, theirs = ours.stop(), theirs.stop()
    assert sum(ours.histogram.values()) == sum(theirs.histogram.values()) == 20


@needs("program:/usr/sbin/statsnoop")
def test_statsnoop():
    """Debian's says that it traces, and shows none of these calls on either kernel.

    It asks whether there are tracepoints syscalls:statfs, statx, newstat and so on before it loads its programs.
    Those are called sys_enter_statfs, so it finds none and loads none (as strace and `bpftool prog` show).
    """
    ours, theirs = both("statsnoop", "-p", os.getpid())
    for _ in range(5):
        stat_all("/etc/passwd")
        stat_all("/nonexistent")
    time.sleep(1)
    ours, theirs = ours.stop(), theirs.stop()
    rows = lambda result: sorted(keys(result.rows, "PID", "COMM", "ERR", "PATH"))
    assert len([row for row in rows(ours) if row[3] in ("/etc/passwd", "/nonexistent")]) == 50
    assert rows(theirs) == []


@needs("program:/usr/sbin/tcpconnlat")
def test_tcpconnlat():
    load("sch_netem")
    with network() as (client, server):
        netem(client, "delay", "60ms")
        ours, theirs = both("tcpconnlat", "-p", os.getpid())
        took = []
        for host in (server.v4, server.v6):
            listener = listen(host, side=server)
            for _ in range(3):
                began = time.monotonic()
                connect(host, port_of(listener), client)
                took.append((time.monotonic() - began) * 1000)
        time.sleep(1)
        ours, theirs = ours.stop(), theirs.stop()
    columns = ("PID", "COMM", "IP", "SADDR", "DADDR", "DPORT")
    assert keys(ours.rows, *columns) == keys(theirs.rows, *columns) and len(ours.rows) == 6
    for a, b, limit in zip(ours.rows, theirs.rows, took):
        assert 60 <= a["LAT(ms)"] <= limit + 0.01 and 60 <= b["LAT(ms)"] <= limit + 0.01


@needs("program:/usr/sbin/tcpstates")
def test_tcpstates():
    ours, theirs = tool("tcpstates", json=True), peer("tcpstates", "-w")
    did = [work("tcp", host, 10, 10, 1, 100) for host in ("127.0.0.1", "::1")]
    time.sleep(1)
    ours, theirs = ours.stop(), theirs.stop()
    a = [(row["laddr"], str(row["lport"]), row["raddr"], str(row["rport"]), row["oldstate"], row["newstate"])
         for row in ours.json[:-1]]
    b = [(*fields[4:8], fields[8], fields[10]) for fields in map(str.split, theirs.out.splitlines()[1:])]
    for one in did:
        rows = lambda rows: sorted(row for row in rows if str(one["port"]) in (row[1], row[3]))
        assert rows(a) == rows(b) and len(rows(a)) == 12


@needs("program:/usr/sbin/tcptracer")
def test_tcptracer():
    ours, theirs = both("tcptracer")
    did = [work("tcp", host, 100, 10, 5) for host in ("127.0.0.1", "::1")]
    time.sleep(1)
    ours, theirs = ours.stop(), theirs.stop()
    columns = ("T", "PID", "COMM", "IP", "SADDR", "DADDR", "SPORT", "DPORT")
    for one in did:
        rows = lambda result: sorted(keys([row for row in result.rows if one["port"] in (row["SPORT"], row["DPORT"])],
                                          *columns), key=str)
        assert rows(ours) == rows(theirs) and len(rows(ours)) == 20


@needs("program:/usr/sbin/tcprtt")
def test_tcprtt():
    load("sch_netem")
    with network() as (client, server):
        netem(client, "delay", "20ms")
        here, there = pair(server.v4, client, server)
        ours, theirs = both("tcprtt", "-P", port_of(there))
        exchange(here, there, 8)
        ours, theirs = ours.stop(), theirs.stop()
    assert filled(ours.histograms).popitem()[1] == filled(theirs.histograms).popitem()[1]
    assert sum(ours.histograms.popitem()[1].values()) >= 8


@alone
@needs("program:/usr/sbin/mdflush", "module:raid1", "function:md_flush_request")
def test_mdflush():
    with loop() as one, loop() as two, array(one, two) as disk:
        ours, theirs = both("mdflush")
        did = run(["/usr/bin/python3", "-c", FLUSHES, disk])
        time.sleep(1)
        ours, theirs = ours.stop(), theirs.stop()
    assert keys(ours.of(did.pid), "PID", "COMM", "DEVICE") == [(did.pid, "python3", os.path.basename(disk))] * 7
    # Theirs has no name of the array: its program has one byte of it read, which is the NUL at the end (so
    # `bpftool prog dump`: the size is that of what a pointer to the name points to).
    rows = [line.split()[1:] for line in theirs.out.splitlines()]
    assert [row for row in rows if row[0] == str(did.pid)] == [[str(did.pid), "python3"]] * 7


@needs("program:/usr/sbin/mountsnoop")
def test_mountsnoop():
    with folder() as path:
        ours, theirs = both("mountsnoop", "-p", os.getpid())
        assert mount("none", path, "tmpfs", MS["NOSUID"] | MS["NODEV"], "size=1m") == 0
        assert LIBC.umount2(os.fsencode(path), 2) == 0
        assert LIBC.umount2(os.fsencode(path), 2) == -1
        time.sleep(1)
        ours, theirs = ours.stop(), theirs.stop()
    calls = lambda result: re.findall(r"\w+\(.*\) = .*", result.out)
    # Theirs has spaces about the bars, and calls the flags of umount2(2) by names of those of mount(2).
    theirs = [line.replace(" | ", "|") for line in calls(theirs)]
    assert calls(ours) == [re.sub(r"^(umount.*)MS_NOSUID", r"\1MNT_DETACH", line) for line in theirs]
    assert len(theirs) == 3


@needs("program:/usr/sbin/killsnoop")
def test_killsnoop():
    ours, theirs = both("killsnoop")
    did = work("kill", "kill", 10, 5)
    time.sleep(1)
    ours, theirs = ours.stop(), theirs.stop()
    rows = lambda result: keys(result.of(did["pid"]), "COMM", "SIG", "TPID", "RESULT")
    assert rows(ours) == rows(theirs) and len(rows(ours)) == 6


@needs("program:/usr/sbin/gethostlatency")
def test_gethostlatency():
    process = look_up("getaddrinfo:127.0.0.1", "gethostbyname:127.0.0.2", "gethostbyname2:127.0.0.3", "getaddrinfo:::1")
    ours, theirs = both("gethostlatency", "-p", process.pid)
    process.go()
    time.sleep(1)
    ours, theirs = ours.stop(), theirs.stop()
    rows = lambda result: keys(result.of(process.pid), "COMM", "HOST")
    assert rows(ours) == rows(theirs) and len(rows(ours)) == 4


@needs("program:/usr/sbin/tcpsynbl")
def test_tcpsynbl():
    ours, theirs = both("tcpsynbl")
    kept = []
    for host, limit, n in (("127.0.0.1", 51, 6), ("::1", 52, 3)):
        listener = listen(host, backlog=limit)
        kept += [listener, *(connect(host, port_of(listener)) for _ in range(n))]
    ours, theirs = filled(ours.stop().histograms), filled(theirs.stop().histograms)
    for limit in (51, 52):
        assert ours[f"backlog_max = {limit}"] == theirs[f"backlog_max = {limit}"]


@alone
@needs("program:/usr/sbin/runqslower")
def test_runqslower():
    """Every wait of one of two that want the same CPU all the time: with a threshold of 1 us, the least that theirs
    takes, as a wait at a threshold may be above it by one tool's clock alone."""
    first, second = (waiting_work("burst", 40, 10000, 0, 1) for _ in range(2))
    ours, theirs = both("runqslower", "-p", first.pid, "1")
    second.begin()
    did = first.go()
    second.wait()
    time.sleep(1)
    ours, theirs = ours.stop().of_tid(first.pid), theirs.stop().of_tid(first.pid)
    assert len(ours) == len(theirs)
    assert gained(did, "slices") <= len(ours) <= gained(did, "slices") + AFTER
    assert {row["COMM"] for row in ours + theirs} == {"work"}
    for rows in ours, theirs:
        # As in test_runqslower.py. Each reads its clock where it has the CPU; the other comes between the two.
        assert abs(sum(row["LAT(us)"] for row in rows) - gained(did, "wait_ns") / 1000) <= (
            0.02 * gained(did, "wait_ns") / 1000 + 300 * len(rows))
        # Slices of the other, most of them.
        assert len([row for row in rows if row["LAT(us)"] >= 1000]) >= 0.8 * gained(did, "preempted")


def slept(result):
    """Microseconds that wakeuptime shows of the one thread that the other wakes by a pipe."""
    found = 0
    for block in result.out.split("\n\n"):
        if "target:          work-target\n" in block and re.search(r"waker: +work-waker$", block, re.MULTILINE):
            found += int(block.split()[-1]) if " pipe_write\n" in block else 0
    return found


@alone
@needs("program:/usr/sbin/wakeuptime")
def test_wakeuptime():
    """On one CPU. Where the waker is on another CPU than who sleeps, theirs has another waker: it is at sched_wakeup,
    which comes when the other CPU has been interrupted to put the sleeper on its queue (sched_ttwu_pending() is
    among its frames), and has whom that interrupted, mostly the idle thread. Ours is at sched_waking, before that:
    what it has is who did wake."""
    workload = waiting_work("wake", 20, 2000, cpu=0)
    ours, theirs = both("wakeuptime", "-p", workload.pid)
    did = workload.go()
    ours, theirs = slept(ours.stop()), slept(theirs.stop())
    for us in ours, theirs:
        assert did["blocked"] * 2000 * 0.8 <= us <= did["off_us"]
    assert abs(ours - theirs) <= 300 * did["blocked"]


LOCK_UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def locks(result, kind, caller):
    """(count, total ns) of the rows of klockstat's table of Wait or Hold that a caller has."""
    (text,) = re.findall(rf"Avg {kind}(.*?)(?=Avg (?!{kind})|\Z)", result.out, re.DOTALL)
    rows = re.findall(rf"^ *{caller}\+0x\w+ +\S+ \w+ +(\d+) +\S+ \w+ +(\S+) (\w+)$", text, re.MULTILINE)
    return [(int(count), float(total) * LOCK_UNITS[unit]) for count, total, unit in rows]


@alone
@needs("program:/usr/sbin/klockstat")
def test_klockstat():
    """A pipe's mutex, that a write holds for a known time and an ioctl waits for.

    Theirs says that vfs_write() and do_vfs_ioctl() take it; they are the callers of pipe_write() and pipe_ioctl(),
    which call mutex_lock(). It leaves out a fixed number of frames, one more than these kernels put there.
    """
    with null_blk(irqmode=2, completion_nsec=DELAY_NS) as disk:
        workload = waiting_work("pipelock", disk, N)
        ours = tool("klockstat", "-p", workload.pid, json=True)
        theirs = peer("klockstat", "-p", workload.pid, "-n", "999")
        did = workload.go()
        ours, theirs = ours.stop(), theirs.stop()
    writes, asks = of(ours.json, "pipe_write"), of(ours.json, "pipe_ioctl")
    # A write of what the workload says at its end comes through vfs_write() too, and locks an inode.
    held = [total for count, total in locks(theirs, "Hold", "vfs_write") if count == N]
    assert len(held) == 1 and N * DELAY_NS <= held[0] <= did["us"] * 1000
    assert N * DELAY_NS <= sum(row["hld_total_ns"] for row in writes) <= did["us"] * 1000
    waited = locks(theirs, "Wait", "do_vfs_ioctl")
    assert sum(count for count, _ in waited) == sum(row["acq_count"] for row in asks)
    is_what_was_waited(sum(total for _, total in waited), did)
    is_what_was_waited(sum(row["acq_total_ns"] for row in asks), did)


@alone
@timeout(150)
@needs("program:/usr/sbin/drsnoop")
def test_drsnoop():
    with cached_file() as file, little_memory() as pool:
        work("cache", file, "read", 2048)
        ours, theirs = tool("drsnoop", "-v"), peer("drsnoop", "-e")
        have = int(pool.read_text())
        did = run(["dd", "if=/dev/stdin", f"of={pool}", "status=none"], stdin=text_file(f"{have + 4096}\n"))
        time.sleep(1)
        ours, theirs = ours.stop().of(did.pid), theirs.stop().of_tid(did.pid)
    assert keys(ours, "COMM", "PAGES") == keys(theirs, "COMM", "PAGES")
    # As test_drsnoop.py has it for the kernel's own trace. Not the first: a program that runs for the first time is
    # translated by the emulator, and ours makes its row before theirs reads the clock.
    a, b = (sum(row["LAT(ms)"] for row in rows[1:]) for rows in (ours, theirs))
    assert len(ours) > 5 and abs(a - b) <= 0.1 * b + 0.1 * len(theirs)
    assert all(abs(a["FREE(KB)"] - b["FREE(KB)"]) <= 1024 for a, b in zip(ours, theirs))


@alone
@needs("program:/usr/sbin/oomkill")
def test_oomkill():
    """Theirs has no stack."""
    with cgroup(memory_max="24M") as group:
        ours, theirs = both("oomkill")
        pid = spawn([WORK, "hog", "64"], cgroup=group).wait().pid
        time.sleep(1)
        ours, theirs = ours.stop(), theirs.stop()
    # The load averages are those of when each read them; seconds may be two.
    kills = lambda result: re.findall(r"^\d\d:\d\d:\d\d (.*, loadavg:) [\d. /]+$", result.out, re.MULTILINE)
    assert kills(ours) == kills(theirs) == [
        f'Triggered by PID {pid} ("work"), OOM kill of PID {pid} ("work"), 6144 pages, loadavg:']


@needs("program:/usr/sbin/bashreadline", "file:/bin/bash")
def test_bashreadline():
    """Theirs cuts lines to 79 bytes, and where the minutes should be it has the month."""
    ours, theirs = both("bashreadline")
    pid = typed(LINES)
    time.sleep(1)
    ours, theirs = ours.stop(), theirs.stop()
    rows = lambda result: re.findall(rf"^\d\d:(\d\d):\d\d +{pid} +(.*)$", result.out, re.MULTILINE)
    assert [line for _, line in rows(ours)] == LINES
    assert [line for _, line in rows(theirs)] == [line[:79] for line in LINES]
    assert {minutes for minutes, _ in rows(theirs)} == {time.strftime("%m")}


@timeout(240)
@alone
@needs("program:/usr/sbin/javagc", f"file:{JAVA}")
def test_javagc():
    """Theirs has one time for a process, which each pool's begin sets anew and the first end of one takes away: a row
    is from the last pool's begin to the first pool's end, and what comes before and after is not in it."""
    java = Java()
    java.collect()
    ours, theirs = tool("javagc", java.pid, json=True), peer("javagc", "-p", java.pid)
    for _ in range(3):
        java.collect()
    time.sleep(1)
    ours, theirs = ours.stop().json[:-1], theirs.stop()
    java.stop(signal.SIGKILL)
    rows = [int(us) for us in re.findall(rf"^\d\d:\d\d:\d\d +\d+ +{java.pid} +(\d+) *$", theirs.out, re.MULTILINE)]
    collections = [row["dur_ns"] / 1000 for row in ours if not row["is_pool"]]
    assert len(rows) == len(collections) == 3
    # Within it; how long exactly depends on who has the CPU between the two tracers' programs.
    assert all(0 < us < whole for us, whole in zip(rows, collections))


@boot("numa=fake=2")
@alone
@needs("program:/usr/sbin/numamove", "below:6.3")
def test_numamove():
    balancing = Path("/proc/sys/kernel/numa_balancing")
    ours, theirs = tool("numamove", "3600", json=True), peer("numamove")
    before = migrated()
    write(balancing, 1)
    try:
        work("numa", 16, 6)
    finally:
        write(balancing, 0)
    moved = migrated() - before
    time.sleep(1.5)  # theirs has a row a second
    ours, theirs = ours.stop().json[0], theirs.stop()
    assert 0 < moved <= ours["migrations"] == sum(row["NUMA_migrations"] for row in theirs.rows)
    # Theirs adds up the whole milliseconds of each call, of which most take microseconds: too little.
    assert sum(row["NUMA_migrations_ms"] for row in theirs.rows) <= ours["time_ns"] / 1e6


def same_operations(kind, seen, fsslower=False):
    """KINDdist and KINDslower (and fsslower) of both over the same operations; `seen` are those that theirs has.

    Their rows of an fsync are F, of ours S, and have the length of the range to be synced for BYTES. Only ours have
    lookups of attributes.
    """
    name = kind.rstrip("3")
    with mounted(kind) as path:
        (path / "f").touch()
        mine = operations(path / "f")
        dist, theirs_dist = both(f"{name}dist", "-p", mine.pid)
        slower, theirs_slower = both(f"{name}slower", "0", "-p", mine.pid, theirs=["-m", "0", "-p", mine.pid])
        more = both("fsslower", "-t", name, "-m", "0", "-p", mine.pid) if fsslower else ()
        did = mine.go()
        time.sleep(1)
        dist, theirs_dist, slower, theirs_slower, *more = (
            process.stop() for process in (dist, theirs_dist, slower, theirs_slower, *more))
    counts = lambda result: {label.split("'")[1]: sum(h.values()) for label, h in filled(result.histograms).items()}
    theirs = {op: OPERATIONS[op] for op in seen}
    assert {op: n for op, n in counts(dist).items() if op != "getattr"} == OPERATIONS
    assert counts(theirs_dist) == theirs

    columns = ("COMM", "PID", "T", "OFF_KB", "BYTES", "FILENAME")
    letters = {"open": "O", "write": "W", "read": "R", "fsync": "F"}
    rows = lambda result: [row for row in table(result.out, "FILENAME") if row["T"] != "G"]
    expected = keys(rows(slower), *columns)
    assert len(expected) == sum(OPERATIONS.values())
    as_theirs = lambda rows: [(comm, pid, "F", at, "LL_MAX", name) if kind in "SF" else (comm, pid, kind, at, n, name)
                              for comm, pid, kind, at, n, name in rows]
    # Theirs has a buffer for each CPU, and may have those of two in another order.
    expected = sorted(row for row in as_theirs(expected) if row[2] in {letters[op] for op in seen})
    assert sorted(keys(rows(theirs_slower), *columns)) == expected
    for result in slower, theirs_slower:
        for op in seen:
            kinds = {letters[op], {"fsync": "S"}.get(op)}
            # It is in what the caller measured; each is cut to two digits of a millisecond at least.
            times = [row["LAT(ms)"] for row in rows(result) if row["T"] in kinds]
            assert len(times) == OPERATIONS[op] and sum(times) <= did[f"{op}_us"] / 1000 + 0.005 * len(times)
    if fsslower:
        ours, theirs = (keys(rows(result), *columns) for result in more)
        assert sorted(as_theirs(ours)) == sorted(theirs) == expected


@alone
@needs("program:/usr/sbin/xfsdist", "program:/usr/sbin/xfsslower", "program:/usr/sbin/fsslower")
def test_xfs():
    same_operations("xfs", OPERATIONS, fsslower=True)


@alone
@needs("program:/usr/sbin/btrfsdist", "program:/usr/sbin/btrfsslower")
def test_btrfs():
    same_operations("btrfs", OPERATIONS)


@alone
@needs("program:/usr/sbin/nfsdist", "program:/usr/sbin/nfsslower")
def test_nfs():
    """Version 4 has an open of its own, nfs4_file_open(), which theirs does not know: it has none. Of version 3 it
    has all."""
    same_operations("nfs", OPERATIONS.keys() - {"open"})
    same_operations("nfs3", OPERATIONS)
