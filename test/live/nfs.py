"""NFS over loopback by the kernel's own server and client: no program of nfs-utils takes part.

What mountd would answer is told to the server beforehand, in the words of net/sunrpc/cache.c and
fs/nfsd/export.c: who the client is, which folder it may have, and what its file handle means.
"""

import contextlib
import socket
from pathlib import Path

from harness import *

NFSD = Path("/proc/fs/nfsd")
FOREVER = 2147483647


def tell(cache, *words):
    write(f"/proc/net/rpc/{cache}/channel", " ".join(map(str, words)) + "\n")


def serve(exported):
    """Export the folder as the root of version 4; an ordinary file system, by its fsid 0."""
    for module in ("nfsd", "nfsv4"):
        load(module)
    if not NFSD.joinpath("threads").exists():
        run(["mount", "-t", "nfsd", "nfsd", NFSD])
    tell("auth.unix.ip", "nfsd", "127.0.0.1", FOREVER, "local")
    flags = 0x2 | 0x400 | 0x2000  # NFSEXP_INSECURE_PORT, _NOSUBTREECHECK, _FSID
    tell("nfsd.export", "local", exported, FOREVER, flags, 65534, 65534, 0)
    tell("nfsd.fh", "local", 1, r"\x00000000", FOREVER, exported)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 2049))
    listener.listen()
    write(NFSD / "nfsv4leasetime", 10)
    write(NFSD / "portlist", f"{listener.fileno()}\n")
    write(NFSD / "threads", 2)
    write(NFSD / "v4_end_grace", "Y")
    listener.close()


@contextlib.contextmanager
def nfs(more="soft"):
    """An NFS mount of an ext4: (the folder mounted, the folder on the server)."""
    run(["ip", "link", "set", "lo", "up"])
    with filesystem("ext4") as exported, folder() as path:
        serve(exported)
        try:
            options = f"addr=127.0.0.1,clientaddr=127.0.0.1,vers=4.2,sec=sys,{more}"
            run(["mount", "-i", "-t", "nfs4", "-o", options, "127.0.0.1:/", path])
            try:
                yield path, exported
            finally:
                run(["umount", path])
        finally:
            write(NFSD / "threads", 0)
            for cache in ("nfsd.fh", "nfsd.export", "auth.unix.ip"):
                write(f"/proc/net/rpc/{cache}/flush", FOREVER)
