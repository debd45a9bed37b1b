"""What the mirror takes from Debian: the base of images that need iptables or a shell, runc and busybox."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab.cache import Cache, Report, stamp
from lab.image import debian

BASE = ("iptables", "nftables", "conntrack", "kmod", "iproute2", "ca-certificates", "procps", "iperf3")
"""What kube-proxy, flannel and Multus call, what a person who looks into their pods calls, and what measures throughput."""

PYTHON = ("python3",)
"""What the repair of interfaces needs: its own file system, which no other image carries."""

ALONE = ("runc", "busybox-static")
"""Packages of which only the program is wanted, outside of the base."""

TAKEN = ("/usr/sbin/runc", "/bin/busybox", "/usr/share/doc/busybox-static/examples/udhcp/simple.script")


@dataclass(frozen=True)
class Parts:
    """Paths of the parts."""

    folder: Path

    @property
    def base(self) -> Path:
        """A root file system, as an uncompressed tar file."""
        return self.folder / "base.tar"

    @property
    def python(self) -> Path:
        """A root file system with Python, likewise."""
        return self.folder / "python.tar"

    @property
    def runc(self) -> Path:
        """Debian's runc: it needs the libseccomp2 that is in the node image."""
        return self.folder / "runc"

    @property
    def busybox(self) -> Path:
        """One static executable."""
        return self.folder / "busybox"

    @property
    def dhcp_script(self) -> Path:
        """What busybox's DHCP client runs to set the address that it got."""
        return self.folder / "simple.script"


def find(cache: Cache) -> Parts:
    """Where the parts are, or will be: the name says what goes in."""
    return Parts(
        cache.image / f"base-{stamp(debian.SUITE, debian.EPOCH, *BASE, *PYTHON, *ALONE, *TAKEN, *debian.LEFT_OUT)}"
    )


def build(cache: Cache, report: Report) -> Parts:
    """The parts, made if they aren't in the cache yet. Raises LabError."""
    parts = find(cache)
    if not parts.folder.exists():
        report("image base: installing Debian's packages", None)
        with cache.publish(parts.folder) as scratch:
            scratch.mkdir()
            debian.make(
                cache,
                "image-base",
                scratch / "base.tar",
                (*BASE, *ALONE),
                [f"copy-out {' '.join(TAKEN)} '{scratch}'", f'cd "$1" && rm .{" .".join(TAKEN)}'],
                keep=("/usr/share/doc/busybox-static/*",),
            )
            debian.make(cache, "image-python", scratch / "python.tar", PYTHON, [])
        cache.drop_older(parts.folder, "base-")
    return parts
