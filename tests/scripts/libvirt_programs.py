"""A hypervisor for multus_site/scripts/libvirt.sh that has no libvirt: programs that answer as virsh and qemu-img do, and remember in a folder."""

import hashlib
import shutil
import subprocess

from multus_site.render.script import script

SYSTEM = (
    "sh", "sed", "grep", "cut", "tail", "tr", "cat", "rm", "rmdir", "mkdir", "chmod", "cp", "mv", "ln", "dd", "truncate", "sync", "sleep",
    "basename", "hostname", "sha256sum", "flock", "base64",
)  # fmt: skip
"""What every Linux has, and what the script may need of it."""

VIRSH = """#!/bin/sh
cd {folder}
shift 3
command=$1 name=${{2:-}}
echo "$command" >>calls
case $command in
    define)
        name=$(sed -n 's|.*<name>\\(.*\\)</name>.*|\\1|p' "$2")
        cp "$2" "$name.xml"
        [ -e "$name.state" ] || echo 'shut off' >"$name.state"
        ;;
    domuuid) [ -e "$name.xml" ] && sed -n 's|.*<uuid>\\(.*\\)</uuid>.*|\\1|p' "$name.xml" ;;
    dumpxml) cat "$name.xml" ;;
    domstate) cat "$name.state" ;;
    start)
        [ "$(cat "$name.state")" = 'shut off' ] || {{ echo 'error: Domain is already active' >&2; exit 1; }}
        [ ! -e unfit ] || {{ echo 'error: QEMU does not take it' >&2; exit 1; }}
        echo running >"$name.state"
        echo ready >>{console}
        ;;
    resume) [ -e full ] || echo running >"$name.state" ;;
    shutdown)
        [ "$(cat "$name.state")" = running ] || {{ echo 'error: domain is not running' >&2; exit 1; }}
        echo 'shut off' >"$name.state"
        ;;
    destroy)
        [ "$(cat "$name.state")" != 'shut off' ] || {{ echo 'error: domain is not running' >&2; exit 1; }}
        echo 'shut off' >"$name.state"
        ;;
    undefine) rm "$name.xml" "$name.state" ;;
esac
"""
# Machines that are about to end have ended then.
SLEEP = """#!/bin/sh
for state in {folder}/*.state; do
    sed 's/^in shutdown$/shut off/' "$state" >"$state.new"
    mv "$state.new" "$state"
done
"""
QEMU_IMG = """#!/bin/sh
for last; do file=$before before=$last; done
case $1 in
    create | resize) echo "$last" >"$file" ;;
    info)
        gib=$(sed -n 's/^\\([0-9]*\\)G$/\\1/p' "$last")
        echo 'file format: raw'
        echo "virtual size: it ($((${gib:-0} * 1073741824)) bytes)"
        ;;
esac
"""
# What the kernel says of huge pages, as a test has it.
CAT = """#!/bin/sh
case $1 in */free_hugepages) exec {cat} {folder}"$1" ;; esac
exec {cat} "$@"
"""


class Hypervisor:
    """Its programs in `programs`, disks in `storage`, what virsh remembers in `folder`."""

    def __init__(self, root):
        self.root, self.programs, self.storage, self.folder = root, root / "bin", root / "images", root / "virsh"
        self.console, self.image = root / "console.log", root / "debian.raw"
        for folder in (self.programs, self.storage, self.folder):
            folder.mkdir()
        for name in SYSTEM:
            (self.programs / name).symlink_to(shutil.which(name))
        self.image.write_text("an image")

    def with_libvirt(self):
        """With the programs that libvirt brings."""
        self._program("virsh", VIRSH.format(folder=self.folder, console=self.console))
        self._program("qemu-img", QEMU_IMG)
        self._program("sleep", SLEEP.format(folder=self.folder))
        self._program("cat", CAT.format(folder=self.folder, cat=shutil.which("cat")))
        return self

    def _program(self, name, text):
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def machine(self, name):
        """Folder of a machine."""
        return self.storage / "multus-site" / name

    def run(self, argument, **variables):
        """The script, with the variables of a machine where the test has no others."""
        told = {
            "NAME": "dallas-node1",
            "SITE": "dallas",
            "NODE": "node1",
            "HOST_KEY_PUBLIC": "ssh-ed25519 ours",
            "MEMORY": "4096",
            **variables,
        }
        disk = self.machine(told["NAME"]) / "disk.qcow2"
        domain = f"<domain>\n  <name>{told['NAME']}</name>\n  <memory>{told.pop('MEMORY')}</memory>\n  <source file='{disk}'/>\n</domain>"
        told = {
            "STORAGE": str(self.storage), "IMAGE_URL": "", "IMAGE_PATH": str(self.image), "IMAGE_SHA256": hashlib.sha256(b"an image").hexdigest(),
            "DISK": "20", "DOMAIN": domain, "SEED": "0 c2VlZA==", "SEED_SECTORS": "1", "NICS": "", "VIRT": "kvm", "PAGES": "",
            "CONSOLE": str(self.console), "READY": "ready", "BOOT_SECONDS": "1", **told,
        }  # fmt: skip
        environment = {"PATH": str(self.programs)}
        return subprocess.run(
            [shutil.which("sh"), "-s", argument], input=script("libvirt", told), capture_output=True, text=True, check=False, env=environment
        )  # fmt: skip

    def becomes(self, state, name="dallas-node1"):
        """A machine is in another state from now on."""
        (self.folder / f"{name}.state").write_text(f"{state}\n")

    def free_pages(self, pool, count):
        """So many huge pages are free from now on. `pool`: its folder in /sys."""
        path = self.folder / pool.removeprefix("/") / "free_hugepages"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{count}\n")

    def defined(self):
        """Machine → its state."""
        return {path.stem: path.with_suffix(".state").read_text().strip() for path in self.folder.glob("*.xml")}

    def calls(self):
        """What virsh was asked for since the last time, in order."""
        calls = self.folder / "calls"
        asked = calls.read_text().split() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return asked
