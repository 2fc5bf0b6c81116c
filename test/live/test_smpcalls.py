"""smpcalls: as many calls of membarrier(2)'s function as there were membarriers, in their time."""

from harness import *


@alone
@timeout(120)
def test_membarriers():
    calls = tool("smpcalls", json=True)
    text = tool("smpcalls")
    did = work("membarrier", 200)
    text, result = text.stop(), calls.stop()
    rows = {row["function"]: row for row in result.json[:-1]}
    assert not any(result.json[-1]["lost"].values())
    row = rows["ipi_mb"]
    assert row["count"] == 200 and row["unit"] == "nsecs"
    assert 0 < row["sum"] <= did["ns"]
    assert sum(text.histograms["function = ipi_mb"].values()) == 200 and "     nsecs " in text.out


@alone
@timeout(120)
def test_of_a_process():
    one = waiting_work("membarrier", 50)
    calls = tool("smpcalls", "-p", one.pid, json=True)
    work("membarrier", 70)
    one.go()
    rows = {row["function"]: row["count"] for row in calls.stop().json[:-1]}
    assert rows["ipi_mb"] == 50
