"""trace: lines equal what was done, with the values that the expressions have."""

import os
import re
import socket

from harness import *

EXPRESSIONS = BUILD / "test" / "expressions"


def lines(result, pid):
    """Rows of text: those of a process, as (function, message)."""
    rows = [line.split(None, 4) for line in result.out.splitlines()[1:]]
    return [(row[3], row[4] if len(row) > 4 else "") for row in rows if row[0] == str(pid)]


def messages(result, pid):
    return [row["message"] for row in result.json if row.get("pid") == pid]


def test_paths_and_results_of_opens():
    with folder() as path:
        entry = tool("trace", 'do_sys_openat2 "%s", arg2', json=True)
        named = tool("trace", 'do_sys_openat2 (dfd == -100) "%s", filename', json=True)
        exit_ = tool("trace", 'r::do_sys_openat2 "ret: %d", retval', json=True)
        made = work("open", 20, f"{path}/f%d", "w")
        failed = work("open", 10, "/nonexistent/%d")
        entry, named, exit_ = entry.stop(), named.stop(), exit_.stop()
    for result in (entry, named):
        paths = [text for text in messages(result, made["pid"]) if text.startswith(str(path))]
        assert paths == [f"{path}/f{i}" for i in range(20)]
        paths = [text for text in messages(result, failed["pid"]) if text.startswith("/nonex")]
        assert paths == [f"/nonexistent/{i}" for i in range(10)]
    results = [int(re.fullmatch(r"ret: (-?\d+)", text)[1])
               for text in messages(exit_, failed["pid"])]
    assert results.count(-2) >= 10
    results = [int(text[5:]) for text in messages(exit_, made["pid"])]
    assert len([fd for fd in results if fd >= 3]) >= 20


def test_a_member_by_a_signature():
    probe = 'do_nanosleep(struct hrtimer_sleeper *t) "task: %llx", t->task'
    same = 'do_nanosleep (t->task == $task) "%d %s", $task->pid, t->task->comm'
    signature, names = tool("trace", probe, json=True), tool("trace", same, json=True)
    did = work("sleep", 5, 1000)
    signature, names = signature.stop(), names.stop()
    tasks = messages(signature, did["pid"])
    assert len(tasks) == 5 and len(set(tasks)) == 1
    assert re.fullmatch(f"task: {THIS_MACHINE.data}", tasks[0])
    assert messages(names, did["pid"]) == [f"{did['pid']} work"] * 5


def test_a_filter_in_the_kernel():
    with folder() as path:
        probe = f'do_sys_openat2 (filename == "{path}/f3" || STRCMP("{path}/f5", filename)) "%s", filename'
        trace = tool("trace", probe, json=True)
        did = work("open", 10, f"{path}/f%d", "w")
        result = trace.stop()
    assert messages(result, did["pid"]) == [f"{path}/f3", f"{path}/f5"]
    assert len(result.of(did["pid"])) == 2


def test_all_parameters_by_name():
    with folder() as path:
        trace = tool("trace", "do_sys_openat2")
        did = work("open", 3, f"{path}/f%d", "w")
        rows = lines(trace.stop(), did["pid"])
    rows = [text for function, text in rows if function == "do_sys_openat2" and str(path) in text]
    assert [re.fullmatch(r'dfd=-100 filename="(.*)" how=0xffff[0-9a-f]{12}', text)[1]
            for text in rows] == [f"{path}/f{i}" for i in range(3)]


def test_memory_that_cannot_be_read():
    trace = tool("trace", 'do_nanosleep "%d %s %d", *(int *)8, (char *)16, mode', json=True)
    counted = tool("trace", 'do_nanosleep (*(int *)8 == 0 || mode < 100) "%d", mode', json=True)
    did = work("sleep", 3, 1000)
    trace, counted = trace.stop(), counted.stop()
    assert [re.sub(r"\d+", "N", text) for text in messages(trace, did["pid"])] == [
        "(fault) (fault) N"] * 3
    assert messages(counted, did["pid"]) == []
    assert counted.json[-1]["lost"]["truncated"] >= 3


def test_a_tracepoint():
    with folder() as path:
        trace = tool("trace", 't:syscalls:sys_enter_openat "%s %d", args->filename, args->dfd',
                     json=True)
        did = work("open", 5, f"{path}/f%d", "w", "openat")
        rows = [text for text in messages(trace.stop(), did["pid"]) if str(path) in text]
    assert rows == [f"{path}/f{i} -100" for i in range(5)]


def test_exactly_so_many():
    trace = tool("trace", "-M", "7", 'do_sys_openat2 "%s", filename', json=True)
    with folder() as path:
        work("open", 50, f"{path}/f%d", "w")
        result = trace.wait()
    assert len([row for row in result.json if "message" in row]) == 7


def test_two_probes_on_one_function():
    with folder() as path:
        trace = tool("trace", 'do_sys_openat2 "a %s", filename', 'do_sys_openat2 "b %d", dfd',
                     json=True)
        did = work("open", 5, f"{path}/f%d", "w")
        rows = messages(trace.stop(), did["pid"])
    assert [text for text in rows if text.startswith(f"a {path}")] == [
        f"a {path}/f{i}" for i in range(5)]
    assert len([text for text in rows if text.startswith("b ")]) == len(
        [text for text in rows if text.startswith("a ")])


def test_one_process_and_its_header():
    with folder() as path:
        trace = tool("trace", "-p", "1", "-T", "-C", 'do_sys_openat2 "%s", filename')
        did = work("open", 5, f"{path}/f%d", "w")
        result = trace.stop()
    assert result.out.splitlines()[0].split() == "TIME CPU PID TID COMM FUNC -".split()
    assert str(did["pid"]) not in result.out.split()


# The commands of the notes that are not above


def test_commands_on_opens():
    """do_sys_open is left in today's kernels, but nobody calls it."""
    for probe in ('do_sys_open "%s", arg2', 'r::do_sys_open "ret: %d", retval'):
        result = tool_run("trace", "--duration", 1, probe)
        assert result.code == 0 and "'do_sys_openat2' is now" in result.err, result.err


def test_commands_on_sleeps():
    child = waiting_work("stack", 5, 20000)
    stacks = tool("trace", "-U", 'do_nanosleep "mode: %d", arg2', "-p", child.pid, json=True)
    text = tool("trace", "-U", 'do_nanosleep "mode: %d", arg2', "-p", child.pid)
    child.go()
    rows, text = stacks.stop().of(child.pid), text.stop().out
    assert [row["message"] for row in rows] == ["mode: 1"] * 5  # HRTIMER_MODE_REL
    for row in rows:
        frames = [frame.partition("+")[0] for frame in row["user"]]
        at = frames.index("work_stack_leaf")
        assert frames[at:at + 3] == ["work_stack_leaf", "work_stack_middle", "work_stack_top"] and row["kernel"] == []
    found = re.findall(rf"^{child.pid} +{child.pid} +work +do_nanosleep +mode: 1\n(?:    \S.*\n)+\n", text, re.M)
    assert len(found) == 5 and all("    work_stack_leaf+0x" in lines for lines in found), text


def test_command_on_structs():
    """The address of a sleeper's task: one per thread, the same at each of its sleeps."""
    probe = 'do_nanosleep(struct hrtimer_sleeper *t) "task: %x", t->task'
    one, other = waiting_work("sleep", 5, 1000), waiting_work("sleep", 3, 1000)
    trace, task = tool("trace", probe, json=True), tool("trace", 'do_nanosleep "task: %x", $task', json=True)
    one.go(), other.go()
    found, wanted = trace.stop(), task.stop()
    for child, n in ((one, 5), (other, 3)):
        assert len(set(messages(found, child.pid))) == 1 and len(messages(found, child.pid)) == n
        assert messages(found, child.pid) == messages(wanted, child.pid)
    assert set(messages(found, one.pid)) != set(messages(found, other.pid))


def udp6(*ports):
    """Sends to these ports of ::1 from a process of its own."""
    return run(["/usr/bin/python3", "-c", f"""
import os, socket
for port in {ports!r}:
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.connect(("::1", port))
    s.send(b"x")
print("pid", os.getpid())
"""]).words["pid"]


def test_command_on_sockets():
    """13568 is port 53 in the order of bytes of the network."""
    probe = "udpv6_sendmsg(struct sock *sk) (sk->sk_dport == 13568)"
    bare = tool("trace", "-I", "net/sock.h", probe, json=True)
    more = tool("trace", "-I", "net/sock.h", f'{probe} "%I %d", sk->sk_v6_daddr, (u8)(sk->sk_dport >> 8)', json=True)
    ports = tool("trace", 'udpv6_sendmsg(struct sock *sk) (ntohs(sk->sk_dport) > 53) "%d", ntohs(sk->sk_dport)', json=True)
    pid = udp6(53, 54, 53, 5353)
    assert messages(ports.stop(), pid) == ["54", "5353"]
    assert len(bare.stop().of(pid)) == 2
    assert messages(more.stop(), pid) == ["::1 53"] * 2


PAM = ("import ctypes, os; pam = ctypes.CDLL('libpam.so.0'); handle = ctypes.c_void_p(); none = (ctypes.c_void_p * 2)()\n"
       "for user in (b'root', b'somebody else'):\n"
       " pam.pam_start(b'bcctool', user, ctypes.byref(none), ctypes.byref(handle))\n"
       "print('pid', os.getpid())")


def test_command_on_pam():
    trace = tool("trace", 'pam:pam_start "%s: %s", arg1, arg2', json=True)
    pid = run(["/usr/bin/python3", "-c", PAM]).words["pid"]
    assert messages(trace.stop(), pid) == ["bcctool: root", "bcctool: somebody else"]


# Formats


ADDRESSES = ["::", "::1", "1::", "fe80::1", "::ffff:1.2.3.4", "::1.2.3.4", "64:ff9b::102:304", "2001:db8:0:1:1:1:1:1",
             "2001:0:0:1::1", "1:0:0:2:0:0:0:3", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::2:0:0:1", "a:0:b:0:c:0:d:0",
             "::ffff:0:1"]


def test_addresses():
    """As inet_ntop() has them."""
    v4 = ["0.0.0.0", "127.0.0.1", "255.255.255.255", "1.20.30.40"]
    trace = tool("trace", f'p:{WORK}:work_value_v6(struct in6_addr *a) "%I", *a',
                 f'p:{WORK}:work_value_v6(struct ethhdr *e) "%M", e->h_source',
                 f'p:{WORK}:work_value_v4(u32 *a) "%I", *a', json=True)
    pid = work("addresses", *ADDRESSES, *v4)["pid"]
    found = messages(trace.stop(), pid)
    bytes_of = [socket.inet_pton(socket.AF_INET6, address) for address in ADDRESSES]
    macs = [":".join(f"{byte:02x}" for byte in whole[6:12]) for whole in bytes_of]
    texts = [socket.inet_ntop(socket.AF_INET6, whole) for whole in bytes_of]
    assert sorted(found) == sorted(texts + macs + v4), found


def test_symbols():
    trace = tool("trace", 'do_nanosleep(struct hrtimer_sleeper *t) "%K", t->timer.function',
                 f'p:{WORK}:work_user_add "%U %U", arg1, $task->mm->start_code * 0 + 16', json=True)
    did = work("user", 1, 1000)
    kernel, user = sorted(messages(trace.stop(), did["pid"]), key=len, reverse=True)
    assert re.fullmatch(r"hrtimer_wakeup(\+0x0)?", kernel) and user == "0x0 0x10", (kernel, user)


def test_strings_where_memory_ends():
    """Up to 4096 bytes with the NUL; what nothing ends before memory does is no string."""
    lengths = [1, 79, 255, 1023, 4000, 4095]
    whole = ["".join(chr(97 + at % 26) for at in range(length)) for length in lengths]
    probe = f'p:{WORK}:work_value_text(char *text) "%s", text'
    for size in (4096, 256, 80, None):
        trace = tool("trace", *(("-Z", size) if size else ()), probe, json=True)
        pid = work("strings", *lengths)["pid"]
        size = size or 80
        cut = [text[:size - 1] for text in whole]
        *found, last = messages(trace.stop(), pid)
        assert found == cut and last == ("x" * (size - 1) if size <= 300 else "(fault)"), (size, found)


def test_comparing_bytes():
    for option, expected in (((), ["user 1"]), (("-B",), ["user 1", "user 10", "user 11"])):
        trace = tool("trace", *option, f'p:{WORK}:work_user_name(char *name) (STRCMP("user 1", name)) "%s", name',
                     json=True)
        pid = work("user", 12)["pid"]
        assert sorted(set(messages(trace.stop(), pid))) == expected


def test_usdt():
    pie = WORK.parent / "work-pie"
    for path in (WORK, pie):
        trace = tool("trace", f'u:{path}:work:forms "%d %u %d %d %d %u %lld %llu %d %lld %d %s", '
                     + ", ".join(f"arg{i}" for i in range(1, 13)), f'u:{path}:guarded (arg1 == 2) "%s", arg2', json=True)
        did = run([path, "usdt", 3]).words
        found = messages(trace.stop(), did["pid"])
        assert found == [f"{-1 - i} {200 + i} -300 60000 {-70000 - i} 4000000000 -5000000000 {10000000001 + i % 3} "
                         f"-9 -3 171 round {i}" for i in range(3)] + ["round 2"] and did["seen"] == 3, found


# Who is traced


def test_one_process_thread_or_user():
    one, other = waiting_work("calls", 0, 5, 1, 0), waiting_work("calls", 0, 3, 1, 0)
    probe = 'do_nanosleep "%d", mode'
    traces = [tool("trace", *option, probe, json=True) for option in (
        ("-p", one.pid), ("-L", other.pid), ("--ppid", os.getpid()), ("--uid", "daemon"), ("-n", "or"), ("-n", "orx"))]
    daemon = run(["setpriv", "--reuid=daemon", "--clear-groups", WORK, "calls", 0, 2, 1, 0]).words
    child = run(["sh", "-c", f"{WORK} calls 0 4 1 0; :"]).words  # whose parent is another
    one.go()
    other.go()
    pid, tid, ppid, uid, name, nobody = [
        {key: [row["pid"] for row in trace.stop().json if "pid" in row].count(key)
         for key in (one.pid, other.pid, daemon["pid"], child["pid"])} for trace in traces]
    counts = lambda *numbers: dict(zip((one.pid, other.pid, daemon["pid"], child["pid"]), numbers))
    assert pid == counts(5, 0, 0, 0) and tid == counts(0, 3, 0, 0) and ppid == counts(5, 3, 2, 0), (pid, tid, ppid)
    assert uid == counts(0, 0, 2, 0) and name == counts(5, 3, 2, 4) and nobody == counts(0, 0, 0, 0), (uid, name)


def test_parents_in_a_pid_namespace():
    script = f"{BCCTOOL} trace --json --ppid $$ --duration 4 do_nanosleep & sleep 3; {WORK} calls 0 6 1 0; wait"
    result = run(in_pid_namespace(["sh", "-c", script]), limit=60)
    rows = [json_module.loads(line) for line in result.out.splitlines() if line.startswith("{")]
    found = [row for row in rows if row.get("comm") == "work"]
    assert len(found) == 6 and {row["pid"] for row in found} == {words(result.out.split("{")[0] or
        next(line for line in result.out.splitlines() if line.startswith("pid")))["pid"]}, result.out


def test_cgroup_and_itself():
    with cgroup() as path:
        trace = tool("trace", "-c", path, "do_nanosleep", json=True)
        outside, inside = work("calls", 0, 4, 1, 0), work("calls", 0, 6, 1, 0, cgroup=path)
        result = trace.stop()
    assert len(result.of(inside["pid"])) == 6 and not result.of(outside["pid"])
    probe = 't:raw_syscalls:sys_enter "%d", args->id'
    own, others = tool("trace", "-S", "-n", "bcctool", probe, json=True), tool("trace", "-n", "bcctool", probe, json=True)
    work("sleep", 1, 1000000)
    own, others = own.stop(), others.stop()
    assert own.of(own.pid) and not others.of(others.pid)


def test_exactly_so_many_of_all_probes():
    """After all filters, by all CPUs, whatever else comes."""
    probes = ('do_nanosleep (mode == 1) "a"', 'r::do_nanosleep "b"')
    text = tool("trace", "-M", 11, "-n", "work-", *probes)
    said = tool("trace", "-M", 5, "-f", "b", *probes, json=True)
    many = work("threads", 20, "sleep", 20, 1000)
    lines = text.wait().out.splitlines()
    assert len(lines) == 12 and all(line.split()[0] == str(many["pid"]) for line in lines[1:]), lines
    assert [row["message"] for row in said.wait().json if "message" in row] == ["b"] * 5


# How it is told


def test_times_and_cpus():
    began = time.time()
    child = waiting_work("calls", 0, 3, 1, 0, cpu=os.cpu_count() - 1)
    traces = {option: tool("trace", *option, "-C", "-p", child.pid, "do_nanosleep") for option in (
        ("-t",), ("-t", "-u"), ("-T",))}
    child.go()
    times = {}
    for option, trace in traces.items():
        rows = [line.split()[:3] for line in trace.stop().out.splitlines()[1:]]
        assert [row[1:] for row in rows] == [[str(os.cpu_count() - 1), str(child.pid)]] * 3, (option, rows)
        times[option] = [row[0] for row in rows]
    offsets = list(map(float, times["-t",]))
    assert offsets == sorted(offsets) and 0 < offsets[0] and offsets[2] - offsets[0] >= 0.002
    assert all(began < float(at) < time.time() for at in times["-t", "-u"])
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", at) for at in times["-T",])


def test_kernel_stacks():
    """Of one function, of some (which 6.1 attaches to in another way), with addresses, and of a return."""
    child = waiting_work("stack", 4, 1000)
    one = tool("trace", "-K", "-U", "-p", child.pid, "do_nanosleep", json=True)
    some = tool("trace", "-K", "-p", child.pid, "hrtimer_n*", syscall_function("nano*"), syscall_function("[a-c]*"), json=True)
    hexa = tool("trace", "-K", "-a", "-p", child.pid, "do_nanosleep")
    child.go()
    one, some, hexa = one.stop(), some.stop(), hexa.stop().out
    plain = lambda row: [frame.partition("+")[0] for frame in row["kernel"]]
    chain = ["do_nanosleep", "hrtimer_nanosleep", syscall_function("nanosleep")]
    for row in one.of(child.pid):
        frames = [frame for frame in plain(row) if frame in chain]
        assert plain(row)[0] == "do_nanosleep" and frames in (chain, chain[:2]) and THIS_MACHINE.caller in plain(row), row
        assert any(frame.startswith("work_stack_leaf") for frame in row["user"])
    found = {row["func"]: plain(row)[0] for row in some.of(child.pid)}
    assert found == {name: name for name in found} and "hrtimer_nanosleep" in found, found
    assert len(re.findall(rf"^ +{THIS_MACHINE.code} do_nanosleep", hexa, re.M)) == 4, hexa


def test_names_of_functions_of_a_pattern():
    child = waiting_work("calls", 30, 4, 1, 7)
    trace = tool("trace", "-p", child.pid, syscall_function("[ncg]*"), f"r::{syscall_function('[nc]*')}", json=True)
    child.go()
    found = [row["func"] for row in trace.stop().of(child.pid)]
    getppid, getpid, close, nanosleep = map(syscall_function, ("getppid", "getpid", "close", "nanosleep"))
    others = {getppid: 30, getpid: 1}  # these may be listed by another name
    assert {name: found.count(name) for name in found} == {
        nanosleep: 8, close: 14, **{name: n for name, n in others.items() if name in found}}


def test_counted_messages():
    child = waiting_work("calls", 20, 5, 1, 9)
    close, nanosleep = syscall_number("close"), syscall_number("nanosleep")
    trace = tool("trace", "-A", "-p", child.pid,
                 f't:raw_syscalls:sys_enter (args->id == {nanosleep} || args->id == {close}) "call %d", args->id')
    child.go()
    assert trace.stop().out.splitlines()[-2:] == [f"call {nanosleep} -->COUNT 5", f"call {close} -->COUNT 9"]


@timeout(120)
def test_returns_of_many_at_a_time():
    """More than the kernel follows on its own: 6.1, where it is asked to, follows them all."""
    child = waiting_work("threads", 200, "stack", 1, 2000000)
    trace = tool("trace", "-p", child.pid, 'r::do_nanosleep "%d", retval', json=True)
    child.go()
    result = trace.stop()
    found, missed = len(messages(result, child.pid)), result.json[-1]["lost"]["probes"]
    assert found + missed >= 200, (found, missed)
    assert found == 200 or attaches_to_many(), (found, missed)


@needs(f"file:{EXPRESSIONS}")  # it is not cross-built
def test_random_expressions_as_the_c_compiler_has_them():
    """A thousand, each compiled, loaded and run in this kernel by BPF_PROG_TEST_RUN."""
    result = run([EXPRESSIONS], check=False)
    assert result.words == {"expressions": 1000, "alike": 1000} and result.code == 0, result.err[-3000:]
