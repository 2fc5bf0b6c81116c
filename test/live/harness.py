"""What live tests are written with: start an applet, do something countable, look at its rows.

A test is a function test_SOMETHING in test_APPLET.py. It runs in a guest as root, in a process of
its own, with plain asserts:

    from harness import *

    def test_failed_only():
        snoop = tool("opensnoop", "-x", json=True)
        did = work("open", 5, "/nonexistent/%d")
        rows = [row for row in snoop.stop().json if row["pid"] == did["pid"]]
        assert len(rows) == did["failed"]
"""

import contextlib
import ctypes
import functools
import json as json_module
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("BCCTOOL_BUILD") or CHECKOUT / "build")
BCCTOOL = Path(os.environ.get("BCCTOOL") or BUILD / "bcctool")
WORK = BUILD / "test" / "work"
KERNEL = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
MACHINE = os.uname().machine
TRACING = Path("/sys/kernel/tracing")
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000

started = []  # all processes of this test, for the report of a failure


# Marks


class Skip(Exception):
    """Raised by a test that this kernel or machine cannot run; the reason is reported."""


def alone(function):
    """The test measures time or needs the machine quiet: nothing else runs meanwhile."""
    function.alone = True
    return function


def timeout(seconds):
    """The test may take that long (60 s without it)."""

    def mark(function):
        function.timeout = seconds
        return function

    return mark


def boot(append):
    """The test runs in a boot of its own, whose kernel command line has that more (6.12 only):
    test/CMakeLists.txt lists them."""

    def mark(function):
        function.boot = append
        return function

    return mark


# What no guest has, and how the applet says so.
NOT_HERE = {
    "zfsdist": "ZFS",
    "zfsslower": "ZFS",
    "cpufreq": "no CPU tells its frequency",
    "llcstat": "no hardware counters (PMU)",
}


def not_here(name, verdict):
    """Whether an applet's verdict, as `check --json` has it, is that a guest has not what it needs."""
    return verdict["verdict"] == "unavailable" and NOT_HERE.get(name, "\0") in verdict["reason"]


def take_out_what_is_not_here(verdicts):
    for name in NOT_HERE:
        one = verdicts.pop(name)
        assert not_here(name, one), one


def load_what_is_traced():
    """Modules without which an applet has nothing to trace. ZFS no guest has."""
    for module in ("ext4", "btrfs", "xfs", "f2fs", "nfs", "nfsv4", "md_mod"):
        load(module)


def needs(*things):
    """Skip where one is lacking: module:NAME tracepoint:SUBSYSTEM:NAME function:NAME program:NAME
    file:PATH kernel:6.12 (or newer) below:6.12 (older) machine:x86_64."""

    def mark(function):
        function.needs = (*getattr(function, "needs", ()), *things)
        return function

    return mark


def for_this_machine(function):
    """What is for another is no test here, rather than one that is skipped."""
    return all(not lacking(thing) for thing in getattr(function, "needs", ()) if thing.startswith("machine:"))


def version(text):
    return tuple(int(part) for part in text.split("."))


def lacking(thing):
    kind, _, name = thing.partition(":")
    if kind == "module":
        return subprocess.run(["/sbin/modprobe", "-q", name], check=False).returncode != 0
    if kind == "tracepoint":
        return not (TRACING / "events" / name.replace(":", "/")).exists()
    if kind == "function":
        with open("/proc/kallsyms", encoding="ascii") as symbols:
            return not any(line.split()[2] == name for line in symbols)
    if kind == "program":
        return shutil.which(name) is None
    if kind == "machine":
        return MACHINE != name
    if kind == "file":
        return not Path(name).exists()
    if kind == "kernel":
        return KERNEL < version(name)
    if kind == "below":
        return KERNEL >= version(name)
    raise ValueError(f"needs: {thing}")


def check_needs(function):
    for thing in getattr(function, "needs", ()):
        if lacking(thing):
            raise Skip(f"no {thing}")


# What differs from machine to machine


class Machine(NamedTuple):
    debian: str  # its name there
    function: str  # what the functions of system calls are called
    caller: str  # a function that leads to all of them
    outermost: str  # the first frame of a system call begins with that
    preempted: str  # a function that one in user space comes through when it has had its turn
    number: str  # the member of struct pt_regs with the system call's number
    second: int  # bytes: the second instruction of a function that has a frame
    behind: int  # an instruction of a function of the kernel behind those that are for ftrace
    data: str  # addresses of the kernel, as a regular expression
    code: str  # those of its functions
    link_register: bool  # it has the return address after a call; nothing but frames is in that of frame pointers
    large_file: int  # the flag that the kernel adds to those of open(2)
    numbers: dict  # of system calls: asm/unistd.h


MACHINES = {
    "x86_64": Machine(
        debian="amd64",
        function="__x64_sys_",
        caller="do_syscall_64",
        outermost="entry_SYSCALL",
        preempted="irqentry_exit_to_user_mode",
        number="orig_ax",
        second=1,  # it begins with a push
        behind=9 if KERNEL >= (6, 2) else 5,  # with endbr64 before ftrace's, or without
        data="ffff[0-9a-f]{12}",
        code="ffffffff[0-9a-f]{8}",
        link_register=False,
        large_file=0o100000,
        numbers=dict(read=0, write=1, open=2, close=3, stat=4, lstat=6, pread64=17, nanosleep=35, accept=43,
                     getppid=110, statfs=137, getpriority=140, sched_getparam=143, newfstatat=262, accept4=288,
                     execveat=322, statx=332),
    ),
    "aarch64": Machine(
        debian="arm64",
        function="__arm64_sys_",
        caller="do_el0_svc",
        outermost="el0t_64_sync",
        preempted="el0_interrupt",
        number="syscallno",
        second=4,
        behind=16,
        data="fff[0-9a-f]{13}",  # of 52 bits
        code="ffff[0-9a-f]{12}",
        link_register=True,
        large_file=0o400000,
        numbers=dict(statfs=43, close=57, read=63, write=64, pread64=67, newfstatat=79, nanosleep=101,
                     sched_getparam=121, getpriority=141, getppid=173, accept=202, accept4=242, execveat=281, statx=291),
    ),
}
THIS_MACHINE = MACHINES[MACHINE]
LIBRARIES = Path(f"/lib/{MACHINE}-linux-gnu")


def syscall_function(name=""):
    """The kernel's function of a system call; a pattern of names makes one of functions."""
    return THIS_MACHINE.function + name


def syscall_number(name):
    return THIS_MACHINE.numbers[name]


@functools.cache
def attaches_to_many():
    """Whether the kernel takes a list of its functions (CONFIG_FPROBE), as 6.12 does, but not on arm64."""
    return not lacking("function:register_fprobe_ips")


def has_syscall(name):
    """Of those that only some machines have: what came later takes their place."""
    return name in THIS_MACHINE.numbers


# Reading what applets print


def value(word):
    """A cell as a number where it is one."""
    if re.fullmatch(r"-?(0|[1-9]\d*)", word):
        return int(word)
    if re.fullmatch(r"-?\d+\.\d+", word):
        return float(word)
    return word


def is_head(line, column=None):
    words = line.split()
    if column:
        return column in words
    shaped = all(re.fullmatch(r"[A-Z%#][\w%/().:#+-]*", word) for word in words)
    return len(words) > 1 and shaped and all(re.search(r"[A-Z%#]", word[:2]) for word in words)


def cells(head, line):
    """One row by the head's columns: words, or what stands below the head where cells are empty."""
    names = head.split()
    words = line.split(None, len(names) - 1)
    if len(words) < len(names):
        starts = [match.start() for match in re.finditer(r"\S+", head)]
        ends = [match.end() for match in re.finditer(r"\S+", head)]
        found = dict.fromkeys(names, "")
        for match in re.finditer(r"\S+", line):
            # A word belongs to the column that it overlaps most, whichever side that is set to.
            overlaps = [
                min(end, match.end()) - max(start, match.start()) for start, end in zip(starts, ends)
            ]
            found[names[overlaps.index(max(overlaps))]] += match.group()
        return {name: value(text) for name, text in found.items()}
    return {name: value(word.rstrip()) for name, word in zip(names, words)}


def tables(text, column=None):
    """All tables of a text: each a list of rows, each a dict by column head."""
    found, head = [], None
    for line in text.splitlines():
        if is_head(line, column):
            head = line
            found.append([])
        elif not line.strip():
            head = head if not found or not found[-1] else None
        elif head and not re.fullmatch(r"\d\d:\d\d:\d\d.*", line.strip()) or head and "TIME" in head:
            found[-1].append(cells(head, line))
    return found


def table(text, column=None):
    """The rows of all tables of a text."""
    return [row for rows in tables(text, column) for row in rows]


def histograms(text):
    """Text histograms by their label ("" without one): {label: {(low, high): count}}."""
    found, label, current = {}, "", None
    for line in text.splitlines():
        row = re.match(r"\s*(\d+)(?:\s*->\s*(\d+))?\s*:\s*(\d+)\s*\|", line)
        if row and current is not None:
            low = int(row.group(1))
            current[(low, int(row.group(2) or low))] = int(row.group(3))
        elif re.match(r".*:\s*count\s+distribution", line):
            current = found.setdefault(label, {})
        else:
            current = None
            label = "" if re.match(r"\s*$|Tracing", line) else line.strip()
    return found


def json_records(text):
    """JSON lines (or one JSON array) as a list."""
    if text.lstrip().startswith("["):
        return json_module.loads(text)
    return [json_module.loads(line) for line in text.splitlines() if line.strip()]


def words(text):
    """`key value key value` as a dict; 1,2,3 as a list of numbers."""
    parts = text.split()
    found = {}
    for key, item in zip(parts[::2], parts[1::2]):
        found[key] = [value(one) for one in item.split(",")] if "," in item else value(item)
    return found


class Result:
    """What a process left behind."""

    def __init__(self, argv, pid, code, out, err):
        self.argv, self.pid, self.code, self.out, self.err = argv, pid, code, out, err

    @functools.cached_property
    def rows(self):
        return table(self.out)

    @functools.cached_property
    def json(self):
        return json_records(self.out)

    @functools.cached_property
    def histograms(self):
        return histograms(self.out)

    @property
    def histogram(self):
        """The only histogram."""
        (only,) = self.histograms.values()
        return only

    @property
    def words(self):
        return words(self.out)

    def of(self, pid):
        """The rows (JSON or table) of one process."""
        rows = self.json if self.out.lstrip()[:1] in "{[" else self.rows
        return [row for row in rows if pid in (row.get("pid"), row.get("PID"))]

    def of_tid(self, tid):
        """The rows of a table that are of one thread."""
        return [row for row in self.rows if row["TID"] == tid]


def alike(one, other):
    """Whether two log2 histograms may be of the same values, by clocks that differ a little.

    Both map (low, high) to counts. A value at the edge of a bucket may be in the next one, so as many
    are from a bucket on up in the one as are from its neighbour on up in the other, at most. The lowest
    bucket is 0 -> 1.
    """

    def above(counts, least):
        return sum(n for (low, _), n in counts.items() if low >= least)

    def at_most(a, b):
        return all(above(a, low) <= above(b, low // 2 if low > 2 else 0) for low, _ in a)

    return sum(one.values()) == sum(other.values()) and at_most(one, other) and at_most(other, one)


# Processes


def enter(netns=None, cgroup=None, cpu=None):
    """For the new process: its own group, and the namespace, cgroup and CPU asked for."""
    os.setpgid(0, 0)
    if cpu is not None:
        os.sched_setaffinity(0, [cpu])
    if cgroup:
        Path(cgroup, "cgroup.procs").write_text("0")
    if netns:
        descriptor = os.open(f"/run/netns/{netns}", os.O_RDONLY)
        if LIBC.setns(descriptor, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(descriptor)


class Process:
    """A running process; what it prints goes to files."""

    def __init__(
        self, argv, env=None, cwd=None, netns=None, cgroup=None, cpu=None, pass_fds=(), stdin=None
    ):
        self.argv = [str(part) for part in argv]
        self.files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
        self.process = subprocess.Popen(
            self.argv,
            stdin=stdin or subprocess.DEVNULL,
            stdout=self.files[0],
            stderr=self.files[1],
            env={**os.environ, **(env or {})},
            cwd=cwd,
            pass_fds=pass_fds,
            preexec_fn=functools.partial(enter, netns, cgroup, cpu),
        )
        self.pid = self.process.pid
        started.append(self)

    def text(self, index):
        file = self.files[index]
        return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")

    @property
    def out(self):
        return self.text(0)

    @property
    def err(self):
        return self.text(1)

    def until(self, pattern, limit=30, stream="out"):
        """Wait until what it printed matches, and give the match."""
        end = time.monotonic() + limit
        while True:
            ended = self.process.poll() is not None
            found = re.search(pattern, getattr(self, stream), re.MULTILINE)
            if found:
                return found
            if ended or time.monotonic() > end:
                why = "ended" if ended else f"printed in {limit} s"
                raise AssertionError(f"{self}: {why} without {pattern!r}")
            time.sleep(0.05)

    def wait(self, limit=30):
        try:
            code = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self}: still running after {limit} s") from None
        return Result(self.argv, self.pid, code, self.out, self.err)

    def stop(self, signal_number=signal.SIGINT, limit=30):
        """Interrupt it as Ctrl-C does, and give what it left."""
        if self.process.poll() is None:
            os.killpg(self.pid, signal_number)
        return self.wait(limit)

    def __str__(self):
        return " ".join(self.argv)


def spawn(argv, **options):
    """Start a process; options: env, cwd, netns, cgroup, cpu."""
    return Process(argv, **options)


def run(argv, check=True, limit=30, **options):
    """Run a process to its end."""
    result = Process(argv, **options).wait(limit)
    if check and result.code:
        raise AssertionError(f"{' '.join(result.argv)}: exit code {result.code}: {result.err}")
    return result


def tool(applet, *args, json=False, live=True, limit=60, by=(), **options):
    """Start an applet and wait until its probes are attached. stop() or wait() gives a Result.

    With live=False do not wait: for what ends by itself before it traces, or wait_until_live() later.
    `by` is a command line that runs it, such as that of nsenter.
    """
    argv = [*by, BCCTOOL, applet, *args, *(["--json"] if json else [])]
    ready, writer = os.pipe()
    options["env"] = {"BCCTOOL_READY_FD": str(writer), **options.get("env", {})}
    process = Process(argv, pass_fds=[writer], **options)
    process.ready = open(ready, "rb", buffering=0)
    os.close(writer)
    if live:
        wait_until_live(process, limit)
    return process


def wait_until_live(process, limit=60):
    with process.ready as ready:
        if not select.select([ready], [], [], limit)[0]:
            raise AssertionError(f"{process}: not live after {limit} s")
        if not ready.read(1):
            code = process.wait().code
            raise AssertionError(f"{process}: ended ({code}) before it was live: {process.err}")


def tool_run(applet, *args, limit=60, json=False, **options):
    """Run an applet to its end by itself."""
    return tool(applet, *args, live=False, json=json, **options).wait(limit)


def work(name, *args, **options):
    """Do a workload of test/live/work (see `build/test/work`); what it said, as a dict."""
    return run([WORK, name, *args], **options).words


class Waiting(Process):
    """A workload whose pid is known and that begins at go()."""

    def __init__(self, argv, **options):
        reader, self.gate = os.pipe()
        super().__init__(argv, stdin=reader, **options)
        os.close(reader)
        self.until(r"^pid \d+")

    def go(self, limit=30):
        """Let it begin; what it said when it has ended, as a dict."""
        self.begin()
        return self.wait(limit).words

    def begin(self):
        os.write(self.gate, b"\n")
        os.close(self.gate)


def waiting_work(name, *args, **options):
    """A workload that waits for go(): for applets that are given its .pid."""
    return Waiting([WORK, "-w", name, *args], **options)


def go_work(goroutines, rounds, cpu=0):
    """The Go program, which is built where there is a compiler, and it waiting for go().

    Probed instructions run in slots of a page that its threads share and the kernel writes anew for
    each: where one emulated CPU runs what another just wrote, the emulator may take the old one. So
    there are several threads, but one CPU.
    """
    path = BUILD / "test" / "work-go"
    if not path.exists():
        raise Skip(f"no file:{path.name}")
    return path, Waiting([path, goroutines, rounds], cpu=cpu, env={"GOMAXPROCS": "4"})


# Surroundings. All are context managers that leave nothing behind.


def write(path, content):
    """Write to a file of sysfs, configfs, cgroupfs."""
    Path(path).write_text(str(content))


def load(module, **parameters):
    """Load a module, or skip the test. Nothing in the guest does it on its own as udev would."""
    settings = [f"{key}={setting}" for key, setting in parameters.items()]
    if subprocess.run(["/sbin/modprobe", "-q", module, *settings], check=False).returncode:
        raise Skip(f"no module:{module}")


def open_files(pid):
    """What the descriptors of a process stand for; those that it closes meanwhile are left out."""
    names = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.append(os.readlink(link))
    return names


def wait_for(what, limit=10):
    """Wait until the function gives something true, and give that."""
    end = time.monotonic() + limit
    while not (found := what()):
        if time.monotonic() > end:
            raise AssertionError(f"nothing after {limit} s")
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def one_cpu():
    """The first CPU alone: while one CPU changes the code that another runs, the emulator may take an
    old instruction for a new one, and tens of thousands of changes are certain to meet that."""
    others = list(Path("/sys/devices/system/cpu").glob("cpu[1-9]*/online"))
    for path in others:
        write(path, 0)
    try:
        yield
    finally:
        for path in others:
            write(path, 1)


@contextlib.contextmanager
def folder():
    """An empty folder on tmpfs."""
    with tempfile.TemporaryDirectory(prefix="live.", ignore_cleanup_errors=True) as path:
        yield Path(path)


@contextlib.contextmanager
def kernel_trace(*events, only=None):
    """The kernel's own trace of events, as block/block_rq_issue, of those that match `only`: a function
    that ends it and gives (time, event, text) of each. Times are of the clock that BPF reads, in s."""
    instance = TRACING / "instances" / f"live{os.getpid()}"
    instance.mkdir()

    def lines():
        write(instance / "tracing_on", 0)
        text = (instance / "trace").read_text(errors="replace")
        found = re.findall(r"^[^#].* (\d+\.\d{6}): (\w+): (.*)$", text, re.MULTILINE)
        return [(float(at), event, rest) for at, event, rest in found]

    try:
        write(instance / "trace_clock", "mono")
        for event in events:
            if only:
                write(instance / "events" / event / "filter", only)
            write(instance / "events" / event / "enable", 1)
        yield lines
    finally:
        write(instance / "events/enable", 0)
        instance.rmdir()


@contextlib.contextmanager
def null_blk(**parameters):
    """A null_blk disk: its /dev path. Parameters as in configfs (completion_nsec, size, ...)."""
    load("null_blk", nr_devices=0)
    configfs = Path("/sys/kernel/config")
    if not os.path.ismount(configfs):
        # Two tests may mount it at once: the second one over the first does no harm.
        run(["mount", "-t", "configfs", "configfs", configfs], check=False)
    name = f"null{os.getpid()}"
    item = configfs / "nullb" / name
    item.mkdir()
    try:
        for key, setting in {"size": 256, "memory_backed": 1, **parameters}.items():
            write(item / key, setting)
        write(item / "power", 1)
        index = (item / "index").read_text().strip()
        yield wait_for(
            lambda: next(filter(os.path.exists, (f"/dev/{name}", f"/dev/nullb{index}")), None)
        )
    finally:
        write(item / "power", 0)
        item.rmdir()


@contextlib.contextmanager
def scsi_debug(**parameters):
    """A scsi_debug disk: its /dev path. There is one at a time: use @alone."""
    load("sd_mod")
    before = set(os.listdir("/sys/block"))
    load("scsi_debug", **parameters)
    try:
        name = wait_for(
            lambda: next((d for d in os.listdir("/sys/block") if d not in before and d[:2] == "sd"), None)
        )
        wait_for(lambda: os.path.exists(f"/dev/{name}"))
        yield f"/dev/{name}"
    finally:
        remove = ["/sbin/modprobe", "-rq", "scsi_debug"]
        wait_for(lambda: not subprocess.run(remove, check=False).returncode)


@contextlib.contextmanager
def loop(megabytes=64):
    """A loop disk over a sparse file on tmpfs: its /dev path."""
    load("loop")
    with folder() as path:
        with open(path / "image", "wb") as image:
            image.truncate(megabytes << 20)
        device = run(["losetup", "-f", "--show", path / "image"]).out.strip()
        try:
            yield device
        finally:
            run(["losetup", "-d", device], check=False)


@contextlib.contextmanager
def filesystem(kind="ext4", megabytes=64, options="", device=None):
    """A mounted, empty file system on a loop disk (or the device given): its folder."""
    if lacking(f"program:mkfs.{kind}"):
        raise Skip(f"no program:mkfs.{kind}")
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(folder())
        device = device or stack.enter_context(loop(megabytes))
        force = {"ext4": ["-q", "-F"], "xfs": ["-q", "-f"], "btrfs": ["-q", "-f"]}.get(kind, [])
        run([f"mkfs.{kind}", *force, device])
        mount_options = ["-o", options] if options else []
        run(["mount", "-t", kind, *mount_options, device, path])
        try:
            yield path
        finally:
            run(["umount", path], check=False)


class Side:
    """One end of a veth pair in a network namespace of its own."""

    def __init__(self, netns, device, v4, v6):
        self.netns, self.device, self.v4, self.v6 = netns, device, v4, v6

    def run(self, argv, **options):
        return run(argv, netns=self.netns, **options)

    def spawn(self, argv, **options):
        return spawn(argv, netns=self.netns, **options)

    def work(self, name, *args, **options):
        return work(name, *args, netns=self.netns, **options)


@contextlib.contextmanager
def network():
    """Two network namespaces joined by veth: (client, server), each a Side."""
    load("veth")
    tag = os.getpid()
    net = tag % 250 + 1
    sides = [
        Side(f"{role}{tag}", "veth0", f"10.9.{net}.{host}", f"fd09:{net:x}::{host}")
        for host, role in ((1, "client"), (2, "server"))
    ]
    try:
        for side in sides:
            run(["ip", "netns", "add", side.netns])
        run(
            ["ip", "link", "add", "veth0", "netns", sides[0].netns, "type", "veth"]
            + ["peer", "name", "veth0", "netns", sides[1].netns]
        )
        for side in sides:
            side.run(["ip", "-batch", "/dev/stdin"], stdin=text_file(
                "link set lo up\n"
                f"addr add {side.v4}/24 dev veth0\n"
                f"addr add {side.v6}/64 dev veth0 nodad\n"
                "link set veth0 up\n"
            ))
        yield tuple(sides)
    finally:
        for side in sides:
            run(["ip", "netns", "del", side.netns], check=False)


def text_file(text):
    file = tempfile.TemporaryFile("w+")
    file.write(text)
    file.seek(0)
    return file


@contextlib.contextmanager
def cgroup(**limits):
    """A cgroup of version 2: its folder; give it to run(), spawn(), tool() as cgroup=. Limits are
    its files with _ for the dot, as memory_max="20M"; their controllers are enabled for it."""
    top = Path("/sys/fs/cgroup")
    for controller in {key.partition("_")[0] for key in limits}:
        write(top / "cgroup.subtree_control", f"+{controller}")
    path = top / f"live{os.getpid()}.{time.monotonic_ns()}"
    path.mkdir()
    try:
        for key, limit in limits.items():
            write(path / key.replace("_", ".", 1), limit)
        yield path
    finally:
        write(path / "cgroup.kill", 1)
        wait_for(lambda: not (path / "cgroup.procs").read_text())
        path.rmdir()


def in_pid_namespace(argv):
    """The command line that runs another in a new pid namespace (as its pid 1) with its own /proc."""
    return ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *argv]
