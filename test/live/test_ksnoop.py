"""Struct open_how is flags, mode and resolve, each a u64: include/uapi/linux/openat2.h."""

from harness import *

TAKEN = 4096  # bytes of a struct
TRUNC = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def rows(result, pid, function=None):
    found = [row for row in result.of(pid) if "args" in row]
    return [row for row in found if row["func"] == function] if function else found


def of_open(path, i):
    """What is told of do_sys_openat2() at its entry, but for addresses."""
    return (f'dfd = (int)-100, filename = *() "{path}/f{i}", how = *() '
            f"(struct open_how){{.flags = (__u64){TRUNC | THIS_MACHINE.large_file},.mode = (__u64){0o644},}}")


def without_addresses(text):
    return re.sub(r"\*\(0x[0-9a-f]+\)", "*()", text)


def test_calls_and_returns():
    with folder() as path:
        snoop = tool("ksnoop", "trace", "do_sys_openat2", json=True)
        did = work("open", 5, f"{path}/f%d", "w")
        found = rows(snoop.stop(), did["pid"])
    calls = [row for row in found if str(path) in row["args"]]
    assert [without_addresses(row["args"]) for row in calls] == [of_open(path, i) for i in range(5)], calls
    for call in calls:
        back = found[found.index(call) + 1]
        assert back["returned"] and not call["returned"] and back["time"] > call["time"], (call, back)
        assert re.fullmatch(r"return = \(long int\)[3-9]", back["args"]), back
        assert back["tid"] == back["pid"] == did["pid"] and back["comm"] == "work"


def test_what_is_asked_for():
    """Entry alone, return alone, comparisons; of both, all is told at the return, as it was."""
    specs = {
        "flags": "do_sys_openat2(how->flags, how)",
        "back": "do_sys_openat2(return < 0)",
        "some": f"do_sys_openat2(how->flags & {os.O_CREAT} , filename, how->mode == {0o644})",
        "failed": "do_sys_openat2(filename, how, dfd == -100, return < 0)",
        "opened": "do_sys_openat2(return >= 0, filename, *how)",
    }
    with folder() as path:
        snoops = {name: tool("ksnoop", spec, json=True) for name, spec in specs.items()}
        good = work("open", 3, f"{path}/f%d", "w")
        bad = work("open", 4, f"{path}/none/%d")
        found = {name: snoop.stop() for name, snoop in snoops.items()}
    texts = lambda name, did: [without_addresses(row["args"]) for row in rows(found[name], did["pid"])]
    how = "(struct open_how){.flags = (__u64)%d,.mode = (__u64)%d,}" % (TRUNC | THIS_MACHINE.large_file, 0o644)
    assert texts("flags", good).count(f"how->flags = (long long unsigned int){TRUNC | THIS_MACHINE.large_file}, how = *() {how}") == 3
    assert texts("back", bad) == ["return = (long int)-2"] * 4 and texts("back", good) == []
    assert [t for t in texts("some", good) if str(path) in t] == [
        f'how->flags & {os.O_CREAT} = (unsigned long){os.O_CREAT}, filename = *() "{path}/f{i}", '
        f"how->mode = (long long unsigned int){0o644}" for i in range(3)]
    failed = [t for t in texts("failed", bad) if str(path) in t]
    assert failed == [f'filename = *() "{path}/none/{i}", how = *() (struct open_how){{.flags = (__u64){THIS_MACHINE.large_file},}}, '
                      "dfd = (int)-100, return = (long int)-2" for i in range(4)], failed
    assert not [t for t in texts("failed", good) if str(path) in t]
    opened = [t for t in texts("opened", good) if str(path) in t]
    assert len(opened) == 3 and all(
        re.fullmatch(rf'return = \(long int\)\d, filename = \*\(\) "{path}/f{i}", \*how = {re.escape(how)}', t)
        for i, t in enumerate(opened)), opened
    assert not any(any(result.json[-1]["lost"].values()) for result in found.values())


def test_one_in_the_other():
    """openat(2) and open(2), or where there is none openat2(2), come to the same two functions, but not
    all from the first of these."""
    another = "open" if has_syscall("open") else "openat2"
    chain = [syscall_function("openat"), "do_sys_openat2(filename)", "do_filp_open(dfd, return)"]
    with folder() as path:
        snoop = tool("ksnoop", "-s", *chain, json=True)
        none = tool("ksnoop", "-s", *reversed(chain), json=True)
        some = tool("ksnoop", "-s", chain[0], f"do_sys_openat2(how->flags & {os.O_CREAT} != 0)", chain[2], json=True)
        did = work("open", 4, f"{path}/f%d", "w", "openat")
        other = work("open", 3, f"{path}/f%d", "w", another)
        result, none, some = snoop.stop(), none.stop(), some.stop()
    found = [(row["func"], row["returned"]) for row in rows(result, did["pid"])]
    names = [text.partition("(")[0] for text in chain]
    order = [(name, False) for name in names] + [(name, True) for name in reversed(names)]
    assert found == order * 4, found
    mine = [row for row in rows(result, did["pid"], "do_sys_openat2") if str(path) in row["args"]]
    assert len(mine) == 4
    assert not result.of(other["pid"]) and not none.of(did["pid"])
    assert len(rows(some, did["pid"])) == 4 * 6, rows(some, did["pid"])


def blocks(text, pid):
    """What is printed of one process, but for when and where."""
    return re.findall(rf"^ *\d+ +\d+ +{pid} (.*\(\n(?:.*\n)*? +\);)\n", text, re.M)


@needs("program:/usr/sbin/ksnoop")
def test_peer():
    """Byte for byte; but it has what a pointer to char leads to as one character, and we as text."""
    spec = ["do_sys_openat2(dfd, how, return)", "path_openat(op)"]
    with folder() as path:
        theirs = spawn(["stdbuf", "-oL", "/usr/sbin/ksnoop", *spec])
        theirs.until("FUNCTION")
        ours = tool("ksnoop", *spec)
        did = work("open", 5, f"{path}/f%d", "w")
        ours = ours.stop()
        theirs = theirs.stop()
    mine, peer = (blocks(result.out, did["pid"]) for result in (ours, theirs))
    assert ours.out.splitlines()[0] == theirs.out.splitlines()[0]
    assert len(peer) >= 15 and mine == peer, (mine[:3], peer[:3])
    calls = [syscall_function("openat"), "vfs_statx"]
    assert run(["/usr/sbin/ksnoop", "info", *calls]).out == tool_run("ksnoop", "info", *calls).out.replace("const ", "")


def test_namespace_and_name():
    script = f"{BCCTOOL} ksnoop -v 'do_sys_openat2(dfd)' --exec stat -Lc 'ns %i' /proc/self/ns/pid; :"
    text = run(in_pid_namespace(["sh", "-c", script]), limit=60).out
    inode = re.search(r"^ns (\d+)", text, re.M).group(1)
    found = re.findall(r"^ *\d+ +\d+ +(\d+) +(\d+) +(\S+) +do_sys_openat2\($", text, re.M)
    assert found and {ns for ns, _, _ in found} == {inode} and all(0 < int(pid) < 100 for _, pid, _ in found), text
    assert {comm for _, _, comm in found} >= {"stat"}


def test_long_structs_and_modules():
    """A task is longer than is taken, but not on arm64; ext4 is a module with types of its own."""
    load("ext4")
    assert tool_run("ksnoop", "info", "ext4_file_open").out == (
        "int ext4_file_open(struct inode *inode, struct file *filp);\n")
    snoop = tool("ksnoop", "wake_up_new_task(p->tgid, p)")
    child = run(["sh", "-c", "sleep 0 & echo child $!; wait; echo pid $$"]).words
    text = snoop.stop().out
    (found,) = [block for block in blocks(text, child["pid"]) if f"(int){child['child']},\n" in block]
    longer = int(Path("/sys/kernel/slab/task_struct/object_size").read_text()) > TAKEN
    assert "(struct task_struct){" in found and ".thread_info" in found and (" ..." in found) == longer, found


def test_what_cannot_be():
    for spec, words in {
        "no_such_function": "no_such_function",
        "do_sys_openat2(nothing)": "nothing",
        "do_sys_openat2(how->flag)": "flags",
        "do_sys_openat2(return->x)": "retval->x",
    }.items():
        result = tool_run("ksnoop", spec)
        assert result.code == 1 and words in result.err and not result.out, (spec, result.err)
    for args in (["do_sys_openat2(dfd"], ["do_sys_*"], ["-s", "vfs_read", "vfs_read"], []):
        result = tool_run("ksnoop", *args)
        assert result.code == 2 and result.err, (args, result.err)
