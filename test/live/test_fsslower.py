"""fsslower: as the applets of each file system, by its name."""

from fsops import *


@alone
def test_all_operations():
    check_slower("ext4", "fsslower", "-t", "ext4", all_=("-m", "0"), fsync="F")


def test_which():
    result = tool_run("fsslower")
    assert result.code == 2 and result.err.startswith("fsslower: --type FS is needed\n")
    result = tool_run("fsslower", "-t", "minix")
    assert result.code == 2 and "not one of bcachefs, btrfs" in result.err
