"""Kernels in lockdown: an applet gives right numbers, or says in one line that lockdown forbids it."""

from harness import *

LOCKDOWN = Path("/sys/kernel/security/lockdown")


def check(*names):
    return {one["applet"]: one for one in run([BCCTOOL, "check", "--json", *names], check=False, limit=100).json}


def opens_are_exact():
    one = waiting_work("open", 50, "/etc/nothing%d")
    snoop = tool("opensnoop", "-p", one.pid, json=True)
    did = one.go()
    *rows, last = snoop.stop().json
    assert [row["path"] for row in rows] == [f"/etc/nothing{i}" for i in range(50)]
    assert {(row["pid"], row["err"], row["flags"]) for row in rows} == {(did["pid"], 2, 0)}
    assert did["failed"] == 50 and not any(last["lost"].values())


def waits_are_counted():
    one = waiting_work("sleep", 100, 2000)
    lat = tool("runqlat", "-p", one.pid, json=True)
    one.go()
    histogram, last = lat.stop().json
    # Each sleep ends in a wakeup, and any wait for a CPU may be one more.
    assert histogram["count"] == sum(bucket["count"] for bucket in histogram["buckets"]) >= 100
    assert not any(last["lost"].values())


@timeout(180)
@boot("lockdown=integrity")
def test_integrity():
    assert "[integrity]" in LOCKDOWN.read_text()
    opens_are_exact()
    waits_are_counted()
    load_what_is_traced()
    verdicts = check()
    take_out_what_is_not_here(verdicts)
    assert [one for one in verdicts.values() if one["verdict"] not in ("ok", "degraded")] == []


@boot("lockdown=confidentiality")
def test_confidentiality():
    assert "[confidentiality]" in LOCKDOWN.read_text()
    opens_are_exact()
    waits_are_counted()
    assert check("runqlat")["runqlat"]["verdict"] == "ok"
    # io_uring's requests are in kernel memory.
    assert check("opensnoop")["opensnoop"]["verdict"] == "degraded"


@boot("lockdown=confidentiality")
def test_confidentiality_is_named():
    full = tool_run("opensnoop", "-F", "-d", "1")
    assert (full.code, full.out) == (1, ""), full.out
    assert full.err.startswith("opensnoop: ") and full.err.count("\n") == 1
    assert "the kernel is locked down (confidentiality)" in full.err


@timeout(240)
@boot("lockdown=confidentiality")
def test_confidentiality_as_check_says():
    """Every applet starts, or says in one line the reason that `check` gave."""
    verdicts = check()
    for name, one in verdicts.items():
        if one["verdict"] != "unavailable":
            continue
        assert "the kernel is locked down (confidentiality)" in one["reason"] or not_here(name, one), one
        result = tool_run(name)
        if result.code == 2:  # it wants arguments
            continue
        assert (result.code, result.out) == (1, ""), name
        assert result.err == f"{name}: {one['reason']}\n", result.err
