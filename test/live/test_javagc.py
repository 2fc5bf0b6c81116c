"""javagc: collections that a JVM is asked for, against its own log of them."""

import contextlib
import re
import socket

from harness import *

JAVA = f"/usr/lib/jvm/java-17-openjdk-{THIS_MACHINE.debian}/bin/java"
N = 3


class Java(Process):
    """A JVM that does nothing until it is asked, by the protocol of jcmd."""

    def __init__(self):
        super().__init__([JAVA, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx32m", "-Xlog:gc",
                          "--add-modules", "java.rmi", "-m", "java.rmi/sun.rmi.registry.RegistryImpl", "0"], cwd="/tmp")
        self.until("Using Serial")
        self.socket = Path(f"/tmp/.java_pid{self.pid}")
        # Until its handler is there, the signal would end it.
        caught = lambda: int(re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{self.pid}/status").read_text())[1], 16)
        wait_for(lambda: caught() >> (signal.SIGQUIT - 1) & 1, 60)
        self.ask = Path(f"/tmp/.attach_pid{self.pid}")
        self.ask.touch()
        for _ in range(60):  # a signal that comes too early is lost: jcmd repeats it, too
            os.kill(self.pid, signal.SIGQUIT)
            with contextlib.suppress(AssertionError):
                wait_for(self.socket.exists, 1)
                break
        self.ask.unlink(missing_ok=True)

    def collect(self):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.socket))
            client.sendall(b"1\0jcmd\0GC.run\0\0\0")
            answer = b""
            while part := client.recv(4096):
                answer += part
        assert answer == b"0\n"

    def log(self):
        """Milliseconds of each pause."""
        return [float(ms) for ms in re.findall(r"Pause Full \(Diagnostic Command\).* ([\d.]+)ms$", self.out, re.MULTILINE)]


@timeout(240)
@needs(f"file:{JAVA}")
def test_collections():
    java = Java()
    java.collect()
    before = len(java.log())
    tracer, text = tool("javagc", java.pid, json=True), tool("javagc", "-m", "-F", "Tenured", java.pid)
    long = tool("javagc", "-M", "100000", java.pid, json=True)
    began = time.monotonic_ns()
    for _ in range(N):
        java.collect()
    took = time.monotonic_ns() - began
    result, text, long = tracer.stop(), text.stop(), long.stop()
    pauses = java.log()[before:]
    java.stop(signal.SIGKILL)
    rows = result.json[:-1]
    assert {row["pid"] for row in rows} == {java.pid} and len({row["tid"] for row in rows}) == 1
    whole = [row for row in rows if not row["is_pool"]]
    tenured = [row for row in rows if row["is_pool"] and row["pool"] == "Tenured Gen"]
    assert len(whole) == len(tenured) == len(pauses) == N
    # What is logged is within a collection, and its pools are, too.
    assert sum(pauses) * 1e6 <= sum(row["dur_ns"] for row in whole) <= took
    assert all(0 < one["dur_ns"] <= all_of_it["dur_ns"] for one, all_of_it in zip(tenured, whole))
    assert {row["manager"] for row in tenured} == {"MarkSweepCompact"}
    assert all(0 < row["used"] <= row["max"] <= 32 << 20 for row in tenured)
    # What one leaves is what the next finds.
    assert [row["used"] for row in tenured[:-1]] == [row["used_before"] for row in tenured[1:]]
    assert text.out.splitlines()[0].split() == ["START", "TIME", "(ms)", "DESCRIPTION"]
    lines = re.findall(r"^\d+\.\d{3} +(\d+\.\d\d) +MarkSweepCompact Tenured Gen used=(\d+)->(\d+) max=\d+->\d+$", text.out, re.MULTILINE)
    assert [(int(a), int(b)) for _, a, b in lines] == [(row["used_before"], row["used"]) for row in tenured]
    assert all(abs(float(ms) - row["dur_ns"] / 1e6) < 5 for (ms, *_), row in zip(lines, tenured))
    assert not long.json[:-1]


def test_bad_input():
    assert tool_run("javagc").code == 2
    for pid in (os.getpid(), 4194303):
        result = tool_run("javagc", pid)
        assert result.code == 1 and len(result.err.splitlines()) <= 3
