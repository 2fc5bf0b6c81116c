"""biolatency: as many samples as /proc/diskstats counts, in the bucket of the disk's known delay."""

import os
import time
import re

from harness import *

MS = 1_000_000


def counted(device):
    """Reads, writes, discards and flushes that the kernel counts as done."""
    name = os.path.basename(device)
    fields = next(line.split() for line in open("/proc/diskstats") if line.split()[2] == name)
    return {"read": int(fields[3]), "write": int(fields[7]), "discard": int(fields[14]), "flush": int(fields[18])}


def gained(device, before):
    return {kind: n - before[kind] for kind, n in counted(device).items()}


def total(result):
    return sum(row["count"] for row in result.json if "buckets" in row)


def lost(result):
    return {kind: n for kind, n in result.json[-1]["lost"].items() if n}


@alone
def test_each_request_once_in_its_bucket():
    with null_blk(irqmode=2, completion_nsec=20 * MS) as disk:
        name = os.path.basename(disk)
        before = counted(disk)
        lat = tool("biolatency", "-d", name, json=True)
        did = work("disk", disk, 30, 4096, "r")
        result = lat.stop()
        assert gained(disk, before)["read"] == 30
    (row,) = [row for row in result.json if "buckets" in row]
    assert row["count"] == 30 and lost(result) == {}
    below = sum(b["count"] for b in row["buckets"] if b["high"] < 20_000)
    assert below == 0  # no request is done before the disk's delay
    assert 30 * 20_000 <= row["sum"] <= did["total_us"] + 30  # nor later than its reader saw


@alone
def test_text_modes():
    with null_blk(irqmode=2, completion_nsec=20 * MS) as disk:
        name = os.path.basename(disk)
        lats = [tool("biolatency", "-d", name, *args) for args in (["-m", "-e"], ["-D"], ["-F"])]
        read = work("disk", disk, 8, 4096, "r")
        write = work("disk", disk, 5, 4096, "w")
        ms, disks, flags = (lat.stop() for lat in lats)
    assert sum(ms.histogram.values()) == 13 and "msecs" in ms.out
    assert sum(n for (low, high), n in ms.histogram.items() if high < 16) == 0
    average = re.search(r"^avg = (\d+) msecs, total: (\d+) msecs, count: (\d+)$", ms.out, re.M)
    mean, sum_, n = map(int, average.groups())
    assert n == 13 and mean == sum_ // 13
    assert 13 * 20 <= sum_ <= (read["total_us"] + write["total_us"]) / 1000
    assert list(disks.histograms) == [f"disk = {name}"]
    assert sum(disks.histograms[f"disk = {name}"].values()) == 13
    by_flags = {label: sum(h.values()) for label, h in flags.histograms.items()}
    assert sum(n for label, n in by_flags.items() if label.endswith("Read")) == 8
    assert sum(n for label, n in by_flags.items() if label.endswith("Write")) == 5
    assert "flags = Idle-Sync-Write" in by_flags  # O_DIRECT


@alone
def test_queued_is_longer_and_counts_what_diskstats_does():
    # One request at a time in the driver: those of four readers wait for each other.
    with null_blk(irqmode=2, completion_nsec=10 * MS, hw_queue_depth=1, submit_queues=1) as disk:
        name = os.path.basename(disk)
        before = counted(disk)
        issue = tool("biolatency", "-d", name, json=True)
        queued = tool("biolatency", "-Q", "-d", name, json=True)
        readers = [waiting_work("disk", disk, 10, 4096, "r") for _ in range(4)]
        for reader in readers:
            reader.begin()
        did = [reader.wait().words for reader in readers]
        queued, issue = queued.stop(), issue.stop()
        assert gained(disk, before)["read"] == 40
    assert total(queued) == total(issue) == 40
    sums = [sum(row["sum"] for row in r.json if "buckets" in row) for r in (issue, queued)]
    assert 40 * 10_000 <= sums[0] <= sums[1] <= sum(d["total_us"] for d in did) + 40


@alone
def test_flushes_are_requests_of_their_own_but_not_with_q():
    # Nothing that the file system does on its own meanwhile: no lazy inode tables, no commit by time.
    with filesystem("ext4", options="noinit_itable,commit=300") as path:
        device = next(l.split()[0] for l in open("/proc/mounts") if l.split()[1] == str(path))
        name = os.path.basename(device)
        run(["sync"])
        issue = tool("biolatency", "-F", "-d", name, json=True)
        queued = tool("biolatency", "-Q", "-d", name, json=True)
        pattern = tool("biopattern", "-d", name, json=True)
        before = counted(device)
        work("ops", path / "f", 1, 3, 0, 3)
        run(["sync", "-f", path])
        queued, issue, pattern = queued.stop(), issue.stop(), pattern.stop()
        gain = gained(device, before)
    flushes = sum(r["count"] for r in issue.json if r.get("flags", "").endswith("Flush"))
    assert gain["write"] > 0 and gain["flush"] > 0
    assert flushes == gain["flush"]
    assert total(queued) == gain["read"] + gain["write"] + gain["discard"]
    # No flush has a place on the disk, nor has a write that is only one (fsync's, never issued); a write with a
    # flush behind it ends twice and is one.
    assert pattern.json[0]["count"] == total(issue) - flushes - 1


@alone
def test_large_writes_count_as_diskstats_does():
    with scsi_debug(dev_size_mb=16, delay=0, ndelay=1000000) as disk:
        name = os.path.basename(disk)
        before = counted(disk)
        lat = tool("biolatency", "-d", name, json=True)
        work("disk", disk, 6, 1 << 20, "w")
        result = lat.stop()
        gain = gained(disk, before)
    assert gain["write"] >= 6
    assert total(result) == gain["write"] + gain["flush"] + gain["read"]


@alone
def test_requests_done_in_parts_count_once():
    """The disk gives only half of what is read now and then: the rest is read by the same request."""
    settings = Path("/sys/bus/pseudo/drivers/scsi_debug")
    with scsi_debug(dev_size_mb=16, delay=0, ndelay=MS) as disk:
        name, device = os.path.basename(disk), os.stat(disk).st_rdev
        write(settings / "every_nth", 4)
        write(settings / "opts", 0x100)  # SDEBUG_OPT_SHORT_TRANSFER
        before = counted(disk)
        only = f"dev == {os.major(device) << 20 | os.minor(device)}"
        with kernel_trace("block/block_rq_complete", only=only) as lines:
            tools = {applet: tool(applet, "-d", name, *args, json=True) for applet, args in {
                "biolatency": (), "bitesize": (), "biopattern": (), "biosnoop": (), "biotop": ("60",)}.items()}
            did = work("disk", disk, 40, 8192, "r", 16384)
            results = {applet: process.stop().json for applet, process in tools.items()}
            ends = len(lines())
        write(settings / "opts", 0)
        assert gained(disk, before)["read"] == 40
    assert ends >= 48, ends  # some 10 requests came to their end in parts
    latency, bitesize, pattern, biotop = (results[applet][0]
                                          for applet in ("biolatency", "bitesize", "biopattern", "biotop"))
    assert latency["count"] == bitesize["count"] == biotop["count"] == len(results["biosnoop"]) - 1 == 40
    assert bitesize["sum"] * 1024 == biotop["bytes"] == 40 * 8192
    assert (pattern["random"], pattern["sequential"], pattern["bytes"]) == (39, 0, 39 * 8192)
    assert {(row["bytes"], row["pid"]) for row in results["biosnoop"][:-1]} == {(8192, did["pid"])}
    assert latency["sum"] <= did["total_us"] + 40
    assert not any(any(result[-1]["lost"].values()) for result in results.values())


@alone
def test_intervals_have_times():
    with null_blk() as disk:
        name = os.path.basename(disk)
        lat = tool("biolatency", "-T", "-d", name, "1", "2")
        work("disk", disk, 7, 4096, "r")
        text = lat.wait().out
    assert len(re.findall(r"^\d\d:\d\d:\d\d$", text, re.M)) == 2
    assert sum(n for h in histograms(text).values() for n in h.values()) == 7


def test_json_by_letter_and_bad_input():
    short = tool("biolatency", "-j")
    assert all(isinstance(row, dict) for row in short.stop().json)
    unknown = tool_run("biolatency", "-d", "nosuchdisk")
    assert unknown.code == 2 and "no such disk: nosuchdisk" in unknown.err
    both = tool_run("biolatency", "-D", "-F")
    assert both.code == 2 and "exclude" in both.err


@alone
@needs("program:/usr/sbin/biolatency")
def test_peer():
    """Debian's biolatency counts the same requests, in the same buckets or the next."""
    with null_blk(irqmode=2, completion_nsec=20 * MS) as disk:
        name = os.path.basename(disk)
        ours = tool("biolatency", "-d", name, json=True)
        theirs = spawn(["stdbuf", "-oL", "/usr/sbin/biolatency", "-d", name])
        theirs.until("Tracing")
        time.sleep(1)  # it says so before it has attached
        work("disk", disk, 25, 4096, "r")
        (row, _), theirs = ours.stop().json, theirs.stop()
    counts = {(b["low"], b["high"]): b["count"] for b in row["buckets"] if b["count"]}
    assert row["count"] == 25 and alike(counts, {k: n for k, n in theirs.histogram.items() if n})
