"""A node of the lab's image with a kernel and a disk of its own, and three NICs: eth0 with its address, ens6 and ens7."""

import contextlib
import subprocess

from lab.cache import Cache
from tests.vm.guest import CHANNEL, NoGuestError, boot, busybox, cpio, in_order, modules, packages

ADDRESS = "10.1.1.6"
NICS = {"eth0": "02:00:00:00:00:00", "ens6": "02:00:00:00:00:06", "ens7": "02:00:00:00:00:07"}
DRIVERS = ("virtio_pci", "virtio_blk", "virtio_net", "crc32c_generic", "ext4")

INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done < /modules/order
mkdir -p /root; until mount -t ext4 /dev/vda /root 2> /dev/null; do sleep 1; done
umount /proc /sys
mount --move /dev /root/dev
exec switch_root /root /lib/systemd/systemd
"""
UNIT = """\
[Unit]
Description=Commands over the second serial port
[Service]
ExecStartPre=/usr/sbin/depmod -a
ExecStartPre=/bin/stty -F /dev/ttyS1 raw -echo
ExecStart=/bin/sh /channel.sh
[Install]
WantedBy=multi-user.target
"""


def disk(folder):
    """Makes the node's disk of the lab's image, and the initramfs that starts from it; the kernel. Raises NoGuestError."""
    images = sorted(Cache.default().image.glob("node-*.tar"))
    if not images:
        msg = "the lab has built no node image; type: make lab"
        raise NoGuestError(msg)
    kernel, found = packages(folder)
    root = folder / "root"
    root.mkdir()
    subprocess.run(["tar", "-xpf", images[-1], "-C", root, "--exclude=./dev/*"], check=True)
    subprocess.run(["cp", "-a", folder / "packages" / "lib" / "modules", root / "lib"], check=True)
    system = root / "etc" / "systemd"
    # A container has no devices of its own; a machine has.
    for unit in (system / "system").glob("systemd-udev*"):
        if unit.is_symlink():
            unit.unlink()
    # Nobody gives this one a host key.
    (system / "system" / "multi-user.target.wants" / "ssh.service").unlink(missing_ok=True)
    network = system / "network"
    network.mkdir(exist_ok=True)
    for name, mac in NICS.items():
        (network / f"10-{name}.link").write_text(f"[Match]\nMACAddress={mac}\n[Link]\nName={name}\n")
    (network / "20-eth0.network").write_text(f"[Match]\nName=eth0\n[Network]\nAddress={ADDRESS}/24\n")
    (root / "channel.sh").write_text(CHANNEL)
    (system / "system" / "channel.service").write_text(UNIT)
    wanted = system / "system" / "multi-user.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / "channel.service").symlink_to("../channel.service")
    subprocess.run(["truncate", "-s", "2G", folder / "disk"], check=True)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-d", root, folder / "disk"], check=True)
    subprocess.run(["rm", "-rf", root], check=True)
    order = in_order(DRIVERS, found)
    files = {
        "init": (INIT.encode(), 0o755),
        "bin/busybox": (busybox(folder).read_bytes(), 0o755),
        **modules(order, found),
    }
    (folder / "initramfs").write_bytes(cpio(files, ("proc", "sys", "dev")))
    return kernel


@contextlib.contextmanager
def started(folder, kernel):
    """The node, running; its disk stays when it ends."""
    nics = [f"hubport,id={name},hubid={i}" for i, name in enumerate(NICS)]
    devices = [f"virtio-net-pci,netdev={name},mac={mac}" for name, mac in NICS.items()]
    drive = ["-drive", f"file={folder / 'disk'},format=raw,if=virtio,cache=writeback"]
    more = [*drive, *(w for nic in nics for w in ("-netdev", nic)), *(w for d in devices for w in ("-device", d))]
    with boot(folder, kernel, "1024", *more) as running:
        yield running
