"""opensnoop: rows equal the opens that were done, with their names, results, flags and owners."""

import calendar
import os
import sys

from harness import *

O_CREAT, O_WRONLY, O_CLOEXEC, O_DIRECTORY, O_EXCL = 0o100, 0o1, 0o2000000, 0o200000, 0o200


def lost(result):
    return {kind: n for kind, n in result.json[-1]["lost"].items() if n}


def test_a_row_for_each_open():
    with folder() as path:
        snoop = tool("opensnoop", json=True)
        made = work("open", 1000, f"{path}/f%d", "w")
        failed = work("open", 200, "/nonexistent/%d")
        result = snoop.stop()
    rows = result.of(made["pid"])
    mine = [row for row in rows if row["path"].startswith(str(path))]
    assert [row["path"] for row in mine] == [f"{path}/f{i}" for i in range(1000)]
    assert all(row["fd"] >= 0 and row["err"] == 0 and row["comm"] == "work" for row in mine)
    assert {row["mode"] for row in mine} == {0o644}
    assert all(row["flags"] & (O_WRONLY | O_CREAT) == O_WRONLY | O_CREAT for row in mine)
    assert all(row["tid"] == row["pid"] and row["uid"] == 0 for row in mine)
    rows = [row for row in result.of(failed["pid"]) if row["path"].startswith("/nonexistent")]
    assert len(rows) == failed["failed"] == 200
    assert {(row["fd"], row["err"]) for row in rows} == {(-1, failed["errno"])} == {(-1, 2)}
    assert lost(result) == {}
    times = [row["time"] for row in result.of(made["pid"])]  # of two CPUs they may cross
    assert times == sorted(times)


def test_text_and_json_agree():
    with folder() as path:
        text, json = tool("opensnoop", "-e", "-U"), tool("opensnoop", json=True)
        did = work("open", 20, f"{path}/f%d", "rw")
        text, json = text.stop(), json.stop()
    assert text.out.splitlines()[0].split() == "UID PID COMM FD ERR FLAGS MODE PATH".split()
    rows = text.of(did["pid"])
    twins = json.of(did["pid"])
    assert len(rows) == len(twins) >= 20
    for row, twin in zip(rows, twins):
        assert (row["UID"], row["COMM"], row["FD"], row["ERR"], row["PATH"]) == (
            twin["uid"], twin["comm"], twin["fd"], twin["err"], twin["path"])
        assert int(str(row["FLAGS"]), 8) == twin["flags"] and int(str(row["MODE"]), 8) == twin["mode"]


def test_every_open_call():
    calls = {"open": "r", "creat": "w", "openat": "r", "openat2": "r"}
    with folder() as path:
        snoop = tool("opensnoop", json=True)
        pids = {call: work("open", 7, f"{path}/{call}%d", mode, call)["pid"]
                for call, mode in calls.items()}
        result = snoop.stop()
    for call, pid in pids.items():
        rows = [row for row in result.of(pid) if f"/{call}" in row["path"]]
        assert [row["path"] for row in rows] == [f"{path}/{call}{i}" for i in range(7)], call
    created = [row for row in result.of(pids["creat"]) if "/creat" in row["path"]]
    assert {row["flags"] for row in created} == {0o1101} and all(row["fd"] >= 0 for row in created)


@needs("machine:x86_64")
def test_32_bit_calls():
    snoop = tool("opensnoop", json=True)
    did = work("compat_open", 5, "/etc/nothing%d")
    rows = [row for row in snoop.stop().of(did["pid"]) if "nothing" in row["path"]]
    assert [row["path"] for row in rows] == [f"/etc/nothing{i}" for i in range(5)]
    assert {row["err"] for row in rows} == {2} and did["failed"] == 5


def test_io_uring():
    with folder() as path:
        work("open", 5, f"{path}/f%d", "w")
        snoop = tool("opensnoop", json=True)
        did = work("uring_open", 8, f"{path}/f%d")
        result = snoop.stop()
    rows = [row for row in result.of(did["pid"]) if row["path"].startswith(str(path))]
    assert sorted(row["path"] for row in rows) == sorted(f"{path}/f{i}" for i in range(8))
    assert sum(row["fd"] >= 0 for row in rows) == did["opened"] == 5
    assert sum(row["err"] == 2 for row in rows) == did["failed"] == 3
    assert all(row["flags"] & O_CLOEXEC for row in rows)


def test_failed_only():
    snoop = tool("opensnoop", "-x", json=True)
    bad = work("open", 12, "/nonexistent/%d")
    good = work("open", 12, "/etc/passwd")
    result = snoop.stop()
    assert all(row["err"] for row in result.json[:-1])
    assert len([r for r in result.of(bad["pid"]) if "nonexistent" in r["path"]]) == 12
    assert not [r for r in result.of(good["pid"]) if r["path"] == "/etc/passwd"]


def test_filters_drop_the_rest():
    one = waiting_work("open", 9, "/etc/one%d")
    by_pid = tool("opensnoop", "-p", one.pid, json=True)
    by_tid = tool("opensnoop", "-t", one.pid)
    by_user = tool("opensnoop", "-u", "daemon", json=True)
    by_name = tool("opensnoop", "-n", "thon", json=True)
    both = tool("opensnoop", "-p", f"{one.pid},1", json=True)
    work("open", 9, "/etc/two%d")
    one.go()
    run(["setpriv", "--reuid=daemon", "--clear-groups", WORK, "open", 5, "/etc/three%d"])
    run([sys.executable, "-c", "open('/etc/passwd')"])
    for snoop in (by_pid, both):
        rows = snoop.stop().json[:-1]
        assert [row["path"] for row in rows] == [f"/etc/one{i}" for i in range(9)]
        assert {row["pid"] for row in rows} == {one.pid}
    rows = by_tid.stop()
    assert rows.out.split()[0] == "TID" and {row["TID"] for row in rows.rows} == {one.pid}
    assert len(rows.rows) == 9
    rows = by_user.stop().json[:-1]
    assert {row["uid"] for row in rows} == {1}
    assert [row["path"] for row in rows if "three" in row["path"]] == [f"/etc/three{i}" for i in range(5)]
    rows = by_name.stop().json[:-1]
    assert rows and all("thon" in row["comm"] for row in rows)
    assert "/etc/passwd" in {row["path"] for row in rows}


def test_flag_filter():
    with folder() as path:
        writes, reads = tool("opensnoop", "-f", "O_WRONLY", "-f", "O_EXCL", json=True), tool(
            "opensnoop", "-f", "O_RDONLY", json=True)
        write_ = work("open", 4, f"{path}/w%d", "w")
        exclusive = work("open", 4, f"{path}/e%d", O_CREAT | O_EXCL)
        read = work("open", 4, f"{path}/w%d", "r")
        writes, reads = writes.stop(), reads.stop()
    count = lambda result, did: len([r for r in result.of(did["pid"]) if str(path) in r["path"]])
    assert (count(writes, write_), count(writes, exclusive), count(writes, read)) == (4, 4, 0)
    assert (count(reads, write_), count(reads, exclusive), count(reads, read)) == (0, 4, 4)


def test_full_path():
    with folder() as path:
        (path / "a" / "b").mkdir(parents=True)
        (path / "a" / "b" / "leaf").touch()
        snoop = tool("opensnoop", "-F", json=True)
        at = work("open_at", path / "a", "b/leaf", 3)
        relative = work("open", 3, "leaf", cwd=path / "a" / "b")
        absolute = work("open", 3, "/etc/passwd")
        gone = work("open", 3, "nothing", cwd=path / "a")
        result = snoop.stop()
    paths = lambda did: [row["path"] for row in result.of(did["pid"])]
    assert paths(at).count(f"{path}/a/b/leaf") == at["opened"] == 3
    assert paths(relative).count(f"{path}/a/b/leaf") == 3
    assert paths(absolute).count("/etc/passwd") == 3
    assert paths(gone).count(f"{path}/a/nothing") == 3


def test_modes_and_the_folder_of_the_moment():
    """The mode counts where a file may be made; a relative name begins where the process was then."""
    with folder() as path:
        for name in "ab":
            (path / name).mkdir()
            (path / name / "leaf").touch()
        snoop = tool("opensnoop", "-F", "-p", os.getpid(), json=True)
        text = tool("opensnoop", "-e", "-p", os.getpid())
        unnamed = os.open(path, os.O_TMPFILE | os.O_RDWR, 0o640)
        opened = os.open(path, os.O_DIRECTORY, 0o777)
        direct = os.open(path / "a" / "leaf", os.O_RDONLY | os.O_NOFOLLOW, 0o777)
        new = os.open(path / "new", os.O_CREAT | os.O_WRONLY, 0o604)
        home = os.getcwd()
        for name in "ab":
            os.chdir(path / name)
            os.open("leaf", os.O_RDONLY)
        os.chdir(home)
        snoop, text = snoop.stop(), text.stop()
    rows = [row for row in snoop.json[:-1] if row["path"].startswith(str(path))]
    assert [(row["fd"], row["mode"]) for row in rows[:4]] == [
        (unnamed, 0o640), (opened, 0), (direct, 0), (new, 0o604)]
    assert rows[0]["flags"] & os.O_TMPFILE == os.O_TMPFILE and rows[1]["flags"] & os.O_DIRECTORY
    assert [row["path"] for row in rows[4:]] == [f"{path}/a/leaf", f"{path}/b/leaf"]
    shown = [row for row in text.rows if row["PATH"].startswith(str(path)) or row["PATH"] == "leaf"]
    assert [int(str(row["MODE"]), 8) for row in shown] == [0o640, 0, 0, 0o604, 0, 0]


def test_full_path_across_mounts_and_roots():
    with folder() as path:
        (path / "mnt").mkdir()
        run(["mount", "-t", "tmpfs", "none", path / "mnt"])
        try:
            (path / "mnt" / "deep").mkdir()
            snoop = tool("opensnoop", "-F", json=True)
            did = work("open", 2, "x", cwd=path / "mnt" / "deep")
            result = snoop.stop()
        finally:
            run(["umount", path / "mnt"])
    assert [r["path"] for r in result.of(did["pid"])].count(f"{path}/mnt/deep/x") == 2


def test_names_as_passed_even_from_a_cold_page():
    snoop = tool("opensnoop", json=True)
    cold = work("open_cold", "/etc/passwd")
    zero = work("open_zero", "/etc/passwd")
    rows = snoop.stop()
    assert [r["fd"] for r in rows.of(cold["pid"]) if r["path"] == "/etc/passwd"] == [cold["fd"]]
    assert zero["fd"] == 0
    assert [(r["fd"], r["err"]) for r in rows.of(zero["pid"]) if r["path"] == "/etc/passwd"] == [(0, 0)]
    assert rows.json[-1]["lost"]["truncated"] == 0


def test_threads_do_not_mix_their_paths():
    snoop = tool("opensnoop", json=True)
    did = work("open_threads", 16, "/etc/thread%d-%d")
    rows = [row for row in snoop.stop().of(did["pid"]) if "thread" in row["path"]]
    expected = {(tid, f"/etc/thread{n}-{i}") for n, tid in enumerate(did["tids"]) for i in range(50)}
    assert len(rows) == 800 and {(row["tid"], row["path"]) for row in rows} == expected


def test_hostile_names_stay_on_one_line():
    evil = b"/tmp/\x1b[1A\n\x9b31m\xe2\x80\xae%d\xff"
    text, json = tool("opensnoop", "-x"), tool("opensnoop", "-x", json=True)
    did = work("open", 3, os.fsdecode(evil))
    text, json = text.stop(), json.stop()
    rows = [line for line in text.out.splitlines() if line.startswith(f"{did['pid']} ")]
    assert len(rows) == 3 and rows[1].endswith(r"/tmp/\x1b[1A\x0a\x9b31m\xe2\x80\xae1\xff"), rows
    assert all(" " <= char <= "~" or char == "\n" for char in text.out)
    paths = [row["path"] for row in json.of(did["pid"])]
    assert paths[2] == "/tmp/\x1b[1A\n\x9b31m\u202e2\xff", paths


def test_timestamps_and_duration():
    began = time.time()
    result = tool_run("opensnoop", "-T", "-d", 2)
    assert result.code == 0 and 2 <= time.time() - began < 30
    assert result.out.splitlines()[0].split()[0] == "TIME(s)"
    snoop = tool("opensnoop", json=True)
    before = time.time()
    did = work("open", 1, "/etc/nothing%d")
    after = time.time()
    (row,) = [row for row in snoop.stop().of(did["pid"]) if "nothing0" in row["path"]]
    whole, fraction = row["time"].rstrip("Z").split(".")
    stamp = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)
    assert before - 0.002 <= stamp <= after + 0.002


def test_exec():
    result = tool_run("opensnoop", "--json", "--exec", WORK, "open", 6, "/etc/nothing%d")
    rows = [json_module.loads(line) for line in result.out.splitlines() if line.startswith("{")]
    paths = [row["path"] for row in rows[:-1]]
    assert [path for path in paths if "nothing" in path] == [f"/etc/nothing{i}" for i in range(6)]
    assert len({row["pid"] for row in rows[:-1]}) == 1 and result.code == 0


@alone
def test_a_storm_loses_nothing():
    for buffer, names in ((), 50000), (("--buffer", "64K"), 50000):
        snoop = tool("opensnoop", *buffer, json=True)
        storm = [spawn([WORK, "open", names, f"/nonexistent/{n}-%d"]) for n in "ab"]
        did = [process.wait(60).words for process in storm]
        result = snoop.stop()
        pids = {one["pid"] for one in did}
        rows = [r for r in result.json[:-1] if r["pid"] in pids and "/nonexistent/" in r["path"]]
        events = result.json[-1]["lost"]["events"]
        assert len({row["path"] for row in rows}) == len(rows)
        if not buffer:
            assert events == 0, events
            assert len(rows) == sum(one["failed"] for one in did) == 2 * names
        else:
            # Others' opens may be among the lost; they are few.
            assert 2 * names <= len(rows) + events <= 2 * names + 100, (len(rows), events)


@needs("program:/usr/sbin/opensnoop")
def test_peer_libbpf_tools():
    """Debian's opensnoop over the same opens: the rows agree. It does not trace openat2(2); ours does."""
    ours = tool("opensnoop", "-e")
    peer = spawn(["stdbuf", "-oL", "/usr/sbin/opensnoop", "-e"])
    peer.until("PATH")
    wait_for(lambda: work("open", 1, "/etc/settle%d") and "/etc/settle0" in peer.out)
    did = [work("open", 100, "/etc/same%d"), work("open", 100, "/etc/passwd", "r", "open")]
    time.sleep(1)
    ours, theirs = ours.stop(), peer.stop()
    key = lambda row: (row["PID"], row["COMM"], row["FD"], row["ERR"], row["PATH"])
    for one in did:
        # Sorted: the peer has a buffer for each CPU, and its rows come out of order.
        a = sorted(map(key, ours.of(one["pid"])), key=str)
        b = sorted(map(key, theirs.of(one["pid"])), key=str)
        assert a == b and len(a) >= 100, (len(a), len(b))
