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
POSTGRES = "/usr/lib/postgresql/15/bin/postgres"
JVM = f"/usr/lib/jvm/java-17-openjdk-{THIS_MACHINE.debian}/lib/server/libjvm.so"
PIE = WORK.parent / "work-pie"


def notes(path=PYTHON):
    """(provider, probe, location, semaphore, arguments) as readelf has them."""
    text = run(["readelf", "-n", "-W", path]).out
    return re.findall(r"Provider: (\S+)\n\s+Name: (\S+)\n\s+Location: 0x(\w+), Base: 0x\w+, Semaphore: 0x(\w+)\n"
                      r"\s+Arguments: ?(.*)", text)


def check_against_readelf(path):
    known = notes(path)
    assert len(known) > 5
    rows = tool_run("tplist", "-l", path, json=True).json
    found = sorted((row["provider"], row["probe"], site["address"], site["semaphore"], " ".join(site["arguments"]))
                   for row in rows for site in row["locations"])
    assert found == sorted((p, n, int(a, 16), int(s, 16), args.strip()) for p, n, a, s, args in known)
    names = sorted({f"{p}:{n}" for p, n, *_ in known})
    assert tool_run("tplist", "-l", path).out.splitlines() == [f"{path} {name}" for name in names]
    # Every form of operand that is in use is understood.
    assert "(it is" not in tool_run("tplist", "-vv", "-l", path).out
    return names


@needs(f"file:{PYTHON}", "program:readelf")
def test_usdt_of_a_file():
    check_against_readelf(PYTHON)
    assert tool_run("tplist", "-l", "python3.11", "--csv").out.splitlines()[0] == "path,provider,probe"


@needs(f"file:{POSTGRES}", "program:readelf")
def test_usdt_of_postgresql():
    assert "postgresql:query__start" in check_against_readelf(POSTGRES)
    assert "argument #1 4 signed   bytes @ *(&NBuffers + 0)" in tool_run("tplist", "-vv", "-l", POSTGRES).out


@needs(f"file:{JVM}", "program:readelf")
def test_usdt_of_java():
    assert "hotspot:gc__begin" in check_against_readelf(JVM)


@needs("program:readelf")
def test_usdt_of_programs_that_move_and_do_not():
    for path in (WORK, PIE):
        names = {f"{p}:{n}" for p, n, *_ in notes(path)}
        assert names == {"work:plain", "work:forms", "work:globals", "work:many", "work:guarded"}
        check_against_readelf(path)


def test_usdt_of_a_library_without_any():
    result = tool_run("tplist", "-l", "c")
    assert result.code == 1 and "no USDT probe" in result.err
    # A script of the linker leads to the library; what it names is looked for in turn.
    with folder() as path:
        (path / "libx.so").write_text(f"/* GNU ld script */\nGROUP ( {PIE}.so AS_NEEDED ( /nonexistent.so ) )\n")
        os.symlink(PIE, path / "link.so")
        (path / "liby.so").write_text(f"INPUT({path}/link.so)\n")
        missing = tool_run("tplist", "-l", path / "libx.so")
        assert missing.code == 1 and f"{PIE}.so" in missing.err
        assert tool_run("tplist", "-l", path / "liby.so", "work:plain").out == f"{path}/link.so work:plain\n"


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


def in_a_root(path, rounds):
    """The command line that makes a small root of its own on a tmpfs, with the program in it, and runs
    that as a container would: it is /app there, after pivot_root, in its own mount namespace."""
    libraries = run(["ldd", path]).out
    files = " ".join(sorted(set(re.findall(r"(/\S+) \(0x", libraries))))
    script = f"""
        set -e
        root=$(mktemp -d /tmp/root.XXXXXX)
        mount -t tmpfs none $root
        cd $root
        mkdir old lib64 proc tmp
        cp --parents -L {files} .
        cp -L {path} app
        mkfifo fifo
        ln -s {path} escape
        ln -s ../../../../../../..{path} climb
        echo secret > notelf
        pivot_root . old
        exec /app -w user {rounds}
    """
    return ["unshare", "--mount", "sh", "-c", script]


class Contained(Process):
    def __init__(self, rounds=1):
        self.reader, self.gate = os.pipe()
        super().__init__(in_a_root(PIE, rounds), stdin=self.reader)
        self.until(r"^pid \d+")


@needs("program:ldd")
def test_usdt_of_a_process_with_its_own_root():
    process = Contained()
    expected_names = ["work:forms", "work:globals", "work:guarded", "work:many", "work:plain"]

    def listed(*args):
        return tool_run("tplist", "-p", process.pid, *args)

    assert listed().out.splitlines() == [f"/app {name}" for name in expected_names]
    for name in ("/app", "app"):
        assert listed("-l", name).out.splitlines() == [f"/app {name}" for name in expected_names]
    # Its libc is its own; nothing leads out of its root, and nothing is opened that is no file.
    assert "'c' has no USDT probe" in listed("-l", "c").err
    for name, why in (("/escape", "No such file"), ("/climb", "No such file"), ("/fifo", "not a file"),
                      ("/notelf", "not an ELF file"), (PIE, "No such file"), ("python3.11", "has mapped no")):
        refused = listed("-l", name)
        assert refused.code == 1 and why in refused.err and refused.err.count("\n") == 1, (name, refused.err)
    # What was mapped is found after its file is gone.
    os.unlink(f"/proc/{process.pid}/root/app")
    assert listed("work:plain").out == "/app work:plain\n"
    process.stop()


def test_usdt_refused():
    for args, why in ((["-l", "/etc/passwd"], "ELF"), (["-l", "/nonexistent"], "No such file"),
                      (["-l", "nosuchlibrary"], "give its path"), (["-l", BCCTOOL], "no USDT"),
                      (["-p", "4194304"], "no such process: 4194304"), (["-l", "/dev/zero"], "not a file")):
        result = tool_run("tplist", *args)
        assert result.code == 1 and result.out == "" and why in result.err, (args, result.err)
        assert result.err.count("\n") == 1
    both = tool_run("tplist", "-p", "4194304", "-l", "c")
    assert both.code == 1 and "no such process: 4194304" in both.err
