"""A site: one YAML object, from bare hosts to proven pods."""

from collections.abc import Sequence

from pydantic import Field, model_validator

from multus_site.model import attachments, site_checks
from multus_site.model.air_gap import AirGap
from multus_site.model.base import Part
from multus_site.model.cni_plugins import CniPlugins
from multus_site.model.cni_versions import highest
from multus_site.model.daemons import Multus, WhereaboutsDaemon
from multus_site.model.ipam import HostLocal
from multus_site.model.kubespray import Kubespray
from multus_site.model.links import Link
from multus_site.model.master import MasterByNode
from multus_site.model.networks import Network, Raw, Segment
from multus_site.model.node_links import BondLink, NodeLink, VlanLink
from multus_site.model.nodes import Nodes
from multus_site.model.racks import LABELS, Level, Rack, Taint
from multus_site.model.sriov_pools import SriovPool, SriovSetup
from multus_site.model.throughput import Throughput
from multus_site.model.types import InterfaceName, NodeName, ObjectName
from multus_site.model.workloads import Workload


class Site(Part):
    """One site, one stack."""

    name: ObjectName = Field(examples=["dallas"])
    """Identity of the site: cluster name, names of its machines."""
    artifacts: str | None = Field(default=None, examples=["artifacts.yaml"])
    """Catalogue of a mirror (URLs, sha256, images), relative to the project; upstream's if absent."""
    air_gap: AirGap | None = None
    """The mirror of an air-gapped site; nothing else is asked then."""
    protect: bool = False
    """Whether Pulumi refuses to destroy the cluster, until this is taken out and `pulumi up` has run."""
    nodes: Nodes
    """The hosts: who makes them, how they are reached."""
    racks: dict[ObjectName, Rack] = {}
    """Racks by name, where there is more to say of them than that hosts stand in them."""
    kubespray: Kubespray = Kubespray()
    """How the cluster is installed."""
    cni_plugins: CniPlugins = CniPlugins()
    """The plugin binaries on the nodes."""
    multus: Multus = Multus()
    """The daemon that gives pods several interfaces."""
    whereabouts: WhereaboutsDaemon = WhereaboutsDaemon()
    """The daemon that keeps addresses apart across nodes."""
    segments: dict[ObjectName, Segment] = {}
    """L2 segments by name; sites that name the same one share it."""
    links: dict[InterfaceName, NodeLink] = {}
    """VLAN sub-interfaces and bonds that are made on nodes, by name; networks name them as master."""
    sriov: SriovSetup | None = None
    """Virtual functions of SR-IOV NICs, and who hands them out."""
    networks: dict[ObjectName, Network] = {}
    """What pods can attach to, by name; each becomes a NetworkAttachmentDefinition."""
    workloads: dict[ObjectName, Workload] = {}
    """What runs at the site, by name."""
    throughput: Throughput | None = None
    """What is measured of the networks at each `up` that changes them; nothing if absent."""

    @model_validator(mode="after")
    def _whole(self) -> "Site":
        """What no part can know alone; all mistakes at once, each with its path in the site."""
        problems = site_checks.mistakes(self)
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def with_role(self, role: str) -> list[NodeName]:
        """Names of the hosts with a role, in the order of the file."""
        return [name for name, host in self.nodes.hosts.items() if role in host.roles]

    def workers(self, nodes: Sequence[NodeName], racks: Sequence[ObjectName]) -> list[NodeName]:
        """Names of the hosts that a part of the site is for: those it names, the workers in racks it names, else all workers."""
        if nodes:
            return list(nodes)
        workers = self.with_role("worker")
        return [node for node in workers if self.nodes.hosts[node].rack in racks] if racks else workers

    def rack_of(self, node: NodeName) -> Rack | None:
        """The rack that a host stands in; one of which nothing is said where the site has no `racks`."""
        host = self.nodes.hosts.get(node)
        return None if host is None or host.rack is None else self.racks.get(host.rack, Rack())

    def taint_of(self, node: NodeName) -> Taint | None:
        """The taint of a host in a dedicated rack."""
        rack = self.rack_of(node)
        return rack.dedicated.of(str(self.nodes.hosts[node].rack)) if rack and rack.dedicated else None

    def labels_of(self, node: NodeName) -> dict[str, str]:
        """Labels that a host has of its rack."""
        name, rack = self.nodes.hosts[node].rack, self.rack_of(node)
        if rack is None or name is None:
            return {}
        row = {LABELS["row"]: rack.row} if rack.row else {}
        return {LABELS["zone"]: rack.zone or name, LABELS["rack"]: name, **row, **rack.labels}

    def domain_of(self, node: NodeName, level: Level) -> str | None:
        """The rack, row or zone that a host is in, or itself; None where the site does not say."""
        return node if level == "node" else self.labels_of(node).get(LABELS[level])

    def nodes_with(self, network: Network) -> list[NodeName]:
        """Names of the hosts that the network exists on."""
        nodes = self.workers(network.nodes, network.racks)
        if not isinstance(network, Link):
            return nodes
        hosts = self.nodes.hosts
        return [n for n in nodes if n in hosts and network.master_on(n, hosts[n].groups) is not None]

    def differs_by_node(self, network: Network) -> bool:
        """Whether its configuration cannot be the same text on every node: each then has it in a file of its own."""
        if isinstance(network, Link) and isinstance(network.master, MasterByNode):
            return True
        ipam = None if isinstance(network, Raw) else network.ipam
        return isinstance(ipam, HostLocal) and ipam.addresses_per_node is not None

    def nodes_of(self, workload: Workload) -> list[NodeName]:
        """Names of the hosts that the workload's pods can run on: those that have all of its networks, and whose taint they tolerate."""
        chosen = self.workers(workload.nodes, workload.racks)
        if not workload.nodes and not workload.racks:
            chosen = [node for node in chosen if self.taint_of(node) is None]
        used = [self.networks[a.name] for a in workload.networks if a.name in self.networks]
        return [node for node in chosen if all(node in self.nodes_with(network) for network in used)]

    def restricted_to(self, workload: Workload) -> list[NodeName]:
        """The same, where neither racks nor taints nor anything else says it: what pods have to be told by name."""
        nodes = self.nodes_of(workload)
        if workload.racks:
            # By rack, so that one more node of it changes no pod; a policy sees of a single one that it is.
            return [] if nodes == self.workers((), workload.racks) and len(nodes) > 1 else nodes
        open_to_all = [node for node in self.with_role("worker") if self.taint_of(node) is None]
        return [] if nodes == open_to_all and not workload.nodes else nodes

    def tolerated(self, workload: Workload) -> list[Taint]:
        """Taints of the dedicated racks that the workload names, or whose nodes it names."""
        named = self.workers(workload.nodes, workload.racks) if workload.nodes or workload.racks else []
        return list(dict.fromkeys(taint for node in named if (taint := self.taint_of(node))))

    def devices(self, workload: Workload) -> dict[str, int]:
        """Device resources that a pod of the workload needs, and how many of each: one for each attachment."""
        found: dict[str, int] = {}
        for attachment in workload.networks:
            resource = self.networks[attachment.name].device_resource
            if resource:
                found[resource] = found.get(resource, 0) + 1
        return found

    def masters(self, node: NodeName) -> list[str]:
        """NICs that the networks need on a node, as far as they are known by name and not made there, sorted."""
        on = [n for n in self.networks.values() if isinstance(n, Link) and not n.link_in_container]
        groups = self.nodes.hosts[node].groups
        names = {n.master_on(node, groups) for n in on if node in self.nodes_with(n)}
        made = self.links_on(node)
        below = {nic for link in made.values() for nic in ([link.link] if isinstance(link, VlanLink) else link.members)}
        return sorted(name for name in (names | below) - set(made) if name is not None and " " not in name)

    def nodes_of_link(self, link: NodeLink) -> list[NodeName]:
        """Names of the hosts that a link is made on."""
        return self.workers(link.nodes, link.racks)

    def links_on(self, node: NodeName) -> dict[str, NodeLink]:
        """The links that are made on a node: bonds first, since VLANs may be theirs."""
        here = {name: link for name, link in self.links.items() if node in self.nodes_of_link(link)}
        return dict(sorted(here.items(), key=lambda item: not isinstance(item[1], BondLink)))

    def tag_of(self, uplink: str) -> int | None:
        """VLAN id of an interface that is made on nodes as a VLAN of another; None for every other one."""
        link = self.links.get(uplink)
        return link.id if isinstance(link, VlanLink) else None

    def nodes_of_pool(self, pool: SriovPool) -> list[NodeName]:
        """Names of the hosts that a pool's NICs are in."""
        return self.workers(pool.nodes, pool.racks)

    def pools_on(self, node: NodeName) -> list[SriovPool]:
        """The pools whose functions we make on a node; an operator makes its own."""
        if self.sriov is None or self.sriov.manager == "operator":
            return []
        return [pool for pool in self.sriov.pools.values() if node in self.nodes_of_pool(pool)]

    def network_plugin(self) -> str:
        """The cluster's own network plugin; Kubespray's default where the site names none."""
        return str(self.kubespray.given().get("kube_network_plugin", "calico"))

    def plugin_names(self) -> list[str]:
        """CNI plugins that are put on the nodes, sorted."""
        return sorted(
            (set(self.cni_plugins.plugins) or self.plugins_used()) | {b.name for b in self.cni_plugins.binaries}
        )

    def plugins_used(self) -> set[str]:
        """CNI plugins that the networks need, address management and what is chained included.

        whereabouts brings itself, and an SR-IOV operator brings sriov.
        """
        used: set[str] = set()
        for network in self.networks.values():
            if not isinstance(network, Raw):
                used |= {network.type, network.ipam.type, *(plugin.type for plugin in network.chain)}
        operator = self.sriov is not None and self.sriov.manager == "operator"
        return used - {"none", "whereabouts", *(["sriov"] if operator else [])}

    def address_management(self) -> set[str]:
        """Types of address management that the networks take, word-for-word ones included."""
        types: set[str] = set()
        for network in self.networks.values():
            if not isinstance(network, Raw):
                types.add(network.ipam.type)
                continue
            plugins = network.config.get("plugins")
            for plugin in plugins if isinstance(plugins, list) else [network.config]:
                ipam = plugin.get("ipam") if isinstance(plugin, dict) else None
                types.add(str(ipam.get("type", "none")) if isinstance(ipam, dict) else "none")
        return types

    def cni_version(self) -> str:
        """The version of the CNI specification for networks that name none."""
        return highest(self.cni_plugins.version, self.multus.version, self.kubespray.version, self.kubespray.given())

    def asked_of(self, network_name: str) -> set[str]:
        """What pods ask the network for beyond an interface: `ips`, `mac`, `portMappings` (CNI's capabilities)."""
        users = (a for w in self.workloads.values() for a in w.networks if a.name == network_name)
        return {capability for a in users for capability in attachments.capabilities(a)}
