"""deadlock: three mutexes that three threads take in a circle, one thread after the other."""

import json
import re

from harness import *
from libc import Libc


def test_circle():
    program = Libc()
    with folder() as path:
        text = tool("deadlock", "--dump-graph", path / "order", program.pid)
        data = tool("deadlock", program.pid, json=True)
        program.do("order 2")
        time.sleep(2)  # two looks at what is no circle yet
        assert text.process.poll() is None and data.process.poll() is None
        program.do("order 3")
        text, data = text.wait(), data.wait()
        order = json.loads((path / "order").read_text())["edges"]
    assert text.code == data.code == 1
    rows = data.json[:-1]
    assert len(rows) == 3 and {row["pid"] for row in rows} == {program.pid}
    # Each asked for the next one's, and the addresses are the program's.
    mutexes = [row["held"] for row in rows]
    assert [row["wanted"] for row in rows] == mutexes[1:] + mutexes[:1]
    first, size = min(mutexes), program.said["size"]
    assert sorted(mutexes) == [first, first + size, first + 2 * size] and first == int(str(program.said["first"]), 0)
    assert len({row["tid"] for row in rows}) == 3
    for row in rows:
        assert [frame for frame in row["wanted_at"] if frame.startswith("lock_")] == ["lock_second", "lock_two"]
        assert [frame for frame in row["held_at"] if frame.startswith("lock_")] == ["lock_two"]
    assert len(order) == 3 and {edge["held"] for edge in order} == {f"{mutex:#x}" for mutex in mutexes}
    # In words.
    assert "Potential Deadlock Detected!\n\nCycle in lock order graph: Mutex M0 (0x" in text.out
    assert len(re.findall(r"^Mutex M\d \(0x[0-9a-f]{16}\) acquired here while holding Mutex M\d", text.out, re.M)) == 3
    assert len(re.findall(rf"^Thread \d+ \(\S+\) created by Thread {program.pid} \(work-libc\) here:$",
                          text.out, re.M)) == 3
    assert program.ended() == 0


def test_none():
    program = Libc()
    tracer = tool("deadlock", program.pid, json=True)
    program.do("order 2", "locks 3")
    result = tracer.stop()
    assert result.code == 0 and len(result.json) == 1
    assert not any(result.json[-1]["lost"].values())


def test_bad_input():
    assert tool_run("deadlock").code == 2
    assert tool_run("deadlock", "--lock-symbols", ",", 1).code == 2
    missing = tool_run("deadlock", "--lock-symbols", "no_such_function", 1)
    assert missing.code == 1 and "no_such_function" in missing.err
