"""oomkill: kills in control groups, against what the group itself counts."""

import re
import signal

from harness import *


def killed(tracer_json):
    """A process that is killed in a cgroup: (its pid, what the group counted, oomkill's result)."""
    with cgroup(memory_max="24M") as group:
        tracer = tool("oomkill", json=tracer_json)
        hog = spawn([WORK, "hog", "64"], cgroup=group)
        code = hog.wait().code
        assert code == -signal.SIGKILL, code
        events = words((group / "memory.events").read_text())
        limit = int((group / "memory.max").read_text()) // 4096
        result = tracer.stop()
    assert events["oom_kill"] == 1
    return hog.pid, limit, result


@alone
def test_a_kill_in_a_cgroup():
    pid, limit, result = killed(True)
    rows = [row for row in result.json if "killed_pid" in row]
    (row,) = rows
    assert (row["pid"], row["comm"]) == (row["killed_pid"], row["killed_comm"]) == (pid, "work")
    assert row["pages"] == limit
    assert len(row["user"]) >= 1


@alone
def test_who_asked_is_not_who_is_killed():
    """One asks for the last page; another, which is to be killed first, pays, and then the one."""
    with cgroup(memory_max="32M") as group:
        tracer = tool("oomkill", json=True)
        first = waiting_work("sleep", 1, 60000000, cgroup=group)
        write(f"/proc/{first.pid}/oom_score_adj", 1000)
        last = waiting_work("hog", 48, cgroup=group)
        write(f"/proc/{last.pid}/oom_score_adj", -500)
        last.begin()
        last.wait()
        first.wait()
        rows = [row for row in tracer.stop().json if "killed_pid" in row]
    assert [row["killed_pid"] for row in rows] == [first.pid, last.pid]
    assert [row["pid"] for row in rows] == [last.pid, last.pid]


@alone
def test_text():
    pid, limit, result = killed(False)
    lines = result.out.splitlines()
    assert lines[0] == "Tracing OOM kills... Ctrl-C to stop."
    assert re.fullmatch(
        rf'\d\d:\d\d:\d\d Triggered by PID {pid} \("work"\), OOM kill of PID {pid} \("work"\), '
        rf"{limit} pages, loadavg: [\d.]+ [\d.]+ [\d.]+ \d+/\d+ \d+", lines[1])
    assert lines[2] == "Stack trace:" and lines[3].startswith("    ")
