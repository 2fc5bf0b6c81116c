"""cachestat: pages that were read, mapped and written, against mincore(2) and /proc/vmstat."""

import contextlib
import re

from harness import *

PAGES = 2048
BINARY = WORK.stat().st_size // 4096 + 1  # what the workload itself may have mapped, at most


@contextlib.contextmanager
def cached_file(pages=PAGES, megabytes=32):
    """A file on ext4, none of it in the page cache."""
    with filesystem("ext4", megabytes) as path:
        file = path / "file"
        file.write_bytes(b"f" * pages * 4096)
        work("cache", file, "drop")
        assert work("cache", file, "nothing")["before"] == 0
        yield file


def counted(file, how, pages=PAGES, applet="cachestat"):
    """What the applet says while a process in a cgroup of its own uses the file."""
    with cgroup() as group:
        workload = waiting_work("cache", file, how, pages, cgroup=group)
        stat = tool(applet, "--cgroup", group, "3600", json=True)
        did = workload.go()
        rows = [row for row in stat.stop().json if "hits" in row]
    (row,) = rows
    return row, did


def test_cold_and_warm_reads():
    with cached_file() as file:
        cold, did = counted(file, "read")
        assert did["before"] == 0 and did["after"] == PAGES
        assert cold["misses"] == PAGES and cold["hits"] <= BINARY
        warm, did = counted(file, "read")
        assert did["before"] == PAGES
        assert warm["misses"] == 0 and PAGES <= warm["hits"] <= PAGES + BINARY
        assert cold["dirties"] == warm["dirties"] == 0


def test_mapped_files_and_direct_reads():
    with cached_file() as file:
        direct, did = counted(file, "direct")
        assert did["after"] == 0
        assert direct["misses"] == 0 and direct["hits"] <= BINARY
        cold, did = counted(file, "map")
        assert did["before"] == 0 and did["after"] == PAGES
        assert cold["misses"] == PAGES and cold["hits"] <= BINARY
        warm, _ = counted(file, "map")
        assert warm["misses"] == 0 and PAGES <= warm["hits"] <= PAGES + BINARY


def test_what_was_there_is_a_hit():
    """Part of the file is in the cache: mincore tells how much of it."""
    with cached_file() as file:
        work("cache", file, "read", 512)
        row, did = counted(file, "read")
        there = did["before"]
        assert 512 <= there < PAGES
        assert row["misses"] == PAGES - there
        assert there <= row["hits"] <= there + BINARY


def dirtied():
    return int(re.search(r"^nr_dirtied (\d+)", Path("/proc/vmstat").read_text(), re.MULTILINE)[1])


def test_dirty_pages():
    with cached_file() as file:
        before = dirtied()
        row, _ = counted(file, "write", 512)
        assert row["dirties"] == 512 and row["misses"] == 0
        assert dirtied() - before >= 512
        work("cache", file, "drop")
        again, _ = counted(file, "write", 512)
        assert again["dirties"] == 512


@alone
def test_ratios_of_the_machine():
    """What is read for the first time is no hit, the second time all of it is (bcc#2366)."""
    pages, ratios = 16384, []
    with cached_file(pages, 96) as file:
        for _ in range(2):
            reader = waiting_work("cache", file, "read", pages)  # its own start would be hits
            stat = tool("cachestat", "3600")
            reader.go()
            (row,) = stat.stop().rows
            ratios.append(float(row["HITRATIO"].rstrip("%")))
    cold, warm = ratios
    assert cold < 5 and warm > 99, ratios


@alone
def test_text_and_the_machine():
    with cached_file() as file:
        stat = tool("cachestat", "-T", "3600")
        work("cache", file, "read", PAGES)
        result = stat.stop()
        cached = int(re.search(r"^Cached: +(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)[1])
    lines = result.out.splitlines()
    assert lines[0] == "TIME         HITS   MISSES  DIRTIES HITRATIO   BUFFERS_MB  CACHED_MB"
    (row,) = result.rows
    assert row["MISSES"] >= PAGES
    hits, misses = row["HITS"], row["MISSES"]
    assert row["HITRATIO"] == f"{100 * hits / (hits + misses):.2f}%"
    assert abs(row["CACHED_MB"] - cached // 1024) <= PAGES // 256 + 2
