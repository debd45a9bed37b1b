"""Plugins for networks of type raw only: Open vSwitch, bonds of NICs."""

from multus_site.cni.plugin_type import InterfacePlugin, Needed

OVS = InterfacePlugin(
    name="ovs",
    keys={
        "bridge": "interface",
        "vlan": "vlan",
        "mtu": "int",
        "trunk": "trunk",
        "deviceID": "text",
        "ofport_request": "uint",
        "interface_type": "text",
        "configuration_path": "text",
        "socket_file": "text",
        "link_state_check_retries": "int",
        "link_state_check_interval": "int",
        "ovn_port": "text",
        "ovnPort": "text",
    },
    inner={"trunk": {"id": "int", "minID": "int", "maxID": "int"}},
    binary="site",
    oldest_version="0.1.0",
    modules=(),
    nic=None,
    bridge="bridge",
    device="accepted",
    needs_pf=False,
    reach="unknown",
    addresses="optional",
    works_chained=False,
    makes_veth=True,
    makes="interface",
    controller=False,
    # A device of a device plugin can be of any kind.
    link_kind="",
    measured=False,
    needed=(Needed("bridge", 'Give "bridge", an Open vSwitch bridge that each node has.', or_device=True),),
)

BOND = InterfacePlugin(
    name="bond",
    keys={
        "ifname": "interface",
        "mode": "text",
        "linksInContainer": "bool",
        "failOverMac": "int",
        "miimon": "text",
        "links": "objects",
        "mtu": "int",
        "allSlavesActive": "int",
        "tlbDynamicLb": "int",
        "xmitHashPolicy": "text",
    },
    values={
        "mode": (
            *("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"),
        ),
        "failOverMac": (0, 1, 2),
        "allSlavesActive": (0, 1),
        "tlbDynamicLb": (0, 1),
        "xmitHashPolicy": ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"),
    },
    binary="site",
    oldest_version="0.1.0",
    modules=("bonding",),
    # Its links are several NICs of the node or interfaces of the pod.
    nic=None,
    bridge="",
    device="none",
    needs_pf=False,
    reach="segment",
    addresses="optional",
    works_chained=False,
    makes_veth=False,
    makes="interface",
    controller=False,
    # The kernel spells the mode of a bond differently.
    link_kind="",
    measured=False,
)

UNKNOWN = InterfacePlugin(
    name="",
    keys={},
    binary="site",
    oldest_version="0.1.0",
    modules=(),
    nic=None,
    bridge="",
    device="none",
    needs_pf=False,
    reach="unknown",
    addresses="optional",
    works_chained=False,
    makes_veth=True,
    makes="unknown",
    controller=True,
    link_kind="",
    measured=False,
)
"""Any plugin that the catalogue does not have."""
