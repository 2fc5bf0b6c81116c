"""xfsslower: every operation is a row when the threshold is 0, with the right numbers."""

from fsops import *


@alone
def test_all_operations():
    check_slower("xfs", "xfsslower")


@alone
def test_an_append_has_its_place():
    with mounted("xfs") as path:
        (path / "f").write_bytes(bytes(5000))
        slower = tool("xfsslower", "0", "-p", os.getpid(), json=True)
        with open(path / "f", "ab", 0) as file:
            file.write(bytes(1000))
        rows = slower.stop().json
    assert [(r["bytes"], r["offset"]) for r in rows if r.get("op") == "W"] == [(1000, 5000)]
