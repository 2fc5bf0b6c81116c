"""Probes of functions and USDT probes of user programs, by funccount: the counts are known."""

import os
import pwd
import re
import signal
import time

from harness import *
from test_tplist import JVM, PIE, POSTGRES, PYTHON, Contained

PROGRAMS = (WORK, PIE)  # one that is linked to where it runs, one that is loaded anywhere


def counts(funccount):
    """{name: count} of a funccount with json=True, which is stopped; nothing may be lost."""
    result = funccount.stop()
    assert result.code == 0, result.err
    rows = [row for row in result.json if "func" in row]
    (lost,) = [row["lost"] for row in result.json if "lost" in row]
    assert not any(lost.values()), lost
    found = {}
    for row in rows:
        found[row["func"]] = found.get(row["func"], 0) + row["count"]
    return found


def own(path):
    """A copy of the program: other tests, which run beside this one, do not run that."""
    return shutil.copy2(path, tempfile.mkdtemp(prefix="live."))


def user_work(path, *args, **options):
    return run([path, "user", *args], **options).words


def waiting(path, *args):
    return Waiting([path, "-w", *args])


def test_functions_by_name():
    for path in map(own, PROGRAMS):
        funccount = tool("funccount", f"{path}:work_user_add", json=True)
        user_work(path, 300)
        assert counts(funccount) == {"work_user_add": 300}


def test_functions_by_pattern():
    for path in map(own, PROGRAMS):
        funccount = tool("funccount", f"p:{path}:work_user_*", json=True)
        user_work(path, 50, 1)
        assert counts(funccount) == {
            "work_user_add": 50, "work_user_name": 100, "work_user_struct": 50, "work_user_static": 50,
            "work_user_recurse": 200, "work_user_sleep": 50,
        }
    funccount = tool("funccount", "-r", f"{path}:^work_user_(add|name)$", json=True)
    user_work(path, 20)
    assert counts(funccount) == {"work_user_add": 20, "work_user_name": 40}


def test_several_specs():
    fixed, moved = map(own, PROGRAMS)
    funccount = tool("funccount", f"{fixed}:work_user_add", f"{moved}:work_user_add", f"u:{moved}:plain", json=True)
    user_work(fixed, 30)
    user_work(moved, 12)
    run([moved, "usdt", 9])
    assert counts(funccount) == {"work_user_add": 42, "work:plain": 9}


def test_one_process_only():
    for path in map(own, PROGRAMS):
        one, other = waiting(path, "user", 40), waiting(path, "user", 70)
        funccount = tool("funccount", "-p", one.pid, f"{path}:work_user_add", json=True)
        one.go()
        other.go()
        assert counts(funccount) == {"work_user_add": 40}


def test_offset_into_a_function():
    """Only offsets that an instruction begins at are taken; there the probe fires as at the entry, or
    for the three calls that go deeper, or for the last."""
    path, taken, refused = own(WORK), 0, 0
    for offset in range(1, 8):
        try:
            funccount = tool("funccount", f"{path}:work_user_recurse+{offset}", json=True)
        except AssertionError as ended:
            assert "instruction" in str(ended), ended
            refused += 1
        else:
            user_work(path, 10)
            taken += counts(funccount) in [{"work_user_recurse": n} for n in (40, 30, 10)]
    assert taken and refused and taken + refused == 7, (taken, refused)


def test_library_by_short_name():
    script = "import socket\nfor i in range(25): socket.getaddrinfo('127.0.0.1', 80)"
    funccount = tool("funccount", "c:getaddrinfo", json=True)
    run(["/usr/bin/python3", "-c", script])
    assert counts(funccount) == {"getaddrinfo": 25}


def test_merged_library():
    """pthread is part of libc since glibc 2.34."""
    script = "import threading\nfor i in range(17): t = threading.Thread(target=int); t.start(); t.join()"
    process = spawn(["/usr/bin/python3", "-c", "input(); print('up', flush=True); input()\n" + script],
                    stdin=(pipe := os.pipe())[0])
    os.write(pipe[1], b"\n")
    process.until("up")
    funccount = tool("funccount", "-p", process.pid, "pthread:pthread_create", json=True)
    os.write(pipe[1], b"\n")
    process.wait()
    assert counts(funccount) == {"pthread_create": 17}


def test_indirect_function():
    """strlen is chosen by the processor; the program calls it twice a round, and else a little."""
    waits = waiting(PIE, "user", 1000)
    funccount = tool("funccount", "-p", waits.pid, "c:strlen", json=True)
    waits.go()
    found = counts(funccount)["strlen"]
    assert 2000 <= found <= 2100, found
    vdso = tool_run("funccount", "c:gettimeofday")
    assert vdso.code == 1 and "vDSO" in vdso.err


def test_usdt():
    for path in map(own, PROGRAMS):
        funccount = tool("funccount", f"u:{path}:*", json=True)
        did = run([path, "usdt", 60]).words
        # Each semaphore was seen, though nothing ran when the probes were attached.
        assert (did["seen"], did["seen1"], did["seen2"], did["seen3"]) == (60, 60, 60, 60), did
        assert counts(funccount) == {"work:plain": 60, "work:forms": 60, "work:globals": 60, "work:many": 180,
                                     "work:guarded": 60}


def test_usdt_of_one_process():
    for path in map(own, PROGRAMS):
        one, other = waiting(path, "usdt", 30), waiting(path, "usdt", 50)
        funccount = tool("funccount", "-p", one.pid, f"u:{path}:work:guarded", "u::many", json=True)
        did, others = one.go(), other.go()
        assert did["seen"] == 30 and others["seen"] in (0, 50)
        assert counts(funccount) == {"work:guarded": 30, "work:many": 90}


@timeout(120)
def test_semaphores_go_back():
    """After the end of the tracer, however it ends, no probe is thought to be traced."""
    for number in (signal.SIGINT, signal.SIGKILL):
        for path in map(own, PROGRAMS):
            funccount = tool("funccount", f"u:{path}:*", json=True)
            traced = spawn([path, "usdt", 400, 10000])
            time.sleep(1)
            funccount.stop(number)
            did = traced.wait().words
            assert 0 < did["seen"] < 400 and 0 < did["seen1"] < 400, did
            assert did["last"] == 0 and did["last1"] == 0, did


def test_program_lives_on():
    """A program that is traced, and is not any more, does what it did."""
    path = own(PIE)
    alone = user_work(path, 200)
    traced = waiting(path, "user", 200)
    funccount = tool("funccount", f"{path}:*", json=True)
    during = traced.go()
    assert during["sum"] == alone["sum"] == user_work(path, 200)["sum"]
    assert counts(funccount)["work_user_add"] == 400
    assert user_work(path, 200)["sum"] == alone["sum"]


@needs(f"file:{PYTHON}")
def test_usdt_of_python():
    # The harness is Python, too; and at its end the interpreter would collect some more times.
    script = "import gc, os\ngc.disable()\nprint('up', flush=True)\ninput()\n" + \
        "for i in range(13): gc.collect()\nos._exit(0)"
    reader, writer = os.pipe()
    process = spawn([PYTHON, "-c", script], stdin=reader)
    process.until("up")
    funccount = tool("funccount", "-p", process.pid, f"u:{PYTHON}:python:gc__*", json=True)
    os.write(writer, b"\n")
    process.wait()
    assert counts(funccount) == {"python:gc__start": 13, "python:gc__done": 13}


@needs(f"file:{POSTGRES}")
@timeout(300)
def test_usdt_of_postgresql():
    """A server for itself, without a network, that is asked three times."""
    with folder() as path:
        os.chown(path, *(pwd.getpwnam("postgres")[2:4]))
        user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        run([*user, Path(POSTGRES).parent / "initdb", "-N", "-A", "trust", "-D", path / "data"], limit=200, cwd="/")
        funccount = tool("funccount", f"u:{POSTGRES}:postgresql:query__*", json=True)
        script = "printf 'select 1;\\nselect 2;\\nselect 3;\\n' | " + \
            f"{' '.join(user)} {POSTGRES} --single -F -D {path}/data template1"
        run(["sh", "-c", script], limit=60, cwd="/")
        found = counts(funccount)
    assert {name: n for name, n in found.items() if n} == {f"postgresql:query__{what}": 3 for what in (
        "start", "done", "parse__start", "parse__done", "rewrite__start", "rewrite__done", "plan__start",
        "plan__done", "execute__start", "execute__done")}


@needs(f"file:{JVM}", "program:java")
@timeout(180)
def test_usdt_of_java():
    java = Path(JVM).parents[2] / "bin" / "java"
    funccount = tool("funccount", f"u:{JVM}:hotspot:vm__*", json=True)
    for _ in range(2):
        run([java, "-Xshare:auto", "-version"], limit=60)
    assert counts(funccount) == {"hotspot:vm__init__begin": 2, "hotspot:vm__init__end": 2, "hotspot:vm__shutdown": 2}


@needs("program:ldd")
def test_process_with_its_own_root():
    process = Contained(rounds=3000000)
    os.write(process.gate, b"\n")
    funccount = tool("funccount", "-p", process.pid, "app:work_user_add", "c:strlen", "-d", "2", json=True, live=False)
    found = funccount.wait().json
    by_name = {row["func"]: row["count"] for row in found if "func" in row}
    # Its program and its libc are copies that nobody else has; both are what it calls all the time.
    assert by_name["work_user_add"] > 100 and by_name["strlen"] > 100, by_name
    process.stop()


@alone
@needs(f"file:{JVM}", "kernel:6.6")
@timeout(180)
def test_many_functions_at_once():
    begin = time.monotonic()
    funccount = tool("funccount", f"{JVM}:*", limit=120)
    live = time.monotonic()
    stopped = funccount.stop(limit=60)
    end = time.monotonic()
    traced = int(re.search(r"Tracing (\d+) functions", stopped.out).group(1))
    assert stopped.code == 0 and traced > 40000, stopped.err
    assert live - begin < 10 and end - live < 10, (traced, live - begin, end - live)


def test_refused():
    for spec, why in ((f"{WORK}:work_user_ad", "did you mean 'work_user_add'?"),
                      (f"{WORK}:work_user_add+100000", "not that long"),
                      (f"{WORK}:nothing_*", "no function"), ("nosuch:main", "give its path"),
                      (f"u:{WORK}:nothing", "no such USDT probe"), ("/etc/passwd:main", "not an ELF file"),
                      ("/dev/null:main", "not a file"), ("u::plain", "with -p")):
        result = tool_run("funccount", spec)
        assert result.code == 1 and why in result.err and spec in result.err, (spec, result.err)
