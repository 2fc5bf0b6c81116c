"""profile: the shares of a program that is known, in every form they are shown in."""

import gzip
import re
import xml.etree.ElementTree as xml

from harness import *

FLAMEGRAPH = re.compile(r"^(.*)\s+?(\d+(?:\.\d*)?)$")  # as flamegraph.pl reads a line
HOT, COLD = "work_burn_hot", "work_burn_cold"


def rows_of(result, pid):
    return [row for row in result.json[:-1] if row["pid"] == pid]


def in_frame(rows, frame):
    return sum(row["count"] for row in rows if frame in row["user"])


def folded(text):
    """{(frames, the root first): count}."""
    return added((tuple(stack.split(";")), int(n))
                 for stack, n in (FLAMEGRAPH.match(line).groups() for line in text.splitlines()))


def added(pairs):
    """Counts by stack: two that differ in their addresses may be one by their names."""
    counts = {}
    for stack, n in pairs:
        counts[stack] = counts.get(stack, 0) + n
    return counts


def fields(data):
    """The fields of a protocol buffer message: (number, integer or bytes)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            assert key & 7 == 2
            size = varint()
            yield key >> 3, data[at : at + size]
            at += size


def packed(data):
    return [value for _, value in fields(b"".join(
        b"\x08" + piece for piece in re.findall(rb"[\x80-\xff]*[\x00-\x7f]", data, re.S)))]


def pprof(path):
    """profile.proto: samples as (frames, the root first; value; labels), and the type of values."""
    profile = list(fields(gzip.decompress(Path(path).read_bytes())))
    strings = [item.decode() for field, item in profile if field == 6]
    functions = {f[1]: strings[f[2]] for f in (dict(fields(item)) for n, item in profile if n == 5)}
    locations = {}
    for number, item in profile:
        if number == 4:
            location = dict(fields(item))
            locations[location[1]] = functions[dict(fields(location[4]))[1]]
    samples = []
    for number, item in profile:
        if number != 2:
            continue
        sample = list(fields(item))
        labels = {}
        for label in (dict(fields(value)) for field, value in sample if field == 3):
            labels[strings[label[1]]] = strings[label[2]] if 2 in label else label[3]
        (frames,) = [packed(value) for field, value in sample if field == 1]
        (values,) = [packed(value) for field, value in sample if field == 2]
        samples.append(([locations[id] for id in reversed(frames)], values[0], labels))
    (kind,) = [dict(fields(item)) for number, item in profile if number == 1]
    assert strings[0] == ""
    return samples, (strings[kind[1]], strings[kind[2]])


@alone
def test_hot_function_has_the_share_it_burns():
    workload = waiting_work("burn", 2000)
    tracer = tool("profile", "-F", 199, "-p", workload.pid, json=True)
    did = workload.go()
    result = tracer.stop()
    rows = rows_of(result, workload.pid)
    hot, cold = in_frame(rows, HOT), in_frame(rows, COLD)
    every = sum(row["count"] for row in rows)
    assert abs(100 * hot / (hot + cold) - 75) <= 5
    assert hot + cold >= 0.9 * every
    # A sample each 1/199 s of its CPU time; a late timer makes up for none.
    assert 0.7 * 199 * did["cpu_us"] / 1e6 <= every <= 1.1 * 199 * did["cpu_us"] / 1e6 + 2
    assert len(rows) == len(result.json) - 1  # nobody else
    (stack,) = {tuple(row["user"]) for row in rows if row["user"][:1] == [HOT] and not row["kernel"]}
    assert stack[:4] == (HOT, "work_burn_both", "run_burn", "main")
    assert all(row["comm"] == "work" for row in rows)


@alone
def test_pictures_and_text_agree():
    workload = waiting_work("burn", 1500)
    with folder() as path:
        tracer = tool("profile", "-adf", "-F", 199, "-p", workload.pid,
                      "--flamegraph", path / "a.svg", "--pprof", path / "a.pb.gz")
        workload.go()
        result = tracer.stop()
        tree = xml.parse(path / "a.svg").getroot()
        samples, kind = pprof(path / "a.pb.gz")
    stacks = folded(result.out)
    every = sum(stacks.values())
    assert {stack[0] for stack in stacks} == {"work"}
    hot = sum(n for stack, n in stacks.items() if HOT in stack)
    assert abs(100 * hot / sum(n for stack, n in stacks.items() if HOT in stack or COLD in stack) - 75) <= 7
    # Kernel frames and no others are marked, and come after the delimiter if there are both.
    for stack in stacks:
        kernel = [frame.endswith("_[k]") for frame in stack[1:]]
        if "-" in stack:
            at = stack.index("-") - 1
            assert not any(kernel[:at]) and all(kernel[at + 1 :]) and kernel[at + 1 :]
        else:
            assert kernel == [False] * len(kernel) or kernel == [True] * len(kernel)
    # The flame graph: frames of one name, summed, are what the lines say.
    space = "{http://www.w3.org/2000/svg}"
    titles = [re.fullmatch(r"(.*) \(([\d,]+) samples, ([\d.]+)%\)", title.text)
              for title in tree.iter(f"{space}title")]
    counts = {}
    for title in titles:
        counts[title[1]] = counts.get(title[1], 0) + int(title[2].replace(",", ""))
    assert counts["all"] == counts["work"] == every
    assert counts[HOT] == hot
    assert counts["work_burn_both"] == sum(n for stack, n in stacks.items() if "work_burn_both" in stack)
    # The profile: the same stacks, each with whose it is.
    assert kind == ("profile", "count")
    assert sum(value for _, value, _ in samples) == every
    assert sum(value for frames, value, _ in samples if HOT in frames) == hot
    assert {(labels["comm"], labels["pid"]) for _, _, labels in samples} == {("work", workload.pid)}
    assert added((("work", *frames), value) for frames, value, _ in samples) == stacks
    assert f"{every} samples in {len(result.out.splitlines())} stacks" in result.err


def test_pictures_in_place_of_text():
    workload = waiting_work("burn", 300)
    with folder() as path:
        tracer = tool("profile", "-p", workload.pid, "--flamegraph", path / "a.svg")
        workload.go()
        result = tracer.stop()
        assert f"{path}/a.svg: " in result.err and "stacks" in result.err
        assert result.out.count("\n") == 1 and "Sampling at 49 Hertz" in result.out
        nowhere = tool_run("profile", "--flamegraph", path / "no" / "a.svg", "1")
    assert nowhere.code == 1 and "cannot write" in nowhere.err


@alone
def test_idle_is_left_out():
    with one_cpu():
        without = tool("profile", "-C", 0, "-F", 99, json=True)
        idle = tool("profile", "-C", 0, "-F", 99, "-I", json=True)
        time.sleep(1)
        without, idle = without.stop(), idle.stop()
    assert not [row for row in without.json[:-1] if row["pid"] == 0]
    swapper = [row for row in idle.json[:-1] if row["pid"] == 0]
    assert {row["comm"] for row in swapper} == {"swapper/0"}
    assert all(row["user"] == [] and row["kernel"] for row in swapper)
    # Little else runs in that second.
    assert sum(row["count"] for row in swapper) >= 20


@alone
def test_filters_and_sides():
    one, two = waiting_work("burn", 600), waiting_work("burn", 600)
    user = tool("profile", "-U", "-L", one.pid, "-F", 99, json=True)
    kernel = tool("profile", "-K", "-p", f"{one.pid},{two.pid}", "-F", 99, json=True)
    text = tool("profile", "-p", one.pid, "-F", 99)
    one.go(), two.go()
    user, kernel, text = user.stop(), kernel.stop(), text.stop()
    assert {row["pid"] for row in user.json[:-1]} == {one.pid}
    assert all(row["kernel"] == [] for row in user.json[:-1])
    # While it ends it has no user stack any more.
    assert in_frame(user.json[:-1], "run_burn") >= 0.9 * sum(row["count"] for row in user.json[:-1])
    assert {row["pid"] for row in kernel.json[:-1]} == {one.pid, two.pid}
    assert all(row["user"] == [] for row in kernel.json[:-1])
    assert text.out.startswith(
        f"Sampling at 99 Hertz of PID {one.pid} by user + kernel stack... Hit Ctrl-C to end.\n")
    blocks = text.out.partition("\n\n")[2].removesuffix("\n\n").split("\n\n")
    counts = []
    for block in blocks:
        *frames, who, count = block.splitlines()
        assert who == f"    {'-':16} work ({one.pid})" and re.fullmatch(r" {8}\d+", count)
        assert all(frame.startswith("    ") for frame in frames)
        counts.append(int(count))
    assert counts == sorted(counts)
    (hot,) = [block for block in blocks if block.startswith(f"    {HOT}\n")]
    assert hot.splitlines()[1:4] == ["    work_burn_both", "    run_burn", "    main"]


@alone
def test_period_of_the_clock():
    workload = waiting_work("burn", 1000)
    tracer = tool("profile", "-c", 10000000, "-p", workload.pid, json=True)
    did = workload.go()
    result = tracer.stop()
    if "sampling by the clock, -c is nanoseconds" not in result.err:
        raise Skip("cycles are counted here")
    every = sum(row["count"] for row in rows_of(result, workload.pid))
    assert 0.7 * did["cpu_us"] / 10000 <= every <= 1.1 * did["cpu_us"] / 10000 + 2


def test_what_cannot_be_sampled():
    cases = {
        ("-p", "1", "-L", "1"): 2, ("-U", "-K"): 2, ("-F", "9", "-c", "9"): 2, ("-F", "0"): 2,
        ("-C", "4000", "1"): 1, ("-F", "1000000", "1"): 1,
    }
    for args, code in cases.items():
        result = tool_run("profile", *args)
        assert (result.code, result.out) == (code, ""), args
        assert result.err.startswith("profile: ")
    assert "CPU 4000 is not there" in tool_run("profile", "-C", "4000", "1").err
    assert "perf_event_max_sample_rate" in tool_run("profile", "-F", "1000000", "1").err


def test_as_in_the_handbook():
    workload = waiting_work("burn", 1000)
    tracer = tool("profile", "-af", "2")
    workload.go()
    result = tracer.wait()
    stacks = folded(result.out)
    assert result.code == 0 and stacks
    hot = sum(n for stack, n in stacks.items() if stack[0] == "work" and HOT in stack)
    assert hot >= 5
