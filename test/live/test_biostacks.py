"""biostacks: requests of a known disk, number and latency, by who made them."""

import re

from harness import *

N, DELAY_NS = 20, 20_000_000


def test_requests_of_one_disk():
    with null_blk(irqmode=2, completion_nsec=DELAY_NS) as disk, loop(8) as other:
        name = disk.removeprefix("/dev/")
        tracer = tool("biostacks", "-d", name, json=True)
        dd = spawn(["dd", f"of={disk}", "if=/dev/zero", "bs=4096", f"count={N}", "oflag=direct", "status=none"])
        dd.wait()
        run(["dd", f"of={other}", "if=/dev/zero", "bs=4096", "count=5", "oflag=direct", "status=none"])
        rows = [row for row in tracer.stop().json if "disk" in row]
    assert {row["disk"] for row in rows} == {name}
    mine = [row for row in rows if row["pid"] == dd.pid]
    assert sum(row["count"] for row in mine) == N
    assert {row["comm"] for row in mine} == {"dd"}
    assert sum(row["sum"] for row in mine) >= N * DELAY_NS / 1000
    low = min(bucket["low"] for row in mine for bucket in row["buckets"] if bucket["count"])
    assert low >= 16384  # 20 ms are in the bucket from 16.4 ms on
    frames = [frame for row in mine for frame in row["kernel"]]
    assert any("submit_bio" in frame for frame in frames) and any("write" in frame for frame in frames)


def test_text():
    with null_blk(irqmode=2, completion_nsec=DELAY_NS) as disk:
        name = disk.removeprefix("/dev/")
        tracer = tool("biostacks", "-m", "-d", name)
        dd = spawn(["dd", f"of={disk}", "if=/dev/zero", "bs=4096", f"count={N}", "oflag=direct", "status=none"])
        dd.wait()
        out = tracer.stop().out
    assert out.startswith("Tracing block I/O with init stacks. Hit Ctrl-C to end.\n")
    assert re.search(rf"^dd +{dd.pid} +{name}\n    \w+", out, re.MULTILINE)
    assert "     msecs               : count     distribution\n" in out
    counts = [n for label in histograms(out).values() for n in label.values()]
    assert sum(counts) == N


def test_other_tracers_split_no_stack():
    """One comes to the tracepoint while requests are made, and changes what leads to ours."""
    with null_blk(irqmode=2, completion_nsec=DELAY_NS) as disk:
        name = disk.removeprefix("/dev/")
        mine = waiting_work("disk", disk, 150, 4096, "r")
        tracer = tool("biostacks", "-d", name, json=True)
        mine.begin()
        other = tool("biosnoop", "-d", name)
        assert mine.process.poll() is None
        mine.wait(60)
        rows = tracer.stop().json
        other.stop()
    (row,) = [row for row in rows if row.get("pid") == mine.pid]
    # 6.1 may skip a program where another runs, and says so: of each request that is one, at most.
    assert 150 - rows[-1]["lost"]["probes"] <= row["count"] <= 150 and row["comm"] == "work"
