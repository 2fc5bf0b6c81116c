"""An NFS server and a mount of it, both in the guest, by the kernel's own files alone."""

import threading

from harness import *

SERVER = Path("/proc/fs/nfsd")
CACHES = Path("/proc/net/rpc")
FOREVER = 2**31 - 1
# Of include/uapi/linux/nfsd/export.h: insecure port, asynchronous, no check of subtrees, fsid given.
FLAGS = 0x0002 | 0x0010 | 0x0400 | 0x2000


def tell(path, *words):
    """A line to the kernel's server."""
    write(path, " ".join(map(str, words)) + "\n")


def answer(cache, *words):
    """What it would ask rpc.mountd, and the answer, before it does."""
    tell(CACHES / cache / "channel", *words)


def track_clients(path):
    """As nfsdcld, with no client to tell of: so the server does not wait 90 s for those of before.

    It looks for one second who opens the pipe, and wakes nobody when it ends. Messages are struct
    cld_msg_v2 of uapi/linux/nfsd/cld.h.
    """
    wait_for(path.exists)
    with open(path, "r+b", buffering=0) as pipe:
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while not (events := dict(poll.poll(50)).get(pipe.fileno(), 0)) & select.POLLHUP:
            if not events:
                continue
            message = bytearray(pipe.read(8192))
            message[2:4] = bytes(2)  # status: done
            if message[1] == 5:  # Cld_GetVersion
                message[8] = 2
            pipe.write(message)


@contextlib.contextmanager
def mount(kind, source, path, *options):
    run(["mount", "-i", "-t", kind, *options, source, path])
    try:
        yield
    finally:
        run(["umount", path])


@contextlib.contextmanager
def server(path):
    """A server of version 4 whose root is that folder."""
    load("nfsd")
    with folder() as pipes, mount("rpc_pipefs", "sunrpc", pipes), mount("nfsd", "nfsd", SERVER):
        tracker = threading.Thread(target=track_clients, args=[pipes / "nfsd" / "cld"], daemon=True)
        tracker.start()
        answer("auth.unix.ip", "nfsd", "127.0.0.1", FOREVER, "guest")
        answer("nfsd.export", "guest", path, FOREVER, FLAGS, 65534, 65534, 0)
        answer("nfsd.fh", "guest", 1, r"\x00000000", FOREVER, path)  # 1: a number, fsid 0 is the root
        tell(SERVER / "versions", "-3 +4 +4.1 +4.2")  # version 3 needs rpcbind
        tell(SERVER / "portlist", "tcp 2049")
        try:
            tell(SERVER / "threads", 2)
            assert (SERVER / "v4_end_grace").read_text() == "Y\n"
            yield
        finally:
            tell(SERVER / "threads", 0)
            tracker.join()
            for cache in CACHES.glob("*/flush"):
                tell(cache, FOREVER)


@contextlib.contextmanager
def nfs(options=""):
    """A folder on NFS, and the folder that the server has it in."""
    for module in ("nfs", "nfsv4"):
        load(module)
    options = ",".join(filter(None, ["vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1", options]))
    with folder() as served, folder() as path, server(served):
        with mount("nfs4", "127.0.0.1:/", path, "-o", options):
            yield path, served
