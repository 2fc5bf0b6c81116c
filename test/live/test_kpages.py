"""kpages: pages that faults and huge pages take, by the number."""

from harness import *

N = 300


def pages(rows, frame, key="pages"):
    return sum(row[key] for row in rows if any(frame in name for name in row["kernel"]))


def test_a_page_a_fault():
    workload = waiting_work("touch", N)
    tracer = tool("kpages", "-p", workload.pid, json=True)
    work("touch", N)
    workload.go()
    rows = tracer.stop().json[:-1]
    assert pages(rows, "vma_alloc_folio") - N in range(0, 16)  # the workload's own stack and heap
    assert {row["comm"] for row in rows} == {"work"}


@alone
def test_order_counts():
    """A huge page is one allocation and 512 pages."""
    pool = Path("/proc/sys/vm/nr_hugepages")
    before = int(pool.read_text())
    tracer, text = tool("kpages", json=True), tool("kpages", "-f")
    try:
        run(["dd", "if=/dev/stdin", f"of={pool}", "status=none"], stdin=text_file(f"{before + 4}\n"))
        assert int(pool.read_text()) == before + 4
    finally:
        rows, folded = tracer.stop().json[:-1], text.stop().out
        write(pool, before)
    huge = [row for row in rows if row["comm"] == "dd" and row["pages"] >= 512 * row["count"]]
    assert sum(row["count"] for row in huge) == 4
    assert sum(row["pages"] for row in huge) == 4 * 512
    (line,) = [line for line in folded.splitlines() if line.startswith("dd;") and line.endswith(" 2048")]
    assert "nr_hugepages_store" in line or "hugetlb_sysctl_handler" in line
