"""The node image: Debian with all that Kubespray would install, so that no node ever needs a package source."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lab.cache import Cache, Report, sha256, stamp
from lab.image import debian

# What Kubespray v2.31 asks for on Debian 12, what a kubelet and a CNI need, and what a person looking at a node
# would miss.
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "util-linux", "mount", "sudo", "less", "netbase"),
    *("openssh-server", "python3", "python3-apt", "ca-certificates", "openssl", "gnupg", "apparmor", "libseccomp2"),
    *("iproute2", "iputils-ping", "iptables", "nftables", "ipset", "conntrack", "ebtables", "ethtool", "socat"),
    *("curl", "rsync", "tar", "unzip", "xz-utils", "e2fsprogs", "xfsprogs", "nfs-common", "mergerfs"),
    *("bash-completion", "apt-transport-https", "software-properties-common", "iperf3", "tcpdump"),
)

# Built into some kernels, modules in others. A node asks its own modprobe for them, and the kernel is not the
# node's to change: `lab.machine` sees to it that they are there.
# Not br_netfilter: where modinfo knows it Kubespray loads it through Ansible, which reads /proc/modules; a kernel without
# loadable modules has no such file.
MODULES = ("overlay", "nf_conntrack", "nf_tables", "bridge", "veth", "vxlan", "macvlan", "ipip",
           "ip_tables", "xt_conntrack", "dummy", "ip_set", "nf_conntrack_netlink")  # fmt: skip

# Units that would reach through to the kernel which the nodes share with this machine, or wait for nothing.
MASKED = (
    *("systemd-udevd.service", "systemd-udevd-kernel.socket", "systemd-udevd-control.socket"),
    *("systemd-udev-trigger.service", "systemd-udev-settle.service", "systemd-modules-load.service"),
    *("systemd-sysctl.service", "systemd-binfmt.service", "systemd-journald-audit.socket", "systemd-firstboot.service"),
    *("sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount", "sys-fs-fuse-connections.mount"),
    *("console-getty.service", "getty.target", "systemd-logind.service", "rpcbind.service", "rpcbind.socket"),
    *("nfs-blkmap.service", "nfs-client.target", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer"),
    *("e2scrub_reap.service", "dpkg-db-backup.timer", "fstrim.timer", "apparmor.service", "nftables.service"),
)

SSHD = """\
# Whoever makes the node puts the one key there that the site pins.
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
# Ansible and one connection a resource come at the same time.
MaxStartups 200
MaxSessions 100
"""

# The key may come a moment after systemd has started: sshd tries again until it is there.
SSH_UNIT = """\
[Unit]
StartLimitIntervalSec=0
[Service]
Restart=on-failure
RestartPreventExitStatus=
RestartSec=200ms
"""

CHANGES = ('CMD ["/sbin/init"]', "STOPSIGNAL SIGRTMIN+3", "ENV container=podman")
"""What `podman import --change` is to be told, one each."""


@dataclass(frozen=True)
class NodeImage:
    """A root file system to import; `digest` is the tar file's sha256 in hex."""

    path: Path
    digest: str
    changes: tuple[str, ...] = CHANGES


def hooks(kernel: str) -> list[str]:
    """The shell commands that make a node out of a root file system ($1) for the running `kernel`."""
    builtin = "\n".join(f"kernel/{name}.ko" for name in MODULES)
    modules = f'"$1/lib/modules/{kernel}"'
    return [
        f"mkdir -p {modules} && printf '%s\\n' '{builtin}' > {modules}/modules.builtin && : > {modules}/modules.order"
        f' && chroot "$1" depmod -a {kernel}',
        'rm -f "$1"/etc/ssh/ssh_host_*',
        f"printf %s '{SSHD}' > \"$1/etc/ssh/sshd_config.d/10-node.conf\"",
        'mkdir -p "$1/etc/systemd/system/ssh.service.d"'
        f" && printf %s '{SSH_UNIT}' > \"$1/etc/systemd/system/ssh.service.d/10-node.conf\"",
        'install -d -m 0700 "$1/root/.ssh" && chroot "$1" passwd --quiet --lock root',
        f'chroot "$1" systemctl --quiet mask {" ".join(MASKED)}',
        'chroot "$1" systemctl --quiet enable ssh.service && chroot "$1" systemctl --quiet set-default multi-user.target',
        # empty, not absent: systemd then makes one of its own at each node's first start
        ': > "$1/etc/machine-id" && rm -f "$1/var/lib/dbus/machine-id"',
        'rm -f "$1/etc/resolv.conf" && : > "$1/etc/resolv.conf" && : > "$1/etc/hostname"',
    ]


def build(cache: Cache, report: Report) -> NodeImage:
    """The node image, made if its like isn't in the cache yet. Raises LabError."""
    steps = hooks(os.uname().release)
    tar = cache.image / f"node-{stamp(debian.SUITE, debian.EPOCH, *PACKAGES, *debian.LEFT_OUT, *steps)}.tar"
    if not tar.exists():
        report("node image: installing Debian's packages", None)
        with cache.publish(tar) as scratch:
            debian.make(cache, "node-image", scratch, PACKAGES, steps)
        cache.drop_older(tar, "node-")
    report("node image: ready", 1.0)
    return NodeImage(tar, sha256(tar))
