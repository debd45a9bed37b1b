"""A site: one YAML object, from bare hosts to proven pods."""

from collections.abc import Iterable

from pydantic import Field, model_validator

from model import attachments, node_parts
from model.air_gap import AirGap
from model.base import Part
from model.cni_plugins import CniPlugins
from model.cni_versions import highest
from model.ipam import HostLocal
from model.kubespray import Kubespray
from model.links import Link
from model.master import MasterByNode
from model.networks import Network, Raw, Segment
from model.node_links import BondLink, NodeLink, VlanLink
from model.nodes import ContainerNodes, ExistingNodes, Nodes
from model.positions import written
from model.sriov_pools import SriovPool, SriovSetup
from model.throughput import Throughput
from model.types import BareVersion, InterfaceName, NodeName, ObjectName
from model.workloads import Workload, replica_name


class WhereaboutsDaemon(Part):
    """The whereabouts daemon, installed where a network takes its addresses from whereabouts."""

    version: BareVersion = Field(default="0.9.2", examples=["0.9.2"])
    """Release of whereabouts."""
    memory_limit: str = Field(default="256Mi", examples=["512Mi"])
    """Memory limit of the daemon, which keeps every pod of the cluster in mind: about 100Mi and 20 KiB a pod."""
    reconciler_cron_expression: str = Field(default="*/15 * * * *", examples=["30 4 * * *"])
    """When leaked addresses are given back (upstream: once a day)."""


class Multus(Part):
    """The Multus daemon (thick)."""

    version: BareVersion = Field(default="4.3.0", examples=["4.3.0"])
    """Release of multus-cni."""
    memory_limit: str = Field(default="256Mi", examples=["512Mi"])
    """Memory limit of the daemon. Upstream's 50Mi is killed under load, and with it every pod start of the node."""


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
        problems = list(self._mistakes())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _mistakes(self) -> list[str]:
        hosts = self.nodes.hosts
        found = []
        if not self.with_role("control-plane"):
            found.append(
                "nodes.hosts: no host has the role control-plane; give it to one, such as roles: [control-plane, etcd, worker]"
            )
        if len(self.with_role("etcd")) % 2 == 0:
            found.append(
                f"nodes.hosts: {len(self.with_role('etcd'))} hosts have the role etcd; it must be an odd number (1, 3, 5)"
            )
        if not self.with_role("worker"):
            found.append(
                "nodes.hosts: no host has the role worker, and pods would have nowhere to run; give it to one, such as roles: [worker]"
            )
        seen: dict[str, str] = {}
        for name, host in hosts.items():
            if host.address in seen:
                found.append(
                    f"nodes.hosts.{name}.address: {host.address} is the address of {seen[host.address]} too; give each host its own"
                )
            seen.setdefault(host.address, name)
            if isinstance(self.nodes, ExistingNodes) and host.host_key is None:
                found.append(
                    f"nodes.hosts.{name}.hostKey: missing; print it with: ssh-keyscan -t ed25519 {host.address}"
                )
        found += self.cni_plugins.mistakes({host.architecture for host in hosts.values()}, self.network_plugin())
        found += self.kubespray.mistakes()
        manager = self.kubespray.variables.get("container_manager", "containerd")
        if self.air_gap is not None and manager != "containerd":
            found.append(
                f"kubespray.variables.container_manager: {manager!r} is not told of the mirror of airGap, containerd is; leave it out"
            )
        for name, network in self.networks.items():
            if network.segment is not None and network.segment not in self.segments:
                right = _one_of(self.segments, "add it to segments")
                found.append(f"networks.{name}.segment: there is no segment {network.segment!r}; {right}")
            found += self._node_mistakes(f"networks.{name}", network.nodes)
            found += self._by_node_mistakes(f"networks.{name}", network)
        found += self._link_mistakes()
        for name, pool in self.sriov.pools.items() if self.sriov else ():
            found += self._node_mistakes(f"sriov.pools.{name}", pool.nodes)
        for name, workload in self.workloads.items():
            found += self._mistakes_of(name, workload)
            if workload.sticky:
                for other in (replica_name(name, i) for i in range(workload.replicas)):
                    if other in self.workloads:
                        found.append(f"workloads.{other}: a replica of {name} is called so; give it another name")
        return found

    def _link_mistakes(self) -> list[str]:
        """Links on what is not there, members of two bonds, the node's own interface in a bond."""
        found = []
        members: dict[str, str] = {}
        for name, link in self.links.items():
            where = written(("links", name))
            found += self._node_mistakes(where, link.nodes)
            if isinstance(link, VlanLink):
                below = self.links.get(link.link)
                if isinstance(below, VlanLink):
                    found.append(
                        f"{where}.link: {link.link} is a VLAN itself; name the NIC or the bond that carries both"
                    )
                elif below is not None and not set(self.nodes_of_link(link)) <= set(self.nodes_of_link(below)):
                    found.append(
                        f"{where}.nodes: {link.link} is not made on all of its nodes; give both the same nodes"
                    )
                continue
            for i, member in enumerate(link.members):
                if member in self.links:
                    found.append(f"{where}.members[{i}]: {member} is a link itself; name NICs of the node")
                if members.setdefault(member, name) != name:
                    found.append(
                        f"{where}.members[{i}]: {member} is in {members[member]} already; take it out of one of the two"
                    )
                if isinstance(self.nodes, ContainerNodes) and member == self.nodes.container.interface:
                    found.append(f"{where}.members[{i}]: {member} holds the node's own address; take another NIC")
        for name, network in self.networks.items():
            master = network.master if isinstance(network, Link) else None
            if isinstance(master, str) and master in members:
                found.append(f"networks.{name}.master: {master} is in the bond {members[master]}; name the bond")
            if isinstance(master, str) and master in self.links:
                lacking = set(self.nodes_with(network)) - set(self.nodes_of_link(self.links[master]))
                if lacking:
                    found.append(
                        f"networks.{name}.nodes: {master} is not made on {', '.join(sorted(lacking))}; leave them out, or make it there"
                    )
        return found

    def _mistakes_of(self, name: str, workload: Workload) -> list[str]:
        where = f"workloads.{name}"
        found = []
        for i, attachment in enumerate(workload.networks):
            network = self.networks.get(attachment.name)
            if network is None:
                right = _one_of(self.networks, "add it to networks")
                found.append(f"{where}.networks[{i}]: there is no network {attachment.name!r}; {right}")
                continue
            if network.namespace != workload.namespace:
                found.append(
                    f"{where}.networks[{i}]: network {attachment.name!r} is in namespace {network.namespace!r}, "
                    f"the workload in {workload.namespace!r}; give both the same namespace"
                )
            found += [
                f"{where}.networks[{i}]{key}: {message}"
                for key, message in attachments.mistakes(workload, attachment, network)
            ]
        interfaces = [interface for interface, _ in workload.interfaces()]
        for interface in sorted({i for i in interfaces if interfaces.count(i) > 1}):
            found.append(
                f"{where}.networks: two attachments would be called {interface}; give one another interface (a custom name still takes its position in net1, net2, …)"
            )
        found += [f"{where}.{key}: {message}" for key, message in attachments.mistakes_together(workload)]
        found += self._node_mistakes(where, workload.nodes)
        found += self._missing_networks(where, workload)
        return found

    def _node_mistakes(self, where: str, nodes: tuple[NodeName, ...]) -> list[str]:
        workers = self.with_role("worker")
        found = []
        for i, node in enumerate(nodes):
            if node not in self.nodes.hosts:
                right = _one_of(self.nodes.hosts, "add it to nodes.hosts")
                found.append(f"{where}.nodes[{i}]: there is no host {node!r}; {right}")
            elif node not in workers:
                right = _one_of(workers, "give it the role worker")
                found.append(f"{where}.nodes[{i}]: {node!r} is not a worker; {right}")
        return found

    def _by_node_mistakes(self, where: str, network: Network) -> list[str]:
        """A master that a node is not told, groups that no node is in, parts of ranges that do not come out even."""
        found = []
        if isinstance(network, Link) and isinstance(network.master, MasterByNode):
            groups = {group for host in self.nodes.hosts.values() for group in host.groups}
            for group in network.master.groups:
                if group not in groups:
                    right = _one_of(sorted(groups), f"give hosts groups: [{group}]")
                    found.append(f"{where}.master.groups.{group}: no host is in group {group!r}; {right}")
            for node in network.master.mac:
                if node not in self.nodes.hosts:
                    right = _one_of(self.nodes.hosts, "add it to nodes.hosts")
                    found.append(f"{where}.master.mac.{node}: there is no host {node!r}; {right}")
            if network.link_in_container:
                found.append(
                    f"{where}.master: linkInContainer makes it an interface of the pod, which is no node's; write its name, such as net1"
                )
            if not found and not network.nodes and not self.nodes_with(network):
                found.append(f"{where}.master: no worker has it; give hosts the group, or name more nodes")
            for node in network.nodes:
                if node in self.nodes.hosts and network.master_on(node, self.nodes.hosts[node].groups) is None:
                    found.append(
                        f"{where}.master: it does not tell which NIC of {node!r} it is; add it, or take {node} out of nodes"
                    )
        ipam = None if isinstance(network, Raw) else network.ipam
        if isinstance(ipam, HostLocal) and ipam.addresses_per_node is not None:
            hosts = {node: self.nodes.hosts[node] for node in self.nodes_with(network) if node in self.nodes.hosts}
            found += [f"{where}.ipam{key}: {message}" for key, message in node_parts.mistakes(ipam, hosts)]
        return found

    def _missing_networks(self, where: str, workload: Workload) -> list[str]:
        """Pods cannot run on a node that lacks one of their networks."""
        there = {a.name: self.nodes_with(self.networks[a.name]) for a in workload.networks if a.name in self.networks}
        found = [
            f"{where}.nodes[{i}]: network {name} is not on {node!r}; {_one_of(nodes, 'put the network there too')}"
            for i, node in enumerate(workload.nodes)
            for name, nodes in there.items()
            if node in self.with_role("worker") and node not in nodes
        ]
        told = any(node not in self.with_role("worker") for node in workload.nodes) or not all(there.values())
        if not found and not told and there and not self.nodes_of(workload):
            shown = " and ".join(f"{name} is on {', '.join(nodes) or 'no node'}" for name, nodes in there.items())
            found.append(
                f"{where}.networks: no node has all of its networks: {shown}; give networks that meet on a node, or put them on one"
            )
        return found

    def with_role(self, role: str) -> list[NodeName]:
        """Names of the hosts with a role, in the order of the file."""
        return [name for name, host in self.nodes.hosts.items() if role in host.roles]

    def nodes_with(self, network: Network) -> list[NodeName]:
        """Names of the hosts that the network exists on."""
        nodes = list(network.nodes) or self.with_role("worker")
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
        """Names of the hosts that the workload's pods can run on: those that have all of its networks."""
        chosen = list(workload.nodes) or self.with_role("worker")
        used = [self.networks[a.name] for a in workload.networks if a.name in self.networks]
        return [node for node in chosen if all(node in self.nodes_with(network) for network in used)]

    def restricted_to(self, workload: Workload) -> list[NodeName]:
        """The same, where that is not simply every worker."""
        nodes = self.nodes_of(workload)
        return [] if nodes == self.with_role("worker") and not workload.nodes else nodes

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
        return list(link.nodes) or self.with_role("worker")

    def links_on(self, node: NodeName) -> dict[str, NodeLink]:
        """The links that are made on a node: bonds first, since VLANs may be theirs."""
        here = {name: link for name, link in self.links.items() if node in self.nodes_of_link(link)}
        return dict(sorted(here.items(), key=lambda item: not isinstance(item[1], BondLink)))

    def nodes_of_pool(self, pool: SriovPool) -> list[NodeName]:
        """Names of the hosts that a pool's NICs are in."""
        return list(pool.nodes) or self.with_role("worker")

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
        """CNI plugins that the networks need, address management and what is chained included; whereabouts brings itself."""
        used: set[str] = set()
        for network in self.networks.values():
            if not isinstance(network, Raw):
                used |= {network.type, network.ipam.type, *(plugin.type for plugin in network.chain)}
        return used - {"none", "whereabouts"}

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


def _one_of(names: Iterable[str], otherwise: str) -> str:
    """What would be right instead of a name that leads nowhere."""
    there = ", ".join(names)
    return f"name one of {there}, or {otherwise}" if there else otherwise
