"""Every applet sees the workload that it is for: the breadth that arm64 is given.

A workload is a generator. It makes its surroundings and yields what the applets' arguments name;
with all applets of its table attached it goes on, does its work, and yields the processes that did
it. Then the applets are ended by Ctrl-C, and each has to have a row of that: of one of the
processes, or what its place in the table says.
"""

import socket
from typing import Callable, NamedTuple

import test_bashreadline
import test_cachestat
import test_cpufreq
import test_drsnoop
import test_gethostlatency
import test_javagc
import test_mdflush
import test_numamove
import test_sslsniff
import test_threadsnoop
from connection import *
from fsops import mounted, operations
from harness import *
from libc import Libc

# What can show nothing there, and why (harness.py has what they say).
NOTHING_TO_SEE = {
    "zfsdist": "Debian's kernel has no ZFS",
    "zfsslower": "Debian's kernel has no ZFS",
}


# What a row has to be


def of_process(row, pids, places):
    return not pids.isdisjoint({row.get(key) for key in ("pid", "tid", "t_pid", "killed_pid")})


def has(**wanted):
    """Fields by their text, in which places have their values."""

    def check(row, pids, places):
        return all(str(row.get(key)) == value.format(**places) for key, value in wanted.items())

    return check


def some(key="count"):
    """A number that is not 0: of applets that are given the process, or the only thing they look at."""
    return lambda row, pids, places: row.get(key, 0) > 0


def within(key, text):
    return lambda row, pids, places: text in row.get(key, ())


class Of(NamedTuple):
    arguments: str = ""
    row: Callable = of_process
    by: tuple = ()
    code: int = 0


# Workloads


def reads():
    """A file that is written, synced and read."""
    with folder() as path:
        mine = waiting_work("rw", path / "file", 4096, 30, 3, 2)
        yield {"PID": mine.pid}
        mine.go()
        yield {mine.pid}


def calls():
    """What a process asks the kernel for: names, files that come and go, programs, signals, mounts."""
    yield {"PID": os.getpid()}
    with folder() as path:
        (path / "one").touch()
        (path / "one").rename(path / "two")
        (path / "two").unlink()
        assert not (path / "none").exists()
        run(["mount", "-t", "tmpfs", "none", path])
        assert LIBC.umount2(os.fsencode(path), 0) == 0
        os.chroot("/")
        child = spawn(["sleep", "100"])
        os.kill(child.pid, signal.SIGTERM)
        child.wait()
        yield {os.getpid(), child.pid}


def files_of(kind):
    def files():
        with mounted(kind) as path:
            mine = operations(path / "f")
            yield {"PID": mine.pid}
            mine.go()
            yield {mine.pid}

    files.__name__ = kind
    return files


def page_cache():
    with test_cachestat.cached_file() as file, cgroup() as group:
        mine = waiting_work("cache", file, "read", 512, cgroup=group)
        yield {"PID": mine.pid, "CGROUP": group}
        mine.go()
        yield {mine.pid}


def disk():
    with null_blk(irqmode=2, completion_nsec=1_000_000) as path:
        mine = waiting_work("disk", path, 20, 4096, "r")
        yield {"PID": mine.pid, "DISK": os.path.basename(path)}
        mine.go()
        yield {mine.pid}


def raid():
    with loop() as one, loop() as two, test_mdflush.array(one, two) as path:
        yield {}
        yield {run(["/usr/bin/python3", "-c", test_mdflush.FLUSHES, path]).pid}


def connections():
    with listen("127.0.0.1", backlog=77) as listener:
        yield {"PID": os.getpid(), "PORT": port_of(listener)}
        here = connect("127.0.0.1", port_of(listener))
        there, _ = listener.accept()
        here.send(b"question"), there.recv(100), there.send(b"answer"), here.recv(100)
        here.close(), there.close()
        listen("127.0.0.1").close()
        yield {os.getpid()}


def losses():
    """Packets that are lost, and some for which there is nobody."""
    load("sch_netem")
    with network() as (client, server):
        here, there = pair(server.v4, client, server)
        yield {"HERE": client.v4, "THERE": server.v4}
        netem(client, "loss", "100%")
        here.send(b"lost")
        wait_for(lambda: tcp_info(here)["ca_state"] == 4, limit=30)  # TCP_CA_Loss
        netem(client)
        assert there.recv(4, socket.MSG_WAITALL) == b"lost"
        assert client.work("tcp_client", server.v4, 9, 1, 3)["errno"] == 111
        here.close(), there.close()
        yield set()


def scheduling():
    """Two that want one CPU, one that waits for another, and locks that are waited for."""
    with null_blk(irqmode=2, completion_nsec=40_000_000) as path:
        bursts = [waiting_work("burst", 40, 10_000, 0, 1) for _ in range(2)]
        wake = waiting_work("wake", 20, 2000)
        mutex = waiting_work("mutex", 5, 20_000)
        pipe = waiting_work("pipelock", path, 5)
        yield {"BURST": bursts[0].pid, "WAKE": wake.pid, "MUTEX": mutex.pid, "PIPE": pipe.pid}
        everyone = [*bursts, wake, mutex, pipe]
        for one in everyone:
            one.begin()
        for one in everyone:
            one.wait()
        yield {one.pid for one in everyone}


def memory():
    os.environ["BCCTOOL_LLC"] = "software"  # llcstat: counters that a guest has
    with folder() as path:
        heap, touch = waiting_work("heap", 10, 4096), waiting_work("touch", 300)
        objects = waiting_work("objects", path, 20)
        yield {"HEAP": heap.pid, "TOUCH": touch.pid, "OBJECTS": objects.pid}
        for one in heap, touch, objects:
            one.go()
        yield {heap.pid, touch.pid, objects.pid}


def killed():
    with cgroup(memory_max="24M") as group:
        yield {}
        hog = spawn([WORK, "hog", "64"], cgroup=group)
        assert hog.wait().code == -signal.SIGKILL
        yield {hog.pid}


def reclaims():
    with test_cachestat.cached_file() as file, test_drsnoop.little_memory() as pool:
        work("cache", file, "read", 2048)
        yield {}
        more = text_file(f"{int(pool.read_text()) + 4096}\n")
        yield {run(["dd", "if=/dev/stdin", f"of={pool}", "status=none"], stdin=more).pid}


def nodes():
    with test_numamove.balancing():
        yield {}
        before = test_numamove.migrated()
        work("numa", 16, 6)
        assert test_numamove.migrated() > before
        yield set()


def interrupts():
    mine = waiting_work("membarrier", 20)
    yield {"PID": mine.pid}
    mine.go()
    for _ in range(20):
        here, there = pair("127.0.0.1")
        here.close(), there.close()
    yield {mine.pid}


def libraries():
    """Functions of libc, of TLS, of bash, and new threads."""
    run(["ldconfig"])  # nobody has configured the packages of this root
    with folder() as path:
        # The server first: it would keep the ends of the others' pipes.
        child, port = test_sslsniff.serve(test_sslsniff.certificate(path), b"answer")
        program, circle = Libc(), Libc()
        looked_up = test_gethostlatency.look_up("getaddrinfo:127.0.0.1")
        threads, tell = test_threadsnoop.threads()
        yield {"LIBC": program.pid, "CIRCLE": circle.pid}
        program.do("leak 2", "sizes", "locks 3")
        circle.do("order 3")
        looked_up.go()
        tell()
        threads.until("^done")
        assert test_sslsniff.ask(port, test_sslsniff.SECRET) == b"answer"
        os.waitpid(child, 0)
        bash = test_bashreadline.typed(["echo one"])
        yield {program.pid, circle.pid, looked_up.pid, threads.pid, child, bash}


def java():
    machine = test_javagc.Java()
    yield {"PID": machine.pid}
    machine.collect()
    yield {machine.pid}
    machine.stop(signal.SIGKILL)


def frequencies():
    yield {}
    work("spin", 500)
    yield set()


# The applets, by workload

FUNCTION = has(func="vfs_read")
DRIVER = ("unshare", "--mount", "sh", "-c", f'{test_cpufreq.DRIVER}; exec "$0" "$@"')

TABLE = {
    reads: {
        "argdist": Of("-p {PID} -C p::vfs_read()", some()),
        "fileslower": Of("0 -p {PID}"),
        "filetop": Of("-p {PID} 3600"),
        "funccount": Of("-p {PID} vfs_read", FUNCTION),
        "funcinterval": Of("-p {PID} vfs_read", some()),
        "funclatency": Of("-p {PID} vfs_read", some()),
        "funcslower": Of("-u 0 -p {PID} vfs_read"),
        "ioprofile": Of("{PID}"),
        "ksnoop": Of("-p {PID} trace vfs_read"),
        "opensnoop": Of(),
        "stackcount": Of("-p {PID} vfs_read", some()),
        "syncsnoop": Of(),
        "syscount": Of("-p {PID}", has(syscall="pread64")),
        "trace": Of("-p {PID} vfs_read"),
        "vfscount": Of("", FUNCTION),
        "vfsstat": Of("-p {PID} 3600", some("reads")),
    },
    calls: {
        "capable": Of("-p {PID}"),
        "dcsnoop": Of("-p {PID}"),
        "dcstat": Of("-p {PID} 3600", some("refs")),
        "execsnoop": Of(),
        "exitsnoop": Of(),
        "filegone": Of(),
        "filelife": Of(),
        "killsnoop": Of(),
        "mountsnoop": Of(),
        "pidpersec": Of("", some("tasks")),
        "sigsnoop": Of(),
        "statsnoop": Of(),
    },
    files_of("ext4"): {
        "ext4dist": Of("-p {PID}", has(operation="write")),
        "ext4slower": Of("0 -p {PID}"),
        "fsdist": Of("-t ext4 -p {PID}", has(operation="write")),
        "fsslower": Of("-t ext4 -m 0 -p {PID}"),
    },
    **{
        files_of(kind): {
            f"{kind}dist": Of("-p {PID}", has(operation="write")),
            f"{kind}slower": Of("0 -p {PID}"),
        }
        for kind in ("xfs", "btrfs", "f2fs", "nfs")
    },
    page_cache: {
        "cachestat": Of("--cgroup {CGROUP} 3600", some("misses")),
        "cachetop": Of("-p {PID} 3600"),
        "readahead": Of("--cgroup {CGROUP}", some("pages")),
    },
    disk: {
        "biolatency": Of("-d {DISK}", some()),
        "biopattern": Of("-d {DISK}", has(disk="{DISK}")),
        "biosnoop": Of("-d {DISK}"),
        "biostacks": Of("-d {DISK}"),
        "biotop": Of("-d {DISK} 3600"),
        "bitesize": Of("--pid {PID}", has(comm="work")),
    },
    raid: {"mdflush": Of()},
    connections: {
        "bindsnoop": Of(),
        "solisten": Of(),
        "tcpaccept": Of(),
        "tcpconnect": Of(),
        "tcpconnlat": Of(),
        "tcplife": Of(),
        "tcppktlat": Of(),
        "tcprtt": Of("-p {PORT}", some()),
        "tcpstates": Of(),
        "tcpsubnet": Of("-p {PID} 127.0.0.0/8", within("entries", "127.0.0.0/8")),
        "tcpsynbl": Of("", has(backlog_max="77")),
        "tcptop": Of("3600"),
        "tcptracer": Of(),
    },
    losses: {
        "skbdrop": Of("", has(reason="NO_SOCKET")),
        "tcpcong": Of("", has(laddr="{HERE}", raddr="{THERE}")),
        "tcpdrop": Of("", has(daddr="{THERE}", dport="9")),
        "tcpretrans": Of("", has(laddr="{HERE}", raddr="{THERE}")),
    },
    scheduling: {
        "cpudist": Of("-p {BURST}", some()),
        "futexctn": Of("-p {MUTEX}"),
        "klockstat": Of("-p {PIPE}", within("kernel", "pipe_write")),
        "mheld": Of("-p {PIPE}", has(comm="work")),
        "mlock": Of("-p {PIPE}", has(comm="work")),
        "offcpuhist": Of("{WAKE}"),
        "offcputime": Of("-p {WAKE}"),
        "offwaketime": Of("-p {WAKE}"),
        "profile": Of("-p {BURST}"),
        "runqlat": Of("-p {BURST}", some()),
        "runqlen": Of("-C", has(cpu="1")),
        "runqslower": Of("0 -p {BURST}"),
        "wakeuptime": Of("-p {WAKE}"),
    },
    memory: {
        "brkstack": Of("-p {HEAP}"),
        "faults": Of("-p {TOUCH}"),
        "kmem": Of("-p {OBJECTS}", has(comm="work")),
        "kpages": Of("-p {TOUCH}", has(comm="work")),
        "llcstat": Of("-c 1 3600"),
        "slabratetop": Of("-p {OBJECTS} 3600", some("allocs")),
    },
    killed: {"oomkill": Of()},
    reclaims: {"drsnoop": Of()},
    nodes: {"numamove": Of("3600", some("migrations"))},
    interrupts: {
        "hardirqs": Of("", has(hardirq="arch_timer")),
        "smpcalls": Of("-p {PID}", has(function="ipi_mb")),
        "softirqs": Of("", has(softirq="net_rx")),
        "softirqslower": Of("0", has(softirq="net_rx")),
    },
    libraries: {
        "bashreadline": Of(),
        "cobjnew": Of("{LIBC}", has(size="100")),
        "deadlock": Of("{CIRCLE}", code=1),
        "gethostlatency": Of(),
        "memleak": Of("-p {LIBC} -o 0 -T 1000"),
        "pmheld": Of("-p {LIBC}"),
        "pmlock": Of("-p {LIBC}"),
        "sslsniff": Of(),
        "threadsnoop": Of(),
    },
    java: {"javagc": Of("{PID}")},
    frequencies: {"cpufreq": Of("", has(comm="work"), by=DRIVER)},
}
ALONE = (reclaims, nodes)


# Their tests


def show(workload, applets):
    surroundings = workload()
    places = next(surroundings)
    tracers = {
        name: tool(name, *case.arguments.format(**places).split(), json=True, live=False, by=case.by)
        for name, case in applets.items()
    }
    wrong = {}
    for name, tracer in list(tracers.items()):
        try:
            wait_until_live(tracer, 200)
        except AssertionError as error:
            wrong[name] = str(error)[-200:]
            del tracers[name]
    pids = next(surroundings)
    time.sleep(0.5)
    for tracer in tracers.values():
        if tracer.process.poll() is None:
            os.killpg(tracer.pid, signal.SIGINT)
    for name, tracer in tracers.items():
        result = tracer.wait(100)
        rows = [row for row in result.json if "lost" not in row]
        seen = [row for row in rows if applets[name].row(row, pids, places)]
        if result.code != applets[name].code or not seen:
            wrong[name] = f"code {result.code}, {len(rows)} rows, {len(seen)} seen, {result.err[:300]}"
    for _ in surroundings:
        pass
    assert not wrong, (pids, places)


def made(workload, applets):
    @timeout(400)
    @needs("machine:aarch64")
    def test():
        show(workload, applets)

    test.covers = list(applets)
    return alone(test) if workload in ALONE else test


for workload, applets in TABLE.items():
    globals()[f"test_{workload.__name__}"] = made(workload, applets)


@timeout(200)
@needs("machine:aarch64")
def test_lists():
    """tplist traces nothing."""
    assert "sched:sched_switch" in tool_run("tplist", "sched:*").out.split()


@timeout(200)
@needs("machine:aarch64")
def test_nothing_to_see():
    for name in NOTHING_TO_SEE:
        (said,) = run([BCCTOOL, "check", "--json", name], check=False, limit=100).json
        assert not_here(name, said), said


@needs("machine:aarch64")
def test_table_is_whole():
    shown = [name for applets in TABLE.values() for name in applets]
    every = run([BCCTOOL, "--names"]).out.split()
    assert sorted([*shown, "tplist", *NOTHING_TO_SEE]) == sorted(every)
