"""Plugins that work on the interface of an earlier one: tuning, sbr, vrf, bandwidth, firewall, portmap, route-override, coordinator."""

from dataclasses import replace

from multus_site.cni.plugin_type import ChainedPlugin, Needed
from multus_site.model.chained import Portmap, Tuning

TUNING = ChainedPlugin(
    name="tuning",
    keys={
        "dataDir": "text",
        "sysctl": "strings",
        "mac": "text",
        "promisc": "bool",
        "mtu": "int",
        "txQLen": "int",
        "allmulti": "bool",
    },
    binary="release",
    oldest_version="0.1.0",
    modules=(),
    capability=Tuning.capability,
    idle_without_capability=False,
    needs_veth=False,
    separates_routes=False,
)

CNV_TUNING = replace(TUNING, name="cnv-tuning", binary="site")
"""The name of tuning in OpenShift Virtualization."""

SBR = ChainedPlugin(
    name="sbr",
    keys={"table": "int", "gateways": "any", "addSourceHints": "bool"},
    binary="release",
    oldest_version="0.1.0",
    modules=(),
    capability="",
    idle_without_capability=False,
    needs_veth=False,
    separates_routes=True,
)

VRF = ChainedPlugin(
    name="vrf",
    keys={"vrfname": "interface", "table": "uint"},
    binary="release",
    oldest_version="0.3.1",
    modules=("vrf",),
    needed=(Needed("vrfname", 'Give "vrfname", the VRF that the interface is put into.'),),
    capability="",
    idle_without_capability=False,
    needs_veth=False,
    # Routes with their own table stay outside the VRF.
    separates_routes=False,
)

BANDWIDTH = ChainedPlugin(
    name="bandwidth",
    keys={"ingressRate": "uint", "ingressBurst": "uint", "egressRate": "uint", "egressBurst": "uint"},
    binary="release",
    oldest_version="0.3.0",
    modules=("ifb",),
    capability="",
    idle_without_capability=False,
    needs_veth=True,
    separates_routes=False,
)

FIREWALL = ChainedPlugin(
    name="firewall",
    keys={"backend": "text", "iptablesAdminChainName": "text", "firewalldZone": "text", "ingressPolicy": "text"},
    values={"backend": ("iptables", "firewalld"), "ingressPolicy": ("open", "same-bridge", "isolated")},
    binary="release",
    oldest_version="0.4.0",
    modules=(),
    capability="",
    idle_without_capability=False,
    needs_veth=False,
    separates_routes=False,
)

PORTMAP = ChainedPlugin(
    name="portmap",
    keys={
        "backend": "text",
        "snat": "bool",
        "conditionsV4": "texts",
        "conditionsV6": "texts",
        "masqAll": "bool",
        "markMasqBit": "int",
        "externalSetMarkChain": "text",
    },
    values={"backend": ("iptables", "nftables"), "markMasqBit": tuple(range(32))},
    binary="release",
    oldest_version="0.1.0",
    modules=(),
    exclusive=(("markMasqBit", "externalSetMarkChain"),),
    capability=Portmap.capability,
    idle_without_capability=True,
    needs_veth=False,
    separates_routes=False,
)

_ROUTE = {"dst": "text", "gw": "text", "src": "text", "via": "text", "mtu": "int", "advmss": "int", "priority": "int"}

ROUTE_OVERRIDE = ChainedPlugin(
    name="route-override",
    keys={
        "debug": "bool",
        "externalinterface": "texts",
        "flushroutes": "bool",
        "flushgateway": "bool",
        "delroutes": "objects",
        "addroutes": "objects",
        "skipcheck": "bool",
    },
    inner={"delroutes": _ROUTE, "addroutes": {**_ROUTE, "table": "int", "scope": "int"}},
    binary="site",
    oldest_version="0.1.0",
    modules=(),
    capability="",
    idle_without_capability=False,
    needs_veth=False,
    # Whoever lists it decides on each route.
    separates_routes=True,
)

COORDINATOR = ChainedPlugin(
    name="coordinator",
    keys={
        "mode": "text",
        "detectGateway": "bool",
        "detectIPConflict": "bool",
        "podMACPrefix": "text",
        "multusNicPrefix": "text",
        "podDefaultCniNic": "text",
        "podDefaultRouteNic": "text",
        "overlayPodCIDR": "texts",
        "serviceCIDR": "texts",
        "hijackCIDR": "texts",
        "tunePodRoutes": "bool",
        "txQueueLen": "int",
        "vethLinkAddress": "text",
        "hostRuleTable": "int",
        "hostRPFilter": "int",
        "podRPFilter": "int",
    },
    values={"mode": ("auto", "underlay", "overlay", "disable")},
    open=True,
    binary="site",
    oldest_version="0.1.0",
    modules=(),
    capability="",
    idle_without_capability=False,
    needs_veth=False,
    separates_routes=True,
)
"""The plugin of Spiderpool for routes between second networks and the cluster."""
