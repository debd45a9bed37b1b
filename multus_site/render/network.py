"""What a network's CNI configuration says, in the terms of the field: type, uplink, VLAN, MTU, addresses. Read from the rendered configuration, so that raw networks are understood too."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from multus_site.cni import configuration
from multus_site.cni.addresses import parse_address
from multus_site.cni.catalogue import interface_plugin, nic_keys
from multus_site.cni.configuration import Ipam
from multus_site.cni.plugin_type import InterfacePlugin
from multus_site.cni.ranges import Range, fixed_of, ranges_of
from multus_site.model.ipam import Whereabouts
from multus_site.model.networks import Network, Raw
from multus_site.model.site import Site
from multus_site.render.attachment import nad_config


@dataclass(frozen=True)
class NetworkFacts:
    """One network of a site. `uplink`: NIC of the node, or the bridge there; empty where the pod's end leads nowhere else."""

    name: str
    namespace: str
    type: str
    mode: str
    uplink: str
    segment: str | None
    vlan: int | None
    mtu: int | None
    ipam: str
    ranges: tuple[Range, ...]
    chained: tuple[str, ...]
    uplink_by_node: bool = False
    """Whether `uplink` only stands for NICs that are called otherwise on each node."""

    @property
    def full_name(self) -> str:
        """Namespace and name, as network-status has them."""
        return f"{self.namespace}/{self.name}"

    @property
    def between_nodes(self) -> bool:
        """Whether pods on different nodes share a segment: it has an uplink, or several nodes' ends of one kind."""
        return bool(self.uplink) and self.plugin.reach == "segment"

    @property
    def plugin(self) -> InterfacePlugin:
        """What the catalogue says of its plugin."""
        return interface_plugin(self.type)


def network_facts(name: str, network: Network) -> NetworkFacts:
    """What is known of a network."""
    config = configuration.read(nad_config(name, network))
    first = config.first
    by_node = isinstance(first.get("master"), dict)
    keys = [first.traits.bridge] if first.traits.bridge else nic_keys(first.type)
    found = (first.text(key) or first.traits.defaults.get(key) for key in keys)
    uplink = f"{name}'s" if by_node else str(next(filter(None, found), ""))
    mtus = [mtu for plugin in config.plugins if (mtu := plugin.integer("mtu"))]
    return NetworkFacts(
        name=name,
        namespace=network.namespace,
        type=first.type or "none",
        mode=first.text("mode"),
        uplink=uplink or network.device_resource or "",
        segment=network.segment,
        vlan=first.vlan or None,
        mtu=mtus[-1] if mtus else None,
        ipam=(first.ipam.type if first.ipam else "") or "none",
        ranges=tuple(_ranges(first.ipam, network)) if first.ipam else (),
        chained=tuple(plugin.type for plugin in config.plugins[1:]),
        uplink_by_node=by_node,
    )


def _ranges(ipam: Ipam, network: Network) -> Iterator[Range]:
    """The ranges that can be read; of a typed network with the gateways that must answer, which its configuration may lack."""
    for i, found in enumerate((*ranges_of(ipam), *fixed_of(ipam))):
        gateway = found.gateway
        if not isinstance(network, Raw):
            if interface_plugin(network.type).reach == "pod":
                gateway = None  # the interface leads nowhere
            elif isinstance(network.ipam, Whereabouts):
                gateway = parse_address(list(network.ipam.all_ranges())[i].gateway or "")
        if found.span:
            yield replace(found, gateway=gateway)


def address_management(site: Site) -> set[str]:
    """Types of address management that a site's networks use, raw ones included."""
    configs = (configuration.read(nad_config(name, network)) for name, network in site.networks.items())
    return {ipam.type for config in configs for ipam in config.addresses}
