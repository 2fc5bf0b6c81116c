"""tplist: the tracepoints that tracefs has, and their fields."""

import os
import re

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


PYTHON = "/usr/bin/python3.11"


def notes():
    """(provider, probe, location, semaphore, arguments) as readelf has them."""
    text = run(["readelf", "-n", "-W", PYTHON]).out
    return re.findall(r"Provider: (\S+)\n\s+Name: (\S+)\n\s+Location: 0x(\w+), Base: 0x\w+, Semaphore: 0x(\w+)\n"
                      r"\s+Arguments: ?(.*)", text)


@needs(f"file:{PYTHON}", "program:readelf")
def test_usdt_of_a_file():
    known = notes()
    assert len(known) > 5
    rows = tool_run("tplist", "-l", PYTHON, json=True).json
    found = {(row["provider"], row["probe"], site["address"], site["semaphore"], " ".join(site["arguments"]))
             for row in rows for site in row["locations"]}
    assert found == {(p, n, int(a, 16), int(s, 16), args.strip()) for p, n, a, s, args in known}
    names = sorted({f"{p}:{n}" for p, n, *_ in known})
    assert tool_run("tplist", "-l", PYTHON).out.splitlines() == [f"{PYTHON} {name}" for name in names]
    assert tool_run("tplist", "-l", "python3.11", "--csv").out.splitlines()[0] == "path,provider,probe"


@needs(f"file:{PYTHON}", "program:readelf")
def test_usdt_details():
    (one,) = [note for note in notes() if note[1] == "gc__done"]
    sema, address = int(one[3], 16), int(one[2], 16)
    assert tool_run("tplist", "-l", PYTHON, "-v", "python:gc__done").out == (
        f"python:gc__done [sema 0x{sema:x}]\n  1 location(s)\n  1 argument(s)\n")
    size, operand = one[4].strip().split("@")
    kind = "signed  " if size[0] == "-" else "unsigned"
    operand = re.sub(r"^[re](?=[a-z]{2}$)", "", operand.lstrip("%"))
    assert tool_run("tplist", "-l", PYTHON, "-vv", "python:gc__done").out == (
        f"python:gc__done [sema 0x{sema:x}]\n  location #1 {PYTHON} 0x{address:x}\n"
        f"    argument #1 {size.lstrip('-')} {kind} bytes @ {operand}\n")


@needs(f"file:{PYTHON}", "program:readelf")
def test_usdt_of_a_process():
    process = spawn([PYTHON, "-c", "import time; print('up', flush=True); time.sleep(60)"])
    process.until("up")
    rows = tool_run("tplist", "-p", process.pid, "python:*", json=True).json
    process.stop()
    assert {row["path"] for row in rows} == {os.path.realpath(PYTHON)}
    assert {row["probe"] for row in rows} == {name for _, name, *_ in notes()}


def test_usdt_refused():
    for args, why in ((["-l", "/etc/passwd"], "ELF"), (["-l", "/nonexistent"], "No such file"),
                      (["-l", "nosuchlibrary"], "give its path"), (["-l", BCCTOOL], "no USDT"),
                      (["-p", "4194304"], "no such process: 4194304"), (["-l", "/dev/zero"], "not a file")):
        result = tool_run("tplist", *args)
        assert result.code == 1 and result.out == "" and why in result.err, (args, result.err)
        assert result.err.count("\n") == 1
    both = tool_run("tplist", "-p", "4194304", "-l", "c")
    assert both.code == 1 and "no such process: 4194304" in both.err
