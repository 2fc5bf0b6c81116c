"""offwaketime, wakeuptime: one thread that waits for another, each in functions of its own."""

import re

from harness import *

ROUNDS, PAUSE_US = 60, 5000


def pair(tracers):
    """The workload under several tracers, given as lists of arguments with PID for its pid."""
    workload = waiting_work("wake", ROUNDS, PAUSE_US)
    running = [tool(*[workload.pid if arg == "PID" else arg for arg in argv]) for argv in tracers]
    did = workload.go()
    return did, [one.stop() for one in running]


def of_pair(rows):
    return [row for row in rows if row["target"] == "work-target" and row["waker"] == "work-waker"]


def total(rows, key="us"):
    return sum(row[key] for row in rows)


@alone
def test_who_woke_whom():
    did, (result,) = pair([["offwaketime", "-p", "PID", "--state", 1, "--json"]])
    rows = result.json[:-1]
    assert {row["t_pid"] for row in rows} == {did["pid"]}
    waits = [row for row in of_pair(rows) if "work_wake_wait" in row["t_user"]]
    # Each time it slept it was for the other thread, which woke it by its write.
    assert total(waits, "count") == did["blocked"] >= ROUNDS - 5
    for row in waits:
        assert (row["t_tid"], row["w_tid"], row["w_pid"]) == (did["pid"], did["waker"], did["pid"])
        assert row["t_user"][:2] == ["work_wake_read", "work_wake_wait"]
        assert row["t_kernel"][0] == "__schedule" and any("pipe_read" in f for f in row["t_kernel"])
        assert row["w_user"][:2] == ["work_wake_write", "work_wake_up"]
        assert row["w_kernel"][0] == "try_to_wake_up" and any("pipe_write" in f for f in row["w_kernel"])
    slack = 2000 * did["wall_us"] / 1e6
    assert did["blocked"] * PAUSE_US * 0.8 <= total(waits) <= did["off_us"] + slack


@alone
def test_all_time_off_the_cpu_is_there():
    did, (ours, off) = pair([["offwaketime", "-t", "PID", "--json"], ["offcputime", "-t", "PID", "--json"]])
    slack = 2000 * did["wall_us"] / 1e6
    every = [row for row in ours.json[:-1] if "run_wake" in row["t_user"]]
    assert total(every) <= did["wall_us"] + slack
    # The two see the same switches, one after the other.
    assert total(ours.json[:-1], "count") == total(off.json[:-1], "count")
    assert abs(total(ours.json[:-1]) - total(off.json[:-1])) <= 1000 * total(off.json[:-1], "count")


def test_text_and_folded_are_laid_out_as_ever():
    did, (text, folded) = pair([["offwaketime", "-d", "-p", "PID", "--state", 1],
                                ["offwaketime", "-df", "-p", "PID", "--state", 1]])
    assert text.out.startswith(
        f"Tracing blocked time (us) of PID {did['pid']} by user + kernel stack... Hit Ctrl-C to end.\n")
    (block,) = [block for block in text.out.split("\n\n") if "work_wake_wait" in block and "work_wake_up" in block]
    lines = block.splitlines()
    assert lines[0] == f"    waker:           work-waker {did['waker']}"
    assert lines[-2] == f"    target:          work-target {did['pid']}"
    assert re.fullmatch(r" {8}\d+", lines[-1])
    frames = [line.strip() for line in lines[1:-2]]
    middle = frames.index("--               --")
    waker, target = frames[:middle], frames[middle + 1 :]
    # The waker upside down: towards the line between the two.
    assert waker.index("work_wake_up") < waker.index("work_wake_write") < waker.index("-")
    assert waker[-1] == "try_to_wake_up" and target[0] == "__schedule"
    assert target.index("-") < target.index("work_wake_read") < target.index("work_wake_wait")
    (line,) = [line for line in folded.out.splitlines() if "work_wake_wait" in line and "work_wake_up" in line]
    stack = line.rpartition(" ")[0].split(";")
    assert stack[0] == "work-target" and stack[-1] == "work-waker"
    order = ["work_wake_wait", "work_wake_read", "-", "__schedule", "--", "try_to_wake_up"]
    places = [stack.index(frame) for frame in order]
    assert places == sorted(places)
    assert stack.index("work_wake_write") < stack.index("work_wake_up")
    assert stack[stack.index("--") :].count("-") == 1


@alone
def test_sleep_by_waker():
    did, (json, text, folded) = pair([["wakeuptime", "-p", "PID", "--json"], ["wakeuptime", "-p", "PID"],
                                      ["wakeuptime", "-f", "-p", "PID"]])
    rows = of_pair(json.json[:-1])
    waits = [row for row in rows if any("pipe_write" in frame for frame in row["w_kernel"])]
    assert total(waits, "count") == did["blocked"] >= ROUNDS - 5
    assert {(row["w_pid"], row["t_pid"]) for row in waits} == {(did["pid"], did["pid"])}
    # Not longer than it was off the CPU; until it is woken, not until it runs.
    assert did["blocked"] * PAUSE_US * 0.8 <= total(waits) <= did["off_us"]
    assert {row["t_pid"] for row in json.json[:-1]} == {did["pid"]}
    block = text.out.split("\n\n")[-2].splitlines()
    assert block[0] == "    target:          work-target" and block[1] == "    try_to_wake_up"
    assert block[-2] == "    waker:           work-waker" and re.fullmatch(r" {8}\d+", block[-1])
    stack = folded.out.splitlines()[-1].rpartition(" ")[0].split(";")
    assert stack[0] == "work-waker" and stack[-1] == "work-target" and stack[-2] == "try_to_wake_up"


@alone
def test_block_time_limits():
    did, (long, short) = pair([["wakeuptime", "-m", 100000, "-p", "PID", "--json"],
                               ["offwaketime", "-M", 1000, "-p", "PID", "--json"]])
    assert not of_pair(long.json[:-1])
    assert all(row["us"] <= 1000 * row["count"] for row in short.json[:-1])
    for applet in ("wakeuptime", "offwaketime"):
        assert tool_run(applet, "-m", "5", "-M", "4").code == 2
