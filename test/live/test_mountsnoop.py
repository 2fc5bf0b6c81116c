"""mountsnoop: each call with its arguments, flags and result."""

from harness import *

MS = {"RDONLY": 1, "NOSUID": 2, "NODEV": 4, "NOEXEC": 8, "SYNCHRONOUS": 16, "REMOUNT": 32,
      "MANDLOCK": 64, "DIRSYNC": 128, "NOSYMFOLLOW": 256, "NOATIME": 1024, "NODIRATIME": 2048,
      "BIND": 4096, "MOVE": 8192, "REC": 16384, "SILENT": 32768, "POSIXACL": 1 << 16,
      "UNBINDABLE": 1 << 17, "PRIVATE": 1 << 18, "SLAVE": 1 << 19, "SHARED": 1 << 20,
      "RELATIME": 1 << 21, "I_VERSION": 1 << 23, "STRICTATIME": 1 << 24, "LAZYTIME": 1 << 25}


def text(value):
    return os.fsencode(value) if value is not None else None


def mount(source, target, kind, flags, data=None):
    return LIBC.mount(text(source), text(target), text(kind), ctypes.c_ulong(flags), text(data))


def calls(result):
    """What is in the last column of the text."""
    return [re.search(r"\S+\(.*", line).group() for line in result.out.splitlines() if "(" in line]


def test_mount_and_umount():
    with folder() as path:
        snoop = tool("mountsnoop", "-p", os.getpid())
        data = tool("mountsnoop", "-p", os.getpid(), json=True)
        parents = tool("mountsnoop", "-P", "-t")
        assert mount("none", path, "tmpfs", MS["NOSUID"] | MS["NODEV"], "size=1m") == 0
        assert mount(None, path, None, MS["REMOUNT"] | MS["RDONLY"]) == 0
        assert mount("x", path / "nothing", "tmpfs", 0) == -1
        assert LIBC.umount2(text(path), 2) == 0
        assert LIBC.umount2(text(path), 8) == -1
        run(["sh", "-c", f"mount -t tmpfs none {path}; umount {path}; :"])
        snoop, data, parents = snoop.stop(), data.stop(), parents.stop()
    assert calls(snoop) == [
        f'mount("none", "{path}", "tmpfs", MS_NOSUID|MS_NODEV, "size=1m") = 0',
        f'mount("", "{path}", "", MS_RDONLY|MS_REMOUNT, "") = 0',
        f'mount("x", "{path}/nothing", "tmpfs", 0x0, "") = -ENOENT',
        f'umount("{path}", MNT_DETACH) = 0',
        f'umount("{path}", UMOUNT_NOFOLLOW) = -EINVAL',
    ]
    namespace = int(re.search(r"\d+", os.readlink("/proc/self/ns/mnt")).group())
    assert {(r["COMM"], r["PID"], r["TID"], r["MNT_NS"]) for r in snoop.rows} == {
        (Path("/proc/self/comm").read_text().strip(), os.getpid(), os.getpid(), namespace)}
    rows = data.json[:-1]
    assert [(r["call"], r["flags"], r["ret"]) for r in rows] == [
        ("mount", 6, 0), ("mount", 33, 0), ("mount", 0, -2), ("umount", 2, 0), ("umount", 8, -22)]
    assert (rows[0]["source"], rows[0]["target"], rows[0]["type"], rows[0]["data"]) == (
        "none", str(path), "tmpfs", "size=1m")
    assert parents.out.splitlines()[0].split() == [
        "TIME", "COMM", "PID", "TID", "PCOMM", "PPID", "MNT_NS", "CALL"]
    of_sh = [row for row in parents.rows if row["COMM"] in ("mount", "umount")]
    assert len(of_sh) >= 2 and {row["PCOMM"] for row in of_sh} == {"sh"}


def test_all_flags():
    """Each alone, by calls that fail: nothing is mounted there."""
    snoop = tool("mountsnoop", "-p", os.getpid())
    for flag in MS.values():
        assert mount("s", "/nothing/there", "t", flag, "d") == -1
    mount("s", "/nothing/there", "t", 0xC0ED0000 | 1, "d")
    mount("s", "/nothing/there", "t", sum(MS.values()) | 1 << 40, "d")
    found = calls(snoop.stop())
    ending = ', "d") = -ENOENT'
    assert found == [f'mount("s", "/nothing/there", "t", {flags}{ending}' for flags in [
        *(f"MS_{name}" for name in MS), "MS_MGC_VAL|MS_RDONLY",
        "|".join(f"MS_{name}" for name in MS) + "|0x10000000000"]]


def test_new_calls():
    """fsopen, fsconfig, fsmount and move_mount, as x86 and arm64 number them."""
    with folder() as path:
        snoop = tool("mountsnoop", "-p", os.getpid())
        fs = LIBC.syscall(430, b"tmpfs", 1)
        assert LIBC.syscall(431, fs, 1, b"size", b"1m", 0) == 0
        assert LIBC.syscall(431, fs, 0, b"ro", None, 0) == 0
        assert LIBC.syscall(431, fs, 1, b"nonsense", b"a\x1b\n", 0) == -1
        assert LIBC.syscall(431, fs, 6, None, None, 0) == 0
        mnt = LIBC.syscall(432, fs, 1, 0x1 | 0x8 | 0x10)
        assert mnt >= 0
        assert LIBC.syscall(429, mnt, b"", -100, text(path), 4) == 0
        os.close(fs)
        os.close(mnt)  # or the mount is busy
        assert LIBC.umount2(text(path), 0) == 0
        found = calls(snoop.stop())
    assert found == [
        f'fsopen("tmpfs", FSOPEN_CLOEXEC) = {fs}',
        f'fsconfig({fs}, FSCONFIG_SET_STRING, "size", "1m", 0) = 0',
        f'fsconfig({fs}, FSCONFIG_SET_FLAG, "ro", "", 0) = 0',
        rf'fsconfig({fs}, FSCONFIG_SET_STRING, "nonsense", "a\x1b\x0a", 0) = -EINVAL',
        f'fsconfig({fs}, FSCONFIG_CMD_CREATE, "", "", 0) = 0',
        f"fsmount({fs}, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOEXEC|MOUNT_ATTR_NOATIME) = {mnt}",
        f'move_mount({mnt}, "", -100, "{path}", MOVE_MOUNT_F_EMPTY_PATH) = 0',
        f'umount("{path}", 0x0) = 0',
    ]


def test_paragraphs_and_another_namespace():
    with folder() as path:
        snoop = tool("mountsnoop", "-d")
        namespace = run(["unshare", "--mount", "sh", "-c",
                         f"mount -t tmpfs none {path} && readlink /proc/self/ns/mnt"]).out
        result = snoop.stop()
    blocks = [dict(line.split(":", 1) for line in block.splitlines())
              for block in result.out.strip().split("\n\n") if str(path) in block]
    assert len(blocks) >= 1
    block = {key: value.strip() for key, value in blocks[-1].items()}
    assert block["COMM"] == "mount" and block["PCOMM"] == "sh"
    assert block["MNT_NS"] == re.search(r"\d+", namespace).group()
