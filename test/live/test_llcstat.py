"""llcstat: says that there are no such counters; its sums are tested with counters of software."""

import re
import resource

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


def account(pid):
    """Page faults and switches of a process so far."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    switches = re.findall(r"ctxt_switches:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(stat[7]) + int(stat[9]), sum(map(int, switches))


def counted(period, *did):
    """The row of a workload, and the kernel's account of it meanwhile."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    workload = waiting_work(*did, cpu=0)
    tracer = tool("llcstat", "-c", period, "3600", env=SOFTWARE, json=True)
    faults, switches = account(workload.pid)
    workload.go()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    grown = lambda *kinds: sum(getattr(after, kind) - getattr(before, kind) for kind in kinds)
    (row,) = tracer.stop().of(workload.pid)
    assert row["cpu"] == 0 and row["comm"] == "work" and row["tid"] == workload.pid
    return row, grown("ru_minflt", "ru_majflt") - faults, grown("ru_nvcsw", "ru_nivcsw") - switches


def test_sums_by_process():
    """Page faults stand for references, switches to other tasks for misses."""
    row, faults, _ = counted(1, "touch", 1000)
    assert row["references"] == faults >= 1000
    row, _, switches = counted(1, "sleep", 1000, 100)
    # The last switch, of a thread that has ended, may come after the account; a sleep whose time is
    # over at once is no switch.
    assert switches <= row["misses"] <= switches + 1 and switches >= 500


def test_samples():
    """One of 100, which counts as 100. The CPU's counter is everybody's: each time that others ran
    there, up to 99 of theirs count for it, or of its for them."""
    row, faults, switches = counted(100, "touch", 1000)
    assert row["references"] % 100 == 0 and faults >= 1000
    assert abs(row["references"] - faults) <= 100 * (1 + switches), (row, faults, switches)


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
