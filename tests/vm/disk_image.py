"""A disk image such as distributions publish for clouds: Debian with cloud-init, started by GRUB from its own disk."""

import struct
import subprocess

from lab.cache import Cache, sha256, stamp
from lab.image import debian

PACKAGES = (
    *("linux-image-cloud-amd64", "grub-pc-bin", "grub-common", "systemd", "systemd-sysv", "systemd-resolved", "dbus", "udev", "kmod"),
    *("procps", "iproute2", "iputils-ping", "openssh-server", "cloud-init", "cloud-guest-utils", "e2fsprogs", "netplan.io"),
    *("python3", "sudo"),
)  # fmt: skip
GRUB = "set timeout=0\\nlinux /vmlinuz root=LABEL=root ro console=ttyS0,115200\\ninitrd /initrd.img\\nboot\\n"
HOOKS = (
    'chroot "$1" grub-mkimage -O i386-pc -p "(hd0,msdos1)/boot/grub" -o /boot/core.img biosdisk part_msdos ext2 linux normal',
    'cp "$1/usr/lib/grub/i386-pc/boot.img" "$1/boot/boot.img"',
    f'mkdir -p "$1/boot/grub" && printf "{GRUB}" > "$1/boot/grub/grub.cfg"',
    'printf "LABEL=root / ext4 defaults 0 1\\n" > "$1/etc/fstab"',
    # What each machine has to have of its own.
    ': > "$1/etc/machine-id" && rm -f "$1"/etc/ssh/ssh_host_*',
)
MIB = 1 << 20
SIZE, FIRST = 1800 * MIB, MIB
"""Of the disk, and where its one partition begins."""


def disk_image():
    """Path of the image and its sha256; made once, kept in the cache. Raises LabError."""
    cache = Cache.default()
    target = cache.image / f"vm-{stamp(repr(PACKAGES), repr(HOOKS), str(SIZE))}.qcow2"
    if not target.exists():
        with cache.lock(), cache.publish(target) as scratch:
            _make(cache, scratch)
    cache.drop_older(target, "vm-")
    return target, sha256(target)


def _make(cache, scratch):
    root, raw, tar = (scratch.with_suffix(end) for end in (".root", ".raw", ".tar"))
    debian.make(cache, "vm-image", tar, PACKAGES, HOOKS)
    root.mkdir()
    subprocess.run(["tar", "-xpf", tar, "-C", root, "--exclude=./dev/*"], check=True)
    with raw.open("wb") as disk:
        disk.truncate(SIZE)
        disk.write((root / "boot" / "boot.img").read_bytes()[:440])
        disk.seek(446)
        entry = struct.pack(
            "<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", FIRST // 512, (SIZE - FIRST) // 512
        )
        disk.write(entry + bytes(48) + b"\x55\xaa")
        # Behind the first sector, where boot.img looks for it.
        disk.write((root / "boot" / "core.img").read_bytes())
    size = f"{(SIZE - FIRST) // 1024}k"
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-L", "root", "-E", f"offset={FIRST}", "-d", root, raw, size], check=True)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, scratch], check=True)
    for path in (root, raw, tar):
        subprocess.run(["rm", "-rf", path], check=True)
