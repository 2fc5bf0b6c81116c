"""mdflush: a row for each flush of an md array, by whom it was."""

import contextlib
import os

from harness import *

FLUSHES = """
import os, sys
f = os.open(sys.argv[1], os.O_RDWR)
for i in range(7):
    os.pwrite(f, bytes(4096), 4096 * i)
    os.fsync(f)
"""


@contextlib.contextmanager
def array(*disks):
    """A raid1 of the disks without metadata, by sysfs (Documentation/admin-guide/md.rst): its path."""
    load("md_mod")
    load("raid1")
    name = f"md_live{os.getpid()}"
    write("/sys/module/md_mod/parameters/new_array", name)
    md = Path(f"/sys/block/{name}/md")
    wait_for(md.exists)
    try:
        write(md / "metadata_version", "none")
        write(md / "level", "raid1")
        write(md / "raid_disks", len(disks))
        for slot, disk in enumerate(disks):
            number = os.stat(disk).st_rdev
            write(md / "new_dev", f"{os.major(number)}:{os.minor(number)}")
            write(md / f"dev-{os.path.basename(disk)}" / "slot", slot)
        write(md / "component_size", 32 << 10)
        write(md / "resync_start", "none")
        write(md / "array_state", "active")
        path = f"/dev/{name}"
        if not wait_for(lambda: os.path.exists(path) or os.path.exists(f"/sys/block/{name}/size")):
            raise Skip("no array")
        yield path
    finally:
        with contextlib.suppress(OSError):
            write(md / "array_state", "clear")


@alone
@needs("module:raid1", "function:md_flush_request")
def test_flushes():
    with loop() as one, loop() as two, array(one, two) as disk:
        every, other = tool("mdflush", json=True), tool("mdflush", "--pid", os.getpid())
        text = tool("mdflush")
        did = run(["/usr/bin/python3", "-c", FLUSHES, disk])
        every, text, other = every.stop(), text.stop(), other.stop()
    rows = [row for row in every.json[:-1] if row["pid"] == did.pid]
    assert len(rows) == 7 and not any(every.json[-1]["lost"].values())
    assert {(r["device"], r["comm"], r["uid"]) for r in rows} == {(os.path.basename(disk), "python3", 0)}
    assert [r["DEVICE"] for r in text.of(did.pid)] == [os.path.basename(disk)] * 7
    assert not other.rows


def test_without_md():
    if not lacking("function:md_flush_request"):
        raise Skip("md is loaded")
    result = tool_run("mdflush")
    assert result.code == 1 and "md" in result.err and len(result.err.splitlines()) <= 2
