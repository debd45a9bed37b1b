"""What this machine can do: why the lab can't run on it, and what its nodes must be told about it."""

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
"""Free space to build everything, and to run nodes when all is built."""

EVICTION = {
    "memory.available": "100Mi",
    "nodefs.available": "1Gi",
    "imagefs.available": "1Gi",
    "nodefs.inodesFree": "5%",
}
"""When the nodes' kubelets evict pods: a kubelet that is told one of these has no default for the others."""

CORES = 2
CAP_SYS_RESOURCE = 24
NOFILE = 65535
"""What containerd gives a container by default."""

# How to make one of each link type in a network namespace of its own, with nothing outside of it.
LINKS = {
    "veth": "ip link add probe type veth peer name other",
    "bridge": "ip link add probe type bridge",
    "vxlan": "ip link add probe type vxlan id 1 dstport 8472 local 127.0.0.1",
    "macvlan": "ip link add parent type veth peer name other && ip link add link parent probe type macvlan mode bridge",
}

# What nodes need of the kernel but cannot load: a container's modprobe reaches no further than its own files.
MODULES = ("overlay", "br_netfilter", "nf_conntrack", "nf_tables", "veth", "bridge", "vxlan", "macvlan")


@dataclass(frozen=True)
class Machine:
    """The facts that decide; `detect` reads them, tests make their own."""

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
    """This machine, with the lab's cache folder at `cache`. Takes well under a second."""
    root = os.geteuid() == 0
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    return Machine(
        root=root,
        architecture=platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        free=shutil.disk_usage(existing).free,
        warm=any(cache.glob("mirror/registry-*")),
        podman=bool(shutil.which("podman") or shutil.which("apt-get")),
        # without root nothing can be probed, and that is an error of its own
        missing=_missing() if root else (),
        cgroup_v2=Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        swap=len(Path("/proc/swaps").read_text().splitlines()) > 1,
        sys_resource=_capable(Path("/proc/self/status").read_text(), CAP_SYS_RESOURCE),
        nofile=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    )


def check(cache: Path) -> list[str]:
    """Why the lab can't run here, a line each; empty when it can."""
    return problems(detect(cache), cache)


def problems(machine: Machine, cache: Path) -> list[str]:
    """The same for a given machine."""
    lines = []
    if not machine.root:
        lines.append("not root: nodes are system containers in a network namespace. Run `sudo make lab`.")
    if machine.architecture != "x86_64":
        lines.append(f"architecture {machine.architecture}: the lab's nodes are amd64. Use an x86_64 machine.")
    if machine.cores < CORES:
        lines.append(f"{machine.cores} core: three nodes need {CORES} at least. Use a larger machine.")
    need = DISK_WARM if machine.warm else DISK_COLD
    if machine.free < need:
        lines.append(
            f"{machine.free / GIGABYTE:.1f} GB free for {cache}: the lab needs {need // GIGABYTE} GB. "
            "Free some, or name a folder on another disk in $MULTUS_SITE_CACHE."
        )
    if not machine.podman:
        lines.append("no podman, and no apt-get to install it with. Install podman 4.3 or later, then run `make lab`.")
    if machine.missing:
        lines.append(
            f"the kernel ({platform.release()}) has no {', '.join(machine.missing)}: nodes and attachments need it. "
            "Load the modules, or use a machine with Debian's kernel."
        )
    if machine.swap and not machine.cgroup_v2:
        lines.append("swap is on, and a kubelet can't live with it on cgroup v1. Run `swapoff -a`, then `make lab`.")
    return lines


def kubespray_variables(machine: Machine | None = None) -> dict[str, Any]:
    """What Kubespray must be told because its nodes are containers on this machine."""
    machine = machine or detect(Path("/"))
    variables: dict[str, Any] = {
        # kubeadm looks for the kernel's configuration file, which a container has not; `check` probes what matters
        "kubeadm_ignore_preflight_errors": ["SystemVerification"],
        # nf_conntrack_max can be written in the first network namespace only: 0 tells kube-proxy to leave it alone
        "kube_proxy_conntrack_max_per_core": 0,
        "kube_proxy_conntrack_min": 0,
        # a kubelet evicts all pods below a tenth of the disk; here every node sees the whole of this machine's, and a tenth of that is plenty
        "eviction_hard": EVICTION,
    }
    if not machine.cgroup_v2:
        # since 1.35 a kubelet refuses cgroup v1 unless it is told not to
        variables["kubelet_fail_cgroup_v1"] = False
    if machine.swap and machine.cgroup_v2:
        # else Kubespray would turn off the swap of this machine from inside a node
        variables["kubelet_fail_swap_on"] = False
    if not machine.sys_resource:
        # runc may not lower a container's oom_score_adj: without this every pod sandbox dies at its start
        variables["containerd_extra_runtime_args"] = {"restrict_oom_score_adj": True}
    if machine.nofile != resource.RLIM_INFINITY and machine.nofile < NOFILE:
        # nor may it give a container more open files than we have
        variables["containerd_base_runtime_spec_rlimit_nofile"] = machine.nofile
    return variables


def _capable(status: str, capability: int) -> bool:
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> capability & 1)


def _missing() -> tuple[str, ...]:
    """The link types and file systems that nodes need and this kernel lacks, after an attempt to load them."""
    if shutil.which("modprobe"):
        # one by one: where a kernel has them built in, or no modules at all, modprobe fails and all is well
        for module in MODULES:
            subprocess.run(["modprobe", "--quiet", module], check=False, capture_output=True)
    missing = [name for name, command in LINKS.items() if not _works(command)]
    if "\toverlay" not in Path("/proc/filesystems").read_text():
        missing.append("overlay")
    return tuple(missing)


def _works(command: str) -> bool:
    done = subprocess.run(["unshare", "--net", "sh", "-c", command], check=False, capture_output=True)
    return done.returncode == 0
