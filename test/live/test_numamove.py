"""numamove: moves between nodes; without nodes there are none, and the clock goes on."""

import contextlib
import re

from harness import *


def test_rows_every_second():
    result = tool_run("numamove", "1", "2")
    lines = result.out.splitlines()
    assert lines[0].split() == ["TIME", "NUMA_migrations", "NUMA_migrations_ms"]
    assert len(lines) == 3
    for line in lines[1:]:
        assert re.fullmatch(r"\d\d:\d\d:\d\d +0 +0", line), line


def migrated():
    return int(re.search(r"^numa_pages_migrated (\d+)", Path("/proc/vmstat").read_text(), re.MULTILINE)[1])


@contextlib.contextmanager
def balancing():
    """The kernel moves memory to where it is used."""
    switch = Path("/proc/sys/kernel/numa_balancing")
    write(switch, 1)
    try:
        yield
    finally:
        write(switch, 0)


@boot("numa=fake=2")
@alone
def test_moves_are_those_of_the_kernels_counter():
    """Memory of a node that has no CPU is moved to the one that has, once it is used there."""
    with balancing():
        move = tool("numamove", "3600", json=True)
        before = migrated()
        did = work("numa", 16, 6)
    after = migrated()
    row = move.stop().json[0]
    assert 0 < after - before, "nothing was moved"
    assert after - before <= row["migrations"] <= did["pages"] + (after - before)
    assert row["time_ns"] > 0
