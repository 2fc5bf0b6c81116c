"""runqslower: every wait above the threshold is a row, with who waited and who ran before."""

import calendar
import time

from harness import *

AFTER = 4  # as in test_runqlat.py


def pair(count=40):
    both = [spawn([WORK, "burst", count, 10000, 0, 1]) for _ in range(2)]
    return [one.wait().words for one in both]


@alone
def test_every_wait():
    tracer = tool("runqslower", "0", json=True, cpu=0)
    began = time.time()
    did = pair()
    result = tracer.stop()
    ended = time.time()
    assert not any(result.json[-1]["lost"].values())
    for one in did:
        rows = result.of(one["pid"])
        assert one["slices"] <= len(rows) <= one["slices"] + AFTER
        waited = sum(row["lat_ns"] for row in rows)
        # The kernel reads its clock a little before; the emulator may stop in between.
        assert abs(waited - one["wait_ns"]) <= 0.02 * one["wait_ns"] + 300000 * len(rows)
        assert all(row["tid"] == row["pid"] for row in rows)
        assert rows[-1]["comm"] == "work"
    rows = result.json[:-1]
    assert all(row["tid"] and row["pid"] for row in rows)  # not the idle threads
    assert max(row["lat_ns"] for row in rows) < (ended - began) * 1e9
    for row in rows:
        at = calendar.timegm(time.strptime(row["time"][:19], "%Y-%m-%dT%H:%M:%S"))
        assert began - 1 <= at <= ended + 1


@alone
def test_threshold_and_previous():
    both = [waiting_work("burst", 40, 10000, 0, 1) for _ in range(2)]
    pids = {one.pid for one in both}
    # On the other CPU: the two have theirs to themselves, but for the kernel's threads.
    text = tool("runqslower", "-P", "1000", cpu=0)
    json = tool("runqslower", "1000", json=True, cpu=0)
    for one in both:
        one.begin()
    for one in both:
        one.wait()
    text, json = text.stop(), json.stop()
    first, head, *_ = text.out.splitlines()
    assert first == "Tracing run queue latency higher than 1000 us"
    assert head == (
        "TIME     COMM             TID           LAT(us) PREV COMM        PREV TID"
    )
    lines = [
        re.fullmatch(r"(\d\d:\d\d:\d\d) (.{16}) (\d+) +(\d+) (.{16}) (\d+)", line).groups()
        for line in text.out.splitlines()[2:]
    ]
    for pid in pids:
        rows = json.of(pid)
        assert len(rows) > 5 and all(row["lat_ns"] > 1000000 for row in rows)
        assert {row["comm"] for row in rows} == {"work"}
        mine = [line for line in lines if int(line[2]) == pid]
        assert {line[1].rstrip() for line in mine} == {"work"}
        assert all(int(line[3]) >= 1000 for line in mine)
        # A wait at the threshold may be above it by one tool's clock alone.
        assert abs(len(mine) - len(rows)) <= 2
        # Waiting for each other, most often: it was the CPU of these two.
        others = [row for row in rows if row["prev_pid"] in pids - {pid}]
        assert len(others) >= 0.8 * len(rows) and {row["prev_comm"] for row in others} == {"work"}
        assert all(row["prev_pid"] != pid for row in rows)
    assert any(int(line[5]) in pids for line in lines)


@alone
def test_filters():
    first, second = (waiting_work("burst", 30, 10000, 0, 1) for _ in range(2))
    by_pid = tool("runqslower", "-p", first.pid, "500", json=True)
    by_tid = tool("runqslower", "-t", second.pid, "500", json=True)
    by_comm = tool("runqslower", "--comm", "no such name", "0", json=True)
    second.begin()
    first.go()
    second.wait()
    by_pid, by_tid, by_comm = (tracer.stop().json[:-1] for tracer in (by_pid, by_tid, by_comm))
    assert {row["pid"] for row in by_pid} == {first.pid}
    assert len(by_pid) > 5
    assert {row["tid"] for row in by_tid} == {second.pid}
    assert by_comm == []


def test_default_and_errors():
    tracer = tool("runqslower")
    assert tracer.stop().out.splitlines()[:2] == [
        "Tracing run queue latency higher than 10000 us",
        "TIME     COMM             TID           LAT(us)",
    ]
    both = tool_run("runqslower", "-p", "1", "-t", "1")
    assert both.code == 2 and "-p and -t exclude each other" in both.err
    assert tool_run("runqslower", "soon").code == 2


def test_in_a_pid_namespace():
    """Ids are those that the caller sees; who is outside its namespace is 0."""
    script = f"""
        fifo=$(mktemp -u) && mkfifo $fifo && exec 3<>$fifo
        BCCTOOL_READY_FD=3 {BCCTOOL} runqslower --json 0 &
        read -u 3 ready
        did=$({WORK} burst 20 100 1000)
        kill -INT $! && wait $!
        echo '{{"did":"'$did'"}}'
        rm $fifo"""
    records = run(in_pid_namespace(["bash", "-c", script])).json
    (did,) = [words(r["did"]) for r in records if "did" in r]
    rows = [r for r in records if r.get("pid") == did["pid"]]
    assert did["pid"] < 100 and did["slices"] <= len(rows) <= did["slices"] + AFTER
