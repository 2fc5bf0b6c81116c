"""readahead: pages that were read ahead, against mincore(2), and which of them were used."""

from harness import *
from test_cachestat import PAGES, cached_file


def ahead(file, *hows):
    """What readahead says of processes in a cgroup of its own, one after the other."""
    with cgroup() as group:
        tracer = tool("readahead", "--cgroup", group, json=True)
        did = [work("cache", file, *how, cgroup=group) for how in hows]
        rows = [row for row in tracer.stop().json if "unused" in row]
    (row,) = rows or [{"pages": 0, "unused": 0, "count": 0}]
    return row, did


def test_all_used():
    with cached_file() as file:
        row, (did,) = ahead(file, ("read", PAGES))
    assert did["after"] == PAGES
    assert (row["pages"], row["unused"], row["count"]) == (PAGES, 0, PAGES)


def test_mapped_pages_are_used():
    with cached_file() as file:
        row, (did,) = ahead(file, ("map", PAGES))
    assert did["after"] == PAGES
    assert (row["pages"], row["unused"], row["count"]) == (PAGES, 0, PAGES)


def test_unused_are_those_in_the_cache_that_nobody_read():
    with cached_file() as file:
        row, (did,) = ahead(file, ("read", 512))
        there = work("cache", file, "nothing")["before"]  # by now all of it has come
    assert there > 512, "nothing was read ahead"
    assert (row["pages"], row["unused"], row["count"]) == (there, there - 512, 512)


def test_dropped_pages_stay_unused():
    """And what is in the same memory later is not taken for them."""
    with cached_file() as file:
        row, (first, dropped, second) = ahead(file, ("read", 512), ("drop",), ("read", PAGES))
    assert dropped["after"] == 0
    assert row["pages"] == row["count"] + row["unused"] and row["count"] == 512 + PAGES
    assert row["unused"] >= first["after"] - 512


def test_text():
    with cached_file() as file, cgroup() as group:
        tracer = tool("readahead", "--cgroup", group)
        work("cache", file, "read", PAGES, cgroup=group)
        result = tracer.stop()
    lines = [line for line in result.out.splitlines() if line]
    assert lines[:4] == [
        "Tracing... Hit Ctrl-C to end.",
        "Read-ahead unused pages: 0",
        "Histogram of read-ahead used page age (ms):",
        "     age (ms)            : count     distribution",
    ]
    (counts,) = result.histograms.values()
    assert sum(counts.values()) == PAGES
