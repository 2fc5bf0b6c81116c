"""zfsslower: its functions are not in these kernels."""

from fsops import *


def test_without_zfs():
    check_zfs("zfsslower")
