"""Beside what was filled in, events and rows of tables are 0: no memory of the kernel goes out with them
(bcc@c2d8f9b4, @d3b8def9). Seen in the maps themselves, before any output leaves it out."""

import mmap
import sys

from harness import *
from connection import *
from test_bashreadline import typed
from test_mountsnoop import mount

sys.path.insert(0, str(CHECKOUT / "test"))
from layouts import Layouts  # noqa: E402

LAYOUTS = Layouts(BUILD / "test" / "layouts.o")
HASH, RING = 1, 27  # enum bpf_map_type
PIDFD_GETFD = 438
PAGE = 4096


def maps_of(process, kind):
    """(descriptor, what /proc says of it) of its maps of a kind."""
    for path in Path(f"/proc/{process.pid}/fdinfo").iterdir():
        try:
            fields = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        except FileNotFoundError:
            continue  # it is closed
        if fields.get("map_type", "").strip() == str(kind):
            yield int(path.name), {key: value.strip() for key, value in fields.items()}


def records(process):
    """What has been through its ring: nothing is overwritten until that has gone round."""
    ((number, info),) = maps_of(process, RING)
    size = int(info["max_entries"])
    pidfd = os.pidfd_open(process.pid)
    descriptor = LIBC.syscall(PIDFD_GETFD, pidfd, number, 0)
    with mmap.mmap(descriptor, PAGE + size, mmap.MAP_SHARED, mmap.PROT_READ, offset=PAGE) as ring:
        end, at, found = int.from_bytes(ring[:8], "little"), PAGE, []
        assert 0 < end <= size
        while at < PAGE + end:
            length = int.from_bytes(ring[at:at + 4], "little")
            if not length >> 30:  # neither busy nor discarded
                found.append(ring[at + 8:at + 8 + length])
            at += (length & 0x3FFFFFFF) + 8 + 7 & ~7
    os.close(descriptor), os.close(pidfd)
    return found


def rows(process, table):
    """(key, value) of what is in its table."""
    found = []
    for _, info in maps_of(process, HASH):
        one = json_module.loads(run(["bpftool", "-j", "map", "show", "id", info["map_id"]]).out)
        if one["name"] in (f"{table}_a", f"{table}_b"):
            dump = json_module.loads(run(["bpftool", "-j", "map", "dump", "id", info["map_id"]]).out)
            found += [[bytes(int(byte, 16) for byte in row[part]) for part in ("key", "value")] for row in dump]
    return found


def check_events(applet, *args, do, least=2, struct=None):
    process = tool(applet, *args, json=True)
    do()
    found = wait_for(lambda: len(process.out.splitlines()) >= least and records(process))
    process.stop()
    assert len(found) >= least
    for record in found:
        left = LAYOUTS.remains(struct or f"{applet}_event", record)
        assert not left, (applet, left)


def check_rows(applet, table, *args, do, value=True):
    process = tool(applet, *args)
    do()
    found = rows(process, table)
    process.stop()
    assert found, applet
    for key, what in found:
        left = LAYOUTS.remains(f"{applet}_key", key) + (LAYOUTS.remains(f"{applet}_value", what) if value else [])
        assert not left, (applet, left)


def tcp():
    work("tcp", "127.0.0.1", 10, 10, 2)
    work("tcp", "::1", 10, 10, 2)


def names(path):
    """Files whose names are longer, then shorter: what is left of the former would show."""
    for name in ("x" * 200, "short", "y" * 40, "z"):
        (path / name).touch()
        (path / name).write_text("some")
        (path / name).rename(path / f"{name}2")
        (path / f"{name}2").unlink()


def test_files():
    for applet in ("filelife", "filegone"):
        with folder() as path:
            check_events(applet, "-p", os.getpid(), do=lambda: names(path), least=4)
    check_events("opensnoop", do=lambda: [work("open", 3, name) for name in ("/etc/" + "x" * 900, "/etc/y")])
    check_events("statsnoop", do=lambda: [work("stat", 3, name) for name in ("/etc/" + "x" * 200, "/etc/y")])
    check_events("mountsnoop", do=lambda: [mount("none", where, kind, 0, "data" + where) for where, kind in (
        ("/" + "x" * 200, "k" * 50), ("/tmp", "nothing"), ("/", "n"))], least=3)
    lookups = lambda: [os.path.exists("/etc/" + name) for name in ("x" * 200, "y", "n" * 30, "z")]
    check_events("dcsnoop", "-p", os.getpid(), do=lookups, least=4)
    with folder() as path:
        check_events("fileslower", "0", "-p", os.getpid(), do=lambda: names(path), struct="slowop_event")
    with folder() as path:
        check_rows("filetop", "rows", "-C", "60", do=lambda: names(path))


def test_processes():
    check_events("bashreadline", do=lambda: typed(["echo " + "x" * 300, "true"]))
    check_events("exitsnoop", do=lambda: work("fork", 5))
    check_events("execsnoop", "-x", do=lambda: work("exec", "execve", "/bin/true", "x"), struct="execsnoop_head")
    check_events("sigsnoop", do=lambda: work("kill", "kill", 10, 5), struct="killsnoop_event")
    check_events("killsnoop", do=lambda: work("kill", "kill", 10, 5))
    check_events("capable", "-v", "-K", "-U", do=lambda: run(["chroot", "/", "true"]))
    check_events("runqslower", "-P", "0", do=lambda: work("burst", 5, 1000, 1000))
    check_rows("offcputime", "counts", do=lambda: work("stack", 5, 2000))
    check_rows("wakeuptime", "counts", do=lambda: work("wake", 5, 1000), value=False)
    check_rows("profile", "counts", do=lambda: work("spin", 300, 0), value=False)
    check_rows("cpudist", "hists", "-L", do=lambda: work("burst", 5, 1000, 1000))
    check_rows("syscount", "rows", "-P", do=lambda: work("syscalls", 50), value=False)
    check_rows("cachetop", "rows", "-C", "60", do=lambda: run(["cat", "/etc/passwd"]))


def test_connections():
    for applet in ("tcpconnect", "tcpaccept", "tcplife", "tcpstates", "tcptracer", "tcpconnlat"):
        check_events(applet, do=tcp)
    check_events("tcppktlat", do=tcp)
    check_events("softirqslower", "0", do=tcp)
    check_events("bindsnoop", do=lambda: [listen("127.0.0.1").close(), listen("::1").close()])
    check_events("solisten", do=lambda: [listen("127.0.0.1").close(), listen("::1").close()])
    check_rows("tcptop", "rows", "-C", "60", do=tcp)
    check_rows("tcpconnect", "rows", "-c", do=tcp, value=False)


@alone
def test_disks():
    with null_blk() as disk:
        read = lambda: work("disk", disk, 4, 4096, "r")
        check_events("biosnoop", do=read)
        check_rows("biotop", "rows", "-C", "60", do=read)
        check_rows("bitesize", "hists", do=read, value=False)
        check_rows("biolatency", "hists", "-D", do=read, value=False)
    with filesystem("ext4") as path:
        check_events("ext4slower", "0", "-p", os.getpid(), do=lambda: names(path), struct="slowop_event")
