"""tplist: the tracepoints that tracefs has, and their fields."""

from harness import *

EVENTS = Path("/sys/kernel/tracing/events")


def expected(pattern="*/*"):
    return sorted(f"{path.parent.parent.name}:{path.parent.name}" for path in EVENTS.glob(f"{pattern}/format")
                  if path.parent.parent.name != "ftrace")


def test_all():
    result = tool_run("tplist")
    assert result.code == 0 and sorted(result.out.split()) == expected()
    assert len(result.out.split()) > 1000
    names = [f"{row['category']}:{row['event']}" for row in tool_run("tplist", json=True).json]
    assert names == result.out.split()


def test_filter():
    assert sorted(tool_run("tplist", "block:*").out.split()) == expected("block/*")
    assert tool_run("tplist", "*:sys_enter_open?t").out.split() == ["syscalls:sys_enter_openat"]
    nothing = tool_run("tplist", "block:nothing")
    assert nothing.code == 1 and nothing.out == "" and nothing.err.count("\n") == 1


def test_fields():
    result = tool_run("tplist", "-v", "syscalls:sys_enter_read")
    assert result.out == (
        "syscalls:sys_enter_read\n"
        "    int __syscall_nr;\n"
        "    unsigned int fd;\n"
        "    char * buf;\n"
        "    size_t count;\n"
        "\n"
    )
    (row,) = tool_run("tplist", "-v", "sched:sched_switch", json=True).json
    fields = {field["name"]: field["type"] for field in row["fields"]}
    assert fields["prev_comm"] == "char[16]" and fields["next_pid"] == "pid_t" and "common_pid" not in fields


def test_tracefs_not_mounted():
    script = "umount /sys/kernel/debug/tracing /sys/kernel/debug /sys/kernel/tracing; exec " + \
        f"{BCCTOOL} tplist sched:sched_switch"
    result = run(["unshare", "-m", "sh", "-c", script], check=False)
    assert result.out == "sched:sched_switch\n", result.err


def test_without_privilege():
    result = run(["setpriv", "--reuid=daemon", "--clear-groups", BCCTOOL, "tplist"], check=False)
    assert result.code == 1 and result.out == "" and "tracefs" in result.err and result.err.count("\n") == 1
