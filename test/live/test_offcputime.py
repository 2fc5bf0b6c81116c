"""offcputime: stacks are the workload's own, times those of the kernel's own trace, nothing missing."""

import contextlib
import csv
import re

from harness import *

KTHREAD = 0x00200000
SLEEP = "do_nanosleep"
CHAIN = ["work_stack_top", "work_stack_middle", "work_stack_leaf"]
# What flamegraph.pl takes for a line: a stack, a space, a number.
FLAMEGRAPH = re.compile(r"^(.*)\s+?(\d+(?:\.\d*)?)$")


def rows_of(result, pid, frame=""):
    """The JSON rows of a process, those with that kernel frame if one is given."""
    rows = [row for row in result.json[:-1] if row["pid"] == pid]
    return [row for row in rows if not frame or frame in row["kernel"]]


def lost(result):
    return {kind: n for kind, n in result.json[-1]["lost"].items() if n}


def total(rows, key="us"):
    return sum(row[key] for row in rows)


def is_kernel_thread(pid):
    try:
        stat = Path("/proc", str(pid), "stat").read_text(errors="replace")
    except FileNotFoundError:
        return None
    return bool(int(stat.rpartition(")")[2].split()[6]) & KTHREAD)


@contextlib.contextmanager
def switches_of(tid):
    """A function that gives how long the thread was off the CPU each time, by the kernel's own trace,
    in microseconds."""

    def times():
        found, since = [], None
        for at, _, text in lines():
            now = round(at * 1000000)
            if f"prev_pid={tid} " in text:
                since = now
            elif since is not None:
                found.append(now - since)
                since = None
        return found

    with kernel_trace("sched/sched_switch", only=f"prev_pid == {tid} || next_pid == {tid}") as lines:
        yield times


@alone
def test_time_is_that_of_the_kernels_trace():
    workload = waiting_work("stack", 80, 10000)
    with switches_of(workload.pid) as times:
        tracer = tool("offcputime", "-p", workload.pid, json=True)
        did = workload.go()
        result = tracer.stop()
        truth = times()
    rows = rows_of(result, workload.pid)
    slack_us = 2000 * did["wall_us"] / 1e6
    assert total(rows, "count") == len(truth) >= 80
    assert abs(total(rows) - sum(truth)) <= slack_us
    # And the workload's own: no sleep is shorter than asked for, all are within its time.
    asleep = rows_of(result, workload.pid, SLEEP)
    assert total(asleep, "count") >= 80
    assert 80 * 10000 <= total(asleep) <= did["wall_us"] + slack_us
    assert lost(result) == {}


def test_folded_frames_are_in_order():
    workload = waiting_work("stack", 20, 5000)
    # Only where it sleeps: it may be preempted anywhere, within libc's code without frame pointers, too.
    tracer = tool("offcputime", "-df", "--state", 1, "-p", workload.pid)
    did = workload.go()
    result = tracer.stop()  # the process has ended: its names were kept
    stacks = {}
    for line in result.out.splitlines():
        stack, us = FLAMEGRAPH.match(line).groups()
        stacks[tuple(stack.split(";"))] = int(us)
    assert {stack[0] for stack in stacks} == {"work"}
    (stack,) = [stack for stack in stacks if SLEEP in stack]
    assert 20 * 5000 <= stacks[stack] <= did["wall_us"]
    user, kernel = stack[: stack.index("-")], stack[stack.index("-") + 1 :]
    assert list(user[-5:]) == ["main", "run_stack", *CHAIN]
    assert list(kernel[-4:]) == ["hrtimer_nanosleep", SLEEP, "schedule", "__schedule"]
    assert kernel[0].startswith(THIS_MACHINE.outermost)
    assert list(stacks.values()) == sorted(stacks.values())
    assert result.err == ""


def test_other_tracers_split_no_stack():
    """What the kernel calls on the way to our probe changes when another one comes to its tracepoint."""
    workload = waiting_work("stack", 400, 10000)
    tracer = tool("offcputime", "--state", 1, "-p", workload.pid, json=True)
    workload.begin()
    other = tool("cpudist")
    assert workload.process.poll() is None  # it came in the middle
    did = workload.wait(60).words
    result = tracer.stop()
    other.stop()
    (row,) = rows_of(result, workload.pid, SLEEP)
    assert row["count"] == did["blocked"] and lost(result) == {}


def test_text_is_laid_out_as_ever():
    workload = waiting_work("stack", 20, 5000)
    text = tool("offcputime", "-d", "-p", workload.pid)
    json = tool("offcputime", "-p", workload.pid, json=True)
    workload.go()
    text, json = text.stop(), json.stop()
    head, _, rest = text.out.partition("\n\n")
    assert head == (
        f"Tracing off-CPU time (us) of PID {workload.pid} by user + kernel stack"
        "... Hit Ctrl-C to end.")
    blocks = rest.removesuffix("\n\n").split("\n\n")
    found = {}
    for block in blocks:
        *frames, who, us = block.splitlines()
        assert who == f"    {'-':16} work ({workload.pid})"
        assert re.fullmatch(r" {8}\d+", us)
        found[tuple(frames)] = int(us)
    assert list(found.values()) == sorted(found.values())
    twins = rows_of(json, workload.pid)
    (row,) = [row for row in twins if SLEEP in row["kernel"] and "work_stack_leaf" in row["user"]]
    frames = tuple("    " + frame for frame in [*row["kernel"], "--", *row["user"]])
    assert abs(found[frames] - row["us"]) < 20 * 1000
    assert row["kernel"][:3] == ["__schedule", "schedule", SLEEP]
    assert row["user"][:4] == [*reversed(CHAIN), "run_stack"]
    assert row["tid"] == row["pid"] and row["comm"] == "work"


@alone
def test_block_time_limits_are_microseconds():
    workload = waiting_work("stack", 3, 100000)
    limits = {"kept": (50000, None), "short": (200000, None), "long": (1, 50000), "between": (50000, 190000)}
    with switches_of(workload.pid) as times:
        tracers = {
            key: tool("offcputime", "-p", workload.pid, "-m", low, *(["-M", high] if high else []), json=True)
            for key, (low, high) in limits.items()}
        workload.go()
        results = {key: tracer.stop() for key, tracer in tracers.items()}
        truth = times()
    for key, (low, high) in limits.items():
        rows = rows_of(results[key], workload.pid)
        within = [us for us in truth if low <= us <= (high or us)]
        assert total(rows, "count") == len(within)
        assert all(low * row["count"] <= row["us"] <= (high or 1 << 64) * row["count"] for row in rows)
    assert total(rows_of(results["kept"], workload.pid, SLEEP), "count") == 3
    assert rows_of(results["long"], workload.pid, SLEEP) == []


def test_names_with_odd_characters():
    comm = "a;b c 7\n"
    workload = waiting_work("stack", 5, 2000, comm)
    tracers = [tool("offcputime", "-p", workload.pid, *args)
               for args in (["-f"], ["--json"], ["-U"], ["--csv"])]
    workload.go()
    folded, json, text, table = [tracer.stop() for tracer in tracers]
    lines = [line for line in folded.out.splitlines() if SLEEP in line]
    assert len(lines) == 1
    stack, us = FLAMEGRAPH.match(lines[0]).groups()
    assert stack.split(";")[0] == r"a:b c 7\x0a" and int(us) > 0
    (row,) = rows_of(json, workload.pid, SLEEP)
    assert row["comm"] == comm
    assert rf"-                a;b c 7\x0a ({workload.pid})" in text.out
    assert SLEEP not in text.out and "work_stack_leaf" in text.out
    records = list(csv.DictReader(table.out.splitlines()))
    (record,) = [record for record in records if SLEEP in record["kernel"]]
    assert record["user"].split(";")[-3:] == CHAIN
    assert int(record["us"]) > 0 and int(record["count"]) > 0
    assert record["comm"].startswith("a;b c 7")


def test_user_and_kernel_threads():
    tracers = {args: tool("offcputime", args, json=True) for args in ("-u", "-k", "-uK", "-U")}
    did = work("stack", 100, 10000)
    results = {args: tracer.stop() for args, tracer in tracers.items()}
    rows = {args: result.json[:-1] for args, result in results.items()}
    kinds = {args: {is_kernel_thread(row["tid"]) for row in found} - {None}
             for args, found in rows.items()}
    assert kinds["-k"] == {True} and kinds["-u"] == {False} == kinds["-uK"]
    assert kinds["-U"] == {True, False}
    assert all(row["user"] == [] and row["kernel"] for row in rows["-k"])
    assert all(row["user"] == [] and row["kernel"] for row in rows["-uK"])
    assert all(row["kernel"] == [] for row in rows["-U"])
    assert not rows_of(results["-k"], did["pid"])
    for args in ("-u", "-uK", "-U"):
        assert total(rows_of(results[args], did["pid"])) >= 1000000
    # The idle threads are never there.
    assert all(row["tid"] and "swapper" not in row["comm"] for found in rows.values() for row in found)


def test_as_for_a_flame_graph():
    tracer = tool("offcputime", "-fKu", "2")
    with folder() as path:
        (path / "sleeper").symlink_to(WORK)  # a name of its own: other tests run the workload as well
        did = run([path / "sleeper", "stack", 50, 10000]).words
    result = tracer.wait()
    lines = [FLAMEGRAPH.match(line).groups() for line in result.out.splitlines()]
    assert lines and result.code == 0
    assert all(stack.endswith(";__schedule") for stack, _ in lines)
    assert not any("work_stack" in stack or ";-;" in stack for stack, _ in lines)
    sleeps = [int(us) for stack, us in lines if stack.startswith("sleeper;") and SLEEP in stack]
    assert len(sleeps) == 1 and 500000 <= sleeps[0] <= did["wall_us"]


def test_each_of_many_stacks():
    workload = waiting_work("stacks", 300, 2000)
    tracer = tool("offcputime", "-p", workload.pid, "--state", 1, json=True)
    did = workload.go()
    result = tracer.stop()
    rows = rows_of(result, workload.pid, SLEEP)
    paths = {}
    for row in rows:
        path = tuple(frame[11] for frame in row["user"] if frame in ("work_stack_left", "work_stack_right"))
        paths[path] = paths.get(path, 0) + row["count"]
    # One sleep in each; where the thread is preempted until the time is over, it does not block.
    assert 250 <= did["blocked"] <= 300
    assert len(paths) == did["blocked"] == total(rows, "count")
    assert all(len(path) == 9 for path in paths)
    assert total(rows) <= did["wall_us"]
    assert lost(result) == {}


def test_stacks_that_do_not_fit_are_counted():
    workload = waiting_work("stacks", 200, 500)
    tracer = tool("offcputime", "-p", workload.pid, "--stack-storage-size", 50, json=True)
    text = tool("offcputime", "-U", "-p", workload.pid, "--stack-storage-size", 1)
    did = workload.go()
    result, text = tracer.stop(), text.stop()
    rows = rows_of(result, workload.pid)
    missed = total([row for row in rows if row["user"] == ["[Missed User Stack]"]], "count")
    missed += total([row for row in rows if row["kernel"] == ["[Missed Kernel Stack]"]], "count")
    assert lost(result) == {"stacks": missed} and missed >= did["blocked"] - 50
    assert len({tuple(row["user"]) for row in rows}) <= 50 + 2  # the missed and the empty one
    # The time is there, whatever the stack.
    assert total(rows, "count") >= did["blocked"] >= 100
    assert did["off_us"] <= total(rows) + 2000
    assert "    [Missed User Stack]\n" in text.out
    assert f"{missed} stacks missing" in result.err


def test_states():
    workload = waiting_work("stack", 100, 2000)
    tracers = [tool("offcputime", "-p", workload.pid, *state, json=True)
               for state in (["--state", 1], ["--state", 2], ["--state", 0], [])]
    did = workload.go()
    asleep, deep, preempted, every = [tracer.stop() for tracer in tracers]
    assert total(rows_of(asleep, workload.pid, SLEEP), "count") == did["blocked"] >= 90
    assert rows_of(deep, workload.pid, SLEEP) == []
    counts = [total(rows_of(result, workload.pid), "count") for result in (asleep, deep, preempted)]
    assert sum(counts) == total(rows_of(every, workload.pid), "count")


@alone
def test_waiting_for_a_turn_is_off_the_cpu():
    workload = waiting_work("threads", 2, "spin", 600, 0)
    tracers = [tool("offcputime", "-p", workload.pid, *state, json=True)
               for state in ([], ["--state", "0"])]
    workload.go()
    every, preempted = [
        [row for row in rows_of(tracer.stop(), workload.pid) if row["tid"] != workload.pid]
        for tracer in tracers]
    # Two spin for 600 ms on one CPU: as often as one had it, the other had not.
    assert len({row["tid"] for row in every}) == 2
    assert 550000 <= total(every)
    never_asleep = [row for row in every if THIS_MACHINE.preempted in row["kernel"]]
    assert total(never_asleep, "count") >= 2
    for row in never_asleep:
        same = [twin for twin in preempted if all(
            twin[key] == row[key] for key in ("kernel", "user", "tid"))]
        assert total(same, "count") >= row["count"]


def test_lists_and_threads():
    one, two, three = [waiting_work("stack", 5, 2000) for _ in range(3)]
    listed = tool("offcputime", "-p", f"{one.pid},{two.pid}", json=True)
    single = tool("offcputime", "-t", three.pid)
    whole = tool("offcputime", "-K", json=True)
    for workload in (one, two, three):
        workload.go()
    work("threads", 3, "stack", 5, 2000)
    listed, single, whole = listed.stop(), single.stop(), whole.stop()
    assert {row["pid"] for row in listed.json[:-1]} == {one.pid, two.pid}
    assert f"of TID {three.pid} by user + kernel stack" in single.out
    assert set(re.findall(r"- {16}\S.* \((\d+)\)", single.out)) == {str(three.pid)}
    threads = [row for row in whole.json[:-1] if re.fullmatch(r"work-[012]", row["comm"])]
    assert len({row["tid"] for row in threads}) == 3 and len({row["pid"] for row in threads}) == 1


def test_offsets_and_depth():
    workload = waiting_work("stack", 5, 2000)
    offsets = tool("offcputime", "-s", "-p", workload.pid, json=True)
    shallow = tool("offcputime", "--perf-max-stack-depth", 3, "-p", workload.pid, json=True)
    workload.go()
    offsets, shallow = offsets.stop(), shallow.stop()
    (row,) = rows_of(offsets, workload.pid, next(
        frame for row in offsets.json[:-1] for frame in row["kernel"] if SLEEP in frame))
    assert re.fullmatch(r"__schedule\+0x[0-9a-f]+", row["kernel"][0])
    assert re.fullmatch(r"work_stack_leaf\+0x[0-9a-f]+", row["user"][0])
    (row,) = rows_of(shallow, workload.pid, SLEEP)
    assert row["kernel"] == ["__schedule", "schedule", SLEEP]
    assert row["user"] == list(reversed(CHAIN))


def test_what_excludes_each_other():
    for args in (["-u", "-k"], ["-U", "-K"], ["-p", "1", "-t", "1"], ["-p", "1", "-u"],
                 ["-k", "-U"], ["-t", "1", "-k"], ["-m", "0"], ["--stack-storage-size", "0"]):
        result = tool_run("offcputime", *args)
        assert result.code == 2 and result.out == "" and result.err.startswith("offcputime: ")


@alone
@needs("program:/usr/sbin/offcputime")
def test_peer_libbpf_tools():
    workload = waiting_work("stack", 50, 10000)
    peer = spawn(["stdbuf", "-oL", "/usr/sbin/offcputime", "-p", workload.pid])

    wait_for(lambda: re.search("bpf_link|raw-tracepoint", " ".join(open_files(peer.pid))), 20)
    ours = tool("offcputime", "-p", workload.pid, json=True)
    did = workload.go()
    ours, peer = ours.stop(), peer.stop()
    theirs = sum(int(re.search(r"\(%d\)\n +(\d+)" % workload.pid, block)[1])
                 for block in peer.out.split("\n\n") if SLEEP in block)
    # Not closer to each other: at each switch one runs first, and delays the other by its own time.
    assert 50 * 10000 <= theirs <= did["wall_us"]
    assert total(rows_of(ours, workload.pid, SLEEP)) <= did["wall_us"]
