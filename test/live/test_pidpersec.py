"""pidpersec: sums over its lines equal the tasks that were created, threads too."""

import re

from harness import *


@alone
def test_counts_processes_and_threads():
    tasks = tool("pidpersec", json=True)
    did = work("tasks", 150)
    rows = [row for row in tasks.stop().json if "tasks" in row]
    assert did["tasks"] == 300
    # The workload itself is one; the guest may start a few others.
    assert did["tasks"] + 1 <= sum(row["tasks"] for row in rows) <= did["tasks"] + 20


def test_of_a_control_group_exactly():
    with cgroup() as path:
        tasks = tool("pidpersec", "--cgroup", path, json=True)
        work("tasks", 20)
        did = work("tasks", 40, cgroup=path)
        rows = [row for row in tasks.stop().json if "tasks" in row]
    assert sum(row["tasks"] for row in rows) == did["tasks"] == 80


def test_text():
    with cgroup() as path:
        tasks = tool("pidpersec", "--duration", 3, "--cgroup", path)
        work("tasks", 30, cgroup=path)
        lines = tasks.wait().out.splitlines()
    assert lines[0] == "Tracing... Ctrl-C to end." and len(lines) == 4
    rates = [int(re.fullmatch(r"\d\d:\d\d:\d\d: PIDs/sec: (\d+)", line).group(1)) for line in lines[1:]]
    assert any(rates)
