"""A machine with libvirt, of a test's own: namespaces of their own in which libvirtd runs, with bridges that are gateways too.

What this machine has under /etc/libvirt, /var/lib/libvirt and /run is not seen in it, and all of it ends with its first process.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from tests.contract.ssh_server import key_pair
from tests.contract.tools import sshd

BRIDGES = {"br-mgmt": ("10.1.1.1", 1500), "br-int": ("10.1.10.1", 1500), "br-ext": ("10.1.20.1", 9000)}
NIC = "eno2"
SSH = ("10.1.1.1", 22)
PROGRAMS = {
    "libvirtd": "libvirt-daemon-system",
    "virsh": "libvirt-clients",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
}
QEMU_CONF = """
# No AppArmor, no device nodes of their own: the namespaces around it are these already.
security_driver = "none"
namespaces = []
# systemd cannot be asked for control groups from here.
cgroup_controllers = []
"""
SETUP = """
mount --make-rprivate /
mkdir -p {folder}/cgroup
mount --rbind /sys/fs/cgroup {folder}/cgroup
mount -t sysfs sys /sys
mount --rbind {folder}/cgroup /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir -p /run/libvirt /run/sshd
for place in /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do
    mkdir -p {folder}$place
    case $place in /etc/*) cp -a $place/. {folder}$place ;; esac
    mount --bind {folder}$place $place
done
mkdir -p /var/lib/libvirt/images
cat {folder}/qemu.conf >>/etc/libvirt/qemu.conf
mount --bind {folder}/passwd /etc/passwd
ip link set lo up
while read -r bridge address mtu; do
    ip link add "$bridge" type bridge
    ip addr add "$address/24" dev "$bridge"
    ip link set "$bridge" mtu "$mtu" up
done <{folder}/bridges
# A NIC with a cable to the last switch.
ip link add {nic} mtu 9000 type veth peer name {nic}-cable mtu 9000
ip link set {nic}-cable master br-ext up
ip link set {nic} up
virtlogd --daemon
libvirtd --daemon
{sshd} -f {folder}/sshd_config -E {folder}/sshd.log
echo ready
# Not asleep for ever: the first process of its kind has to bury what nobody waits for.
while sleep 1; do :; done
"""


class NoHypervisorError(Exception):
    """Why there can be none here, and what to type."""


class Hypervisor:
    """It runs."""

    def __init__(self, folder, pid, private_key, host_key):
        self.folder, self.private_key, self.host_key = folder, private_key, host_key
        self._enter = ["nsenter", "--target", str(pid), "--mount", "--net", "--pid"]

    def run(self, *words, folder="/", **options):
        """A command there; its output is kept."""
        return subprocess.run(
            [*self._enter, f"--wdns={folder}", *words], capture_output=True, text=True, check=False, **options
        )

    def start(self, *words, folder="/", **options):
        """A command there that goes on."""
        return subprocess.Popen([*self._enter, f"--wdns={folder}", *words], text=True, **options)

    def virsh(self, *words):
        """What virsh prints."""
        done = self.run("virsh", "--quiet", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def left(self):
        """All that machines leave behind if it is not taken away: domains, files of disks, logs of consoles, taps."""
        links = self.run("ls", "/sys/class/net").stdout.split()
        storage = Path(self.folder) / "var" / "lib" / "libvirt" / "images"
        logs = Path(self.folder) / "var" / "log" / "libvirt" / "qemu"
        return {
            "domains": self.virsh("list", "--all", "--name").split(),
            "files": sorted(str(path.relative_to(storage)) for path in storage.rglob("*")),
            "logs": sorted(path.name for path in logs.glob("*.console.log*")),
            "taps": sorted(set(links) - {"lo", *BRIDGES, NIC, f"{NIC}-cable"}),
        }


def missing():
    """What this machine lacks for one; empty where it has all."""
    if os.geteuid() != 0:
        return "needs root"
    packages = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    return f"type: apt-get install --no-install-recommends {' '.join(packages)}" if packages else ""


@contextlib.contextmanager
def hypervisor(folder):
    """From before its first machine to after its last. Raises NoHypervisorError."""
    program, environment = sshd()
    private, public = key_pair()
    host_private, host_public = key_pair()
    for name, text in (("host_key", host_private), ("authorized_keys", f"{public}\n"), ("qemu.conf", QEMU_CONF)):
        (folder / name).touch(0o600)
        (folder / name).write_text(text)
    users = Path("/etc/passwd").read_text()
    if "\nsshd:" not in users:
        users += "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
    (folder / "passwd").write_text(users)
    (folder / "bridges").write_text("".join(f"{name} {at} {mtu}\n" for name, (at, mtu) in BRIDGES.items()))
    (folder / "sshd_config").write_text(
        f"Port {SSH[1]}\nListenAddress {SSH[0]}\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPermitRootLogin yes\nPasswordAuthentication no\n"
    )
    script = SETUP.format(nic=NIC, folder=shlex.quote(str(folder)), sshd=shlex.quote(str(program)))
    # Ends with the test, also where that is killed.
    apart = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "--",
        "unshare",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]
    with (folder / "setup.log").open("wb") as log:
        holder = subprocess.Popen(
            [*apart, "sh", "-euc", script], stdout=subprocess.PIPE, stderr=log, env={**os.environ, **environment}
        )
    try:
        if holder.stdout.readline() != b"ready\n":
            raise NoHypervisorError((folder / "setup.log").read_text()[-500:])
        (first,) = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        made = Hypervisor(folder, int(first), private, host_public)
        until = time.monotonic() + 60
        while made.run("virsh", "version").returncode:
            if time.monotonic() > until:
                raise NoHypervisorError(made.run("virsh", "version").stderr)
            time.sleep(0.5)
        yield made
    finally:
        holder.kill()
        holder.wait()
