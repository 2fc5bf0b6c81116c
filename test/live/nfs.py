"""An NFS server and a mount of it, both in the guest, by the kernel's own files alone."""

import socket
import struct
import threading

from harness import *

SERVER = Path("/proc/fs/nfsd")
CACHES = Path("/proc/net/rpc")
FOREVER = 2**31 - 1
# Of include/uapi/linux/nfsd/export.h: insecure port, asynchronous, no check of subtrees, fsid given.
FLAGS = 0x0002 | 0x0010 | 0x0400 | 0x2000

RPCBIND, MOUNTD, PORT = 100000, 100005, 111


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


def received(connection, size):
    data = b""
    while len(data) < size:
        if not (part := connection.recv(size - len(data))):
            raise EOFError
        data += part
    return data


def answer_calls(connection, handle):
    """As rpcbind and rpc.mountd of one connection, by RFC 5531 (calls), 1833 and 1813 (appendix I).

    Whatever is registered or taken back, that is done; whatever is mounted is the folder of the handle.
    """
    with contextlib.suppress(EOFError, ConnectionResetError), connection:
        while True:
            (mark,) = struct.unpack(">I", received(connection, 4))
            call = received(connection, mark & 0x7FFFFFFF)
            xid, _, _, program, _, procedure = struct.unpack(">6I", call[:24])
            result = b""
            if program == RPCBIND and procedure:
                result = struct.pack(">I", 1)  # true
            elif program == MOUNTD and procedure == 1:
                padding = bytes(-len(handle()) % 4)
                # No error, the handle, and one flavor of authentication: AUTH_SYS.
                result = struct.pack(">II", 0, len(handle())) + handle() + padding + struct.pack(">II", 1, 1)
            reply = struct.pack(">6I", xid, 1, 0, 0, 0, 0) + result  # accepted, no verifier, success
            connection.sendall(struct.pack(">I", 0x80000000 | len(reply)) + reply)


@contextlib.contextmanager
def helpers(path):
    """What version 3 needs beside the kernel, at the port of rpcbind: the server registers there, and
    clients ask for the handle of the folder."""

    def handle():
        file = os.open(SERVER / "filehandle", os.O_RDWR)
        try:
            os.write(file, f"guest {path} 64\n".encode())
            return bytes.fromhex(os.read(file, 4096).decode().strip().removeprefix("\\x"))
        finally:
            os.close(file)

    def serve():
        with contextlib.suppress(OSError):  # it is closed
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer_calls, args=[connection, handle], daemon=True).start()

    with socket.create_server(("127.0.0.1", PORT)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def server(path, version=4):
    """A server of version 4, or of 3 too, whose root is that folder."""
    load("nfsd")
    with folder() as pipes, mount("rpc_pipefs", "sunrpc", pipes), mount("nfsd", "nfsd", SERVER):
        tracker = threading.Thread(target=track_clients, args=[pipes / "nfsd" / "cld"], daemon=True)
        tracker.start()
        answer("auth.unix.ip", "nfsd", "127.0.0.1", FOREVER, "guest")
        answer("nfsd.export", "guest", path, FOREVER, FLAGS, 65534, 65534, 0)
        answer("nfsd.fh", "guest", 1, r"\x00000000", FOREVER, path)  # 1: a number, fsid 0 is the root
        tell(SERVER / "versions", f"{'+' if version == 3 else '-'}3 +4 +4.1 +4.2")
        with helpers(path) if version == 3 else contextlib.nullcontext():
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


# As mount.nfs would put them: it looks the ports of version 3 up, and names the program that locks.
OPTIONS = {
    4: "vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1",
    3: f"vers=3,addr=127.0.0.1,proto=tcp,port=2049,mountaddr=127.0.0.1,mountport={PORT},mountproto=tcp,nolock",
}


@contextlib.contextmanager
def nfs(options="", version=4):
    """A folder on NFS, and the folder that the server has it in."""
    for module in ("nfs", f"nfsv{version}"):
        load(module)
    options = ",".join(filter(None, [OPTIONS[version], options]))
    with folder() as served, folder() as path, server(served, version):
        source = f"127.0.0.1:{served}" if version == 3 else "127.0.0.1:/"
        with mount("nfs" if version == 3 else "nfs4", source, path, "-o", options):
            yield path, served
