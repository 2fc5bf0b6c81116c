"""Containers: each engine, from outside by control group and by container, and inside with the pids of there."""

from harness import *

ID = "c0ffee" + "5a" * 29
OPERATIONS = {"open": 7, "write": 6, "read": 5, "fsync": 4}


class Container:
    """A process of its own pid, mount and cgroup namespace, in a control group named as Docker's are."""

    def __init__(self, group, init):
        self.group = group
        self.enter = ["nsenter", "-t", init, "--pid", "--mount", "--cgroup"]

    def waiting_work(self, *did):
        """A workload in it, whose .words tell its pid as it is inside."""
        work = Waiting([*self.enter, WORK, "-w", *did], cgroup=self.group)
        work.inside = int(work.until(r"^pid (\d+)").group(1))
        return work

    def tool(self, applet, *args):
        """An applet in its namespaces, but not of its control group: what that one does is known."""
        return tool(applet, *args, by=self.enter, json=True)


def stop_below(process):
    """Ctrl-C for what nsenter runs, not for itself, which would end before it."""
    os.kill(child_of(process.pid), signal.SIGINT)
    return process.wait()


def child_of(pid):
    file = Path(f"/proc/{pid}/task/{pid}/children")
    return wait_for(lambda: next(map(int, file.read_text().split()), None))


@contextlib.contextmanager
def container():
    with cgroup() as above:
        group = above / f"docker-{ID}.scope"
        group.mkdir()
        init = spawn(in_pid_namespace(["--cgroup", "sleep", "1000"]), cgroup=group)
        try:
            yield Container(group, child_of(init.pid))
        finally:
            write(group / "cgroup.kill", 1)
            init.wait()
            wait_for(lambda: not (group / "cgroup.procs").read_text())
            group.rmdir()


def seen(box, did, applet, *args):
    """What the workload did as it is seen by control group, by container, and inside by its pid."""
    mine = box.waiting_work(*did)
    outside = [tool(applet, *args, "--cgroup", box.group, json=True),
               tool(applet, *args, "--container", ID[:12], json=True)]
    inside = box.tool(applet, *args, "-p", mine.inside)
    work(*did)  # outside: of no account
    said = mine.go()
    results = [*(tracer.stop() for tracer in outside), stop_below(inside)]
    for result in results:
        assert result.code == 0, result.err
        assert not any(result.json[-1]["lost"].values())
    return [result.json[:-1] for result in results], mine, said


@alone
def test_events():
    with container() as box:
        (*outside, inside), mine, _ = seen(box, ("open", 9, "/etc/mine%d"), "opensnoop")
    of = lambda rows: [row for row in rows if "/etc/mine" in row["path"]]
    for rows in (*outside, inside):
        assert [row["path"] for row in of(rows)] == [f"/etc/mine{i}" for i in range(9)]
    assert {row["pid"] for row in inside} == {mine.inside} and mine.inside < 100
    (pid,) = {row["pid"] for row in of(outside[0])}
    assert pid > 100 and {row["pid"] for row in of(outside[1])} == {pid}
    assert {row["comm"] for rows in outside for row in rows} == {"work"}


@alone
def test_histograms():
    with filesystem("ext4") as path, container() as box:
        results, _, said = seen(box, ("ops", path / "f", *OPERATIONS.values()), "ext4dist")
    for rows in results:
        assert {row["operation"]: row["count"] for row in rows} == OPERATIONS
        assert all(row["sum"] <= said[f"{row['operation']}_us"] + row["count"] for row in rows)


@alone
def test_tables():
    with container() as box:
        results, _, _ = seen(box, ("syscalls", 1000), "syscount", "-T", 50)
    for rows in results:
        assert {row["syscall"]: row["count"] for row in rows}["getppid"] == 1000


@alone
def test_tops():
    with folder() as path, container() as box:
        (*outside, inside), mine, _ = seen(box, ("ops", path / "f", *OPERATIONS.values()), "filetop", 60)
    for rows in (*outside, inside):
        assert [(row["reads"], row["writes"]) for row in rows if row["file"] == "f"] == [(5, 6)]
    assert {(row["pid"], row["tid"]) for row in inside} == {(mine.inside, mine.inside)}
    assert {row["pid"] for row in outside[0]} == {row["pid"] for row in outside[1]}
    assert mine.inside not in {row["pid"] for row in outside[0]}


@alone
def test_counters():
    with folder() as path, container() as box:
        results, _, said = seen(box, ("vfs", path, 30), "vfsstat")
    kinds = ["reads", "writes", "fsyncs", "opens", "creates", "unlinks", "mkdirs", "rmdirs"]
    expected = {kind: said["each"] + (kind == "writes") for kind in kinds}
    for rows in results:
        assert {kind: sum(row[kind] for row in rows) for kind in kinds} == expected


@alone
def test_stacks():
    with container() as box:
        # It lives longer than the 20 ms between two looks for new processes: those that do not have no names.
        (*outside, inside), mine, _ = seen(box, ("stack", 25, 4000), "stackcount", "-P", f"{WORK}:work_stack_leaf")
    for rows in (*outside, inside):
        (row,) = rows
        assert row["count"] == 25 and row["comm"] == "work"
        assert row["user"][:3] == ["work_stack_leaf", "work_stack_middle", "work_stack_top"]
    assert inside[0]["pid"] == mine.inside
    assert outside[0][0]["pid"] == outside[1][0]["pid"] != mine.inside
