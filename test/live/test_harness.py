"""The harness on itself: what it reports of tests that pass, fail, hang and skip."""

import json
import textwrap

from harness import *

FAKE = """
from harness import *
import os, time

def test_passes():
    assert 1 + 1 == 2

def test_fails():
    numbers = [1, 2, 3]
    assert sum(numbers) == 7

@timeout(1)
def test_hangs():
    spawn(["sleep", "1234"])
    spawn(["setsid", "--fork", "sleep", "1235"])
    time.sleep(100)

def test_skips():
    raise Skip("not today")

@needs("tracepoint:nothing:here")
def test_needs():
    assert False

def test_dies():
    os.kill(os.getpid(), 9)

@alone
def test_alone():
    assert not any("runner" in line for line in "quiet".split())
"""


def runner(*args):
    return run([CHECKOUT / "test/live/run", *args], check=False)


def test_runner_reports_each_outcome():
    with folder() as path:
        (path / "test_fake.py").write_text(FAKE)
        (path / "test_broken.py").write_text("this is not Python")
        result = runner("--folder", path, "--results", path / "results")
        lines = result.out.splitlines()
        assert result.code == 1
        assert lines[-1] == "2 passed, 4 failed, 2 skipped"
        assert "skip fake.skips: not today" in lines
        assert "skip fake.needs: no tracepoint:nothing:here" in lines
        assert any(line.startswith("ok fake.passes ") for line in lines)
        assert "FAIL broken.import" in lines
        hung = lines.index("FAIL fake.hangs")
        assert "not done after 1 s" in lines[hung + 1]
        failed = lines.index("FAIL fake.fails")
        assert "sum(numbers) = 6" in result.out
        assert "assert sum(numbers) == 7" in "\n".join(lines[failed:])
        records = [json.loads(line) for line in (path / "results").read_text().splitlines()]
        ended = {record["name"]: record["status"] for record in records if record["event"] == "end"}
        assert ended["fake.dies"] == "FAIL" and ended["fake.alone"] == "ok"
        assert [record["name"] for record in records if record["event"] == "start"][-1] == "fake.alone"
        assert len(ended) == 8


def test_a_hung_test_leaves_no_process():
    with folder() as path:
        (path / "test_fake.py").write_text(FAKE)
        runner("--folder", path, "fake.hangs")
        commands = run(["ps", "-eo", "args"]).out
        assert "sleep 1234" not in commands and "sleep 1235" not in commands


def test_no_test_is_a_failure():
    with folder() as path:
        (path / "test_empty.py").write_text("x = 1\n")
        assert runner("--folder", path, "empty").code == 1
        assert runner("--folder", path, "absent").code == 1
        (path / "test_empty.py").unlink()
        assert runner("--folder", path).code == 1


def test_guest_has_what_tracing_needs():
    for path in (
        "/sys/kernel/btf/vmlinux",
        "/sys/kernel/tracing/events",
        "/sys/kernel/debug/tracing",
        "/sys/fs/cgroup/cgroup.procs",
        f"/lib/modules/{os.uname().release}/modules.dep",
        f"/boot/config-{os.uname().release}",
        "/dev/fd/0",
        "/dev/pts/ptmx",
    ):
        assert os.path.exists(path), path
    assert os.statvfs("/sys/fs/bpf").f_type if hasattr(os.statvfs_result, "f_type") else True
    assert abs(time.time() - os.stat(WORK).st_mtime) < 400 * 86400


def test_histograms_alike():
    one = {(2, 3): 1, (4, 7): 5}
    assert alike(one, one) and alike(one, {(2, 3): 5, (4, 7): 1})
    assert alike({(8, 15): 1}, {(4, 7): 1}) and not alike({(8, 15): 1}, {(2, 3): 1})
    assert alike({(0, 1): 6, (2, 3): 2}, {(0, 1): 7, (2, 3): 1}) and not alike({(0, 1): 1}, {(4, 7): 1})
    assert not alike(one, {(2, 3): 1, (4, 7): 4}) and not alike(one, {(4, 7): 1, (16, 31): 5})


def test_tables():
    text = textwrap.dedent(
        """\
        Tracing... Hit Ctrl-C to end.
        14:02:11
        PID    COMM             FD ERR PATH
        12     cat               3   0 /etc/hostname
        -1     a                -1   2 /tmp/with space

        PID    COMM      LAT(ms)  T
        7      dd           1.25  W
        8      dd           0.50
        """
    )
    first, second = tables(text)
    assert first[0] == {"PID": 12, "COMM": "cat", "FD": 3, "ERR": 0, "PATH": "/etc/hostname"}
    assert first[1]["PATH"] == "/tmp/with space" and first[1]["PID"] == -1
    assert second == [
        {"PID": 7, "COMM": "dd", "LAT(ms)": 1.25, "T": "W"},
        {"PID": 8, "COMM": "dd", "LAT(ms)": 0.5, "T": ""},
    ]


def test_histograms():
    text = textwrap.dedent(
        """\
        Tracing block device I/O... Hit Ctrl-C to end.

        disk = 'vda'
             usecs               : count     distribution
                 0 -> 1          : 0        |                                        |
                 2 -> 3          : 12       |****************************************|

        disk = 'vdb'
             usecs               : count     distribution
                 4 -> 7          : 1        |****************************************|
        """
    )
    assert histograms(text) == {
        "disk = 'vda'": {(0, 1): 0, (2, 3): 12},
        "disk = 'vdb'": {(4, 7): 1},
    }


def test_workloads_count():
    with folder() as path:
        did = work("open", 7, f"{path}/%d", "w")
        assert did["opened"] == 7 and len(list(path.iterdir())) == 7
        assert work("open", 3, "/nonexistent/%d")["errno"] == 2
        assert work("rw", path / "data", 4096, 2, 3, 1)["written_bytes"] == 3 * 4096
    assert work("exit", 3, 1)["code"] == 3
    assert work("exit", 0, 1, 9, "thread")["signal"] == 9
    for call in "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal".split():
        assert work("kill", call, 10, 3)["sent"] == 3, call
    assert len(work("fork", 3)["children"]) == 3
    sleeper = waiting_work("sleep", 2, 10000)
    assert sleeper.go()["us"] >= 20000


def test_network():
    with network() as (client, server):
        listener = server.spawn([WORK, "tcp_server", server.v4, 0, 2, 10])
        port = listener.until(r"port (\d+)").group(1)
        did = client.work("tcp_client", server.v4, port, 5000, 2, 0, 10)
        assert did["sent"] == 10000 and did["received"] == 20
        assert "received 10000" in listener.wait().out
        assert client.work("tcp_client", server.v6, 1, 5)["errno"] == 111
        assert "1 received" in client.run(["ping", "-c", "1", "-W", "5", server.v6]).out


@needs("program:mkfs.ext4")
def test_disks():
    with null_blk(size=64) as disk:
        with filesystem("ext4", device=disk) as path:
            (path / "file").write_text("x" * 100000)
            os.sync()
    with filesystem("ext4") as path:
        assert work("rw", path / "file", 4096, 1, 8, 1)["writes"] == 8


@alone
def test_scsi_debug():
    with scsi_debug(dev_size_mb=16) as disk:
        run(["dd", f"if={disk}", "of=/dev/null", "bs=64k", "count=4"])


def test_cgroup_and_pid_namespace():
    with cgroup(memory_max="50M") as group:
        inside = run(["cat", "/proc/self/cgroup"], cgroup=group).out
        assert inside.strip() == f"0::/{group.name}"
    assert run(in_pid_namespace(["sh", "-c", "echo $$"])).out == "1\n"
