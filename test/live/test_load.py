"""Six tracers at once while both CPUs have more to do than they can: what each has seen and what it
says it lost are all that happened, it keeps to the memory it began with, the kernel has nothing to
complain of, and nothing stays behind of tracers that are killed.

Each workload is in a control group of its own, and began to wait there before the tracers came: so
all that its tracer can see is what it counts itself.
"""

from harness import *

SECONDS = 60
WARM = 15  # buffers have been filled by then
SPARE = 64  # KB: of a heap that had to grow once more
BLOCKS = 65536  # of the disk

# The emulator stops its CPUs, or is itself stopped, for seconds: that the kernel may notice.
COMPLAINTS = re.compile(r"WARNING:|BUG:(?! soft lockup)|Oops|general protection|list_(add|del) corruption")


def loads(seconds, groups, disk):
    """The workloads, by the tracer that each is for; waiting."""
    what = {
        "opensnoop": ["load_open", seconds, "/nonexistent/%ld"],
        "execsnoop": ["load_exec", seconds, WORK],
        "biosnoop": ["load_disk", seconds, disk, BLOCKS],
        "tcplife": ["load_tcp", seconds],
        "syscount": ["load_call", seconds],
        "runqslower": ["load_burn", seconds],
    }
    return {name: waiting_work(*args, cgroup=groups[name]) for name, args in what.items()}


def tracers(groups, disk):
    """Where there is one, of the control group; biosnoop of the disk, for which nobody else has use."""
    more = {"biosnoop": ["-d", os.path.basename(disk)], "runqslower": ["0"], "syscount": ["--syscall", "getppid"]}
    which = lambda name: [] if name == "biosnoop" else ["--cgroup", groups[name]]
    return {name: tool(name, *more.get(name, []), *which(name), json=True) for name in groups}


def anonymous(process):
    """KB of memory that is the process's own; the buffers it shares with the kernel are not."""
    return int(re.search(r"^RssAnon:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text(), re.M).group(1))


def idle():
    """Seconds that the CPUs had nothing to do, all together."""
    user, nice, system, idle_, iowait, *_ = map(int, Path("/proc/stat").read_text().split()[1:9])
    fields = Path("/proc/stat").read_text().split(None, 6)
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


def attached():
    found = set()
    for kind in "prog", "link", "map":
        found |= {(kind, one["id"]) for one in json_module.loads(run(["bpftool", "-j", kind, "list"]).out)}
    return found


def kernel_says(log):
    """What came since the log was opened."""
    said = []
    with contextlib.suppress(BlockingIOError):
        while True:
            said.append(os.read(log, 8192).decode(errors="replace"))
    return [line for line in said if COMPLAINTS.search(line)]


def seen(name, out):
    """How many of what is counted; without reading the whole of it as JSON."""
    if name == "syscount":
        return sum(row["count"] for row in json_records(out) if row.get("syscall") == "getppid")
    key = {"opensnoop": '"path":"/nonexistent/', "execsnoop": '"storm"', "biosnoop": '"sector":',
           "tcplife": '"lport":', "runqslower": '"prev_tid":'}[name]
    return out.count(key)


def slices(process):
    """How often the kernel gave it a CPU (Documentation/scheduler/sched-stats.rst), also if it is dead."""
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[2])


def happened(name, process, before):
    """How much was done, when it has been; of a connection each end is told."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    times = slices(process) - before
    words_ = process.wait().words
    return {"runqslower": times, "tcplife": 2 * words_.get("count", 0)}.get(name, words_.get("count"))


@alone
@timeout(SECONDS + 180)
@needs("program:bpftool")
def test_load():
    with contextlib.ExitStack() as stack:
        log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(log, 0, os.SEEK_END)
        disk = stack.enter_context(null_blk(size=BLOCKS * 4096 >> 20))
        names = ("opensnoop", "execsnoop", "biosnoop", "tcplife", "syscount", "runqslower")
        groups = {name: stack.enter_context(cgroup()) for name in names}
        before = attached()

        works, traced = loads(SECONDS, groups, disk), tracers(groups, disk)
        before_it = {name: slices(one) for name, one in works.items()}
        began, at_rest = time.monotonic(), idle()
        for one in works.values():
            one.begin()
        time.sleep(WARM)
        warm = {name: anonymous(one) for name, one in traced.items()}
        time.sleep(began + SECONDS - 1 - time.monotonic())
        free = (idle() - at_rest) / (os.cpu_count() * (time.monotonic() - began))
        at_end = {name: anonymous(one) for name, one in traced.items()}
        did = {name: happened(name, one, before_it[name]) for name, one in works.items()}
        results = {name: one.stop(limit=90) for name, one in traced.items()}
        assert attached() <= before

        told = {}
        for name, result in results.items():
            lost = json_module.loads(result.out.rstrip("\n").rpartition("\n")[2])["lost"]
            told[name] = (seen(name, result.out), sum(lost.values()), did[name])
        for name, (saw, missed, all_of_it) in told.items():
            assert saw + missed == all_of_it, (name, told)
            assert saw > 0 and results[name].code == 0, (name, results[name].err)
            assert at_end[name] <= warm[name] + SPARE, (name, warm[name], at_end[name])
        assert free < 0.05, free

        # Killed in the midst of it.
        works, traced = loads(3, groups, disk), tracers(groups, disk)
        for one in works.values():
            one.begin()
        time.sleep(1)
        assert len(attached()) > len(before)
        for one in traced.values():
            os.kill(one.pid, signal.SIGKILL)
        for one in works.values():
            one.wait()
        wait_for(lambda: attached() <= before, 30)
        assert not (TRACING / "kprobe_events").read_text() and not (TRACING / "uprobe_events").read_text()
        complaints = kernel_says(log)
        assert not complaints, complaints
