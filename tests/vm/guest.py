"""A virtual machine of Debian's kernel under QEMU's software emulation: nothing but a kernel, a shell and the plugins.

Its whole file system is the initramfs that is made here. Commands go in and answers come out over the second serial port,
a line each; the kernel's own words are in console.log.
"""

import base64
import contextlib
import io
import re
import shlex
import shutil
import subprocess
import threading
from pathlib import Path

MODULES = ("veth", "macvlan", "ipvlan", "8021q", "dummy", "vrf", "bridge")
BOOT_SECONDS, COMMAND_SECONDS = 400, 240

INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs run /run; mount -t tmpfs tmp /tmp
mkdir -p /run/netns /var/lib
while read -r module; do insmod "/modules/$module"; done < /modules/order
stty -F /dev/ttyS1 raw -echo
"""
CHANNEL = """\
exec < /dev/ttyS1 > /dev/ttyS1
echo ready
while read -r line; do
    echo "$line" | base64 -d > /tmp/command
    sh /tmp/command < /dev/null > /tmp/out 2> /tmp/err
    echo "$? x$(base64 -w0 /tmp/out) x$(base64 -w0 /tmp/err)"
done
"""
"""Takes commands and gives answers: of busybox's shell and of any other."""


class NoGuestError(Exception):
    """Why there can be no such machine here."""


class Guest:
    """A running machine."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self.news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        assert self._line(BOOT_SECONDS) == "ready"

    def run(self, *words, text="", environment=None):
        """Exit status, output and errors of a command."""
        variables = [f"{name}={value}" for name, value in (environment or {}).items()]
        script = f"printf %s {shlex.quote(text)} | env {shlex.join([*variables, *words])}"
        self.process.stdin.write(base64.b64encode(script.encode()) + b"\n")
        self.process.stdin.flush()
        status, out, err = self._line(COMMAND_SECONDS).split(" ")
        return int(status), *(base64.b64decode(part[1:]).decode() for part in (out, err))

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.decode().strip())
                self.news.notify()

    def _line(self, seconds):
        with self.news:
            assert self.news.wait_for(lambda: self.lines, seconds), "the machine says nothing; see console.log"
            return self.lines.pop(0)


@contextlib.contextmanager
def guest(folder, plugins):
    """Boots a machine that is all in its initramfs; ends it. Raises NoGuestError."""
    kernel, found = packages(folder)
    order = in_order(MODULES, found)
    files = {
        "init": ((INIT + CHANNEL).encode(), 0o755),
        "bin/busybox": (busybox(folder).read_bytes(), 0o755),
        **modules(order, found),
        **{f"opt/cni/bin/{file.name}": (file.read_bytes(), 0o755) for file in plugins.iterdir()},
        **with_libraries("ip"),
    }
    (folder / "initramfs").write_bytes(cpio(files, ("proc", "sys", "dev", "run", "tmp")))
    with boot(folder, kernel, "512") as running:
        yield running


@contextlib.contextmanager
def boot(folder, kernel, memory, *more):
    """QEMU with the kernel and the folder's initramfs; `more` are its further arguments."""
    qemu = shutil.which("qemu-system-x86_64")
    if qemu is None:
        msg = "there is no qemu-system-x86_64; type: apt-get install --no-install-recommends qemu-system-x86"
        raise NoGuestError(msg)
    process = subprocess.Popen(
        ["nice", qemu, "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", memory, "-display", "none", "-no-reboot",
         "-nodefaults", "-kernel", kernel, "-initrd", folder / "initramfs", "-append", "console=ttyS0 quiet panic=-1",
         "-serial", f"file:{folder / 'console.log'}", "-serial", "stdio", *(more or ("-nic", "none"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Guest(process)
    finally:
        process.kill()
        process.wait()


def packages(folder):
    """Debian's kernel, and its modules by name."""
    there = unpacked(folder)
    (kernel,) = there.glob("boot/vmlinuz-*")
    return kernel, {file.name.removesuffix(".ko"): file for file in there.glob("lib/modules/*/kernel/**/*.ko")}


def busybox(folder):
    """Debian's static busybox."""
    return folder / "packages" / "bin" / "busybox"


def modules(order, found):
    """Files of an initramfs: the modules, and the order to load them in."""
    listed = "".join(f"{name}.ko\n" for name in order).encode()
    return {"modules/order": (listed, 0o644), **{f"modules/{n}.ko": (found[n].read_bytes(), 0o644) for n in order}}


def unpacked(folder):
    """Debian's newest cloud kernel and its static busybox, unpacked."""
    if shutil.which("apt-get") is None:
        msg = "there is no apt-get to have Debian's kernel from"
        raise NoGuestError(msg)
    said = subprocess.run(
        ["apt-cache", "depends", "linux-image-cloud-amd64"], capture_output=True, text=True, check=False
    )
    names = re.findall(r"Depends: (linux-image-\S+-cloud-amd64)", said.stdout)
    if not names:
        msg = "apt knows no linux-image-cloud-amd64; type: apt-get update"
        raise NoGuestError(msg)
    got = subprocess.run(
        ["apt-get", "download", "-q", names[0], "busybox-static"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if got.returncode:
        raise NoGuestError(f"apt-get download: {got.stderr.strip().splitlines()[-1]}")
    target = folder / "packages"
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, target], check=True)
    return target


def in_order(wanted, files):
    """The modules and what they depend on, each behind its own. What is built in needs none."""
    order = []

    def add(name):
        if name in order or name not in files:
            return
        told = re.search(rb"\0depends=([^\0]*)\0", files[name].read_bytes())
        for other in filter(None, told[1].decode().split(",") if told else ()):
            add(other)
        order.append(name)

    for name in wanted:
        add(name)
    return order


def with_libraries(program):
    """A program of this machine with the libraries that it loads, by the places where it looks for them."""
    path = shutil.which(program)
    libraries = re.findall(
        r"(/\S+) \(0x", subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    )
    found = {library.lstrip("/"): (Path(library).read_bytes(), 0o755) for library in libraries}
    return {f"sbin/{program}": (Path(path).read_bytes(), 0o755), **found}


def cpio(files, folders):
    """An archive in the form that the kernel unpacks (newc)."""
    parents = {str(parent) for name in files for parent in Path(name).parents} - {"."}
    out = io.BytesIO()

    def entry(number, name, mode, data=b""):
        numbers = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out.write(b"070701" + b"".join(b"%08x" % value for value in numbers) + name.encode() + b"\0")
        out.write(b"\0" * (-out.tell() % 4) + data)
        out.write(b"\0" * (-out.tell() % 4))

    made = [*((name, 0o040755, b"") for name in sorted(parents | set(folders))),
            *((name, 0o100000 | mode, data) for name, (data, mode) in files.items())]  # fmt: skip
    for number, (name, mode, data) in enumerate(made, 1):
        entry(number, name, mode, data)
    entry(0, "TRAILER!!!", 0)
    return out.getvalue()
