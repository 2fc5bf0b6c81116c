"""fsslower: as the applets of each file system, by its name."""

from fsops import *


@alone
def test_all_operations():
    check_slower("ext4", "fsslower", "-t", "ext4", all_=("-m", "0"), fsync="F")


@alone
@needs("program:/usr/sbin/fsslower")
def test_peer():
    """Debian's fsslower prints the same operations. Its sizes of opens and fsyncs are what the
    registers held: the functions have no size."""
    with mounted("xfs") as path:
        mine = operations(path / "f")
        ours = tool("fsslower", "-t", "xfs", "-m", "0", "-p", mine.pid)
        theirs = spawn(["stdbuf", "-oL", "/usr/sbin/fsslower", "-t", "xfs", "-m", "0", "-p", mine.pid])
        theirs.until("Tracing")
        time.sleep(1)  # it says so before it has attached
        mine.go()
        wait_for(lambda: theirs.out.count(" F ") == OPERATIONS["fsync"])
        ours, theirs = ours.stop(), theirs.stop()
    key = lambda row: (row["COMM"], row["PID"], row["T"], row["FILENAME"])
    sizes = lambda rows: [(row["BYTES"], row["OFF_KB"]) for row in rows if row["T"] in "RW"]
    assert sorted(map(key, ours.rows)) == sorted(map(key, theirs.rows))
    assert sorted(sizes(ours.rows)) == sorted(sizes(theirs.rows))
