"""The parts of a site, before they are checked against each other, and the nodes that each part is for."""

from collections.abc import Sequence

from pydantic import Field

from multus_site.model.attachable import Attachable
from multus_site.model.catalog import AirGap
from multus_site.model.cni_plugins import CniPlugins, plugins_of_calico
from multus_site.model.daemons import InterfaceRepair, Multus, Throughput, WhereaboutsDaemon
from multus_site.model.kubespray import Kubespray
from multus_site.model.kubespray_releases import calico_of
from multus_site.model.links import Link
from multus_site.model.networks import Network, Raw, Segment
from multus_site.model.node_links import NodeLink
from multus_site.model.nodes import Nodes
from multus_site.model.part import Part
from multus_site.model.racks import LABELS, Level, Rack, Taint
from multus_site.model.sriov import SriovSetup
from multus_site.model.types import LinkName, NetworkName, NodeName, ObjectName, RackName, SegmentName, WorkloadName
from multus_site.model.workloads import Workload


class SiteParts(Part):
    """The parts of a site, each of them valid. Checks take this class; `Site` has passed them."""

    name: ObjectName = Field(examples=["dallas"])
    """Identity of the site: cluster name, names of its machines."""
    artifacts: str | None = Field(default=None, examples=["artifacts.yaml"])
    """Catalogue of a mirror (URLs, sha256, images), relative to the project; upstream's if absent."""
    air_gap: AirGap | None = None
    """The mirror of an air-gapped site; the nodes use nothing else."""
    protect: bool = False
    """Whether Pulumi refuses to destroy the cluster until you remove this and run `pulumi up`."""
    nodes: Nodes
    """The hosts: who makes them, how they are reached."""
    racks: dict[RackName, Rack] = {}
    """Racks by name, where they have settings; `nodes.hosts.NAME.rack` puts a host into one."""
    kubespray: Kubespray = Kubespray()
    """How the cluster is installed."""
    cni_plugins: CniPlugins = CniPlugins()
    """The plugin binaries on the nodes."""
    multus: Multus = Multus()
    """The daemon that gives pods several interfaces."""
    whereabouts: WhereaboutsDaemon = WhereaboutsDaemon()
    """The daemon that keeps addresses apart across nodes."""
    segments: dict[SegmentName, Segment] = {}
    """L2 segments by name; sites that name the same one share it."""
    links: dict[LinkName, NodeLink] = {}
    """VLAN sub-interfaces and bonds that `up` creates on nodes, by name; networks name them as master."""
    sriov: SriovSetup | None = None
    """Virtual functions of SR-IOV NICs, and who hands them out."""
    networks: dict[NetworkName, Network] = {}
    """What pods can attach to, by name; each becomes a NetworkAttachmentDefinition."""
    workloads: dict[WorkloadName, Workload] = {}
    """What runs at the site, by name."""
    interface_repair: InterfaceRepair | None = None
    """Repair of pods that started without their interfaces; none if absent."""
    throughput: Throughput | None = None
    """Throughput measurements at each `up` that changes the networks; none if absent."""

    def with_role(self, role: str) -> list[NodeName]:
        """Names of the hosts with a role, in the order of the file."""
        return [name for name, host in self.nodes.hosts.items() if role in host.roles]

    def workers(self, nodes: Sequence[NodeName], racks: Sequence[RackName]) -> list[NodeName]:
        """Names of the hosts that a part of the site is for: those it names, the workers in racks it names, else all workers."""
        if nodes:
            return list(nodes)
        workers = self.with_role("worker")
        return [node for node in workers if self.nodes.hosts[node].rack in racks] if racks else workers

    def rack_of(self, node: NodeName) -> Rack | None:
        """The rack of a host; one without settings if it is not in `racks`."""
        host = self.nodes.hosts.get(node)
        return None if host is None or host.rack is None else self.racks.get(host.rack, Rack())

    def taint_of(self, node: NodeName) -> Taint | None:
        """The taint of a host in a dedicated rack."""
        rack = self.rack_of(node)
        return rack.dedicated.for_rack(str(self.nodes.hosts[node].rack)) if rack and rack.dedicated else None

    def labels_of(self, node: NodeName) -> dict[str, str]:
        """Labels that a host has of its rack."""
        host = self.nodes.hosts.get(node)
        name, rack = host.rack if host else None, self.rack_of(node)
        if rack is None or name is None:
            return {}
        row = {LABELS["row"]: rack.row} if rack.row else {}
        return {LABELS["zone"]: rack.zone or name, LABELS["rack"]: name, **row, **rack.labels}

    def domain_of(self, node: NodeName, level: Level) -> str | None:
        """The rack, row or zone that a host is in, or itself; None if unknown."""
        return node if level == "node" else self.labels_of(node).get(LABELS[level])

    def nodes_with(self, network: Attachable | Raw) -> list[NodeName]:
        """Names of the hosts that the network exists on."""
        nodes = self.workers(network.nodes, network.racks)
        if not isinstance(network, Link):
            return nodes
        hosts = self.nodes.hosts
        return [n for n in nodes if n in hosts and network.master_on(n, hosts[n].groups) is not None]

    def nodes_of(self, workload: Workload) -> list[NodeName]:
        """Names of the hosts that the workload's pods can run on: those that have all of its networks, and whose taint they tolerate."""
        chosen = self.workers(workload.nodes, workload.racks)
        if not workload.nodes and not workload.racks:
            chosen = [node for node in chosen if self.taint_of(node) is None]
        used = [self.networks[a.name] for a in workload.networks if a.name in self.networks]
        return [node for node in chosen if all(node in self.nodes_with(network) for network in used)]

    def nodes_of_link(self, link: NodeLink) -> list[NodeName]:
        """Names of the hosts that a link is made on."""
        return self.workers(link.nodes, link.racks)

    def network_plugin(self) -> str:
        """The cluster's own network plugin; Kubespray's default where the site names none."""
        return str(self.kubespray.all_variables().get("kube_network_plugin", "calico"))

    def calico_plugins(self) -> frozenset[str]:
        """CNI plugins that the cluster's Calico installs; none with another network plugin."""
        if self.network_plugin() != "calico":
            return frozenset()
        return plugins_of_calico(calico_of(self.kubespray.version, self.kubespray.variables.get("calico_version")))
