"""Test guests: Debian kernels in QEMU (software emulation) over this machine's own root.

Nothing the guest does reaches the machine: its root is this machine's, read-only over 9p, below a
throw-away tmpfs. One directory, the share, is writable and brings results back. A guest of another
architecture has a small Debian of its own for a root.
"""

import contextlib
import fcntl
import hashlib
import lzma
import os
import re
import selectors
import shlex
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time
import tty
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
KERNELS = {"6.1": "linux-image-amd64", "6.12": "linux-image-6.12-amd64"}
FOREIGN = {"6.12-arm64": "linux-image-6.12-arm64:arm64"}
DEFAULT_KERNEL = "6.12"
# Before 8.2 an emulated CPU could translate code while another was patching it, and keep what it had
# read ("accel/tcg: Always lock pages before translation"): now and then a guest died of a left int3.
SOUND_QEMU = (8, 2)
SILENCE = 60  # seconds without a sign of life after which a guest is taken for dead
ESCAPE = b"\x1d"  # Ctrl-]


class Architecture(NamedTuple):
    name: str  # as Debian says
    qemu: str
    machine: tuple
    console: str
    compiler: str
    nodes: bool = False  # whether some of its memory is of a NUMA node without CPUs


# Instructions that clear and copy memory by bytes: the emulator does one at a time.
BYTEWISE = "erms=off,fsrm=off,fzrm=off,fsrs=off"

AMD64 = Architecture("amd64", "x86_64", ("-M", "q35,i8042=off", "-cpu", f"max,la57=off,{BYTEWISE}"), "ttyS0", "cc")
ARM64 = Architecture(
    "arm64", "aarch64", ("-M", "virt", "-cpu", "max,pauth-impdef=on"), "ttyAMA0", "aarch64-linux-gnu-gcc", True
)
FAR = 256  # megabytes of such a node


def architecture_of(kernel):
    return ARM64 if kernel in FOREIGN else AMD64


class Dead(Exception):
    """The guest itself failed, whatever ran in it."""

    def __init__(self, reason, console, started):
        super().__init__(reason)
        self.console = console
        self.started = started


class TimeLimit(Exception):
    """The command ran longer than it may."""


def note(text):
    print(f"guest: {text}", file=sys.stderr, flush=True)


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("BCCTOOL_CACHE") or f"{home}/bcctool")


@contextlib.contextmanager
def locked(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# Kernels


def package_of(kernel):
    """The kernel package that Debian's metapackage stands for today."""
    meta = {**KERNELS, **FOREIGN}[kernel]
    version = kernel.partition("-")[0]
    for attempt in range(2):
        shown = subprocess.run(
            ["apt-cache", "depends", meta], capture_output=True, text=True, check=False
        ).stdout
        found = re.search(rf"Depends: (linux-image-{re.escape(version)}\.\S+)", shown)
        if found:
            return found.group(1)
        if not attempt:
            refresh_package_lists()
    raise SystemExit(f"guest: no package for kernel {kernel}: is {meta} known to apt?")


def refresh_package_lists():
    command = ["apt-get", "update", "-qq"]
    if os.geteuid():
        command.insert(0, "sudo")
    subprocess.run(command, check=True, stdout=sys.stderr)


def download(package, folder):
    # Old package lists name versions that are gone, so a failure is worth one refresh.
    command = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", package]
    if subprocess.run(command, cwd=folder, check=False, stdout=sys.stderr).returncode:
        refresh_package_lists()
        subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)
    (package,) = Path(folder).glob("*.deb")
    return package


def unpack_kernel_image(packed, target):
    """Write the ELF image inside a bzImage: the guest is spared from unpacking it at every boot."""
    image = packed.read_bytes()
    start = (image[0x1F1] + 1) * 512 + struct.unpack_from("<I", image, 0x248)[0]
    payload = image[start : start + struct.unpack_from("<I", image, 0x24C)[0] - 4]
    if payload.startswith(b"\xfd7zXZ"):
        data = lzma.decompress(payload)
    elif payload.startswith(b"\x28\xb5\x2f\xfd"):
        data = subprocess.run(["zstd", "-dcq"], input=payload, capture_output=True, check=True).stdout
    else:
        data = image  # QEMU boots the packed one as well
    target.write_bytes(data)


def fetch(kernel, refresh=False):
    """The folder of an unpacked kernel, fetched at first use."""
    folder = cache() / "kernels" / kernel
    with locked(cache() / "lock"):
        if folder.exists() and not refresh:
            return folder
        note(f"fetching Debian's kernel {kernel}")
        with tempfile.TemporaryDirectory(dir=cache()) as temporary:
            package = package_of(kernel)
            new = Path(temporary) / "new"
            new.mkdir()
            deb = download(package, temporary)
            unpacked = subprocess.Popen(["dpkg", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
            subprocess.run(
                ["tar", "-x", "-C", new, "./boot", "./lib"], stdin=unpacked.stdout, check=True
            )
            if unpacked.wait():
                raise SystemExit(f"guest: cannot unpack {package}")
            release = package.removeprefix("linux-image-").partition(":")[0]
            path = f"{os.environ.get('PATH')}:/usr/sbin:/sbin"
            subprocess.run(["depmod", "-b", new, release], env={"PATH": path}, check=True)
            image = new / "boot" / f"vmlinuz-{release}"
            if architecture_of(kernel) is AMD64:
                unpack_kernel_image(image, new / "vmlinux")
            else:
                shutil.copy(image, new / "vmlinux")
            (new / "release").write_text(release)
            folder.parent.mkdir(exist_ok=True)
            if folder.exists():
                folder.rename(Path(temporary) / "old")
            new.rename(folder)
    return folder


# The emulator


def version_of(program):
    try:
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return (0,)
    return tuple(int(part) for part in re.search(r"version (\d+)\.(\d+)", shown).groups())


def mirror():
    """Where this machine's Debian packages are, and the release's name."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(LABEL)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = re.search(r"^(\S+) (\w+) Debian$", targets, re.MULTILINE)
    if not found:
        raise SystemExit("guest: apt knows no Debian release here")
    return found.groups()


def source(suite=""):
    """A line for apt: the release, or a suite that goes with it."""
    place, release = mirror()
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    return f"deb [signed-by={key}] {place} {release}{suite} main\n"


def fetch_emulator():
    """The folder of a QEMU of Debian's backports: unpacked, not installed, at first use."""
    folder = cache() / "emulator"
    with locked(cache() / "lock"):
        if folder.exists():
            return folder
        note("fetching a newer QEMU from Debian's backports")
        with tempfile.TemporaryDirectory(dir=cache()) as temporary:
            temporary = Path(temporary)
            (temporary / "lists" / "partial").mkdir(parents=True)
            (temporary / "sources.list").write_text(source("-backports"))
            options = [
                f"Dir::Etc::sourcelist={temporary}/sources.list",
                "Dir::Etc::sourceparts=/dev/null",
                f"Dir::State::lists={temporary}/lists",
                f"Dir::Cache={temporary}/cache",
                "APT::Sandbox::User=root",
            ]
            apt = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
            subprocess.run([*apt, "update"], check=True, stdout=sys.stderr)
            packages = [f"qemu-system-{part}" for part in ("x86", "arm", "common", "data")]
            subprocess.run([*apt, "download", *packages], cwd=temporary, check=True, stdout=sys.stderr)
            for package in temporary.glob("*.deb"):
                subprocess.run(["dpkg", "-x", package, temporary / "new"], check=True)
            (temporary / "new").rename(folder)
    return folder


def emulator(architecture=AMD64.qemu):
    """How QEMU is called: this machine's own where it is sound, else one that was fetched."""
    name = f"qemu-system-{architecture}"
    if version_of(name) >= SOUND_QEMU:
        return [name]
    folder = fetch_emulator() / "usr"
    command = [str(folder / "bin" / name), "-L", str(folder / "share" / "qemu"), "-L", "/usr/share/seabios"]
    if version_of(command[0]) < SOUND_QEMU:
        raise SystemExit(f"guest: {command[0]} does not run here; QEMU 8.2 or newer is needed")
    return command


# The root of a guest of another architecture

ROOT_PACKAGES = (
    "base-files base-passwd python3 bash dash coreutils util-linux mount procps kmod iproute2 busybox-static "
    "libc-bin linux-libc-dev libcap2-bin sed grep xz-utils perl-base binutils bpftool iputils-ping dmsetup "
    "e2fsprogs xfsprogs btrfs-progs f2fs-tools openssl openjdk-17-jre-headless"
)
# What the scripts of packages would have made.
ROOT_FILES = {"etc/hosts": "127.0.0.1\tlocalhost\n"}


def root_of(architecture):
    """Unpacked packages, none of them configured: enough to run the tests."""
    made_of = hashlib.sha256(f"{ROOT_PACKAGES}{ROOT_FILES}".encode()).hexdigest()[:8]
    folder = cache() / "roots" / f"{architecture.name}-{made_of}"
    with locked(cache() / "lock"):
        if folder.exists():
            os.utime(folder)
            return folder
        note(f"making a small Debian for {architecture.name}")
        folder.parent.mkdir(exist_ok=True)
        for old in folder.parent.iterdir():
            if time.time() - old.stat().st_mtime > 7 * 86400:
                shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            new = Path(temporary) / "new"
            command = ["mmdebstrap", "--quiet", "--variant=extract", f"--arch={architecture.name}"]
            command += ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"]
            command += [f"--include={ROOT_PACKAGES.replace(' ', ',')}", mirror()[1], str(new), source()]
            subprocess.run(command, check=True, stdout=sys.stderr)
            if not (new / "bin/sh").is_symlink():  # newer packages of dash carry it
                (new / "bin/sh").symlink_to("dash")
            for name in ("passwd", "group"):
                shutil.copy(new / "usr/share/base-passwd" / f"{name}.master", new / "etc" / name)
            for name, text in ROOT_FILES.items():
                (new / name).write_text(text)
            new.chmod(0o755)
            new.rename(folder)
    return folder


# The initramfs


def cpio_entry(name, mode, data=b"", device=(0, 0)):
    name = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def boot_modules(folder):
    """What the guest needs to reach its root, in the order of loading: (name, content)."""
    release = (folder / "release").read_text()
    modules = {}
    for name in ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay"):
        shown = subprocess.run(
            ["/sbin/modprobe", "-d", folder, "-S", release, "--show-depends", name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for path in re.findall(r"^insmod (\S+)", shown, re.MULTILINE):
            data = Path(path).read_bytes()
            if path.endswith(".xz"):
                data = lzma.decompress(data)
            modules[Path(path).name.removesuffix(".xz")] = data
    return modules


def initramfs(folder, architecture=AMD64):
    """The initramfs for a kernel, made anew when one of its parts has changed."""
    root = Path("/") if architecture is AMD64 else root_of(architecture)
    busybox = (root / "bin/busybox").read_bytes()
    parts = [busybox, (folder / "release").read_bytes()]
    parts += [(HERE / name).read_bytes() for name in ("init", "agent.c", "guest.py")]
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
    target = cache() / "initramfs" / digest
    with locked(cache() / "lock"):
        if target.exists():
            os.utime(target)
            return target
        target.parent.mkdir(exist_ok=True)
        for old in target.parent.iterdir():
            if time.time() - old.stat().st_mtime > 7 * 86400:
                old.unlink()
        with tempfile.TemporaryDirectory(dir=cache()) as temporary:
            agent = Path(temporary) / "agent"
            subprocess.run(
                [architecture.compiler, "-static", "-O2", "-o", agent, HERE / "agent.c"], check=True
            )
            modules = boot_modules(folder)
            archive = [
                cpio_entry(name, stat.S_IFDIR | 0o755)
                for name in "bin dev proc modules host base upper root kept guest-run".split()
            ]
            archive.append(cpio_entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)))
            archive.append(cpio_entry("bin/busybox", stat.S_IFREG | 0o755, busybox))
            for name in "sh cat cp echo hostname insmod ip ln mkdir mount switch_root".split():
                archive.append(cpio_entry(f"bin/{name}", stat.S_IFLNK | 0o777, b"busybox"))
            archive.append(cpio_entry("agent", stat.S_IFREG | 0o755, agent.read_bytes()))
            script = (HERE / "init").read_bytes()
            archive.append(cpio_entry("init", stat.S_IFREG | 0o755, script))
            for name, data in modules.items():
                archive.append(cpio_entry(f"modules/{name}", stat.S_IFREG | 0o644, data))
            order = "".join(f"{name}\n" for name in modules).encode()
            archive.append(cpio_entry("modules/order", stat.S_IFREG | 0o644, order))
            archive.append(cpio_entry("TRAILER!!!", 0))
            made = Path(temporary) / "initramfs"
            made.write_bytes(b"".join(archive))
            made.rename(target)
    return target


# Running


@contextlib.contextmanager
def slot(alone=False):
    """One of this machine's places for a guest (BCCTOOL_GUESTS, default 1), waited for; or all of them."""
    folder = Path("/tmp/bcctool-guests")
    if not folder.exists():
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
    count = max(1, int(os.environ.get("BCCTOOL_GUESTS") or 1))
    files, held = [], []
    for number in range(count):
        path = folder / f"slot.{number}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        with contextlib.suppress(PermissionError):
            os.fchmod(descriptor, 0o666)
        files.append(descriptor)
    begin, told = time.monotonic(), False
    try:
        while True:
            for descriptor in files[len(held) if alone else 0 :]:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if alone:  # in turn: two that want all would otherwise wait for each other
                        break
                    continue
                held.append(descriptor)
                if not alone or held == files:
                    yield held
                    return
            if not told and time.monotonic() - begin > 5:
                note(f"waiting: {count} running on this machine already (BCCTOOL_GUESTS)")
                told = True
            time.sleep(0.2)
    finally:
        for descriptor in files:
            os.close(descriptor)


def die_with_parent():
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def megabytes(size):
    """Of a size as QEMU takes it: 3G, 512M."""
    return int(size[:-1]) * {"M": 1, "G": 1024}[size[-1]]


def kept_folders(folders, architecture=AMD64):
    """Those of the folders that the guest's own /tmp and /run, or its own root, would hide, the outermost
    only."""
    kept = []
    for folder in sorted({str(Path(folder).resolve()) for folder in folders}):
        hidden = architecture is not AMD64 or folder.startswith(("/tmp/", "/run/"))
        if hidden and not any(folder.startswith(f"{outer}/") for outer in kept):
            kept.append(folder)
    return kept


class Guest:
    """One boot of one kernel, for one command."""

    def __init__(self, kernel=DEFAULT_KERNEL, cpus=2, memory="3G", append="", qemu=(), share=None, alone=False):
        if kernel not in {**KERNELS, **FOREIGN}:
            raise SystemExit(f"guest: no kernel {kernel}: there are {', '.join([*KERNELS, *FOREIGN])}")
        self.kernel = kernel
        self.architecture = architecture_of(kernel)
        self.folder = fetch(kernel)
        self.initramfs = initramfs(self.folder, self.architecture)
        self.cpus = cpus
        self.memory = memory
        self.append = append
        self.alone = alone  # the only guest of this machine
        self.qemu = list(qemu)
        self.share = share
        self.process = None
        self.ports = {}
        self.control = b""
        self.terminal = self.separate = False

    def arguments(self, share, console, terminal, descriptors):
        # The second line only shortens the boot; init sets rcu_expedited back.
        kernel_line = (
            f"console={self.architecture.console} quiet panic=-1 oops=panic mitigations=off tsc=reliable "
            "random.trust_cpu=on cryptomgr.notests initcall_blacklist=jent_mod_init "
            f"rcupdate.rcu_expedited=1 8250.nr_uarts=1 {self.append}"
        )
        if self.architecture.nodes:
            kernel_line += " numa_balancing=disable"  # but by who asks for it
        shares = {"root": ("/", "on"), "kernel": (self.folder, "on"), "share": (share, "off")}
        if self.architecture is not AMD64:
            shares["base"] = (root_of(self.architecture), "on")
        yield from emulator(self.architecture.qemu)
        threads = "single" if self.cpus == 1 else "multi"  # -icount wants the first
        yield from (*self.architecture.machine, "-accel", f"tcg,thread={threads}")
        yield from ("-smp", str(self.cpus), "-m", self.memory)
        if self.architecture.nodes:
            for node, size in enumerate((megabytes(self.memory) - FAR, FAR)):
                yield from ("-object", f"memory-backend-ram,id=node{node},size={size}M")
                yield from ("-numa", f"node,nodeid={node},memdev=node{node}")
            for cpu in range(self.cpus):
                yield from ("-numa", f"cpu,node-id=0,core-id={cpu}")
        yield from ("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot")
        yield from ("-kernel", str(self.folder / "vmlinux"), "-initrd", str(self.initramfs))
        yield from ("-append", kernel_line, "-serial", f"file:{console}")
        for tag, (path, readonly) in shares.items():
            yield "-fsdev"
            yield f"local,id={tag},path={path},security_model=none,readonly={readonly},multidevs=remap"
            yield from ("-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}")
        yield from ("-device", "virtio-serial-pci")
        for name, descriptor in descriptors.items():
            yield from ("-chardev", f"socket,id={name},fd={descriptor}")
            kind = "virtconsole" if name == "terminal" else "virtserialport"
            yield from ("-device", f"{kind},chardev={name},name={name}")
        yield from self.qemu

    def run(self, script, terminal=False, separate=True, limit=0, keep=(), log=None):
        """Boot, run the shell script, give its exit code. Output goes to ours.

        With a terminal the script has one, ours; `separate` keeps its stderr apart from that.
        """
        with contextlib.ExitStack() as stack:
            share = self.share or stack.enter_context(
                tempfile.TemporaryDirectory(prefix="bcctool-guest.")
            )
            share = Path(share).resolve()
            share.mkdir(parents=True, exist_ok=True)
            console = Path(log) if log else share / "console"
            (share / "command").write_text(script)
            (share / "kept").write_text(
                "".join(f"{folder}\n" for folder in kept_folders([CHECKOUT, *keep], self.architecture))
            )
            modes = ("terminal" if terminal else "plain", "separate" if separate else "joined")
            (share / "mode").write_text(" ".join(modes) + "\n")
            console.write_text("")
            held = stack.enter_context(slot(self.alone))
            self.terminal, self.separate = terminal, separate
            self.start(share, console, held)
            try:
                if terminal:
                    stack.enter_context(raw_terminal())
                return self.serve(limit)
            except Dead as dead:
                dead.console = console.read_text(errors="replace")
                raise
            finally:
                self.end()

    def start(self, share, console, held):
        names = ["terminal", "control"] if self.terminal else ["control", "out"]
        if self.separate:
            names.append("err")
        theirs = {}
        for name in names:
            self.ports[name], theirs[name] = socket.socketpair()
            self.ports[name].setblocking(False)
        descriptors = {name: end.fileno() for name, end in theirs.items()}
        self.process = subprocess.Popen(
            list(self.arguments(share, console, self.terminal, descriptors)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[*descriptors.values(), *held],
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        for end in theirs.values():
            end.close()

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        for port in self.ports.values():
            port.close()
        self.ports = {}

    def send(self, line):
        with contextlib.suppress(OSError):
            self.ports["control"].sendall(f"{line}\n".encode())

    def send_size(self):
        with contextlib.suppress(OSError):
            size = os.get_terminal_size(1)
            self.send(f"size {size.lines} {size.columns}")

    def serve(self, limit):
        """Carry bytes and signals between the guest and us until the command has ended."""
        outputs = {"terminal": 1, "out": 1, "err": 2}
        selector = selectors.DefaultSelector()
        for name, port in self.ports.items():
            selector.register(port, selectors.EVENT_READ, name)
        if self.terminal:
            selector.register(0, selectors.EVENT_READ, "keys")
        wakeup, waker = os.pipe()
        os.set_blocking(waker, False)
        selector.register(wakeup, selectors.EVENT_READ, "signal")
        previous_wakeup = signal.set_wakeup_fd(waker)
        caught = {}
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH):
            caught[number] = signal.signal(number, lambda *_: None)
        started = False
        code = None
        interrupts = 0
        begin = heard = time.monotonic()
        try:
            while True:
                events = selector.select(0.15 if code is not None else 1)
                now = time.monotonic()
                if code is not None and not events:
                    return code
                for key, _ in events:
                    name = key.data
                    if name == "keys":
                        typed = os.read(0, 4096)
                        if not typed:
                            selector.unregister(0)
                        elif ESCAPE in typed or (not started and b"\x03" in typed):
                            return 130
                        else:
                            self.ports["terminal"].sendall(typed)
                        continue
                    if name == "signal":
                        for number in os.read(wakeup, 64):
                            if number == signal.SIGWINCH:
                                self.send_size()
                                continue
                            interrupts += number == signal.SIGINT
                            if not started or number == signal.SIGHUP or interrupts > 2:
                                return 128 + number
                            self.send(f"signal {number}")
                        continue
                    try:
                        data = key.fileobj.recv(65536)
                    except BlockingIOError:
                        continue
                    except ConnectionError:
                        data = b""
                    if not data:
                        selector.unregister(key.fileobj)
                        if name == "control" and code is None:
                            raise Dead(self.last_words(), "", started)
                        continue
                    if name in outputs:
                        write_all(outputs[name], data)
                        continue
                    heard = now
                    *lines, self.control = (self.control + data).split(b"\n")
                    for line in lines:
                        if line == b"start":
                            started, begin = True, now
                            if self.terminal:
                                self.send_size()
                            self.send("go")
                        elif line.startswith(b"exit "):
                            code = int(line.split()[1])
                if code is None and now - heard > SILENCE:
                    raise Dead(f"no sign of life for {SILENCE} s", "", started)
                if code is None and limit and now - begin > limit:
                    raise TimeLimit(f"not done after {limit} s")
        finally:
            signal.set_wakeup_fd(previous_wakeup)
            for number, handler in caught.items():
                signal.signal(number, handler)
            os.close(wakeup)
            os.close(waker)

    def last_words(self):
        self.process.wait()
        words = self.process.stderr.read().decode(errors="replace").strip()
        return f"the emulator has ended ({self.process.returncode}) {words}".strip()


def write_all(descriptor, data):
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except BrokenPipeError:
        raise SystemExit(128 + signal.SIGPIPE) from None


@contextlib.contextmanager
def raw_terminal():
    before = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSADRAIN)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def explain(dead):
    """What a dead guest said last, for a person."""
    lines = dead.console.replace("\r", "").splitlines()
    signs = [i for i, line in enumerate(lines) if re.search(r"panic|BUG:|Oops|watchdog", line)]
    first = max(0, signs[0] - 2) if signs else max(0, len(lines) - 15)
    cause = re.sub(r"^\[[ .\d]+\] ", "", lines[signs[0]]) if signs else str(dead)
    note(f"the guest died ({cause}); this is no failure of what ran in it")
    for line in lines[first : first + 40]:
        print(f"    {line}", file=sys.stderr)
    sys.stderr.flush()


def shell(arguments):
    return " ".join(shlex.quote(argument) for argument in arguments)


def environment(**more):
    """Shell lines that give the guest's command a plain environment, and our own variables."""
    values = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": os.environ.get("HOME", "/root"),
        "TERM": os.environ.get("TERM", "dumb"),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "BCCTOOL_KERNEL": DEFAULT_KERNEL,
    }
    values.update({k: v for k, v in os.environ.items() if k.startswith("BCCTOOL_")})
    values.update(more)
    return "".join(f"export {key}={shlex.quote(value)}\n" for key, value in values.items())
