"""nfsslower: every operation on a mount over loopback is a row, commits too."""

from fsops import *
from nfs import nfs


@alone
def test_all_operations():
    check_slower("nfs", "nfsslower", letters="OWR")


def commits_sent():
    """By the client, as the kernel counts them."""
    found = re.findall(r"^\s*COMMIT: (\d+)", Path("/proc/self/mountstats").read_text(), re.M)
    return sum(map(int, found))


@alone
def test_commits_and_attributes():
    """Data that goes in several writes is committed afterwards."""
    with nfs("wsize=4096") as (path, _):
        slower = tool("nfsslower", "0", "-F", json=True)
        before = commits_sent()
        with open(path / "f", "wb", 0) as file:
            for _ in range(3):
                file.write(bytes(65536))
                os.fsync(file.fileno())
        for _ in range(5):
            os.stat(path / "f")
        sent = commits_sent() - before
        rows = slower.stop().json[:-1]
    full = str(path / "f")
    mine = [row for row in rows if row["pid"] == os.getpid() and row["file"] == full]
    assert len([row for row in mine if row["op"] == "G"]) >= 5
    commits = [row for row in rows if row["op"] == "C"]
    assert len(commits) == sent >= 3, (len(commits), sent)
    assert {row["file"] for row in commits} == {full} and all(row["lat_ns"] > 0 for row in commits)
    assert len([row for row in mine if row["op"] == "C"]) >= 3
