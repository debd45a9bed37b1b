"""Plugins for InfiniBand, RDMA and hardware bridges: ib-sriov, ipoib, rdma, accelerated-bridge, macvtap, vfioveth. For networks of type raw only.

Read from ib-sriov-cni, ipoib-cni, rdma-cni, accelerated-bridge-cni, macvtap-cni.
"""

from dataclasses import replace

from multus_site.cni.plugin_type import ChainedPlugin, Nic
from multus_site.cni.plugins.third_party import UNKNOWN

IB_SRIOV = replace(
    UNKNOWN,
    name="ib-sriov",
    keys={
        "Master": "text",
        "deviceID": "text",
        "VFID": "int",
        "HostIFNames": "text",
        "HostIFGUID": "text",
        "ContIFNames": "text",
        "pkey": "text",
        "link_state": "text",
        "rdmaIsolation": "bool",
        "ibKubernetesEnabled": "bool",
        "vfioPciMode": "bool",
        "RdmaNetState": "object",
    },
    values={"link_state": ("auto", "enable", "disable")},
    binary="operator",
    device="required",
    needs_pf=True,
    reach="segment",
    makes_veth=False,
    makes="interface",
    controller=False,
)

IPOIB = replace(
    UNKNOWN,
    name="ipoib",
    keys={"master": "interface", "mode": "text"},
    binary="operator",
    modules=("ib_ipoib",),
    nic=Nic(
        keys={"master": "name"},
        default_route=True,
        moves=False,
        whole_modes=(),
        macs="shared",
        takes_frames=False,
        checks_mtu=False,
    ),
    reach="segment",
    makes_veth=False,
    makes="interface",
    controller=False,
    link_kind="ipoib",
)

RDMA = ChainedPlugin(
    name="rdma",
    keys={"deviceID": "text"},
    binary="operator",
    oldest_version="0.1.0",
    modules=(),
    capability="",
    idle_without_capability=False,
    needs_veth=False,
    separates_routes=False,
)

ACCELERATED_BRIDGE = replace(
    UNKNOWN,
    name="accelerated-bridge",
    keys={
        "bridge": "text",
        "vlan": "vlan",
        "trunk": "trunk",
        "mtu": "int",
        "deviceID": "text",
        "setUplinkVlan": "bool",
        "debug": "bool",
    },
    inner={"trunk": {"id": "int", "minID": "int", "maxID": "int"}},
    open=True,
    device="required",
    reach="segment",
    makes_veth=False,
    makes="interface",
    controller=False,
)

MACVTAP = replace(
    UNKNOWN,
    name="macvtap",
    keys={"deviceID": "text", "mtu": "int", "promiscMode": "bool"},
    open=True,
    modules=("macvtap",),
    device="required",
    reach="segment",
    makes_veth=False,
    makes="interface",
    controller=False,
)

VFIOVETH = replace(
    UNKNOWN,
    name="vfioveth",
    keys={"deviceID": "text", "mtu": "int"},
    open=True,
    device="accepted",
    makes="interface",
    controller=False,
)

USERSPACE = replace(
    UNKNOWN,
    name="userspace",
    keys={
        "kubeconfig": "text",
        "sharedDir": "text",
        "logFile": "text",
        "logLevel": "text",
        "host": "object",
        "container": "object",
    },
    inner={
        key: {
            "engine": "text",
            "iftype": "text",
            "netType": "text",
            "memif": "object",
            "vhost": "object",
            "bridge": "object",
        }
        for key in ("host", "container")
    },
    open=True,
    makes_veth=False,
    makes="interface",
    controller=False,
)
