"""f2fsslower: every operation is a row when the threshold is 0, with the right numbers."""

from fsops import *


@alone
def test_all_operations():
    check_slower("f2fs", "f2fsslower")


@alone
def test_an_append_has_its_place():
    with mounted("f2fs") as path:
        (path / "f").write_bytes(bytes(5000))
        slower = tool("f2fsslower", "0", "-p", os.getpid(), json=True)
        with open(path / "f", "ab", 0) as file:
            file.write(bytes(1000))
        rows = slower.stop().json
    assert [(r["bytes"], r["offset"]) for r in rows if r.get("op") == "W"] == [(1000, 5000)]
