"""Names of user frames: from wherever a process's symbols may be, and never a wrong one."""

import re
import shutil
import struct

from harness import *

TEST = Path(WORK).parent
DEEP, LIBRARY, NARROW = TEST / "work-deep", TEST / "libdeep.so", TEST / "work-32"
CXX, RUST = "deep::inner(long)", "deep::oxide"


class Sleeper(Waiting):
    """Sleeps, says so, and lives on until it is told to end."""

    def sleep(self):
        os.write(self.gate, b"\n")
        self.until("^done")

    def end(self):
        os.close(self.gate)
        return self.wait()


def outlived(process, tracer, path):
    """Have it sleep, and end once the tracer holds what its code is in: it is gone before the report."""
    process.sleep()
    wait_for(lambda: any(str(path) in name for name in open_files(tracer.pid)))
    process.end()
    return tracer.stop()


def slept(result, pid):
    """The user stack that a process slept below, always the same, and where its frames are."""
    assert result.code == 0, result.err
    rows = [row for row in result.json[:-1] if row["pid"] == pid
            and any("sys_nanosleep" in frame for frame in row["kernel"])]
    assert rows, result.out
    for row in rows:
        assert row["user"] == rows[0]["user"] and row["user_at"] == rows[0]["user_at"]
    return rows[0]


def deep(library, *args, program=DEEP, count=20, before=lambda process: None):
    """The stack of sleeps in the library, by offcputime."""
    process = Sleeper([program, library, count, 2000])
    tracer = tool("offcputime", "-p", process.pid, *args, json=True)
    before(process)
    return slept(outlived(process, tracer, library), process.pid)


def note(library):
    """The build-id, as readelf has it."""
    return re.search(r"Build ID: (\w+)", run(["readelf", "-n", library]).out)[1]


def stripped(place, *options):
    path = Path(place, "libdeep.so")
    run(["objcopy", "--strip-all", *options, LIBRARY, path])
    return path


def address(name):
    symbols = run(["nm", LIBRARY]).out
    return int(re.search(rf"(\w+) \w {name}$", symbols, re.M)[1], 16)


@needs("program:/usr/bin/objcopy")
def test_own_symbols_demangled_and_places():
    row = deep(LIBRARY)
    assert row["user"][:3] == [CXX, RUST, "deep_outer"]
    build_id, begin = note(LIBRARY), address("deep_outer")
    places = [re.fullmatch(r"(\w+)\+0x(\w+)", place).groups() for place in row["user_at"][:3]]
    assert [place[0] for place in places] == [build_id] * 3
    assert 0 < int(places[2][1], 16) - begin < 64
    assert 0 < int(places[0][1], 16) - address("_ZN4deep5innerEl") < 128
    assert len(row["user_at"]) == len(row["user"])


@needs("program:/usr/bin/objcopy")
def test_mangled():
    row = deep(LIBRARY, "--no-demangle")
    assert row["user"][:3] == ["_ZN4deep5innerEl", "_RNvCs1234_4deep5oxide", "deep_outer"]


@needs("program:/usr/bin/objcopy")
def test_lines():
    source = Path(__file__).parent / "deep" / "deep.c"
    lines = source.read_text().splitlines() if source.exists() else []
    call = next(i for i, line in enumerate(lines, 1) if "// line of the call" in line)
    row = deep(LIBRARY, "--lines")
    assert row["user"][1] == f"{RUST} (deep.c:{call})"
    assert re.fullmatch(re.escape(CXX) + r" \(deep\.c:\d+\)", row["user"][0])


@needs("program:/usr/bin/objcopy")
def test_stripped_never_the_nearest():
    with folder() as place:
        path = stripped(place)
        row = deep(path)
    assert row["user"][2] == "deep_outer"  # .dynsym has it
    for frame, name in zip(row["user"], ("_ZN4deep5innerEl", "_RNvCs1234_4deep5oxide")):
        file, offset = frame.split("+0x")
        assert file == "libdeep.so" and 0 < int(offset, 16) - address(name) < 128


@needs("program:/usr/bin/objcopy", "program:/usr/bin/xz")
def test_gnu_debugdata():
    with folder() as place:
        mini = Path(place, "mini")
        run(["objcopy", "--strip-debug", "--keep-file-symbols", LIBRARY, mini])
        run(["xz", "-k", mini])
        path = stripped(place, "--add-section", f".gnu_debugdata={mini}.xz")
        row = deep(path)
    assert row["user"][:3] == [CXX, RUST, "deep_outer"]


@needs("program:/usr/bin/objcopy")
def test_debug_file_by_build_id():
    with folder() as place:
        name = note(LIBRARY)
        debug = Path(place, "debug", ".build-id", name[:2], name[2:] + ".debug")
        debug.parent.mkdir(parents=True)
        run(["objcopy", "--only-keep-debug", "--compress-debug-sections", LIBRARY, debug])
        path = stripped(place)
        row = deep(path, "--debug-dir", Path(place, "debug"), "--lines")
        assert [frame.split(" (")[0] for frame in row["user"][:3]] == [CXX, RUST, "deep_outer"]
        assert all("(deep.c:" in frame for frame in row["user"][:3])
        # Another's debug file, under this name: it is not believed.
        debug.unlink()
        run(["objcopy", "--only-keep-debug", DEEP, debug])
        row = deep(path, "--debug-dir", Path(place, "debug"))
        assert row["user"][0].startswith("libdeep.so+0x")


@needs("program:/usr/bin/objcopy")
def test_debug_file_by_link():
    with folder() as place:
        debug = Path(place, ".debug", "deep.debug")
        debug.parent.mkdir()
        run(["objcopy", "--only-keep-debug", "--remove-section=.note.gnu.build-id", LIBRARY, debug])
        path = stripped(place, "--remove-section=.note.gnu.build-id", f"--add-gnu-debuglink={debug}")
        row = deep(path)
        assert row["user"][:3] == [CXX, RUST, "deep_outer"]
        with debug.open("ab") as file:
            file.write(b"other")  # the checksum is another now
        row = deep(path)
        assert row["user"][0].startswith("libdeep.so+0x")


@needs("program:/usr/bin/objcopy")
def test_deleted_and_replaced():
    with folder() as place:
        program, path = shutil.copy(DEEP, place), shutil.copy(LIBRARY, place)
        run(["objcopy", "--strip-debug", path])

        def replace(process):
            Path(program).unlink()
            Path(program).write_bytes(b"\x7fELF no more")

        row = deep(path, program=program, before=replace)
        assert row["user"][:3] == [CXX, RUST, "deep_outer"]
        assert any(frame.startswith(("main", "work-deep+0x")) for frame in row["user"])


def test_hostile_files():
    """What cannot be read costs the names only: a short file, a huge table, a pipe for a debug file."""
    with folder() as place:
        library = bytearray(LIBRARY.read_bytes())
        sections, = struct.unpack_from("<Q", library, 0x28)
        name = note(LIBRARY)
        debug = Path(place, ".build-id", name[:2], name[2:] + ".debug")
        debug.parent.mkdir(parents=True)
        os.mkfifo(debug)
        for i, damage in enumerate((
            lambda data: struct.pack_into("<H", data, 0x3c, 0xffff),
            lambda data: struct.pack_into("<Q", data, 0x28, 1 << 60),
            lambda data: [struct.pack_into("<Q", data, at + 0x20, 1 << 62)
                          for at in range(sections, len(data) - 63, 64)],
        )):
            data = bytearray(library)
            damage(data)
            path = Path(place, f"damaged{i}.so")
            path.write_bytes(data)
            row = deep(path, "--debug-dir", place, "--lines", count=3)
            assert re.fullmatch(rf"damaged{i}\.so\+0x\w+", row["user"][0]), row
    

def test_perf_map():
    child = Sleeper([WORK, "-w", "jit", 10, "map"])
    tracer = tool("offcputime", "-p", child.pid, json=True)
    try:
        result = outlived(child, tracer, f"perf-{child.pid}.map")
    finally:
        Path(f"/tmp/perf-{child.pid}.map").unlink()
    user = slept(result, child.pid)["user"]
    assert user[user.index("run_jit") - 1] == "Jitted::code(int)"
    assert "perf-" not in result.err


def test_no_perf_map():
    child = Sleeper([WORK, "-w", "jit", 10])
    tracer = tool("offcputime", "-p", child.pid, json=True)
    child.sleep()
    result = tracer.stop()
    user = slept(result, child.pid)["user"]
    assert re.fullmatch(r"\[anon\]\+0x\w+", user[user.index("run_jit") - 1])
    assert f"process {child.pid} has no /tmp/perf-{child.pid}.map: " in result.err
    child.end()


@needs("program:/usr/bin/unshare")
def test_container():
    """Another root, another pid, another mount namespace, gone before the report."""
    with folder() as place:
        script = (f"mount -t tmpfs none {place} && cp {WORK} {place}/work && mkdir {place}/tmp && "
                  f"exec unshare -pf --kill-child chroot {place} /work -w jit 10 map")
        child = Sleeper(["unshare", "-m", "sh", "-c", script])
        tracer = tool("offcputime", json=True)
        result = outlived(child, tracer, "perf-1.map")
        assert not Path(place, "work").exists()
    pid = next(row["pid"] for row in result.json[:-1] if "Jitted::code(int)" in row.get("user", []))
    user = slept(result, pid)["user"]
    assert user[user.index("run_jit") - 1] == "Jitted::code(int)"


@needs(f"program:{NARROW}")
def test_32_bits():
    child = Sleeper([NARROW])
    tracer = tool("offcputime", "-p", child.pid, json=True)
    result = outlived(child, tracer, NARROW)
    assert slept(result, child.pid)["user"] == ["narrow_leaf", "narrow_top", "narrow_main", "_start"]
