"""xfsslower: a row for each operation, as it was done; times fit in what their caller measured."""

from fsops import *


@alone
def test_all_operations():
    check_slower("xfs", "xfsslower")


@alone
def test_fsync_within_a_write():
    check_writes_of_o_sync("xfs", "xfsslower")


@alone
def test_another_file_system():
    """-t, of libbpf-tools, in place of the name's own."""
    check_slower("ext4", "xfsslower", "-t", "ext4")
