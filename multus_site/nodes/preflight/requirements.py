"""What a site requires of each host: plain data from the site and Kubespray's variables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from multus_site.cni.addresses import Span
from multus_site.cni.catalogue import plugin_type
from multus_site.cni.uplinks import uplink_of
from multus_site.kubespray.machine_checks import needed_kernels, needed_memory
from multus_site.model.kubespray_releases import ANSIBLE, kubernetes_of, like
from multus_site.model.networks import Network
from multus_site.model.node_links import BondLink, VlanLink
from multus_site.model.site import Site
from multus_site.render.air_gap import package_source
from multus_site.render.network import NetworkFacts, network_facts

CGROUP_V2_SINCE = (1, 35)
"""First version of Kubernetes whose kubelet refuses cgroup v1 by default (KubeletConfiguration failCgroupV1)."""

_PROXY = {
    "ipvs": ("ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "nf_conntrack"),
    "iptables": ("nf_conntrack",),
    "nftables": ("nf_tables", "nf_conntrack"),
}
"""kube_proxy_mode → modules (Kubespray's roles/kubernetes/node)."""

_POD_NETWORK = {
    ("calico", "calico_network_backend", "vxlan"): ("vxlan",),
    ("flannel", "flannel_backend_type", "vxlan"): ("vxlan", "br_netfilter"),
}
"""Network plugin, the variable of its backend, and the default backend → modules."""


@dataclass(frozen=True)
class NicRequirements:
    """What networks, links and pools require of one NIC of a node."""

    users: tuple[str, ...]
    """What uses it, for messages: `network media (macvlan)`."""
    mtu: int = 0
    """Minimum; 0: no requirement."""
    children: bool = False
    """Interfaces of pods are its children (macvlan, ipvlan), so the node and its pods cannot reach each other through it."""
    taken: bool = False
    """It moves into a pod or a bond, and loses its addresses."""
    absent: bool = False
    """The node may lack it: only pods that need it do not start there."""
    functions: int = 0
    """Number of virtual functions."""
    ranges: tuple[tuple[str, str], ...] = ()
    """First and last address of each range that pods on it get addresses from."""


@dataclass(frozen=True)
class Requirements:
    """What the site requires of one node. Its keys are in the document of a run, which state records."""

    address: str
    architecture: str
    memory: int
    """MiB."""
    memory_variable: str
    """Kubespray's variable that sets it."""
    python: str
    kernels: Mapping[str, str]
    """Minimum version of the kernel → what needs it."""
    any_os: bool
    """Whether Kubespray is set to accept any operating system."""
    apt: bool
    """Whether packages come from the APT source of an air-gapped site's mirror."""
    refuses_cgroup_v1: bool
    swap_goes: bool
    """Whether Kubespray turns swap off."""
    nics: Mapping[str, NicRequirements]
    """By name, or `mac …`, `pci …`, `altname …`, `path …` (multus_site/cni/uplinks.py)."""
    made: tuple[str, ...]
    """Links that the site creates on the node."""
    modules: Mapping[str, str]
    """Module → what needs it."""
    ports: Mapping[str, str]
    """Port → the component that will listen on it."""
    foreign_macs: tuple[str, ...] = ()
    """Networks whose pods send from MAC addresses of their own, through a hypervisor that the site does not manage."""
    functions_by_vfio: bool = False


def requirements_of(site: Site, variables: Mapping[str, Any]) -> dict[str, Requirements]:
    """The requirements of each node. `variables`: Kubespray's, without secret ones."""
    version = kubernetes_of(site.kubespray.version, variables.get("kube_version"))
    # A value that is no version is reported with the cluster's other variables.
    minor = tuple(int(part) for part in re.findall(r"\d+", str(version or ""))[:2])
    release = site.kubespray.version
    kernels = needed_kernels(release, variables)
    cluster = _cluster_modules(variables)
    facts = {name: network_facts(name, network) for name, network in site.networks.items()}
    where = {name: set(site.nodes_with(network)) for name, network in site.networks.items()}
    found = {}
    for node, host in site.nodes.hosts.items():
        memory = needed_memory(release, host.roles, variables)
        here = [_Here(network, facts[name]) for name, network in site.networks.items() if node in where[name]]
        found[node] = Requirements(
            address=host.address,
            architecture=host.architecture,
            memory=memory.least,
            memory_variable=memory.variable,
            python=ANSIBLE[like(release).ansible_core].on_nodes,
            kernels=kernels,
            any_os=bool(variables.get("allow_unsupported_distribution_setup")),
            apt=bool(package_source(site.air_gap, host.architecture)),
            refuses_cgroup_v1=minor >= CGROUP_V2_SINCE and variables.get("kubelet_fail_cgroup_v1") is not False,
            swap_goes=variables.get("kubelet_fail_swap_on") is not False,
            nics=_nics(site, node, here),
            made=tuple(site.links_on(node)),
            modules={**cluster, **_modules(site, node, here)},
            ports=_ports(host.roles, variables),
            foreign_macs=()
            if site.nodes.makes_machines
            else tuple(one.facts.name for one in here if _sends_own_macs(one.facts)),
            functions_by_vfio=any(pool.driver == "vfio-pci" for pool in site.pools_on(node)),
        )
    return found


class _Here(NamedTuple):
    """A network on a node."""

    network: Network
    facts: NetworkFacts


def _sends_own_macs(facts: NetworkFacts) -> bool:
    nic = facts.plugin.nic
    return nic is not None and nic.macs == "own"


def _cluster_modules(variables: Mapping[str, Any]) -> dict[str, str]:
    """Kernel modules that the cluster needs on every node → what needs them."""
    mode = str(variables.get("kube_proxy_mode", "ipvs"))
    found = {"overlay": "containerd"}
    for (plugin, variable, backend), modules in _POD_NETWORK.items():
        if variables.get("kube_network_plugin", "calico") == plugin and variables.get(variable, backend) == backend:
            found |= dict.fromkeys(modules, f"kube_network_plugin {plugin}")
    return found | dict.fromkeys(_PROXY.get(mode, ()), f"kube_proxy_mode {mode}")


def _modules(site: Site, node: str, here: Sequence[_Here]) -> dict[str, str]:
    """Kernel modules that the networks, links and pools of a node need → what needs them."""
    found: dict[str, str] = {}
    for _, facts in here:
        for plugin in (facts.type, *facts.chained):
            found |= dict.fromkeys(plugin_type(plugin).modules, f"network {facts.name}")
    for name, link in site.links_on(node).items():
        found["8021q" if isinstance(link, VlanLink) else "bonding"] = f"link {name}"
    if any(pool.driver == "vfio-pci" for pool in site.pools_on(node)):
        found["vfio-pci"] = "sriov's pools for DPDK"
    return found


def _ports(roles: tuple[str, ...], variables: Mapping[str, Any]) -> dict[str, str]:
    """Ports that the cluster uses on a node with these roles (kubeadm's and Kubespray's; each node reaches the API servers through a local proxy)."""
    api = str(variables.get("kube_apiserver_port", 6443))
    found = {"10250": "kubelet", "10256": "kube-proxy"}
    if {"control-plane", "worker"} & set(roles):
        found[api] = "kube-apiserver" if "control-plane" in roles else "the proxy to the API servers"
    if "control-plane" in roles:
        found |= {"10257": "kube-controller-manager", "10259": "kube-scheduler"}
    if "etcd" in roles:
        found |= {"2379": "etcd", "2380": "etcd"}
    return dict(sorted(found.items()))


@dataclass
class _Use:
    """Collects the requirements of a NIC."""

    users: list[str] = field(default_factory=list)
    mtu: int = 0
    children: bool = False
    taken: bool = False
    required: bool = False
    functions: int = 0
    ranges: list[tuple[str, str]] = field(default_factory=list)

    def requirements(self) -> NicRequirements:
        users = tuple(dict.fromkeys(self.users))
        return NicRequirements(
            users, self.mtu, self.children, self.taken, not self.required, self.functions, tuple(self.ranges)
        )


def _ends(span: Span) -> tuple[str, str]:
    first, last = span.ends
    return str(first), str(last)


def _nics(site: Site, node: str, here: Sequence[_Here]) -> dict[str, NicRequirements]:
    """The NICs that the node's networks, links and pools use."""
    uses: dict[str, _Use] = {}
    mtus: dict[str, int] = {}
    """Link that the site creates → largest MTU of its networks."""
    links = site.links_on(node)
    for network, facts in here:
        nic, mtu = uplink_of(site, node, network), facts.mtu or 0
        if nic is None:
            continue
        if nic in links:
            mtus[nic] = max(mtus.get(nic, 0), mtu)
            continue
        use = uses.setdefault(nic, _Use())
        use.users.append(f"network {facts.name} ({facts.type})")
        use.mtu = max(use.mtu, mtu)
        traits = facts.plugin.nic
        moves = traits is not None and traits.moves
        use.children |= traits is not None and traits.takes_frames
        use.taken |= moves
        use.required |= not moves
        use.ranges += [_ends(part) for r in facts.ranges for part in r.handed_out]
    for name, link in links.items():
        for nic in link.below:
            if nic in links:
                continue
            use = uses.setdefault(nic, _Use())
            use.users.append(f"link {name} ({link.type})")
            use.required = True
            use.taken |= isinstance(link, BondLink)
            # A bond gives its members its own MTU.
            if isinstance(link, VlanLink):
                use.mtu = max(use.mtu, link.mtu or 0, mtus.get(name, 0))
    for pool in site.pools_on(node):
        for nic in pool.pf_names:
            use = uses.setdefault(nic, _Use())
            use.users.append(f"resource {pool.resource_name} (sriov)")
            use.required = True
            use.functions += pool.num_vfs
    return {nic: use.requirements() for nic, use in sorted(uses.items())}
