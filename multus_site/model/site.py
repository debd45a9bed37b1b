"""A site: one YAML object, from bare hosts to proven pods."""

from pydantic import model_validator

from multus_site.model.attachments import capabilities
from multus_site.model.ipam import HostLocal
from multus_site.model.links import Link
from multus_site.model.master import MasterByNode
from multus_site.model.networks import Network, Raw
from multus_site.model.node_links import BondLink, NodeLink, VlanLink
from multus_site.model.part import refuse
from multus_site.model.racks import Taint
from multus_site.model.site_checks import check_site
from multus_site.model.site_parts import SiteParts
from multus_site.model.sriov import SriovPool
from multus_site.model.types import NodeName
from multus_site.model.workloads import Workload


class Site(SiteParts):
    """One site, one stack."""

    @model_validator(mode="after")
    def _check(self) -> "Site":
        """Checks between parts of the site. Raises all mistakes at once, each with its path in the site."""
        refuse(check_site(self))
        return self

    def differs_by_node(self, network: Network) -> bool:
        """Whether its configuration differs between nodes; each node then has its own file."""
        if isinstance(network, Link) and isinstance(network.master, MasterByNode):
            return True
        ipam = None if isinstance(network, Raw) else network.ipam
        return isinstance(ipam, HostLocal) and ipam.addresses_per_node is not None

    def restricted_to(self, workload: Workload) -> list[NodeName]:
        """The nodes of a workload, if pods must name them because no rack or taint selects them."""
        nodes = self.nodes_of(workload)
        if workload.racks:
            # By rack, so that another node in it changes no pod. A single node is named, so that policies see that it is one.
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

    def links_on(self, node: NodeName) -> dict[str, NodeLink]:
        """The links that `up` creates on a node: bonds first, because VLANs may be on top of them."""
        here = {name: link for name, link in self.links.items() if node in self.nodes_of_link(link)}
        return dict(sorted(here.items(), key=lambda item: not isinstance(item[1], BondLink)))

    def tag_of(self, uplink: str) -> int | None:
        """VLAN id of an interface that `up` creates as a VLAN; None for any other."""
        link = self.links.get(uplink)
        return link.id if isinstance(link, VlanLink) else None

    def nodes_of_pool(self, pool: SriovPool) -> list[NodeName]:
        """Names of the hosts that a pool's NICs are in."""
        return self.workers(pool.nodes, pool.racks)

    def pools_on(self, node: NodeName) -> list[SriovPool]:
        """The pools whose functions `up` creates on a node; none if an operator creates them."""
        if self.sriov is None or self.sriov.manager == "operator":
            return []
        return [pool for pool in self.sriov.pools.values() if node in self.nodes_of_pool(pool)]

    def asked_of(self, network_name: str) -> set[str]:
        """The CNI capabilities that pods request from the network: `ips`, `mac`, `portMappings`."""
        users = (a for w in self.workloads.values() for a in w.networks if a.name == network_name)
        return {capability for a in users for capability in capabilities(a)}
