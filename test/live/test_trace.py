"""trace: lines equal what was done, with the values that the expressions have."""

import os
import re

from harness import *


def lines(result, pid):
    """Rows of text: those of a process, as (function, message)."""
    rows = [line.split(None, 4) for line in result.out.splitlines()[1:]]
    return [(row[3], row[4] if len(row) > 4 else "") for row in rows if row[0] == str(pid)]


def messages(result, pid):
    return [row["message"] for row in result.json if row.get("pid") == pid]


def test_paths_and_results_of_opens():
    with folder() as path:
        entry = tool("trace", 'do_sys_openat2 "%s", arg2', json=True)
        named = tool("trace", 'do_sys_openat2 (dfd == -100) "%s", filename', json=True)
        exit_ = tool("trace", 'r::do_sys_openat2 "ret: %d", retval', json=True)
        made = work("open", 20, f"{path}/f%d", "w")
        failed = work("open", 10, "/nonexistent/%d")
        entry, named, exit_ = entry.stop(), named.stop(), exit_.stop()
    for result in (entry, named):
        paths = [text for text in messages(result, made["pid"]) if text.startswith(str(path))]
        assert paths == [f"{path}/f{i}" for i in range(20)]
        paths = [text for text in messages(result, failed["pid"]) if text.startswith("/nonex")]
        assert paths == [f"/nonexistent/{i}" for i in range(10)]
    results = [int(re.fullmatch(r"ret: (-?\d+)", text)[1])
               for text in messages(exit_, failed["pid"])]
    assert results.count(-2) >= 10
    results = [int(text[5:]) for text in messages(exit_, made["pid"])]
    assert len([fd for fd in results if fd >= 3]) >= 20


def test_a_member_by_a_signature():
    probe = 'do_nanosleep(struct hrtimer_sleeper *t) "task: %llx", t->task'
    same = 'do_nanosleep (t->task == $task) "%d %s", $task->pid, t->task->comm'
    signature, names = tool("trace", probe, json=True), tool("trace", same, json=True)
    did = work("sleep", 5, 1000)
    signature, names = signature.stop(), names.stop()
    tasks = messages(signature, did["pid"])
    assert len(tasks) == 5 and len(set(tasks)) == 1
    assert re.fullmatch("task: ffff[0-9a-f]{12}", tasks[0])
    assert messages(names, did["pid"]) == [f"{did['pid']} work"] * 5


def test_a_filter_in_the_kernel():
    with folder() as path:
        probe = f'do_sys_openat2 (filename == "{path}/f3" || STRCMP("{path}/f5", filename)) "%s", filename'
        trace = tool("trace", probe, json=True)
        did = work("open", 10, f"{path}/f%d", "w")
        result = trace.stop()
    assert messages(result, did["pid"]) == [f"{path}/f3", f"{path}/f5"]
    assert len(result.of(did["pid"])) == 2


def test_all_parameters_by_name():
    with folder() as path:
        trace = tool("trace", "do_sys_openat2")
        did = work("open", 3, f"{path}/f%d", "w")
        rows = lines(trace.stop(), did["pid"])
    rows = [text for function, text in rows if function == "do_sys_openat2" and str(path) in text]
    assert [re.fullmatch(r'dfd=-100 filename="(.*)" how=0xffff[0-9a-f]{12}', text)[1]
            for text in rows] == [f"{path}/f{i}" for i in range(3)]


def test_memory_that_cannot_be_read():
    trace = tool("trace", 'do_nanosleep "%d %s %d", *(int *)8, (char *)16, mode', json=True)
    counted = tool("trace", 'do_nanosleep (*(int *)8 == 0 || mode < 100) "%d", mode', json=True)
    did = work("sleep", 3, 1000)
    trace, counted = trace.stop(), counted.stop()
    assert [re.sub(r"\d+", "N", text) for text in messages(trace, did["pid"])] == [
        "(fault) (fault) N"] * 3
    assert messages(counted, did["pid"]) == []
    assert counted.json[-1]["lost"]["truncated"] >= 3


def test_a_tracepoint():
    with folder() as path:
        trace = tool("trace", 't:syscalls:sys_enter_openat "%s %d", args->filename, args->dfd',
                     json=True)
        did = work("open", 5, f"{path}/f%d", "w", "openat")
        rows = [text for text in messages(trace.stop(), did["pid"]) if str(path) in text]
    assert rows == [f"{path}/f{i} -100" for i in range(5)]


def test_exactly_so_many():
    trace = tool("trace", "-M", "7", 'do_sys_openat2 "%s", filename', json=True)
    with folder() as path:
        work("open", 50, f"{path}/f%d", "w")
        result = trace.wait()
    assert len([row for row in result.json if "message" in row]) == 7


def test_two_probes_on_one_function():
    with folder() as path:
        trace = tool("trace", 'do_sys_openat2 "a %s", filename', 'do_sys_openat2 "b %d", dfd',
                     json=True)
        did = work("open", 5, f"{path}/f%d", "w")
        rows = messages(trace.stop(), did["pid"])
    assert [text for text in rows if text.startswith(f"a {path}")] == [
        f"a {path}/f{i}" for i in range(5)]
    assert len([text for text in rows if text.startswith("b ")]) == len(
        [text for text in rows if text.startswith("a ")])


def test_one_process_and_its_header():
    with folder() as path:
        trace = tool("trace", "-p", "1", "-T", "-C", 'do_sys_openat2 "%s", filename')
        did = work("open", 5, f"{path}/f%d", "w")
        result = trace.stop()
    assert result.out.splitlines()[0].split() == "TIME CPU PID TID COMM FUNC -".split()
    assert str(did["pid"]) not in result.out.split()
