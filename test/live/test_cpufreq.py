"""cpufreq: no guest has a driver, so the files of one are put in place: what they say is sampled."""

import re

from harness import *

FILES = Path("/sys/devices/system/cpu")
KHZ = (1_000_000, 2_450_000)

# A driver's files for two CPUs, in a mount namespace.
DRIVER = "; ".join([
    f"n=$(cat {FILES}/possible)", f"mount -t tmpfs tmpfs {FILES}", f"echo $n > {FILES}/possible",
    *(f"mkdir -p {FILES}/cpu{cpu}/cpufreq; echo {khz} > {FILES}/cpu{cpu}/cpufreq/scaling_cur_freq"
      for cpu, khz in enumerate(KHZ))])
NONE = "no CPU tells its frequency (/sys/devices/system/cpu/cpu*/cpufreq): few virtual machines have a driver for it\n"


def with_driver(*args):
    return spawn(["unshare", "--mount", "sh", "-c", f'{DRIVER}; exec "$0" "$@"', BCCTOOL, "cpufreq", *args])


def sampling(tracer):
    """Samples begin before it gives up what it may do, which shows that it has begun."""
    wait_for(lambda: "CapEff:\t0000000000000000" in Path(f"/proc/{tracer.pid}/status").read_text(), 30)


def test_no_driver():
    if (FILES / "cpu0/cpufreq").exists():
        raise Skip("there is a driver")
    for options in ((), ("-d", "1"), ("--json",)):
        result = tool_run("cpufreq", *options)
        assert (result.code, result.err) == (1, f"cpufreq: {NONE}")
    assert run([BCCTOOL, "check", "cpufreq"], check=False).out == f"{'cpufreq':16} unavailable: {NONE}"
    assert tool_run("cpufreq", "-f", "0").code == 2


# Alone: other tests have workloads of that name.
@alone
def test_by_thread_name():
    tracer = with_driver("--json")
    sampling(tracer)
    began = time.monotonic()
    workloads = [spawn([WORK, "spin", 1000, cpu]) for cpu in (0, 1)]
    for workload in workloads:
        workload.wait()
    most = 99 * (time.monotonic() - began) + 1
    rows = [row for row in tracer.stop().json if "buckets" in row]
    (mine,) = [row for row in rows if row["comm"] == "work"]
    found = {(b["low"], b["high"]): b["count"] for b in mine["buckets"] if b["count"]}
    # A second and their start on each CPU, at 99 samples; the emulator may hold a timer up.
    assert set(found) == {(1000, 1199), (2400, 2599)}
    assert all(n <= most for n in found.values()) and mine["count"] == sum(found.values()) > 20
    (all_of_them,) = [row for row in rows if row["syswide"]]
    assert all_of_them is rows[-1] and all_of_them["comm"] == ""
    assert all_of_them["count"] >= sum(row["count"] for row in rows[:-1])
    assert {b["low"] for b in all_of_them["buckets"] if b["count"]} == {1000, 2400}


@alone
def test_text():
    tracer = with_driver("-f", "199")
    sampling(tracer)
    began = time.monotonic()
    run([WORK, "spin", 500, 1])
    most = 199 * (time.monotonic() - began) + 1
    out = tracer.stop().out
    assert out.startswith("Sampling CPU freq system-wide & by process. Ctrl-C to end.\n\n")
    assert "\n     work          : count     distribution\n        0          : 0        |" in out
    heads = re.findall(r"^     (\S.*?) +: count     distribution$", out, re.MULTILINE)
    assert heads[-1] == "syswide" and "work" in heads
    of_work = out.split("\n     work ")[1].split("\n\n")[0].splitlines()
    last = re.match(r" +(\d+) +: (\d+)", of_work[-1])
    assert last[1] == "2400" and 5 < int(last[2]) <= most
