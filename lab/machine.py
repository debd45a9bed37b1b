"""Check that this machine can run the lab, and set Kubespray's variables for its limits."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GIGABYTE = 10**9
DISK_COLD, DISK_WARM = 15 * GIGABYTE, 5 * GIGABYTE
"""Free space that a first build needs, and that nodes need after it."""

EVICTION = {
    "memory.available": "100Mi",
    "nodefs.available": "1Gi",
    "imagefs.available": "1Gi",
    "nodefs.inodesFree": "5%",
}
"""Eviction thresholds of kubelets. Setting one of them removes the defaults of the others."""

CORES = 2
CAP_SYS_RESOURCE = 24
NOFILE = 65535
"""containerd's default for a container."""

# Commands that create a link of each type in a separate network namespace.
LINKS = {
    "veth": "ip link add probe type veth peer name other",
    "bridge": "ip link add probe type bridge",
    "vxlan": "ip link add probe type vxlan id 1 dstport 8472 local 127.0.0.1",
    "macvlan": "ip link add parent type veth peer name other && ip link add link parent probe type macvlan mode bridge",
}

# Kernel modules that nodes need. A container cannot load them: its modprobe only sees the container's files.
MODULES = ("overlay", "br_netfilter", "nf_conntrack", "nf_tables", "veth", "bridge", "vxlan", "macvlan")


@dataclass(frozen=True)
class Machine:
    """The facts about a machine that matter to the lab."""

    root: bool
    architecture: str
    cores: int
    free: int
    warm: bool
    podman: bool
    missing: tuple[str, ...]
    cgroup_v2: bool
    swap: bool
    sys_resource: bool
    nofile: int


def detect(cache: Path) -> Machine:
    """The facts about this machine; `cache`: the lab's cache folder. Takes well under a second."""
    root = os.geteuid() == 0
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    return Machine(
        root=root,
        architecture=platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        free=shutil.disk_usage(existing).free,
        warm=any(cache.glob("mirror/registry-*")),
        podman=bool(shutil.which("podman") or shutil.which("apt-get")),
        # probes need root; a missing root is reported separately
        missing=_missing() if root else (),
        cgroup_v2=Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        swap=len(Path("/proc/swaps").read_text().splitlines()) > 1,
        sys_resource=_capable(Path("/proc/self/status").read_text(), CAP_SYS_RESOURCE),
        nofile=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    )


def check(cache: Path) -> list[str]:
    """One line for each reason why the lab cannot run on this machine."""
    return problems(detect(cache), cache)


def problems(machine: Machine, cache: Path) -> list[str]:
    """One line for each reason why the lab cannot run on a machine."""
    lines = []
    if not machine.root:
        lines.append("not root: the lab creates containers and network namespaces. Run `sudo make lab`.")
    if machine.architecture != "x86_64":
        lines.append(f"architecture {machine.architecture}: the lab's nodes are amd64. Use an x86_64 machine.")
    if machine.cores < CORES:
        lines.append(f"{machine.cores} core: three nodes need {CORES} at least. Use a larger machine.")
    need = DISK_WARM if machine.warm else DISK_COLD
    if machine.free < need:
        lines.append(
            f"{machine.free / GIGABYTE:.1f} GB free for {cache}: the lab needs {need // GIGABYTE} GB. "
            "Free some, or set $MULTUS_SITE_CACHE to a folder on another disk."
        )
    if not machine.podman:
        lines.append("no podman, and no apt-get to install it with. Install podman 4.3 or later, then run `make lab`.")
    if machine.missing:
        lines.append(
            f"the kernel ({platform.release()}) has no {', '.join(machine.missing)}: nodes and attachments need it. "
            "Load the modules, or use a machine with Debian's kernel."
        )
    if machine.swap and not machine.cgroup_v2:
        lines.append("swap is on, and a kubelet does not support it with cgroup v1. Run `swapoff -a`, then `make lab`.")
    return lines


def kubespray_variables(machine: Machine | None = None) -> dict[str, Any]:
    """Kubespray's variables for nodes that are containers on this machine."""
    machine = machine or detect(Path("/"))
    variables: dict[str, Any] = {
        # kubeadm reads the kernel's configuration file, which a container lacks; `check` probes what matters
        "kubeadm_ignore_preflight_errors": ["SystemVerification"],
        # nf_conntrack_max can only be written in the initial network namespace: with 0, kube-proxy does not write it
        "kube_proxy_conntrack_max_per_core": 0,
        "kube_proxy_conntrack_min": 0,
        # by default, a kubelet evicts pods below 10 % of free disk space, but every node sees the whole disk of this machine
        "eviction_hard": EVICTION,
    }
    if not machine.cgroup_v2:
        # since 1.35 a kubelet refuses cgroup v1 by default
        variables["kubelet_fail_cgroup_v1"] = False
    if machine.swap and machine.cgroup_v2:
        # otherwise Kubespray would turn off this machine's swap from inside a node
        variables["kubelet_fail_swap_on"] = False
    if not machine.sys_resource:
        # runc must not lower a container's oom_score_adj: without this, no pod sandbox starts
        variables["containerd_extra_runtime_args"] = {"restrict_oom_score_adj": True}
    if machine.nofile != resource.RLIM_INFINITY and machine.nofile < NOFILE:
        # nor raise a container's limit of open files above ours
        variables["containerd_base_runtime_spec_rlimit_nofile"] = machine.nofile
    return variables


def _capable(status: str, capability: int) -> bool:
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> capability & 1)


def _missing() -> tuple[str, ...]:
    """Link types and file systems that nodes need and this kernel lacks. Tries to load them first."""
    if shutil.which("modprobe"):
        # one at a time: modprobe fails, harmlessly, if a module is built in or the kernel supports no modules
        for module in MODULES:
            subprocess.run(["modprobe", "--quiet", module], check=False, capture_output=True)
    missing = [name for name, command in LINKS.items() if not _works(command)]
    if "\toverlay" not in Path("/proc/filesystems").read_text():
        missing.append("overlay")
    return tuple(missing)


def _works(command: str) -> bool:
    done = subprocess.run(["unshare", "--net", "sh", "-c", command], check=False, capture_output=True)
    return done.returncode == 0
