"""syscount: counts equal the calls that were made, times what the workload measured itself."""

from harness import *


def counts(result):
    return {row["syscall"]: row for row in result.json if "syscall" in row}


def test_counts_are_exact():
    child = waiting_work("syscalls", 1000)
    count = tool("syscount", "-p", child.pid, "-T", 50, json=True)
    others = waiting_work("syscalls", 500)
    others.go()
    child.go()
    rows = counts(count.stop())
    assert rows["getppid"]["count"] == 1000
    assert all(row["count"] < 100 for name, row in rows.items() if name != "getppid")


def test_text_form():
    result = tool_run("syscount", "-i", 1, "-d", 2)
    lines = result.out.splitlines()
    assert lines[0] == "Tracing syscalls, printing top 10... Ctrl+C to quit."
    assert re.fullmatch(r"\[\d\d:\d\d:\d\d\]", lines[1])
    assert lines[2] == "SYSCALL                   COUNT"
    assert all(re.fullmatch(r"\S+ +\d+", line) for line in lines[3:] if line and line[0] not in "[S")
    assert all(len(line) == 31 for line in lines[3:] if line and line[0] != "[")
    assert sum(line.startswith("[") for line in lines) == 2
    reports = [table(part) for part in result.out.split("[")[1:]]
    assert all(1 <= len(rows) <= 10 for rows in reports)
    assert all([r["COUNT"] for r in rows] == sorted((r["COUNT"] for r in rows), reverse=True) for rows in reports)


def test_latency_is_the_sum():
    result = tool_run("syscount", "-L", "-T", 50, "--json", "--exec", WORK, "sleep", 10, 10000)
    said = words(next(line for line in result.out.splitlines() if line.startswith("pid")))
    rows = [json_module.loads(line) for line in result.out.splitlines() if line.startswith("{")]
    (sleep,) = [row for row in rows if row.get("syscall") == "clock_nanosleep"]
    assert sleep["count"] == 10
    assert 100e6 <= sleep["total_ns"] <= said["us"] * 1000 + 1000, (sleep, said)


def test_units():
    micro = tool_run("syscount", "-L", "--exec", WORK, "sleep", 5, 10000)
    milli = tool_run("syscount", "-L", "-m", "--exec", WORK, "sleep", 5, 10000)
    assert "TIME (us)" in micro.out and "TIME (ms)" in milli.out
    plain = tool_run("syscount", "-m", "--exec", WORK, "sleep", 5, 10000)
    assert "TIME" not in plain.out and re.search(r"^clock_nanosleep +5$", plain.out, re.M)
    time_of = lambda result: float(re.search(r"^clock_nanosleep +5 +([\d.]+)$", result.out, re.M)[1])
    assert 50000 <= time_of(micro) < 200000 and 50 <= time_of(milli) < 200


def test_no_count_is_lost_or_doubled_between_intervals():
    child = waiting_work("syscalls", 1000000)
    count = tool("syscount", "-i", 1, "-p", child.pid, "--syscall", "getppid", json=True)
    child.go(60)
    result = count.stop()
    rows = [row["count"] for row in result.json if "syscall" in row]
    assert len(rows) >= 2 and sum(rows) == 1000000, rows


def test_failures_and_errors():
    child = waiting_work("open", 40, "/nonexistent/%d")
    failed = tool("syscount", "-x", "-p", child.pid, json=True)
    one = tool("syscount", "-e", "ENOENT", "-p", child.pid, json=True)
    other = tool("syscount", "-e", "13", "-p", child.pid, json=True)
    assert child.go()["errno"] == 2
    assert counts(failed.stop())["openat"]["count"] == 40
    assert counts(one.stop())["openat"]["count"] == 40
    assert "openat" not in counts(other.stop())


def test_by_process_and_filters():
    child = waiting_work("syscalls", 3000)
    by_process = tool("syscount", "-P", "--syscall", "getppid", "-T", 1000)
    by_thread = tool("syscount", "-t", child.pid, "--syscall", "getppid", json=True)
    by_parent = tool("syscount", "-c", os.getpid(), "--syscall", "getppid", json=True)
    top = tool("syscount", "-T", 1, "-p", child.pid, json=True)
    child.go()
    other = work("syscalls", 200)
    by_process = by_process.stop()
    found = {row["PID"]: (row["COMM"], row["COUNT"]) for row in by_process.rows}
    assert found[child.pid] == ("work", 3000) and found[other["pid"]] == ("work", 200)
    assert counts(by_thread.stop())["getppid"]["count"] == 3000
    assert counts(by_parent.stop())["getppid"]["count"] == 3200
    rows = [row for row in top.stop().json if "syscall" in row]
    assert [row["syscall"] for row in rows] == ["getppid"]


@needs("machine:x86_64")
def test_32_bit_calls_have_names_of_their_own():
    child = waiting_work("compat_open", 11, "/nonexistent/%d")
    count = tool("syscount", "-p", child.pid, "-T", 50, json=True)
    only = tool("syscount", "-p", child.pid, "--syscall", "open", json=True)
    child.go()
    rows = counts(count.stop())
    assert rows["open/32"]["count"] == 11 and "fstat" not in rows
    assert list(counts(only.stop())) == ["open/32"]


def test_counts_and_times_of_one_process():
    child = waiting_work("calls", 1000, 10, 10, 7)
    count = tool("syscount", "-L", "-T", 50, "-p", child.pid, json=True)
    bad = tool("syscount", "-x", "-e", "EBADF", "-p", child.pid, json=True)
    did = child.go()
    rows = counts(count.stop())
    assert [rows[name]["count"] for name in ("getppid", "nanosleep", "close")] == [1000, 10, 7]
    assert 10 * 10_000_000 <= rows["nanosleep"]["total_ns"] <= did["nanosleep_ns"]
    assert 0 < rows["getppid"]["total_ns"] <= did["getppid_ns"]
    assert {name: row["count"] for name, row in counts(bad.stop()).items()} == {"close": 7}


def test_one_call_by_process_name():
    child = waiting_work("threads", 2, "syscalls", 50)
    count = tool("syscount", "--syscall", "getppid", "-P", "-p", child.pid)
    data = tool("syscount", "--syscall", "getppid", "-P", "-p", child.pid, json=True)
    child.go()
    lines = count.stop().out.splitlines()
    row, _ = data.stop().json
    assert (row["syscall"], row["pid"], row["comm"], row["count"]) == ("", child.pid, "work", 100)
    assert lines[0] == "Tracing syscall 'getppid'... Ctrl+C to quit."
    # The threads have names of their own.
    assert lines[2:] == ["PID    COMM               COUNT", f"{child.pid:<6} work                 100"]


def test_made_up_numbers():
    for number, name in ((9999, "[unknown]"), (511, "syscall_511"), (-1, None)):
        child = waiting_work("syscalls", 30, number)
        count = tool("syscount", "-p", child.pid, "-T", 50, json=True)
        child.go()
        found = {n: row["count"] for n, row in counts(count.stop()).items() if "[" in n or "syscall_" in n}
        assert found == ({name: 30} if name else {})


@needs("file:/lib64/ld-linux-x86-64.so.2")
def test_32_bit_numbers_are_not_taken_for_those_of_64_bits():
    child = waiting_work("compat_calls", 40)
    count = tool("syscount", "-p", child.pid, "-T", 50, json=True)
    child.go()
    found = {name: row["count"] for name, row in counts(count.stop()).items()}
    assert (found["getppid/32"], found["getppid"], found["mmap2/32"]) == (40, 40, 40)
    assert "semctl" not in found and "lgetxattr" not in found


def test_list():
    names = tool_run("syscount", "-l").out.split()
    assert {"read", "openat", "getppid", "clone3", "mseal"} <= set(names) and names == sorted(names)
    bad = tool_run("syscount", "--syscall", "nothing")
    assert bad.code == 2 and "nothing" in bad.err


@needs("program:/usr/sbin/syscount")
def test_peer_libbpf_tools():
    """Debian's syscount over the same calls: the counts agree."""
    child = waiting_work("syscalls", 5000)
    ours = tool("syscount", "-p", child.pid, json=True)
    theirs = spawn(["/usr/sbin/syscount", "-p", child.pid])
    # It says that it traces into a buffer: look at its probes instead.
    wait_for(lambda: any("perf_event" in name for name in open_files(theirs.pid)), 30)
    time.sleep(1)
    child.go()
    theirs = theirs.stop()
    assert counts(ours.stop())["getppid"]["count"] == 5000
    assert re.search(r"^getppid +5000$", theirs.out, re.M), theirs.out
