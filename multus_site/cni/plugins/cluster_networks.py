"""Plugins of cluster networks that also serve as second networks: OVN-Kubernetes, Kube-OVN, multi-nic, Flannel, Calico, Cilium, Multus itself; and their address management.

Read from ovn-kubernetes go-controller/pkg/cni/types, kube-ovn cmd/cni, multi-nic-cni cni, flannel-cni-plugin, calico cni-plugin/pkg/types.
Controllers of the first three read NADs and the annotations of pods.
"""

from dataclasses import replace

from multus_site.cni.plugin_type import IpamPlugin, Needed
from multus_site.cni.plugins import ipam
from multus_site.cni.plugins.third_party import UNKNOWN

OVN_KUBERNETES = replace(
    UNKNOWN,
    name="ovn-k8s-cni-overlay",
    keys={
        "role": "text",
        "topology": "text",
        "netAttachDefName": "text",
        "mtu": "int",
        "subnets": "text",
        "excludeSubnets": "text",
        "reservedSubnets": "text",
        "infrastructureSubnets": "text",
        "joinSubnet": "text",
        "transitSubnet": "text",
        "defaultGatewayIPs": "text",
        "vlanID": "vlan",
        "allowPersistentIPs": "bool",
        "physicalNetworkName": "text",
        "transport": "text",
        "evpn": "object",
        "deviceID": "text",
        "logFile": "text",
        "logLevel": "text",
        "logfile-maxsize": "int",
        "logfile-maxbackups": "int",
        "logfile-maxage": "int",
    },
    values={"topology": ("layer2", "layer3", "localnet"), "role": ("primary", "secondary")},
    device="accepted",
    addresses="none",
    makes="interface",
)

KUBE_OVN = replace(
    UNKNOWN,
    name="kube-ovn",
    keys={
        "server_socket": "text",
        "provider": "text",
        "routes": "objects",
        "mtu": "int",
        "deviceID": "text",
        "vf_driver": "text",
        "vhost_user_socket_volume_name": "text",
        "vhost_user_socket_name": "text",
        "vhost_user_socket_consumption": "text",
    },
    open=True,
    needed=(Needed("server_socket", 'Give "server_socket": "/run/openvswitch/kube-ovn-daemon.sock".'),),
    device="accepted",
    addresses="none",
    makes="interface",
)

MULTI_NIC = replace(
    UNKNOWN,
    name="multi-nic",
    keys={
        "plugin": "object",
        "subnet": "text",
        "masterNets": "texts",
        "masters": "texts",
        "deviceIDs": "texts",
        "multiNICIPAM": "bool",
        "daemonIP": "text",
        "daemonPort": "int",
        "vlanMode": "text",
    },
    open=True,
    makes="interface",
)

FLANNEL = replace(
    UNKNOWN,
    name="flannel",
    keys={
        "subnetFile": "text",
        "dataDir": "text",
        "delegate": "object",
        "runtimeConfig": "object",
    },
    open=True,
    addresses="none",
    makes="interface",
    controller=False,
)

CALICO = replace(UNKNOWN, name="calico", keys={"mtu": "int", "nodename": "text", "log_level": "text"}, open=True)
CILIUM = replace(UNKNOWN, name="cilium-cni", keys={"mtu": "int", "enable-debug": "bool"}, open=True, addresses="none")
MULTUS = replace(
    UNKNOWN,
    name="multus",
    keys={"delegates": "objects", "clusterNetwork": "text", "defaultNetworks": "texts", "kubeconfig": "text"},
    open=True,
    addresses="none",
)

SPIDERPOOL_IFACER = replace(
    UNKNOWN,
    name="ifacer",
    keys={"interfaces": "texts", "vlanID": "int", "bond": "object", "mtu": "int"},
    open=True,
    addresses="none",
    makes="nic",
    controller=False,
)

NV_IPAM = IpamPlugin(
    name="nv-ipam",
    keys={
        "type": "text",
        "poolName": "text",
        "poolType": "text",
        "forcePoolName": "bool",
        "daemonSocket": "text",
        "daemonCallTimeoutSeconds": "int",
        "confDir": "text",
        "logFile": "text",
        "logLevel": "text",
    },
    binary="site",
    oldest_version="0.1.0",
    modules=(),
    remembers="cluster",
    daemon=True,
    controller=False,
)

SPIDERPOOL = replace(
    ipam.UNKNOWN,
    name="spiderpool",
    keys={
        "type": "text",
        "default_ipv4_ippool": "texts",
        "default_ipv6_ippool": "texts",
        "clean_gateway": "bool",
        "match_master_subnet": "bool",
        "ipam_unix_socket_path": "text",
        "log_level": "text",
        "log_file_path": "text",
        "log_file_max_size": "int",
        "log_file_max_age": "int",
        "log_file_max_count": "int",
    },
    open=True,
    remembers="cluster",
    daemon=True,
)

KUBE_OVN_IPAM = replace(
    ipam.UNKNOWN,
    name="kube-ovn",
    keys={"type": "text", "server_socket": "text", "provider": "text", "routes": "objects"},
    open=True,
    remembers="cluster",
    daemon=True,
)

CALICO_IPAM = replace(
    ipam.UNKNOWN,
    name="calico-ipam",
    keys={
        "type": "text",
        "name": "text",
        "subnet": "text",
        "assign_ipv4": "text",
        "assign_ipv6": "text",
        "ipv4_pools": "texts",
        "ipv6_pools": "texts",
    },
    open=True,
    remembers="cluster",
)

MULTI_NIC_IPAM = replace(
    ipam.UNKNOWN,
    name="multi-nic-ipam",
    keys={
        "type": "text",
        "hostBlock": "int",
        "interfaceBlock": "int",
        "vlanMode": "text",
        "excludeCIDRs": "texts",
        "daemonIP": "text",
        "daemonPort": "int",
    },
    open=True,
    remembers="cluster",
    daemon=True,
)
