"""The releases of Kubespray: one table, a row a release, with all that differs between them.

The model, the linter, previews and the runs read it. Sources, in the tree of each tag: kubelet_checksums and containerd_archive_checksums in
roles/kubespray_defaults/vars/main/checksums.yml; requirements.txt; roles/validate_inventory/tasks/main.yml; roles/kubernetes/preinstall
(defaults/main.yml and tasks/0040-verify-settings.yml). Calico: the first of calicoctl_binary_checksums. ansible-core: its support matrix.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

NetworkPlugin = Literal[
    "calico", "cilium", "cloud", "cni", "custom_cni", "flannel", "kube-ovn", "kube-router", "macvlan", "none"
]

CHOICES: Mapping[str, tuple[str, ...]] = {
    "kube_network_plugin": get_args(NetworkPlugin),
    "kube_proxy_mode": ("iptables", "ipvs", "nftables"),
    "etcd_deployment_type": ("docker", "host", "kubeadm"),
    "container_manager": ("containerd", "crio", "docker"),
    "dns_mode": ("coredns", "coredns_dual", "manual", "none"),
    "cert_management": ("none", "script"),
    "resolvconf_mode": ("docker_dns", "host_resolvconf", "none"),
    "cloud_provider": ("", "external"),
    "external_cloud_provider": ("hcloud", "huaweicloud", "manual", "oci", "openstack", "vsphere"),
}  # fmt: skip

KERNELS: Mapping[tuple[str, object], str] = {
    ("kube_proxy_mode", "nftables"): "5.13",
    ("kube_network_plugin", "cilium"): "4.9.17",
    ("cilium_deploy_additionally", True): "4.9.17",
}


class Memory(NamedTuple):
    """The least memory of a machine: the variable that sets it, and its default in MiB."""

    variable: str
    default: int


CONTROL_PLANE_MEMORY = Memory("minimal_master_memory_mb", 1500)
WORKER_MEMORY = Memory("minimal_node_memory_mb", 1024)


class Ansible(NamedTuple):
    """A version of ansible-core: the first and last Python that it runs on, and the oldest Python that it runs modules with on nodes."""

    first: tuple[int, int]
    last: tuple[int, int]
    on_nodes: str


ANSIBLE = {
    (2, 17): Ansible((3, 10), (3, 12), "3.7"),
    (2, 18): Ansible((3, 11), (3, 13), "3.8"),
    (2, 19): Ansible((3, 11), (3, 13), "3.8"),
}


@dataclass(frozen=True)
class Release:
    """One release. What most of them share is a default here."""

    commit: str
    """The commit of its tag."""
    kubernetes: Mapping[int, int]
    """Minor version of Kubernetes 1 → its last patch; every patch from 0 on is known. The newest is the release's own choice."""
    ansible_core: tuple[int, int]
    """The ansible-core that its requirements.txt brings."""
    containerd: str
    """The containerd that it installs unless containerd_version says otherwise."""
    calico: str
    """The Calico that it installs unless calico_version says otherwise."""
    removed: frozenset[str] = frozenset()
    """Variables of earlier releases that it refuses."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: CHOICES)
    """Variable → the values that it takes."""
    kernels: Mapping[tuple[str, object], str] = field(default_factory=lambda: KERNELS)
    """Variable and value → the first kernel that it takes for them."""
    control_plane_memory: Memory = CONTROL_PLANE_MEMORY
    worker_memory: Memory = WORKER_MEMORY

    @property
    def default(self) -> str:
        """The version of Kubernetes that it installs unless kube_version says otherwise."""
        minor = max(self.kubernetes)
        return f"1.{minor}.{self.kubernetes[minor]}"

    def knows(self, version: str) -> bool:
        """Whether it has the checksums of a version of Kubernetes."""
        major, minor, patch = (int(part) for part in version.split("."))
        return major == 1 and 0 <= patch <= self.kubernetes.get(minor, -1)

    @property
    def range(self) -> str:
        """The versions of Kubernetes, for a person."""
        return ", ".join(f"1.{minor}.0 to 1.{minor}.{last}" for minor, last in sorted(self.kubernetes.items()))


RELEASES = {
    "v2.29.1": Release(
        commit="0c6a29553f90c55cba5e0e359470321dc7cf7d29",
        kubernetes={31: 14, 32: 10, 33: 7},
        ansible_core=(2, 17),
        containerd="2.1.5",
        calico="3.30.5",
    ),
    "v2.30.0": Release(
        commit="f4ccdb5e72395eaf9f3444056ebd1a6625ddb89a",
        kubernetes={32: 11, 33: 7, 34: 3},
        ansible_core=(2, 17),
        containerd="2.2.1",
        calico="3.30.6",
    ),
    "v2.31.0": Release(
        commit="1c9add48975060f45396b34d8e022c30d7f80dab",
        kubernetes={33: 11, 34: 7, 35: 4},
        ansible_core=(2, 18),
        containerd="2.2.3",
        calico="3.31.5",
        removed=frozenset({"kubelet_static_pod_path"}),
    ),
}

_EARLIER = Release(commit="", kubernetes={}, ansible_core=(2, 17), containerd="1.7.24", calico="3.29.3")
"""What releases before the table have in common; containerd is 2 since v2.28, and Calico 3.30 since v2.29.0."""


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, to compare: v2.31.0 → (2, 31, 0)."""
    return tuple(int(part) for part in version.removeprefix("v").split("."))


def newest() -> str:
    """The newest release of the table, which a site gets unless it names one."""
    return max(RELEASES, key=numbers)


def like(version: str) -> Release:
    """The row of a release; of one that is not in the table, the row of the newest before it."""
    before = [known for known in RELEASES if numbers(known) <= numbers(version)]
    return RELEASES[max(before, key=numbers)] if before else _EARLIER


def kubernetes_of(release: str, given: str | None) -> str | None:
    """The version of Kubernetes that a release installs; None where it is not given and the release is not in the table."""
    known = RELEASES.get(release)
    return given or (known.default if known else None)


def calico_of(release: str, given: object) -> str:
    """The version of Calico that a release installs. `given`: the variable calico_version; anything but a version counts as absent."""
    text = str(given or "").removeprefix("v")
    if re.fullmatch(r"\d+(\.\d+)+", text):
        return text
    return RELEASES["v2.29.1"].calico if release == "v2.29.0" else like(release).calico
