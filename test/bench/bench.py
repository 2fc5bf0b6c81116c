"""The bench: bcctool and its peers over the same workloads, in one guest, as ratios.

A program is live when one of its BPF programs has run, by the kernel's own count: the same question
for every tool. Cost per event is the kernel's too (kernel.bpf_stats_enabled: run_time_ns / run_cnt).
"""

import argparse
import contextlib
import ctypes
import os
import platform
import re
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
BCCTOOL = str(BUILD / "bcctool")
WORK = str(BUILD / "test" / "work")
TODAY = time.strftime("%F")
LIBC = ctypes.CDLL(None, use_errno=True)

# bpf(2): commands and the head of struct bpf_prog_info, include/uapi/linux/bpf.h.
SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD = 11, 13, 15
INFO_SIZE, NAME_AT, RUN_TIME_AT = 232, 64, 192


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    result = LIBC.syscall(SYS_BPF, command, buffer, len(buffer))
    return result, buffer


def programs():
    """The BPF programs of the moment: {id: (name, nanoseconds run, times run)}."""
    found, last = {}, 0
    while True:
        result, buffer = bpf(BPF_PROG_GET_NEXT_ID, struct.pack("II", last, 0))
        if result:
            return found
        last = struct.unpack_from("I", buffer, 4)[0]
        descriptor, _ = bpf(BPF_PROG_GET_FD_BY_ID, struct.pack("I", last))
        if descriptor < 0:
            continue
        info = ctypes.create_string_buffer(INFO_SIZE)
        bpf(BPF_OBJ_GET_INFO_BY_FD, struct.pack("IIQ", descriptor, INFO_SIZE, ctypes.addressof(info)))
        os.close(descriptor)
        name = info.raw[NAME_AT : NAME_AT + 16].split(b"\0")[0].decode()
        found[last] = (name, *struct.unpack_from("QQ", info.raw, RUN_TIME_AT))


def descendants(pid):
    pids = [pid]
    for one in pids:
        with contextlib.suppress(OSError):
            pids += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
    return pids


def peak_kb(pid):
    """Peak resident memory of a process and its children, VmHWM of proc(5)."""
    total = 0
    for one in descendants(pid):
        with contextlib.suppress(OSError, TypeError):  # gone, or a zombie without memory
            total += int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{one}/status").read_text())[1])
    return total


class Tool:
    """A tracer that runs; `live` is the time from exec to its first BPF program's first run."""

    def __init__(self, argv, out=subprocess.DEVNULL, limit=600, traced=None):
        self.before = set(programs())
        self.err = tempfile.TemporaryFile()
        began = time.monotonic()
        self.process = subprocess.Popen(argv, stdout=out, stderr=self.err, stdin=subprocess.DEVNULL,
                                        start_new_session=True)
        while not any(runs for _, _, runs in self.programs().values()):
            if self.process.poll() is not None or time.monotonic() - began > limit:
                self.stop()
                raise RuntimeError(f"{' '.join(argv)}: not live: {self.errors()[-300:]}")
            if traced:  # a workload that is seen as soon as it is live
                with load(*traced):
                    time.sleep(0.5)
            time.sleep(0.005)
        self.live = time.monotonic() - began

    def programs(self):
        return {i: p for i, p in programs().items() if i not in self.before}

    def errors(self):
        self.err.seek(0)
        return self.err.read().decode(errors="replace")

    def stop(self, limit=200):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(limit)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        end = time.monotonic() + 30
        while set(programs()) - self.before and time.monotonic() < end:
            time.sleep(0.1)


def lay_out_headers():
    """BCC wants the kernel's headers below its modules, which are read-only here."""
    release = platform.release()
    modules, layer = f"/lib/modules/{release}", Path("/run/bench-modules")
    headers = f"/usr/src/linux-headers-{release}"
    layer.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", layer], check=True)
    (layer / "upper").mkdir()
    (layer / "work").mkdir()
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                    f"lowerdir={modules},upperdir={layer}/upper,workdir={layer}/work", modules], check=True)
    for name, target in (("build", headers), ("source", headers.removesuffix("-amd64") + "-common")):
        if not os.path.exists(f"{modules}/{name}"):
            os.symlink(target, f"{modules}/{name}")


@contextlib.contextmanager
def load(*argv):
    """A workload that goes on until it is killed."""
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()



def gentle(pause=0.005):
    """Something to see, every so many seconds."""
    return ["sh", "-c", f"while :; do {WORK} open 2 /nonexistent/%d >/dev/null; "
            f"dd if=/dev/nullb0 of=/dev/null bs=4k count=2 iflag=direct 2>/dev/null; sleep {pause}; done"]


SIGHTS = {"tcp": f"{WORK} tcp 127.0.0.1 1", "bi": f"{WORK} disk /dev/nullb0 2 4096 r", "kill": "kill -0 $$", "sig": "kill -CONT $$",
          "mount": "mount -t tmpfs none /mnt; umount /mnt",
          "filelife": "echo >/tmp/glimpse; rm /tmp/glimpse", "": f"{WORK} open 2 /nonexistent/%d"}


def glimpse(applet):
    """As little as possible of what an applet sees, again and again."""
    sight = next(sight for prefix, sight in SIGHTS.items() if applet.startswith(prefix))
    return ["sh", "-c", f"while :; do {sight} >/dev/null; sleep 0.005; done"]


PEERS = {
    "bcctool": lambda applet: [BCCTOOL, applet],
    "libbpf-tools": lambda applet: [f"/usr/sbin/{applet}"],
    "bpftrace": lambda applet: ["/usr/sbin/" + applet + ".bt"],
    "BCC": lambda applet: [f"/usr/sbin/{applet}-bpfcc"],
}


STARTED = ("opensnoop", "runqlat", "biolatency")


def starting(applet, rounds, lines):
    if applet == STARTED[0]:
        lines += ["", "**Start and memory.** Time from exec to the first probe that fires, peak resident memory; \"not live\": "
                  "it ended before that (biolatency.bt wants functions that 6.12 does not have); "
                  f"medians of {rounds}, {TODAY}.", "", "| tool | | bcctool | libbpf-tools | bpftrace | BCC |",
                  "|---|---|---|---|---|---|"]
    measured = {peer: [] for peer in PEERS}
    # By turns: what else the machine does meanwhile meets all alike. The slow ones have theirs later.
    fails = set()
    for peer in [*["bcctool", "libbpf-tools"] * rounds, *["bpftrace", "BCC"] * rounds]:
        if peer in fails or peer not in PEERS:
            continue
        try:
            # Half a second is little to who takes ten, and leaves it the CPU.
            with load(*gentle(0.5 if peer in ("bpftrace", "BCC") else 0.005)):
                tool = Tool(PEERS[peer](applet))
                time.sleep(0.5)
                measured[peer].append((tool.live, peak_kb(tool.process.pid)))
                tool.stop()
        except RuntimeError as error:
            print(error, file=sys.stderr, flush=True)
            fails.add(peer)
        if len(measured[peer]) == rounds:
            print(applet, peer, measured[peer], flush=True)
    times = {peer: statistics.median(live for live, _ in m) for peer, m in measured.items() if m}
    peaks = {peer: statistics.median(peak for _, peak in m) for peer, m in measured.items() if m}
    cell = lambda of, peer, form: (f"{form(of[peer])} ({of[peer] / of['bcctool']:.1f}x)"
                                   if peer in of else "not live")
    if "bcctool" not in times:
        print(applet, times, peaks)
        return
    lines.append(f"| {applet} | start | " + " | ".join(
        [f"{times['bcctool']:.2f} s"] + [cell(times, p, lambda v: f"{v:.2f} s")
                                        for p in list(PEERS)[1:]]) + " |")
    lines.append("| | memory | " + " | ".join(
        [f"{peaks['bcctool'] / 1024:.1f} MB"] + [cell(peaks, p, lambda v: f"{v / 1024:.1f} MB")
                                                 for p in list(PEERS)[1:]]) + " |")


def per_call(*argv):
    """Nanoseconds a call of a workload that says its own `ns` or is timed as a whole."""
    began = time.monotonic_ns()
    said = subprocess.run([WORK, *argv], check=True, capture_output=True, text=True).stdout.split()
    spent = time.monotonic_ns() - began
    if "us" in said:
        spent = int(said[said.index("us") + 1]) * 1000
    return spent / int(argv[1])


def program_cost(tool, before):
    """What a tool's programs cost per event: the sum over them of time, by the most frequent's runs."""
    after = tool.programs()
    ran = {i: (after[i][0], after[i][1] - before.get(i, (0, 0, 0))[1], after[i][2] - before.get(i, (0, 0, 0))[2])
           for i in after}
    events = max((n for _, _, n in ran.values()), default=0)
    each = ", ".join(f"{name} {spent / n:.0f}" for name, spent, n in ran.values() if n > events / 10)
    return sum(spent for _, spent, _ in ran.values()) / max(events, 1), each


COSTS = [
    ("opensnoop", [], ["open", "20000", "/nonexistent/%d"], "an open that fails"),
    ("syscount", [], ["syscalls", "200000"], "a getppid"),
    ("syscount", ["-L"], ["syscalls", "200000"], "a getppid"),
]


def costs(rounds, lines):
    lines += ["", "**Cost of an event.** In the kernel by its own count (all programs of the tool, ns a run of the "
              f"busiest), and a tight loop, ns a call more than without a tool; medians of {rounds}, {TODAY}.", "",
              "| | without | bcctool | libbpf-tools | ratio (kernel, loop) |", "|---|---|---|---|---|"]
    for applet, options, workload, what in COSTS:
        if applet not in subprocess.run([BCCTOOL, "--names"], capture_output=True, text=True).stdout.split():
            continue
        kernel, loop, plain, parts = {}, {}, [], {}
        for _ in range(rounds):
            plain.append(per_call(*workload))
            for peer in ("bcctool", "libbpf-tools"):
                with open("/tmp/sink", "w") as sink:
                    with load(*gentle()):
                        tool = Tool(PEERS[peer](applet) + options, out=sink)
                    time.sleep(0.5)
                    before = tool.programs()
                    loop.setdefault(peer, []).append(per_call(*workload))
                    cost, parts[peer] = program_cost(tool, before)
                    kernel.setdefault(peer, []).append(cost)
                    tool.stop()
        plain = statistics.median(plain)
        kernel = {peer: statistics.median(each) for peer, each in kernel.items()}
        loop = {peer: statistics.median(each) - plain for peer, each in loop.items()}
        ours, theirs = "bcctool", "libbpf-tools"
        lines.append(f"| {applet} {' '.join(options)}: {what} | {plain:.0f} | "
                     f"{kernel[ours]:.0f} / {loop[ours]:.0f} | {kernel[theirs]:.0f} / {loop[theirs]:.0f} | "
                     f"{kernel[ours] / kernel[theirs]:.2f}, {loop[ours] / loop[theirs]:.2f} |")
        print(applet, options, kernel, loop, parts, flush=True)


def own_time(pid):
    """Nanoseconds on a CPU of a process, all threads: the first field of /proc/PID/schedstat, proc(5)."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def disk(n):
    return [WORK, "disk", "/dev/nullb0", str(n), "4096", "r"]


# Applet, options, a workload of so many events; each a kind that libbpf-tools has too.
BREADTH = [
    ("opensnoop", [], [WORK, "open", "5000", "/nonexistent/%d"], 5000),
    ("execsnoop", [], [WORK, "exec_storm", WORK, "200", "1"], 200),
    ("exitsnoop", [], [WORK, "fork", "200"], 200),
    ("killsnoop", [], ["sh", "-c", "for i in $(seq 300); do kill -0 $$; done"], 300),
    ("sigsnoop", [], ["sh", "-c", "for i in $(seq 300); do kill -CONT $$; done"], 300),
    ("mountsnoop", [], ["sh", "-c", "for i in $(seq 20); do mount -t tmpfs none /mnt; umount /mnt; done"], 40),
    ("filelife", [], ["/usr/bin/python3", "-c", "import os\nfor i in range(1000):\n"
                      " open('/tmp/short', 'w').close()\n os.unlink('/tmp/short')"], 1000),
    ("runqslower", ["10"], [WORK, "sleep", "2000", "100"], 2000),
    ("tcpconnect", [], [WORK, "tcp", "127.0.0.1", "100", "0", "300"], 300),
    ("tcplife", [], [WORK, "tcp", "127.0.0.1", "100", "0", "300"], 300),
    ("tcpstates", [], [WORK, "tcp", "127.0.0.1", "100", "0", "300"], 300),
    ("tcpconnlat", [], [WORK, "tcp", "127.0.0.1", "100", "0", "300"], 300),
    ("runqlat", ["1"], [WORK, "sleep", "2000", "100"], 2000),
    ("cpudist", ["1"], [WORK, "sleep", "2000", "100"], 2000),
    ("biolatency", ["1"], disk(2000), 2000),
    ("bitesize", ["1"], disk(2000), 2000),
    ("softirqs", ["1"], [WORK, "tcp", "127.0.0.1", "100", "0", "300"], 1500),
    ("offcputime", [], [WORK, "sleep", "2000", "100"], 2000),
    ("wakeuptime", [], [WORK, "sleep", "2000", "100"], 2000),
    ("tcprtt", ["-i", "1"], [WORK, "tcp", "127.0.0.1", "100", "0", "300"], 300),
    ("tcpsynbl", [], [WORK, "tcp", "127.0.0.1", "100", "0", "300"], 300),
    ("biopattern", ["1"], disk(2000), 2000),
    ("vfsstat", ["1"], ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=10000"], 20000),
    ("syscount", ["-i", "1"], [WORK, "syscalls", "50000"], 50000),
    ("biosnoop", [], disk(2000), 2000),
    ("slabratetop", ["-C", "1"], [WORK, "open", "5000", "/nonexistent/%d"], 5000),
    ("filetop", ["-C", "1"], ["dd", "if=/dev/zero", "of=/tmp/filetop", "bs=512", "count=5000", "conv=notrunc"], 5000),
    ("tcptop", ["-C", "1"], [WORK, "tcp", "127.0.0.1", "1000000", "0", "20"], 20),
]


def whole_cost(peer, applet, options, workload, events):
    """Time until live, peak memory, and CPU time an event: the programs' and the process's own."""
    with open("/tmp/sink", "w") as sink:
        with load(*glimpse(applet)):
            tool = Tool(PEERS[peer](applet) + options, out=sink)
        time.sleep(1.5)
        before, began = tool.programs(), own_time(tool.process.pid)
        subprocess.run(workload, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.5)
        own = own_time(tool.process.pid) - began
        programs_of_it = sum(now[1] - before[i][1] for i, now in tool.programs().items() if i in before)
        peak = peak_kb(tool.process.pid)
        tool.stop()
    return tool.live, peak, (own + programs_of_it) / events


def breadth(rounds, lines):
    lines += ["", f"**Breadth.** {len(BREADTH)} tools: until the first probe fires, peak memory, and CPU time an event (the programs' by the "
              f"kernel's count, and the process's own); ratios to libbpf-tools, medians of {rounds}, {TODAY}.", "",
              "| | start | memory | CPU an event |", "|---|---|---|---|"]
    for applet, options, workload, events in BREADTH:
        measured = {peer: [] for peer in ("bcctool", "libbpf-tools")}
        try:
            for _ in range(rounds):
                for peer, found in measured.items():
                    found.append(whole_cost(peer, applet, options, workload, events))
        except RuntimeError as error:
            print(error, file=sys.stderr, flush=True)
            lines.append(f"| {applet} | the peer is not live | | |")
            continue
        print(applet, measured, flush=True)
        ours, theirs = ([statistics.median(column) for column in zip(*found)] for found in measured.values())
        lines.append(f"| {applet} | {ours[0]:.2f} / {theirs[0]:.2f} s: {ours[0] / theirs[0]:.2f} "
                     f"| {ours[1] / 1024:.1f} / {theirs[1] / 1024:.1f} MB: {ours[1] / theirs[1]:.2f} "
                     f"| {ours[2] / 1000:.1f} / {theirs[2] / 1000:.1f} us: {ours[2] / theirs[2]:.2f} |")
    lines += ["", "Where ours is more, as far as the reason is known. Start: killsnoop and opensnoop have programs at a function's "
              "entry or return, at each of which the kernel walks all its functions; opensnoop's peer has tracepoints. CPU: bitesize "
              "counts a request under who submitted it, which takes programs where it is made, issued and done; the peer "
              "under whoever runs when it is issued. vfsstat's counters are each CPU's own, the peer's are shared. "
              "In wakeuptime and tcprtt most of the difference is the process's own time, not that of its programs: the one "
              "looks for new processes fifty times a second. filelife's peer sees no file on 6.12."]


def storm(rounds, lines):
    lines += ["", "**A storm.** 100,000 opens by two processes at full speed, rows into a file: rows, and losses that "
              f"the tool reports; medians of {rounds}, {TODAY}.", "", "| | rows | reported lost | unaccounted for |",
              "|---|---|---|---|"]
    for peer, argv in PEERS.items():
        counts = []
        for _ in range(rounds if peer != "BCC" else 1):
            with open("/tmp/storm", "w+") as sink:
                try:
                    with load(*gentle()):
                        tool = Tool(argv("opensnoop"), out=sink)
                except RuntimeError as error:
                    print(error, file=sys.stderr, flush=True)
                    break
                time.sleep(0.5)
                pair = [subprocess.Popen([WORK, "open", "50000", f"/storm/{n}-%d"], stdout=subprocess.DEVNULL)
                        for n in "ab"]
                for one in pair:
                    one.wait()
                time.sleep(2)
                tool.stop()
                text = Path("/tmp/storm").read_text(errors="replace") + tool.errors()
            rows = len(re.findall(r"/storm/", text))
            lost = sum(int(n) for n in re.findall(r"(\d+) events lost", text))
            lost += sum(int(n) for n in re.findall(r"[Ll]ost (\d+) events", text))
            lost += sum(int(n) for n in re.findall(r"[Ll]ost (\d+) (?:samples|event)\b", text))
            counts.append((rows, lost))
        if not counts:
            lines.append(f"| {peer} | does not start | | |")
            continue
        rows, lost = sorted(counts)[len(counts) // 2]
        lines.append(f"| {peer} | {rows:,} | {lost:,} | {max(0, 100000 - rows - lost):,} |")
        print("storm", peer, counts, flush=True)


BPFTRACE_COUNTS = "kprobe:tcp_* {{ @[{}] = count(); }} interval:s:1 {{ exit(); }}"
MANY = [
    ("bcctool: `funccount 'tcp_*'`", [BCCTOOL, "funccount", "-d", "1", "tcp_*"]),
    ("bpftrace: `@[func] = count()`", ["bpftrace", "-e", BPFTRACE_COUNTS.format("func")]),
    ("bpftrace: `@[probe] = count()`", ["bpftrace", "-e", BPFTRACE_COUNTS.format("probe")]),
]


def whole(argv, asked):
    """Seconds that a command took, less those it was asked to trace; and its peak memory in KB.

    That is a high-water mark: looked at a hundred times a second it would only keep a CPU busy.
    """
    began = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_kb(process.pid))
        time.sleep(0.1)
    if process.returncode:
        raise RuntimeError(f"{' '.join(argv)}: exit code {process.returncode}")
    return time.monotonic() - began - asked, peak


JVM = next(iter(Path("/usr/lib/jvm").glob("*/lib/server/libjvm.so")), None)


def all_at_once(*argv):
    """Seconds until a pattern's functions are probed, while the machine works; then those to let go."""
    with load(*gentle()):
        began = time.monotonic()
        tracer = subprocess.Popen([BCCTOOL, "funccount", *argv], stdout=subprocess.PIPE, text=True)
        assert tracer.stdout.readline().startswith("Tracing")
        live = time.monotonic()
        time.sleep(1)
        tracer.send_signal(signal.SIGINT)
        stopped = time.monotonic()
        tracer.communicate()
        return live - began, time.monotonic() - stopped


def at_once(rounds, lines):
    lines += ["", f"**All functions at once.** Until they are traced, and from Ctrl-C to the end; medians of {rounds}, {TODAY}.",
              "", "| | attach | detach |", "|---|---|---|"]
    for what, pattern in (("every function of the kernel, `funccount '*'`", "*"),
                          ("every function of libjvm.so", f"{JVM}:*")):
        if "libjvm" in what and not JVM:
            continue
        measured = [all_at_once(pattern) for _ in range(rounds)]
        live, gone = (statistics.median(column) for column in zip(*measured))
        lines.append(f"| bcctool: {what} | {live:.2f} s | {gone:.2f} s |")
        print("at once", what, measured, flush=True)


def many(rounds, lines):
    lines += ["", "**Many functions.** All that begin with tcp_, for a second: the whole command less that second, "
              f"attaching and detaching in it; medians of {rounds}, one run of each peer; {TODAY}.", "",
              "| | time | memory |", "|---|---|---|"]
    ours = None
    for what, argv in MANY:
        try:
            measured = [whole(argv, 1) for _ in range(rounds if argv[0] == BCCTOOL else 1)]
        except RuntimeError as error:
            print(error, file=sys.stderr, flush=True)
            lines.append(f"| {what} | fails | |")
            continue
        spent, peak = (statistics.median(column) for column in zip(*measured))
        ours = ours or (spent, peak)
        times = "" if ours == (spent, peak) else f" ({spent / ours[0]:.0f}x)"
        lines.append(f"| {what} | {spent:.2f} s{times} | {peak / 1024:.1f} MB |")
        print("many", what, measured, flush=True)


TRACE = "do_nanosleep{} \"task: %x\", t->task"
TRACE_BCC = ["/usr/sbin/trace-bpfcc", "-I", "linux/hrtimer.h", TRACE.format("(struct hrtimer_sleeper *t)")]


BY_HAND = """
import ctypes, sys
libbpf = ctypes.CDLL("libbpf.so.1")
pointer = ctypes.c_void_p
for name in ("bpf_object__open", "bpf_object__next_program", "bpf_program__attach", "ring_buffer__new"):
    getattr(libbpf, name).restype = pointer
obj = pointer(libbpf.bpf_object__open(sys.argv[1].encode()))
assert not libbpf.bpf_object__load(obj)
assert libbpf.bpf_program__attach(pointer(libbpf.bpf_object__next_program(obj, None)))
seen = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer, ctypes.c_size_t)(lambda ctx, data, size: 0)
events = libbpf.bpf_object__find_map_fd_by_name(obj, b"events")
ring = pointer(libbpf.ring_buffer__new(events, seen, None, None))
while True:
    libbpf.ring_buffer__poll(ring, 100)
"""


def trace(rounds, lines):
    """One probe with an expression: the start, memory, and the cost of an event."""
    sleeps = [WORK, "sleep", "100000", "1000"]
    ours, theirs, cost, by_hand = [], [], [], []
    for argv, found in (([BCCTOOL, "trace", TRACE.format("")], ours), (TRACE_BCC, theirs)):
        for _ in range(rounds if argv is not TRACE_BCC or "BCC" in PEERS else 0):
            with load(*(sleeps if argv is not TRACE_BCC else [WORK, "sleep", "100000", "100000"])):
                tool = Tool(argv)
                found.append((tool.live, peak_kb(tool.process.pid)))
                if argv is not TRACE_BCC:
                    before = tool.programs()
                    time.sleep(3)
                    cost.append(program_cost(tool, before)[0])
                tool.stop()
    for _ in range(rounds):
        with load(*sleeps):
            tool = Tool([sys.executable, "-c", BY_HAND, str(BUILD / "bench" / "by_hand.bpf.o")])
            before = tool.programs()
            time.sleep(3)
            by_hand.append(program_cost(tool, before)[0])
            tool.stop()
    print("trace", ours, theirs, cost, by_hand, flush=True)
    if not theirs:
        return
    (live, peak), (live_bcc, peak_bcc) = (
        [statistics.median(column) for column in zip(*found)] for found in (ours, theirs))
    cost, by_hand = statistics.median(cost), statistics.median(by_hand)
    lines += ["", f"**An expression.** `trace '{TRACE.format('')}'`; medians of {rounds}, {TODAY}.", "",
              "| | bcctool | peer | ratio |", "|---|---|---|---|",
              f"| start, BCC | {live:.2f} s | {live_bcc:.2f} s | {live_bcc / live:.1f}x |",
              f"| memory, BCC | {peak / 1024:.1f} MB | {peak_bcc / 1024:.1f} MB | {peak_bcc / peak:.1f}x |",
              f"| an event in the kernel, by hand in C | {cost:.0f} ns | {by_hand:.0f} ns | {cost / by_hand:.2f} |"]


STACKS = [  # libbpf-tools of Debian 12 have no profile, and offcputime without -f
    ("profile -F 99 -af 10", {"bcctool": [BCCTOOL, "profile", "-F", "99", "-af", "10"],
                              "BCC": ["/usr/sbin/profile-bpfcc", "-F", "99", "-af", "10"]}),
    ("offcputime -f 10", {"bcctool": [BCCTOOL, "offcputime", "-f", "10"],
                          "libbpf-tools": ["/usr/sbin/offcputime", "10"],
                          "BCC": ["/usr/sbin/offcputime-bpfcc", "-f", "10"]}),
]


def spent(argv):
    """Seconds of CPU that a command used, user and system, its children's too; and its peak memory in KB, which is
    looked at ten times a second: what wait4() says is that of whoever started it, if that was more."""
    peak = 0
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=err, stdin=subprocess.DEVNULL)
        while True:
            with contextlib.suppress(OSError, ValueError):
                peak = max(peak, peak_kb(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.1)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            err.seek(0)
            raise RuntimeError(f"{' '.join(argv)}: {err.read().decode(errors='replace')[-300:]}")
    return usage.ru_utime + usage.ru_stime, peak


def stacks(rounds, lines):
    lines += ["", "**Stacks.** Ten seconds on a busy guest (two programs that burn CPU, one that sleeps, shells): CPU "
              f"that the tool used, and its peak memory; medians of {rounds}, one for BCC; {TODAY}.", "",
              "| | bcctool | libbpf-tools | BCC |", "|---|---|---|---|"]
    for what, peers in STACKS:
        found = {}
        with load(WORK, "burn", "10000000"), load(WORK, "burn", "10000000"), load(*gentle(0.05)), \
                load(WORK, "stack", "100000000", "1000"):
            for peer, argv in peers.items():
                try:
                    measured = [spent(argv) for _ in range(1 if peer == "BCC" else rounds)]
                except RuntimeError as error:
                    print(error, file=sys.stderr, flush=True)
                    continue
                found[peer] = [statistics.median(column) for column in zip(*measured)]
                print("stacks", what, peer, measured, flush=True)
        cells = []
        for peer in ("bcctool", "libbpf-tools", "BCC"):
            if peer not in found:
                cells.append("does not run" if peer in peers else "has none")
                continue
            cpu, peak = found[peer]
            ratio = "" if peer == "bcctool" or "bcctool" not in found else f" ({cpu / found['bcctool'][0]:.1f}x)"
            cells.append(f"{cpu:.2f} s{ratio}, {peak / 1024:.1f} MB")
        lines.append(f"| {what} | " + " | ".join(cells) + " |")


TAKING = [  # and how often a second, where a tool's programs run more often than that
    ("a context switch", None, [WORK, "stack", "100000000", "100"],
     {"bcctool": [BCCTOOL, "offcputime", "-f", "100"], "bcctool --unwind": [BCCTOOL, "offcputime", "--unwind", "-f", "100"],
      "libbpf-tools": ["/usr/sbin/offcputime", "100"], "BCC": ["/usr/sbin/offcputime-bpfcc", "-f", "100"]}),
    ("a sample of two CPUs, one idle", 2 * 199, [WORK, "burn", "10000000"],
     {"bcctool": [BCCTOOL, "profile", "-F", "199", "-f", "100"],
      "bcctool --unwind": [BCCTOOL, "profile", "--unwind", "-F", "199", "-f", "100"],
      "BCC": ["/usr/sbin/profile-bpfcc", "-F", "199", "-f", "100"]}),
]


def taking(rounds, lines):
    peers = ("bcctool", "bcctool --unwind", "libbpf-tools", "BCC")
    lines += ["", "**Taking a stack.** ns in the kernel by its own count, of five seconds; medians of "
              f"{rounds}, one for BCC; {TODAY}.", "", "| | " + " | ".join(peers) + " |", "|---|---|---|---|---|"]
    for what, rate, workload, tools in TAKING:
        found = {}
        for peer, argv in tools.items():
            each = []
            for _ in range(1 if peer == "BCC" else rounds):
                with load(*workload), open("/tmp/sink", "w") as sink:
                    tool = Tool(argv, out=sink)
                    time.sleep(1)
                    before = tool.programs()
                    time.sleep(5)
                    spent = sum(ns - before.get(i, (0, 0, 0))[1] for i, (_, ns, _) in tool.programs().items())
                    each.append(spent / (5 * rate) if rate else program_cost(tool, before)[0])
                    tool.stop()
            print("taking", what, peer, each, flush=True)
            found[peer] = statistics.median(each)
        ratio = lambda peer: "" if peer == "bcctool" else f" ({found[peer] / found['bcctool']:.2f}x)"
        lines.append(f"| {what} | " + " | ".join(
            f"{found[peer]:.0f}{ratio(peer)}" if peer in found else "has none" for peer in peers) + " |")


PROCESSES = 50
SYMBOLS = {
    "bcctool": [BCCTOOL, "stackcount", "-U", "-f", "t:syscalls:sys_enter_getppid"],
    "bpftrace": ["/usr/bin/bpftrace", "-e", "tracepoint:syscalls:sys_enter_getppid { @[pid, ustack(perf)] = count(); }"],
    "BCC": ["/usr/sbin/stackcount-bpfcc", "-P", "-U", "t:syscalls:sys_enter_getppid"],
}


def named(argv, limit=120):
    """Seconds from Ctrl-C to the end of a tool that has seen 100 stacks of 20 functions in each of 50 processes (the
    limit, if it did not end), its peak memory in KB, and how many of these names it printed."""
    with tempfile.TemporaryFile("w+") as out, contextlib.ExitStack() as processes:
        tool = Tool([*argv], out=out, traced=[WORK, "frames"])
        for _ in range(PROCESSES):
            processes.enter_context(load(WORK, "frames"))
        time.sleep(10)
        began, peak = time.monotonic(), 0
        os.killpg(tool.process.pid, signal.SIGINT)
        while tool.process.poll() is None and time.monotonic() - began < limit:
            peak = max(peak, peak_kb(tool.process.pid))
            time.sleep(0.05)
        took = time.monotonic() - began
        tool.stop(limit=1)
        out.seek(0)
        return took, peak, sum(line.count("frames_") for line in out)


def symbols(rounds, lines):
    lines += ["", f"**Symbols.** From Ctrl-C to the end, with {PROCESSES * 2000:,} frames of {PROCESSES} processes to name, "
              f"and peak memory; medians of {rounds}, one run of each peer; {TODAY}.", "",
              "| | time | memory | frames named |", "|---|---|---|---|"]
    ours = None
    for peer, argv in SYMBOLS.items():
        if peer not in PEERS:
            continue
        measured = [named(argv) for _ in range(rounds if peer == "bcctool" else 1)]
        print("symbols", peer, measured, flush=True)
        took, peak, names = (statistics.median(column) for column in zip(*measured))
        ours = ours or took
        ratio = "" if peer == "bcctool" else f" ({took / ours:.0f}x)"
        lines.append(f"| {peer} | {'not done after ' if took >= 120 else ''}{took:.2f} s{ratio} | "
                     f"{peak / 1024:.1f} MB | {names:,.0f} |")


def size(lines):
    binary = os.path.getsize(BCCTOOL)
    names = subprocess.run([BCCTOOL, "--names"], capture_output=True, text=True).stdout.split()
    objects = sum(os.path.getsize(path) for path in (BUILD / "bpf").glob("*.bpf.o.gz"))
    sources = 0
    for path in (BUILD / "CMakeFiles/bcctool.dir/cmd").glob("*/*.o"):
        sections = subprocess.run(["size", path], capture_output=True, text=True).stdout.splitlines()
        if len(sections) > 1:
            sources += int(sections[1].split()[3])
    lines += ["", f"**Size.** bcctool, static and stripped, with {len(names)} applets: {binary / 1e6:.2f} MB. One applet "
              f"adds {(objects + sources) / len(names) / 1024:.1f} KB on average (its program {objects / len(names) / 1024:.1f}, "
              f"its tables {sources / len(names) / 1024:.1f}; {TODAY})."]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", help="measure only the start of this one")
    parser.add_argument("--tools", help="breadth of these only, A,B,...; the table stays as it is")
    parser.add_argument("part", help=", ".join((*STARTED, "costs", "breadth", "storm", "many", "trace", "stacks", "taking",
                                            "symbols", "size")))
    options = parser.parse_args()
    Path("/proc/sys/kernel/bpf_stats_enabled").write_text("1")
    Path("/proc/sys/kernel/kptr_restrict").write_text("0")
    subprocess.run(["/sbin/modprobe", "null_blk", "nr_devices=1", "irqmode=0"], check=True)
    if not os.path.exists("/dev/nullb0"):
        device = Path("/sys/block/nullb0/dev").read_text().strip().split(":")
        subprocess.run(["mknod", "/dev/nullb0", "b", *device], check=True)
    lay_out_headers()
    lines = []
    for peer in set(PEERS) - {options.peer or peer for peer in PEERS}:
        del PEERS[peer]
    if options.tools:
        BREADTH[:] = [row for row in BREADTH if row[0] in options.tools.split(",")]
    if options.part in STARTED:
        starting(options.part, options.rounds, lines)
    elif options.part == "size":
        size(lines)
    else:
        {part.__name__: part for part in (costs, breadth, storm, many, at_once, trace, stacks, taking, symbols)}[options.part](
            options.rounds, lines)
    if options.tools:
        print(*lines, sep="\n")
        return
    (Path(os.environ["BCCTOOL_SHARE"]) / f"{options.part}.md").write_text("\n".join(lines) + "\n")


main()
