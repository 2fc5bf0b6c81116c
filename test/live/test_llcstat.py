"""llcstat: says that there are no such counters; its sums are tested with counters of software."""

import re

from harness import *

NONE = "this machine has no hardware counters (PMU) of its last-level cache: few virtual machines do\n"
SOFTWARE = {"BCCTOOL_LLC": "software"}


def test_no_counters():
    if Path("/sys/bus/event_source/devices/cpu").exists():
        raise Skip("there is a PMU")
    for options in ((), ("-t",), ("--json",), ("-c", "1000", "5")):
        result = tool_run("llcstat", *options)
        assert (result.code, result.err) == (1, f"llcstat: {NONE}")
    assert run([BCCTOOL, "check", "llcstat"], check=False).out == f"{'llcstat':16} unavailable: {NONE}"


def test_bad_input():
    for options in (("-c", "0"), ("-c", "x"), ("0",)):
        assert tool_run("llcstat", *options).code == 2


def test_sums_by_process():
    """Page faults stand for references: 100 of them are a sample."""
    workload = waiting_work("touch", 1000, cpu=0)
    tracer = tool("llcstat", "3600", env=SOFTWARE, json=True)
    workload.go()
    result = tracer.stop()
    (row,) = [row for row in result.of(workload.pid)]
    assert 900 <= row["references"] <= 1200 and row["references"] % 100 == 0
    assert row["cpu"] == 0 and row["comm"] == "work" and row["tid"] == workload.pid


def test_text():
    workload = waiting_work("touch", 1000, cpu=0)
    tracer = tool("llcstat", "-t", "3600", env=SOFTWARE)
    workload.go()
    out = tracer.stop().out
    assert out.startswith("Running for 3600 seconds or hit Ctrl-C to end.\n\n")
    assert "PID      TID      NAME             CPU     REFERENCE         MISS    HIT%\n" in out
    rows = re.findall(r"^(\d+) +(\d+) +\S.* (\d+) +(\d+) +(\d+) +[\d.]+%$", out, re.MULTILINE)
    total = re.search(r"^Total References: (\d+) Total Misses: (\d+) Hit Rate: ([\d.]+)%$", out, re.MULTILINE)
    assert sum(int(row[3]) for row in rows) == int(total[1]) >= 900
    assert sum(int(row[4]) for row in rows) == int(total[2])
