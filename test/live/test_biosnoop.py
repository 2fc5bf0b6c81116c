"""biosnoop: a row for each request, with its submitter, place, size and times.

No peer: Debian's biosnoop loads on neither kernel (6.12's verifier refuses it, 6.1 lacks its probe).
"""

import os

from harness import *

MS = 1_000_000


def rows_of(result, pid):
    return [row for row in result.json if row.get("pid") == pid]


def lost(result):
    return {kind: n for kind, n in result.json[-1]["lost"].items() if n}


def scheduler(disk, name):
    write(f"/sys/block/{os.path.basename(disk)}/queue/scheduler", name)


@alone
def test_rows_are_the_requests_of_their_submitter():
    with null_blk(irqmode=2, completion_nsec=5 * MS) as disk:
        name = os.path.basename(disk)
        for elevator in ("none", "mq-deadline"):
            scheduler(disk, elevator)
            snoop = tool("biosnoop", "-d", name, json=True)
            read = work("disk", disk, 20, 4096, "r")
            wrote = work("disk", disk, 10, 16384, "w", 65536)
            result = snoop.stop()
            rows = rows_of(result, read["pid"])
            assert [(r["sector"], r["bytes"], r["op"]) for r in rows] == [(8 * i, 4096, "R") for i in range(20)]
            assert all(r["comm"] == "work" and r["disk"] == name and r["uid"] == 0 for r in rows)
            assert all(r["tid"] == r["pid"] and r["lat_ns"] >= 5 * MS for r in rows)
            assert sum(r["lat_ns"] + r["queue_ns"] for r in rows) <= (read["total_us"] + 20) * 1000
            rows = rows_of(result, wrote["pid"])
            assert [(r["sector"], r["bytes"], r["op"]) for r in rows] == [(128 * i, 16384, "W") for i in range(10)]
            assert [r["pattern"] for r in rows[1:]] == ["R"] * 9
            assert {r["pid"] for r in result.json[:-1]} == {read["pid"], wrote["pid"]}
            assert lost(result) == {}


@alone
def test_submitter_though_a_kworker_issues():
    # One request at a time in the driver: the others are issued when it is done, by the kernel. They
    # read every 64 KB: neighbours could be merged into one request.
    for elevator in ("none", "mq-deadline"):
        with null_blk(irqmode=2, completion_nsec=5 * MS, hw_queue_depth=1, submit_queues=1) as disk:
            scheduler(disk, elevator)
            snoop = tool("biosnoop", "-d", os.path.basename(disk), json=True)
            readers = [waiting_work("disk", disk, 10, 4096, "r", 65536) for _ in range(3)]
            for reader in readers:
                reader.begin()
            did = [reader.wait().words for reader in readers]
            result = snoop.stop()
            for one in did:
                rows = rows_of(result, one["pid"])
                assert len(rows) == 10
                assert sum(r["lat_ns"] + r["queue_ns"] for r in rows) <= (one["total_us"] + 10) * 1000
            assert len(result.json) == 31


@alone
def test_scsi():
    with scsi_debug(dev_size_mb=16, delay=0, ndelay=2 * MS) as disk:
        snoop = tool("biosnoop", "-d", os.path.basename(disk), json=True)
        did = run(["dd", f"if={disk}", "of=/dev/null", "bs=64k", "count=12", "iflag=direct"])
        result = snoop.stop()
        rows = rows_of(result, did.pid)
        assert [(r["sector"], r["bytes"], r["comm"]) for r in rows] == [(128 * i, 65536, "dd") for i in range(12)]
        assert all(r["lat_ns"] >= 2 * MS for r in rows) and lost(result) == {}


@alone
def test_text():
    with null_blk(irqmode=2, completion_nsec=5 * MS) as disk:
        name = os.path.basename(disk)
        snoop = tool("biosnoop", "-Q", "-P", "-d", name)
        did = work("disk", disk, 6, 4096, "r")
        clock = tool("biosnoop", "-t", "-d", name)
        work("disk", disk, 2, 4096, "r")
        text, clock = snoop.stop(), clock.stop()
    assert clock.out.splitlines()[0].split()[:2] == ["TIME", "COMM"] and len(clock.rows) == 2
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", row["TIME"]) for row in clock.rows)
    assert text.out.splitlines()[0].split() == "TIME(s) COMM PID DISK T SECTOR BYTES P QUE(ms) LAT(ms)".split()
    rows = text.of(did["pid"])
    assert [r["P"] for r in rows] == ["?", "S", "S", "S", "S", "S"]
    assert text.out.splitlines()[1].startswith("0.000000 ")
    times = [r["TIME(s)"] for r in rows]
    assert times == sorted(times) and all(b - a >= 0.005 for a, b in zip(times, times[1:]))
    assert all(r["LAT(ms)"] >= 5 and r["QUE(ms)"] >= 0 and r["T"] == "R" for r in rows)


@alone
def test_long_names_minimum_and_pid():
    with null_blk(irqmode=2, completion_nsec=5 * MS) as disk, folder() as path:
        name = os.path.basename(disk)
        run(["cp", "/bin/dd", path / "fifteen-letters"])
        snoop = tool("biosnoop", "-d", name, "-m", "3")
        stacks = tool("biostacks", "-d", name)
        none = tool("biosnoop", "-d", name, "--min", "60000", json=True)
        other = tool("biosnoop", "-d", name, "--pid", os.getpid(), json=True)
        run([path / "fifteen-letters", f"if={disk}", "of=/dev/null", "bs=4k", "count=4", "iflag=direct"])
        assert sum("fifteen-letters" in line for line in snoop.stop().out.splitlines()) == 4
        assert "fifteen-letters " in stacks.stop().out
        assert len(none.stop().json) == 1 and len(other.stop().json) == 1


@alone
def test_submitter_below_device_mapper():
    load("dm_mod")
    with null_blk(irqmode=2, completion_nsec=5 * MS) as disk:
        name = f"live{os.getpid()}"
        made = run(["dmsetup", "create", name, "--noudevsync", "--table", f"0 2048 linear {disk} 2048"], check=False)
        if made.code:
            raise Skip(f"no device mapper: {made.err.strip()}")
        try:
            minor = run(["dmsetup", "info", "-c", "--noheadings", "-o", "minor", name]).out.strip()
            upper = tool_run("biosnoop", "-d", f"dm-{minor}")
            assert upper.code == 2 and "trace the disks below" in upper.err
            snoop = tool("biosnoop", "-d", os.path.basename(disk), json=True)
            did = run(["dd", f"if=/dev/dm-{minor}", "of=/dev/null", "bs=4k", "count=5", "iflag=direct"])
            rows = rows_of(snoop.stop(), did.pid)
        finally:
            run(["dmsetup", "remove", "--noudevsync", name], check=False)
    assert [r["sector"] for r in rows] == [2048 + 8 * i for i in range(5)]


@alone
@needs("module:dm-crypt")
def test_submitter_above_encryption():
    """Who reads submits what is read below; what is written dm-crypt submits, by a thread of its own."""
    with null_blk(irqmode=2, completion_nsec=5 * MS) as disk:
        name = f"live{os.getpid()}"
        table_ = f"0 4096 crypt aes-xts-plain64 {os.urandom(32).hex()} 0 {disk} 2048"
        made = run(["dmsetup", "create", name, "--noudevsync", "--table", table_], check=False)
        if made.code:
            raise Skip(f"no dm-crypt: {made.err.strip()}")
        try:
            minor = run(["dmsetup", "info", "-c", "--noheadings", "-o", "minor", name]).out.strip()
            snoop = tool("biosnoop", "-d", os.path.basename(disk), json=True)
            read = run(["dd", f"if=/dev/dm-{minor}", "of=/dev/null", "bs=4k", "count=5", "iflag=direct"])
            wrote = run(["dd", "if=/dev/zero", f"of=/dev/dm-{minor}", "bs=4k", "count=5", "oflag=direct"])
            rows = snoop.stop().json[:-1]
        finally:
            run(["dmsetup", "remove", "--noudevsync", name], check=False)
    place = [2048 + 8 * i for i in range(5)]
    assert [r["sector"] for r in rows if r["pid"] == read.pid and r["comm"] == "dd"] == place
    written = [r for r in rows if r["op"] == "W"]
    assert [r["sector"] for r in written] == place and wrote.pid not in {r["pid"] for r in written}
    assert all(r["comm"].startswith("dmcrypt_write") for r in written), written


@alone
def test_times_are_those_of_the_kernels_trace():
    """From being made (G) over issue (D) to the end (C), as blktrace calls them (bcc#1077)."""
    with null_blk(irqmode=2, completion_nsec=10 * MS, hw_queue_depth=1, submit_queues=1) as disk:
        scheduler(disk, "mq-deadline")  # where they wait for the driver
        device = os.stat(disk).st_rdev
        only = f"dev == {os.major(device) << 20 | os.minor(device)}"
        events = ("block_getrq", "block_rq_issue", "block_rq_complete")
        with kernel_trace(*(f"block/{event}" for event in events), only=only) as lines:
            snoop = tool("biosnoop", "-d", os.path.basename(disk), json=True)
            readers = [waiting_work("disk", disk, 10, 4096, "r", 65536) for _ in range(3)]
            for reader in readers:
                reader.begin()
            for reader in readers:
                reader.wait()
            rows = snoop.stop().json[:-1]
            times = {event: [at for at, name, _ in lines() if name == event] for event in events}
    assert len(rows) == 30 and {len(at) for at in times.values()} == {30}
    made, issued, done = (sum(times[event]) for event in events)
    latency, all_ = (sum(row["lat_ns"] + whole * row["queue_ns"] for row in rows) / 1e9 for whole in (0, 1))
    assert abs(latency - (done - issued)) <= 0.02 * (done - issued)
    assert abs(all_ - (done - made)) <= 0.02 * (done - made)


def test_unknown_disk():
    result = tool_run("biosnoop", "-d", "nosuchdisk")
    assert result.code == 2 and "no such disk: nosuchdisk" in result.err
