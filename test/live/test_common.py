"""What all applets share, shown on opensnoop (events) and runqlat (a histogram)."""

import csv
import sys

from harness import *

HIDE_BTF = "mount -t tmpfs none /sys/kernel/btf"
HIDE_TRACEFS = "umount -R /sys/kernel/tracing; umount -R /sys/kernel/debug"
HIDE_PROC = "mount -t tmpfs none /proc"


def privately(setup):
    """The command line before another that runs it in a mount namespace changed by `setup`."""
    return ["unshare", "--mount", "sh", "-c", f'{setup}; exec "$0" "$@"']


def run_tool(applet, *args, before=(), **options):
    """Run an applet to its end, below another command."""
    return run([*before, BCCTOOL, applet, *args], check=False, limit=60, **options)


def paths(result, name):
    return [row["path"] for row in result.json[:-1] if name in row["path"]]


def names(name, count):
    return [f"/etc/{name}{i}" for i in range(count)]


def one_line(result, *parts):
    """It ended with 1, printed nothing, and said one line that has all these parts."""
    assert result.code == 1 and not result.out, (result.code, result.out)
    assert result.err.count("\n") == 1 and result.err.endswith("\n"), result.err
    for part in parts:
        assert part in result.err, result.err


def exact_opens(*args, before=(), count=7, **options):
    """opensnoop over a command of its own: its opens, all of them, and the record of losses."""
    opens = ["--exec", WORK, "open", count, "/etc/nothing%d"]
    result = run_tool("opensnoop", "--json", *args, *opens, before=before, **options)
    assert result.code == 0, result.err
    records = [json_module.loads(line) for line in result.out.splitlines() if line[0] == "{"]
    rows = [row for row in records[:-1] if "nothing" in row["path"]]
    # Perf buffers are one for each CPU: there is no order between them.
    key = None if "env" not in options else lambda path: int(path.removeprefix("/etc/nothing"))
    seen = [row["path"] for row in rows]
    assert (sorted(seen, key=key) if key else seen) == names("nothing", count)
    assert {(row["comm"], row["fd"], row["err"]) for row in rows} == {("work", -1, 2)}
    assert not any(records[-1]["lost"].values()), records[-1]
    return result


def count_of(result):
    return sum(one["count"] for one in result.json[:-1])


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# Namespaces


def test_pid_namespace():
    """A tracer in a namespace speaks of the pids there, and of nobody outside it."""
    script = (
        f"{WORK} -w open 9 /etc/inner%d <$1 & echo inside $!;"
        f'{BCCTOOL} opensnoop -p $! --json & {BCCTOOL} opensnoop --json & wait'
    )
    with folder() as path:
        os.mkfifo(path / "gate")
        outer = tool("opensnoop", json=True)
        inside = spawn(in_pid_namespace(["bash", "-c", script, "bash", path / "gate"]))
        inner = int(inside.until(r"inside (\d+)").group(1))
        gate = os.open(path / "gate", os.O_WRONLY)
        shell = wait_for(lambda: children(inside.pid))[0]
        wait_for(lambda: len(children(shell)) == 3)
        host = children(shell)[0]
        tracers = children(shell)[1:]
        wait_for(lambda: all("CapEff:\t0000000000000000" in Path(f"/proc/{t}/status").read_text()
                             or KERNEL < (5, 19) for t in tracers), 30)
        by_host = tool("opensnoop", "-p", host, json=True)
        work("open", 5, "/etc/other%d")
        # One level deeper: seen from the first namespace by its number there.
        enter_it = ["nsenter", "-t", shell, "--pid", "--mount"]
        nested = run([*enter_it, *in_pid_namespace(["sh", "-c", f"{WORK} open 4 /etc/nested%d; :"])])
        os.write(gate, b"\n")
        os.close(gate)
        wait_for(lambda: host not in children(shell))
        time.sleep(0.3)
        for tracer in tracers:
            os.kill(tracer, signal.SIGINT)
        text = inside.wait().out
        outer, by_host = outer.stop(), by_host.stop()
    rows = [json_module.loads(line) for line in text.splitlines() if line[0] == "{"]
    rows = [row for row in rows if "path" in row]
    mine = [row for row in rows if "/etc/inner" in row["path"]]
    # Both tracers of the namespace: the one with -p, and the one of all.
    assert sorted(row["path"] for row in mine) == sorted(names("inner", 9) * 2)
    assert {(row["pid"], row["tid"]) for row in mine} == {(inner, inner)} and inner < 100
    deeper = [row for row in rows if "/etc/nested" in row["path"]]
    assert sorted(row["path"] for row in deeper) == names("nested", 4)
    assert nested.words["pid"] < 10 and {row["pid"] for row in deeper}.isdisjoint({0, inner})
    # Whoever is outside of the namespace has no number in it.
    assert {row["pid"] for row in rows if "/etc/other" in row["path"]} <= {0}
    for result in outer, by_host:
        assert paths(result, "inner") == names("inner", 9)
        assert {row["pid"] for row in result.json[:-1] if "/etc/inner" in row["path"]} == {host}
    assert not paths(by_host, "other") and len(paths(outer, "other")) == 5


def test_pid_namespace_where_the_task_is_not_current():
    """runqlat's task is being switched to: its number is not that of the current one."""
    script = (
        f"{WORK} -w sleep 50 1000 <$1 & echo inside $!;"
        f"{BCCTOOL} runqlat -P -p $! --json & {BCCTOOL} runqlat -P --json & wait"
    )
    with folder() as path:
        os.mkfifo(path / "gate")
        inside = spawn(in_pid_namespace(["bash", "-c", script, "bash", path / "gate"]))
        inner = int(inside.until(r"inside (\d+)").group(1))
        gate = os.open(path / "gate", os.O_WRONLY)
        shell = wait_for(lambda: children(inside.pid))[0]
        wait_for(lambda: len(children(shell)) == 3)
        host, *tracers = children(shell)
        wait_for(lambda: all("CapEff:\t0000000000000000" in Path(f"/proc/{t}/status").read_text()
                             for t in tracers), 30)
        os.write(gate, b"\n")
        os.close(gate)
        wait_for(lambda: host not in children(shell))
        for tracer in tracers:
            os.kill(tracer, signal.SIGINT)
        text = inside.wait().out
    rows = [json_module.loads(line) for line in text.splitlines() if line[0] == "{"]
    mine = [row for row in rows if row.get("pid") == inner]
    assert len(mine) == 2 and all(row["count"] >= 50 for row in mine), mine
    # All others that are known by a number are of the namespace, whose numbers are small.
    assert all(row["pid"] < 100 for row in rows if "pid" in row)


def test_cgroup():
    with cgroup() as group, cgroup() as sibling:
        below = group / "below"
        below.mkdir()
        try:
            forms = {
                "absolute": ["--cgroup", group],
                "relative": ["--cgroup", group.name],
                "as in /proc": ["--cgroup", f"/{group.name}"],
            }
            snoops = {form: tool("opensnoop", *args, json=True) for form, args in forms.items()}
            lats = [tool("runqlat", "-P", *args, json=True) for args in list(forms.values())[:2]]
            did = {place: work("open", 5, f"/etc/{place}%d", cgroup=path) for place, path in
                   {"own": group, "below": below, "beside": sibling}.items()}
            slept = [waiting_work("sleep", 30, 1000, cgroup=path) for path in (group, below, sibling)]
            for one in slept:
                one.go()
            work("open", 5, "/etc/beside%d")
            for form, snoop in snoops.items():
                result = snoop.stop()
                assert paths(result, "own") == names("own", 5), form
                assert paths(result, "below") == names("below", 5), form
                assert {r["pid"] for r in result.json[:-1]} - {one.pid for one in slept} == {
                    did["own"]["pid"], did["below"]["pid"]}, form
            for lat in lats:
                counts = {row["pid"]: row["count"] for row in lat.stop().json[:-1]}
                assert counts[slept[0].pid] >= 30 and counts[slept[1].pid] >= 30
                assert slept[2].pid not in counts and os.getpid() not in counts
        finally:
            wait_for(lambda: not (below / "cgroup.procs").read_text())
            below.rmdir()
    one_line(run_tool("opensnoop", "--cgroup", "/nothing/here"), "--cgroup: ", "/nothing/here")
    one_line(run_tool("runqlat", "--cgroup", "/tmp"), "--cgroup: ", "/tmp")


def test_cgroup_namespace():
    """The root of a cgroup namespace is not the root that the kernel counts levels from."""
    with cgroup() as group, cgroup() as sibling:
        script = ("umount /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; mkdir -p /sys/fs/cgroup/inner;"
                  f"exec {BCCTOOL} opensnoop --json --cgroup /inner")
        snoop = spawn(["unshare", "--cgroup", "--mount", "sh", "-c", script], cgroup=group)
        inner = group / "inner"
        wait_for(inner.exists, 30)
        try:
            caps = lambda: Path(f"/proc/{snoop.pid}/status").read_text()
            wait_for(lambda: "CapEff:\t0000000000000000" in caps(), 30)
            work("open", 5, "/etc/inside%d", cgroup=inner)
            work("open", 5, "/etc/above%d", cgroup=group)
            work("open", 5, "/etc/beside%d", cgroup=sibling)
            result = snoop.stop()
        finally:
            wait_for(lambda: not (inner / "cgroup.procs").read_text())
            inner.rmdir()
    assert {row["path"] for row in result.json[:-1] if "/etc/" in row["path"]} >= set(names("inside", 5))
    assert not paths(result, "above") and not paths(result, "beside")


def test_container():
    first, second = "0123456789ab" + "c" * 52, "0123456789ab" + "d" * 52
    third = "fedcba987654" + "0" * 52
    with cgroup() as group:
        folders = [group / f"docker-{first}.scope", group / f"docker-{second}.scope",
                   group / f"libpod-{third}.scope", group / f"libpod-conmon-{third}.scope"]
        for path in folders:
            path.mkdir()
        try:
            by_id = tool("opensnoop", "--container", first, json=True)
            by_prefix = tool("opensnoop", "--container", third[:12], json=True)
            lat = tool("runqlat", "-P", "--container", third[:6], json=True)
            for index, path in enumerate(folders):
                work("open", 3, f"/etc/c{index}_%d", cgroup=path)
            sleeper = waiting_work("sleep", 20, 1000, cgroup=folders[2])
            sleeper.go()
            assert {r["path"] for r in by_id.stop().json[:-1] if "/c" in r["path"]} == set(names("c0_", 3))
            assert paths(by_prefix.stop(), "/etc/c") == names("c2_", 3)
            counts = {row["pid"]: row["count"] for row in lat.stop().json[:-1]}
            assert counts[sleeper.pid] >= 20 and os.getpid() not in counts
            one_line(run_tool("opensnoop", "--container", first[:12]), "--container: ", "may be any of")
            one_line(run_tool("opensnoop", "--container", "beefbeefbeef"), "no container beefbeefbeef")
        finally:
            for path in folders:
                wait_for(lambda: not (path / "cgroup.procs").read_text())
                path.rmdir()


@needs("program:bpftool")
def test_pinned_maps():
    def pin(path, value_size, ident):
        run(["bpftool", "map", "create", path, "type", "hash", "key", 8, "value", value_size,
             "entries", 16, "name", path.name])
        key = [f"{byte:#x}" for byte in ident.to_bytes(8, "little")]
        run(["bpftool", "map", "update", "pinned", path, "key", *key, "value", *["0"] * value_size])

    bpffs = Path("/sys/fs/bpf")
    groups, mounts = bpffs / f"g{os.getpid()}", bpffs / f"m{os.getpid()}"
    other = spawn(["unshare", "--mount", "sleep", "60"])
    wait_for(lambda: os.stat(f"/proc/{other.pid}/ns/mnt").st_ino != os.stat("/proc/self/ns/mnt").st_ino)
    enter_it = ["nsenter", "-t", other.pid, "--mount", WORK]
    with cgroup() as group, cgroup() as sibling:
        try:
            pin(groups, 8, group.stat().st_ino)
            pin(mounts, 4, os.stat(f"/proc/{other.pid}/ns/mnt").st_ino)
            by_group = tool("opensnoop", "--cgroupmap", groups, json=True)
            by_mount = tool("opensnoop", "--mntnsmap", mounts, json=True)
            lat = tool("runqlat", "-P", "--cgroupmap", groups, json=True)
            lat_mount = tool("runqlat", "-P", "--mntnsmap", mounts, json=True)
            inside = waiting_work("sleep", 20, 1000, cgroup=group)
            inside.go()
            work("open", 4, "/etc/in%d", cgroup=group)
            work("open", 4, "/etc/out%d", cgroup=sibling)
            there = run([*enter_it, "open", 4, "/etc/there%d"]).words
            slept = run([*enter_it, "sleep", 20, 1000]).words
            by_group, by_mount = by_group.stop(), by_mount.stop()
            lat, lat_mount = lat.stop(), lat_mount.stop()
        finally:
            for path in groups, mounts:
                path.unlink(missing_ok=True)
    assert paths(by_group, "/etc/in") == names("in", 4) and not paths(by_group, "/etc/out")
    assert paths(by_mount, "/etc/there") == names("there", 4) and not paths(by_mount, "/etc/in")
    assert {row["pid"] for row in by_mount.json[:-1]} <= {there["pid"], slept["pid"]}
    counts = {row["pid"]: row["count"] for row in lat.json[:-1]}
    assert counts[inside.pid] >= 20 and os.getpid() not in counts
    counts = {row["pid"]: row["count"] for row in lat_mount.json[:-1]}
    assert counts[slept["pid"]] >= 20 and os.getpid() not in counts and inside.pid not in counts
    one_line(run_tool("opensnoop", "--cgroupmap", "/sys/fs/bpf/nothing"), "/sys/fs/bpf/nothing")


# Privilege


def as_daemon(*capabilities):
    caps = ",".join(["-all", *(f"+{one}" for one in capabilities)])
    return ["setpriv", "--reuid=daemon", "--clear-groups", f"--inh-caps={caps}", f"--ambient-caps={caps}"]


def test_capabilities_are_given_up():
    for applet in "opensnoop", "runqlat":
        traced = tool(applet)
        status = wait_for(lambda: "Cap" in (text := Path(f"/proc/{traced.pid}/status").read_text()) and text)
        wait_for(lambda: "CapEff:\t0000000000000000" in Path(f"/proc/{traced.pid}/status").read_text())
        status = Path(f"/proc/{traced.pid}/status").read_text()
        for kind in "CapEff", "CapPrm", "CapInh", "CapAmb":
            assert f"{kind}:\t0000000000000000" in status, status
        work("open", 3, "/etc/given_up%d")
        result = traced.stop()
        assert result.code == 0 and not result.err, result.err
        assert result.out.count("/etc/given_up") == (3 if applet == "opensnoop" else 0)


def test_two_capabilities_suffice():
    exact_opens(before=as_daemon("bpf", "perfmon"))
    result = run_tool("runqlat", "--json", "1", "1", before=as_daemon("bpf", "perfmon"))
    assert result.code == 0 and count_of(result) > 0 and not result.err
    with folder() as path:  # by the file
        path.chmod(0o755)
        shutil.copy(BCCTOOL, path / "bcctool")
        run(["setcap", "cap_bpf,cap_perfmon+ep", path / "bcctool"])
        result = run([*as_daemon(), path / "bcctool", "runqlat", "--json", "1", "1"])
        assert count_of(result) > 0 and not result.err


def test_what_lacks_is_named():
    for applet in "opensnoop", "runqlat":
        one_line(run_tool(applet, before=as_daemon()), f"{applet}: needs CAP_BPF and CAP_PERFMON: ", "setcap")
        one_line(run_tool(applet, before=as_daemon("bpf")), f"{applet}: needs CAP_PERFMON: ")
        one_line(run_tool(applet, before=as_daemon("perfmon")), f"{applet}: needs CAP_BPF: ")
        one_line(run_tool(applet, before=["unshare", "-Ur"]), "user namespace")
    result = run([*as_daemon("bpf"), BCCTOOL, "check", "--json", "runqlat"], check=False)
    (said,) = result.json
    assert result.code == 1 and said["verdict"] == "unavailable" and "CAP_PERFMON" in said["reason"]


# Signals and output


def test_signals_end_it_in_good_order():
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        lat, snoop = tool("runqlat"), tool("opensnoop", json=True)
        work("open", 5, "/etc/signal%d")
        lat, snoop = lat.stop(number), snoop.stop(number)
        assert lat.code == snoop.code == 0 and not lat.err + snoop.err
        assert sum(lat.histogram.values()) > 0
        assert paths(snoop, "/etc/signal") == names("signal", 5)


def test_the_second_interrupt_kills():
    """Also where the first cannot be followed: nobody reads the pipe that is written to."""
    reader, writer = os.pipe()
    blocked = subprocess.Popen([BCCTOOL, "opensnoop"], stdout=writer)
    os.close(writer)
    wait_for(lambda: select.select([reader], [], [], 0)[0], 30)
    status = lambda: Path(f"/proc/{blocked.pid}/wchan").read_text()
    wait_for(lambda: work("open", 300, "/etc/" + "x" * 200) and "pipe_w" in status(), 30)
    blocked.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert blocked.poll() is None
    blocked.send_signal(signal.SIGINT)
    assert blocked.wait(10) == -signal.SIGINT
    os.close(reader)


def test_head():
    began = time.monotonic()
    storm = spawn([WORK, "open", 1000000, "/etc/nothing%d"])
    result = run(["bash", "-c", f"{BCCTOOL} opensnoop -p {storm.pid} | head -3; echo ${{PIPESTATUS[*]}}"])
    storm.stop(signal.SIGKILL)
    assert len(result.out.splitlines()) == 4 and result.out.endswith("\n0 0\n"), result.out
    assert not result.err and time.monotonic() - began < 30


def test_nobody_reads_any_more():
    """Without anything to print it ends too."""
    reader, writer = os.pipe()
    idle = subprocess.Popen([BCCTOOL, "opensnoop", "-n", "nobody-is-this"], stdout=writer)
    os.close(writer)
    wait_for(lambda: select.select([reader], [], [], 0)[0], 30)
    time.sleep(0.2)
    os.close(reader)
    assert idle.wait(10) == 0


def test_a_full_disk():
    with folder() as path:
        run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", path])
        try:
            with open(path / "out", "w") as out:
                full = subprocess.Popen([BCCTOOL, "opensnoop"], stdout=out, stderr=subprocess.PIPE, text=True)
                wait_for(lambda: os.stat(path / "out").st_size, 30)
                work("open", 3000, "/etc/nothing%d")
                _, said = full.communicate(timeout=20)
        finally:
            run(["umount", path])
    assert full.returncode == 1
    assert said == "opensnoop: cannot write the output: No space left on device\n"


def test_closed_output():
    for applet in "opensnoop", "runqlat":
        result = run(["bash", "-c", f"{BCCTOOL} {applet} --duration 1 >&-; echo code $? >&2"])
        assert result.err == "code 0\n" and not result.out


@alone  # another opensnoop that comes or goes could hide the return of an open
def test_a_file_is_complete():
    one = waiting_work("open", 5000, "/etc/nothing%d")
    with folder() as path, open(path / "out", "w") as out:
        argv = [BCCTOOL, "opensnoop", "-p", str(one.pid)]
        snoop = subprocess.Popen(argv, stdout=out, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: os.stat(path / "out").st_size, 30)
        one.go()
        snoop.send_signal(signal.SIGINT)
        _, said = snoop.communicate(timeout=20)
        assert snoop.returncode == 0
        head, *lines = (path / "out").read_text().splitlines()
    assert head.split() == "PID COMM FD ERR PATH".split()
    paths = [line.split()[4] for line in lines]
    missing = sorted({*names("nothing", 5000)} - {*paths})
    assert not missing and not said, (missing, said)
    assert paths == names("nothing", 5000)


@alone
def test_events_are_shown_at_once():
    """A sparse event is a line in the pipe within 100 ms, and nothing else wakes the reader."""
    one = waiting_work("open", 1, "/etc/nothing%d")
    reader, writer = os.pipe()
    snoop = subprocess.Popen([BCCTOOL, "opensnoop", "-p", str(one.pid)], stdout=writer)
    os.close(writer)
    assert b"PATH" in os.read(reader, 4096)
    switches = lambda: int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)",
                                     Path(f"/proc/{snoop.pid}/status").read_text(), re.MULTILINE).group(1))
    time.sleep(0.3)
    before = switches()
    work("open", 2000, "/etc/other%d")  # filtered out
    time.sleep(3)
    assert switches() - before <= 3
    one.begin()
    one.until("opened")
    begin = time.monotonic()
    text = b""
    while b"nothing0" not in text:
        assert select.select([reader], [], [], 5)[0]
        text += os.read(reader, 4096)
    took = time.monotonic() - begin
    snoop.send_signal(signal.SIGINT)
    assert snoop.wait(10) == 0
    # until() looks every 50 ms, so this is what was left after the workload had told us.
    assert took < 0.1


# Losses


@alone
def test_losses_are_exact():
    one, two = (waiting_work("open", 8000, "/etc/nothing%d") for _ in "ab")
    json = tool("opensnoop", "--buffer", "4096", "-p", one.pid, json=True)
    text = tool("opensnoop", "--buffer", "4096", "-p", two.pid)
    assert one.go(60)["failed"] == two.go(60)["failed"] == 8000
    json, text = json.stop(), text.stop()
    lost = json.json[-1]["lost"]
    assert len(json.json) - 1 + lost["events"] == 8000
    assert not any(count for kind, count in lost.items() if kind != "events"), lost
    said = re.findall(r"^opensnoop: (\d+) events lost: ", text.err, re.MULTILINE)
    assert len(text.rows) + sum(map(int, said)) == 8000 and len(said) <= 1
    assert bool(lost["events"]) == ("events lost" in json.err)


def test_perf_buffer():
    """Where the kernel has no ring buffer."""
    old = {"BCCTOOL_PERF_BUFFER": "1"}
    exact_opens(env=old)
    one = waiting_work("open", 8000, "/etc/nothing%d")
    snoop = tool("opensnoop", "-p", one.pid, json=True, env=old)
    one.go(60)
    result = snoop.stop()
    assert len(result.json) - 1 + sum(result.json[-1]["lost"].values()) == 8000
    times = [row["time"] for row in result.json[:-1]]
    assert len(set(times)) == len(times)


# What the kernel or the host may lack


@contextlib.contextmanager
def btf_copy():
    with folder() as path:
        (path / "btf").write_bytes(Path("/sys/kernel/btf/vmlinux").read_bytes())
        yield path / "btf"


def test_no_btf():
    result = exact_opens(before=privately(HIDE_BTF))
    assert result.err == "opensnoop: this kernel has no probe for: opens by io_uring; " \
                         "lost: opens by io_uring\n"
    one_line(run_tool("runqlat", "1", "1", before=privately(HIDE_BTF)), "runqlat: ", "no BTF", "--btf")
    with btf_copy() as copy:
        exact_opens("--btf", copy, before=privately(HIDE_BTF))
        one = waiting_work("sleep", 50, 1000)
        lat = spawn([*privately(HIDE_BTF), BCCTOOL, "runqlat", "--btf", copy, "--json", "-p", one.pid,
                     "--duration", 4])
        wait_for(lambda: "CapEff:\t0000000000000000" in Path(f"/proc/{lat.pid}/status").read_text(), 30)
        one.go()
        assert count_of(lat.wait()) >= 50
        exact_opens("--btf", copy)


@timeout(90)
def test_bad_btf_files():
    with btf_copy() as copy:
        whole = copy.read_bytes()
        types = int.from_bytes(whole[4:8], "little")
        bad = {
            "empty": b"",
            "short": whole[:10],
            "truncated": whole[: len(whole) // 2],
            "random": os.urandom(100000),
            # Sound but for its first types, which are noise: references that lead nowhere.
            "noise": whole[: types + 2000] + os.urandom(64) + whole[types + 2064 :],
        }
        for name, content in bad.items():
            copy.write_bytes(content)
            one_line(run_tool("runqlat", "--btf", copy, "1", "1"), f"cannot use BTF file '{copy}'")
        one_line(run_tool("opensnoop", "--btf", copy), f"cannot use BTF file '{copy}'")
        # One word of each is changed: it may still do, but it never crashes.
        for place in range(types, types + 4000, 401):
            copy.write_bytes(whole[:place] + b"\xff\xff\xff\x7f" + whole[place + 4 :])
            result = run_tool("runqlat", "--btf", copy, "1", "1", "--duration", "1")
            assert result.code in (0, 1) and result.err.count("\n") == result.code, (place, result.err)
    one_line(run_tool("runqlat", "--btf", "/nonexistent"), "'/nonexistent': No such file or directory")
    one_line(run_tool("runqlat", "--btf", "/tmp"), "'/tmp': Is a directory")
    one_line(run_tool("runqlat", "--btf", "/dev/zero"), "'/dev/zero'")


def test_tracefs_not_mounted():
    hidden = privately(f"{HIDE_TRACEFS}; {HIDE_BTF}; test ! -e /sys/kernel/tracing/events || exit 9")
    result = exact_opens(before=hidden)
    assert "io_uring" in result.err  # so it was by tracepoints
    exact_opens(before=privately(HIDE_TRACEFS))


def test_read_only_root():
    frozen = privately("mount -o remount,bind,ro / && mount -o remount,bind,ro /tmp; ! touch /tmp/x 2>&- || exit 9")
    exact_opens(before=frozen)
    result = run_tool("runqlat", "--json", "1", "1", before=frozen)
    assert result.code == 0 and count_of(result) > 0


def test_proc_hidden():
    exact_opens(before=privately(HIDE_PROC))
    result = run_tool("runqlat", "--json", "1", "1", before=privately(HIDE_PROC))
    assert result.code == 0 and count_of(result) > 0
    one_line(run_tool("opensnoop", "--cgroup", "x", before=privately(HIDE_PROC)), "/proc/self/mountinfo")
    # Its own namespace is found all the same.
    inside = in_pid_namespace(["sh", "-c", f'{HIDE_PROC}; exec "$0" "$@"'])
    result = exact_opens(before=inside)
    pids = {json_module.loads(line)["pid"] for line in result.out.splitlines() if "nothing" in line}
    assert len(pids) == 1 and pids.pop() < 20


# Forms of output


def test_forms_agree():
    one = waiting_work("open", 50, "/etc/nothing%d")
    args = "opensnoop", "-e", "-U", "-p", one.pid
    text, json, table_ = tool(*args), tool(*args, json=True), tool(*args, "--csv")
    one.go()
    text, json, table_ = text.stop().rows, json.stop().json, table_.stop().out
    rows = list(csv.DictReader(table_.splitlines()))
    assert len(text) == len(rows) == len(json) - 1 == 50
    for words_, cells_, record in zip(text, rows, json):
        assert words_["PATH"] == cells_["path"] == record["path"]
        assert words_["FD"] == int(cells_["fd"]) == record["fd"] == -1
        assert words_["ERR"] == int(cells_["err"]) == record["err"] == 2
        assert words_["PID"] == int(cells_["pid"]) == record["pid"] == one.pid
    assert set(json[-1]) == {"lost"} and all(type(n) is int for n in json[-1]["lost"].values())


def test_forms_of_histograms_agree():
    one = waiting_work("sleep", 60, 1000)
    args = "runqlat", "-P", "-p", one.pid
    text, json, table_ = tool(*args), tool(*args, json=True), tool(*args, "--csv")
    one.go()
    text, json, table_ = text.stop().histograms, json.stop().json, table_.stop().out
    assert list(text) == [f"pid = {one.pid}"]
    (record, last), (histogram,) = json, text.values()
    rows = list(csv.DictReader(table_.splitlines()))
    bounds = {(bucket["low"], bucket["high"]): bucket["count"] for bucket in record["buckets"]}
    seen = {(int(row["low"]), int(row["high"])): int(row["count"]) for row in rows}
    filled = lambda found: {bound: n for bound, n in found.items() if n}
    # Three tracers, attached one after the other: each saw all that the process did since go().
    totals = sum(bounds.values()), sum(seen.values()), sum(histogram.values())
    assert record["count"] == totals[0] and record["pid"] == one.pid and record["unit"] == "usecs"
    assert min(totals) >= 60 and max(totals) - min(totals) <= 2, totals
    assert set(filled(histogram)) & set(filled(bounds)) & set(filled(seen))
    assert set(last) == {"lost"}


def test_hostile_names():
    """A thread that calls itself something evil is a row, on one line, of printable characters."""
    evil = b"\x1b[2J\n\x9b31m\xe2\x80\xae"
    code = f"import ctypes,os;ctypes.CDLL(None).prctl(15,{evil!r});os.stat('/');print(os.getpid(),flush=True);"
    code += "[os.path.exists('/') or 0 for _ in '1'];\ntry: open('/etc/nothing')\nexcept OSError: pass"
    text, json, table_ = tool("opensnoop"), tool("opensnoop", json=True), tool("opensnoop", "--csv")
    pid = int(run([sys.executable, "-c", code]).out)
    text, json, table_ = text.stop().out, json.stop(), table_.stop().out
    (row,) = [line for line in text.splitlines() if line.startswith(f"{pid} ") and "/etc/nothing" in line]
    assert r"\x1b[2J\x0a" in row
    assert all(" " <= char <= "~" or char == "\n" for char in text)
    (record,) = [row for row in json.of(pid) if row["path"] == "/etc/nothing"]
    assert record["comm"].startswith("\x1b[2J\n")
    assert "\x1b" not in json.out
    (row,) = [row for row in csv.DictReader(table_.splitlines()) if row["path"] == "/etc/nothing"
              and row["pid"] == str(pid)]
    assert "\x1b" not in table_


# How soon


@needs("function:btf_vmlinux_read")
def test_types_come_in_one_call():
    """Of vmlinux's BTF sysfs is asked for the header: the rest would be over a thousand pages."""
    quiet = ["sh", "-c", f"exec {BCCTOOL} opensnoop --duration 1 >/dev/null"]
    result = run_tool("funccount", "--json", "btf_vmlinux_read", "--exec", *quiet)
    assert [row["count"] for row in result.json[:-1]] == [1]


# How long, and for whom


def test_duration_and_intervals():
    for args in (["--duration", "1"], ["1", "1"]):
        began = time.monotonic()
        result = run_tool("runqlat", "--json", *args)
        assert result.code == 0 and time.monotonic() - began >= 1
        assert len(result.json) == 2 and result.json[0]["count"] > 0
    result = run_tool("runqlat", "-T", "1", "3")
    assert len(re.findall(r"^\d\d:\d\d:\d\d$", result.out, re.MULTILINE)) == 3
    assert result.out.count(": count ") == 3


def test_exec():
    began = time.monotonic()
    exact_opens(count=20)
    result = run_tool("opensnoop", "--exec", "/nonexistent/program")
    assert result.err.count("\n") == 1 and "cannot run '/nonexistent/program': No such file" in result.err
    result = run_tool("opensnoop", "--exec", "sh", "-c", "exit 3")
    assert time.monotonic() - began < 40 and not result.err


def test_a_process_that_does_not_exist():
    for applet in "opensnoop", "runqlat":
        one_line(run_tool(applet, "-p", 4194304), f"{applet}: no such process: 4194304")
    one_line(run_tool("opensnoop", "-t", 4194304), "no such thread: 4194304")


# What stays


@alone
@needs("program:bpftool")
def test_nothing_stays():
    def attached():
        found = set()
        for kind in "prog", "link", "map":
            found |= {(kind, one["id"]) for one in json_module.loads(run(["bpftool", "-j", kind, "list"]).out)}
        return found

    before = attached()
    for applet in "opensnoop", "runqlat":
        traced = tool(applet)
        assert len(attached()) > len(before)
        traced.stop(signal.SIGKILL)
        wait_for(lambda: attached() <= before)
    hidden = spawn([*privately(HIDE_BTF), BCCTOOL, "opensnoop"])
    hidden.until("PATH")
    hidden.stop(signal.SIGKILL)
    wait_for(lambda: attached() <= before)
    assert not (TRACING / "kprobe_events").read_text() and not (TRACING / "uprobe_events").read_text()


# bcctool check


def check(*applets, before=()):
    result = run([*before, BCCTOOL, "check", "--json", *applets], check=False, limit=100)
    return result.code, {one["applet"]: one for one in result.json}


@timeout(120)
def test_check():
    load_what_is_traced()
    code, said = check()
    assert code == 1 and set(said) == set(run([BCCTOOL, "--names"]).out.split())
    take_out_what_is_not_here(said)
    for name, one in said.items():
        assert one["verdict"] in ("ok", "degraded") and one["reason"] is None, one
        lacking_ = [probe for probe in one["probes"] if not probe["chosen"]]
        assert bool(lacking_) == (one["verdict"] == "degraded"), one
        assert all(probe["lost"] for probe in lacking_), one
    assert {said["opensnoop"]["verdict"], said["runqlat"]["verdict"]} == {"ok"}
    text = run([BCCTOOL, "check", "opensnoop", "runqlat"]).out.splitlines()
    assert [line.split() for line in text if line[0] != " "] == [["opensnoop", "ok"], ["runqlat", "ok"]]
    assert run([BCCTOOL, "check", "nonesuch"], check=False).code == 2


def test_check_without_btf():
    code, said = check("opensnoop", "runqlat", before=privately(HIDE_BTF))
    assert code == 1 and said["opensnoop"]["verdict"] == "degraded"
    (probe,) = [probe for probe in said["opensnoop"]["probes"] if not probe["chosen"]]
    assert probe["lost"] == "opens by io_uring"
    assert said["runqlat"]["verdict"] == "unavailable" and "no BTF" in said["runqlat"]["reason"]
    text = run([*privately(HIDE_BTF), BCCTOOL, "check", "runqlat"], check=False)
    assert text.code == 1 and text.out.startswith("runqlat          unavailable: ") and "no BTF" in text.out
    with contextlib.suppress(FileNotFoundError):
        Path("/tmp/x").unlink()
