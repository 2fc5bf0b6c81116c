"""Debian's libbpf-tools beside ours, over the same workload: those that no test of their applet compares.

Not here, as what they show depends on the moment: runqslower, wakeuptime, klockstat, drsnoop.
"""

from connection import *
from harness import *
from test_capable import DAEMON
from test_gethostlatency import look_up
from test_mdflush import FLUSHES, array
from test_mountsnoop import MS, mount
from test_numamove import migrated
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


def test_that_do_not_run():
    """What they say on these kernels; there is nothing to compare."""
    everywhere = {"biosnoop": "failed to load BPF object", "biotop": "failed to load attach blk_account_io_start",
                  "readahead": "failed to set attach target for do_page_cache_ra", "biostacks": "failed to",
                  "cachestat": "failed to load BPF object", "cpufreq": "failed to init freqs",
                  "llcstat": "failed to init perf sampling"}
    newer = {"bindsnoop": "failed to load BPF object", "numamove": "failed to open and/or load BPF object"}
    for name, text in {**everywhere, **({} if lacking("kernel:6.3") else newer)}.items():
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
