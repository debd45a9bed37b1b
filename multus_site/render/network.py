"""Facts of a network: type, uplink, VLAN, MTU, addresses. Read from the rendered CNI configuration, so that raw networks have them too."""

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
    """One network of a site. `uplink`: the NIC or bridge of the node, or the device resource; empty if there is none."""

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
    """Whether `uplink` is a placeholder for NICs with different names on each node."""

    @property
    def full_name(self) -> str:
        """namespace/name, as in network-status."""
        return f"{self.namespace}/{self.name}"

    @property
    def between_nodes(self) -> bool:
        """Whether pods on different nodes share a segment."""
        return bool(self.uplink) and self.plugin.reach == "segment"

    @property
    def plugin(self) -> InterfacePlugin:
        """Its plugin in the catalogue."""
        return interface_plugin(self.type)


def network_facts(name: str, network: Network) -> NetworkFacts:
    """Facts of a network."""
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
    """The readable ranges. Those of a typed network have the gateways that must answer, which its configuration can lack."""
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
