"""dcstat: lookups and misses of known names, one part of a path each."""

from harness import *

COUNTS = ["refs", "slow", "misses"]


def totals(result):
    return {count: sum(row[count] for row in result.json if "refs" in row) for count in COUNTS}


@alone
def test_misses_and_hits():
    """On ext4 a name that does not exist is remembered: looking for it again is a hit."""
    with filesystem("ext4") as path:
        counts = []
        for _ in range(2):
            mine = waiting_work("stat", 200, "name%d", cwd=path)
            stat = tool("dcstat", "-p", mine.pid, json=True)
            assert mine.go()["failed"] == 200
            counts.append(totals(stat.stop()))
        os.stat(path / "lost+found")
        parts = waiting_work("stat", 50, "./lost+found/../lost+found/./..", cwd=path)
        stat = tool("dcstat", "-p", parts.pid, json=True)
        parts.go()
        deep = totals(stat.stop())
    assert counts == [{"refs": 200, "slow": 200, "misses": 200}, {"refs": 200, "slow": 0, "misses": 0}]
    assert deep["refs"] == 2 * 50 and deep["misses"] == 0  # . and .. are not looked up


@alone
def test_opens_and_unlinks():
    with filesystem("ext4") as path:
        mine = waiting_work("open", 30, "none%d", cwd=path)
        stat = tool("dcstat", "-p", mine.pid, json=True)
        assert mine.go()["failed"] == 30
        opens = totals(stat.stop())
        for i in range(30):
            (path / f"none{i}").touch()
        again = waiting_work("open", 30, "none%d", cwd=path)
        stat = tool("dcstat", "-p", again.pid, json=True)
        assert again.go()["opened"] == 30
        hits = totals(stat.stop())
    assert opens == {"refs": 30, "slow": 30, "misses": 30}
    assert hits == {"refs": 30, "slow": 0, "misses": 0}


@alone
def test_text():
    with filesystem("ext4") as path:
        mine = waiting_work("stat", 400, "name%d", cwd=path)
        begin = time.monotonic()
        stat = tool("dcstat", "-p", mine.pid, "3600")
        live = time.monotonic()
        mine.go()
        least = time.monotonic() - live
        result = stat.stop()
        most = time.monotonic() - begin
    lines = result.out.splitlines()
    assert lines[0].split() == ["TIME", "REFS/s", "SLOW/s", "MISS/s", "HIT%"]
    cells = re.fullmatch(r"\d\d:\d\d:\d\d: +(\d+) +(\d+) +(\d+) +0.00%", lines[1])
    for rate in map(int, cells.groups()):
        assert 400 / most - 0.5 <= rate <= 400 / least + 0.5
    idle = tool("dcstat", "-p", 1, "1", "1").wait()
    assert re.fullmatch(r"\d\d:\d\d:\d\d: +0 +0 +0 +-%", idle.out.splitlines()[1])
