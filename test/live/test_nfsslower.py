"""nfsslower: a row for each operation, as it was done; times fit in what their caller measured."""

from fsops import *


@alone
def test_all_operations():
    check_slower("nfs", "nfsslower")
