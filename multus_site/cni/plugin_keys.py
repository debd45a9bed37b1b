"""The keys that each plugin reads, with their types, and the values that it takes.

Read from the Go structs: containernetworking/plugins v1.9.1, sriov-cni v2.10.0, whereabouts v0.9.4, ovs-cni, bond-cni.
Types: text, int, uint (no negative), bool, object, list, texts, objects, flags (object of bool), strings (object of text), any.
"""

COMMON = {
    "cniVersion": "text",
    "name": "text",
    "type": "text",
    "capabilities": "flags",
    "ipam": "object",
    "dns": "object",
    "args": "object",
    "runtimeConfig": "object",
    "prevResult": "object",
}
"""libcni's PluginConf (cni pkg/types) and what the specification reserves."""

LIST = {
    "cniVersion": "text",
    "cniVersions": "texts",
    "name": "text",
    "disableCheck": "any",
    "disableGC": "any",
    "loadOnlyInlinedPlugins": "any",
    "plugins": "objects",
}
"""A configuration list (libcni/conf.go NetworkConfFromBytes, which reads these in exactly this case)."""

_LINK = {"master": "text", "mode": "text", "mtu": "int", "linkInContainer": "bool"}
_BANDWIDTH = {"ingressRate": "uint", "ingressBurst": "uint", "egressRate": "uint", "egressBurst": "uint"}

PLUGINS: dict[str, dict[str, str]] = {
    "macvlan": {**_LINK, "mac": "text", "bcqueuelen": "uint"},
    "ipvlan": _LINK,
    "vlan": {"master": "text", "vlanId": "int", "mtu": "int", "linkInContainer": "bool"},
    "bridge": {
        "bridge": "text",
        "isGateway": "bool",
        "isDefaultGateway": "bool",
        "forceAddress": "bool",
        "ipMasq": "bool",
        "ipMasqBackend": "text",
        "mtu": "int",
        "hairpinMode": "bool",
        "promiscMode": "bool",
        "vlan": "int",
        "vlanTrunk": "objects",
        "preserveDefaultVlan": "bool",
        "macspoofchk": "bool",
        "enabledad": "bool",
        "disableContainerInterface": "bool",
        "portIsolation": "bool",
    },
    "host-device": {"device": "text", "hwaddr": "text", "kernelpath": "text", "pciBusID": "text", "DPDKMode": "bool"},
    "ptp": {"ipMasq": "bool", "ipMasqBackend": "text", "mtu": "int"},
    "tap": {
        "multiQueue": "bool",
        "mtu": "int",
        "mac": "text",
        "owner": "uint",
        "group": "uint",
        "selinuxContext": "text",
        "bridge": "text",
    },
    "dummy": {},
    "loopback": {},
    "sriov": {
        "deviceID": "text",
        "DPDKMode": "bool",
        "Master": "text",
        "MAC": "text",
        "vlan": "int",
        "vlanQoS": "int",
        "vlanProto": "text",
        "spoofchk": "text",
        "trust": "text",
        "link_state": "text",
        "min_tx_rate": "int",
        "max_tx_rate": "int",
        "vlan_trunk": "text",
        "VFID": "int",
        "ContIFNames": "text",
        "OrigVfState": "object",
        "logLevel": "text",
        "logFile": "text",
    },
    "ovs": {
        "bridge": "text",
        "vlan": "uint",
        "mtu": "int",
        "trunk": "objects",
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
    "bond": {
        "ifname": "text",
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
    "tuning": {
        "dataDir": "text",
        "sysctl": "strings",
        "mac": "text",
        "promisc": "bool",
        "mtu": "int",
        "txQLen": "int",
        "allmulti": "bool",
    },
    "sbr": {"table": "int", "gateways": "any", "addSourceHints": "bool"},
    "vrf": {"vrfname": "text", "table": "uint"},
    "bandwidth": _BANDWIDTH,
    "firewall": {"backend": "text", "iptablesAdminChainName": "text", "firewalldZone": "text", "ingressPolicy": "text"},
    "portmap": {
        "backend": "text",
        "snat": "bool",
        "conditionsV4": "texts",
        "conditionsV6": "texts",
        "masqAll": "bool",
        "markMasqBit": "int",
        "externalSetMarkChain": "text",
    },
}
"""Keys of each plugin besides the common ones."""

IPAM: dict[str, dict[str, str]] = {
    "host-local": {
        "type": "text",
        "name": "text",
        "ranges": "list",
        "subnet": "text",
        "rangeStart": "text",
        "rangeEnd": "text",
        "gateway": "text",
        "routes": "objects",
        "dataDir": "text",
        "resolvConf": "text",
    },
    "static": {"type": "text", "name": "text", "addresses": "objects", "routes": "objects", "dns": "object"},
    "dhcp": {"type": "text", "daemonSocketPath": "text", "request": "objects", "provide": "objects", "priority": "int"},
    "whereabouts": {
        "type": "text",
        "name": "text",
        "range": "text",
        "range_start": "text",
        "range_end": "text",
        "exclude": "texts",
        "gateway": "text",
        "ipRanges": "objects",
        "routes": "objects",
        "dns": "object",
        "addresses": "objects",
        "node_slice_size": "text",
        "enable_overlapping_ranges": "bool",
        "network_name": "text",
        "log_file": "text",
        "log_level": "text",
        "configuration_path": "text",
        "kubernetes": "object",
        "leader_lease_duration": "int",
        "leader_renew_deadline": "int",
        "leader_retry_period": "int",
        "sleep_for_race": "int",
        "reconciler_cron_expression": "text",
        "datastore": "text",
        "etcd_host": "text",
        "etcd_username": "text",
        "etcd_password": "text",
        "etcd_key_file": "text",
        "etcd_cert_file": "text",
        "etcd_ca_cert_file": "text",
        "podname": "text",
        "podnamespace": "text",
    },
}
"""Keys of each address management plugin."""

_ROUTE = {
    "dst": "text",
    "gw": "text",
    "mtu": "int",
    "advmss": "int",
    "priority": "int",
    "table": "int",
    "scope": "int",
}
_DNS = {"nameservers": "texts", "domain": "text", "search": "texts", "options": "texts"}
_ADDRESS = {"address": "text", "gateway": "text"}
_TRUNK = {"id": "int", "minID": "int", "maxID": "int"}

INNER: dict[tuple[str, str], dict[str, str]] = {
    ("", "dns"): _DNS,
    ("", "routes"): _ROUTE,
    ("host-local", "ranges"): {"subnet": "text", "rangeStart": "text", "rangeEnd": "text", "gateway": "text"},
    ("whereabouts", "ipRanges"): {"range": "text", "range_start": "text", "range_end": "text", "exclude": "texts"},
    ("static", "addresses"): _ADDRESS,
    ("whereabouts", "addresses"): _ADDRESS,
    ("whereabouts", "kubernetes"): {"kubeconfig": "text", "k8s_api_root": "text"},
    ("bridge", "vlanTrunk"): _TRUNK,
    ("ovs", "trunk"): _TRUNK,
    ("SriovNetworkNodePolicy", "nicSelector"): {
        "vendor": "text",
        "deviceID": "text",
        "rootDevices": "texts",
        "pfNames": "texts",
        "netFilter": "text",
    },
}
"""Keys of the objects inside of a part, by its type (empty: any) and the key that holds them, in lists or not (cni pkg/types, the plugins)."""

VALUES: dict[tuple[str, str], tuple[str | int, ...]] = {
    ("macvlan", "mode"): ("bridge", "private", "vepa", "passthru"),
    ("ipvlan", "mode"): ("l2", "l3", "l3s"),
    ("bridge", "ipMasqBackend"): ("iptables", "nftables"),
    ("ptp", "ipMasqBackend"): ("iptables", "nftables"),
    ("portmap", "backend"): ("iptables", "nftables"),
    ("firewall", "backend"): ("iptables", "firewalld"),
    ("firewall", "ingressPolicy"): ("open", "same-bridge", "isolated"),
    ("sriov", "spoofchk"): ("on", "off"),
    ("sriov", "trust"): ("on", "off"),
    ("sriov", "link_state"): ("auto", "enable", "disable"),
    ("sriov", "vlanProto"): ("802.1q", "802.1ad"),
    ("sriov", "vlanQoS"): tuple(range(8)),
    ("bond", "mode"): (
        *("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"),
    ),
    ("bond", "failOverMac"): (0, 1, 2),
    ("bond", "allSlavesActive"): (0, 1),
    ("bond", "tlbDynamicLb"): (0, 1),
    ("bond", "xmitHashPolicy"): ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"),
    ("portmap", "markMasqBit"): tuple(range(32)),
    ("whereabouts", "log_level"): ("debug", "verbose", "error", "panic"),
    ("whereabouts", "datastore"): ("kubernetes", "etcd"),
}
"""Values that a key may have, where they are few. An empty text is the default everywhere."""

OPERATOR: dict[str, dict[str, str]] = {
    "SriovNetworkNodePolicy": {
        "resourceName": "text",
        "nodeSelector": "strings",
        "priority": "int",
        "mtu": "int",
        "numVfs": "int",
        "nicSelector": "object",
        "deviceType": "text",
        "isRdma": "bool",
        "needVhostNet": "bool",
        "linkType": "text",
        "eSwitchMode": "text",
        "vdpaType": "text",
        "excludeTopology": "bool",
        "externallyManaged": "bool",
        "bridge": "object",
        "eSwitchParams": "object",
    },
    "SriovNetwork": {
        "networkNamespace": "text",
        "resourceName": "text",
        "capabilities": "text",
        "ipam": "text",
        "vlan": "int",
        "vlanQoS": "int",
        "vlanProto": "text",
        "spoofChk": "text",
        "trust": "text",
        "linkState": "text",
        "minTxRate": "int",
        "maxTxRate": "int",
        "metaPlugins": "text",
        "logLevel": "text",
        "logFile": "text",
    },
}
"""Fields of the SR-IOV network operator's objects (api/v1); the API server drops others without a word."""

OPERATOR_VALUES: dict[tuple[str, str], tuple[str | int, ...]] = {
    ("SriovNetworkNodePolicy", "deviceType"): ("netdevice", "vfio-pci"),
    ("SriovNetworkNodePolicy", "eSwitchMode"): ("legacy", "switchdev"),
    ("SriovNetworkNodePolicy", "linkType"): ("eth", "ETH", "ib", "IB"),
    ("SriovNetworkNodePolicy", "vdpaType"): ("virtio", "vhost"),
    ("SriovNetworkNodePolicy", "priority"): tuple(range(100)),
    ("SriovNetwork", "spoofChk"): ("on", "off"),
    ("SriovNetwork", "trust"): ("on", "off"),
    ("SriovNetwork", "linkState"): ("auto", "enable", "disable"),
    ("SriovNetwork", "vlanProto"): ("802.1q", "802.1Q", "802.1ad", "802.1AD"),
    ("SriovNetwork", "vlanQoS"): tuple(range(8)),
}
"""Values that the operator's CRDs take."""

OLDEST_VERSION = {"firewall": "0.4.0", "vrf": "0.3.1", "bandwidth": "0.3.0"}
"""Oldest CNI version of plugins that do not take them all (version.VersionsStartingFrom in their main)."""


_IPAM_OWNERS: dict[str, tuple[str, ...]] = {
    key.lower(): tuple(name for name, keys in IPAM.items() if key.lower() in {k.lower() for k in keys})
    for known in IPAM.values()
    for key in known
}


def ipam_owners(key: str) -> tuple[str, ...]:
    """Address management plugins that read a key, in any case."""
    return _IPAM_OWNERS.get(key.lower(), ())


def fits(kind: str, value: object) -> bool:
    """Whether Go's encoding/json would take a JSON value for a field of a type. Null leaves any field as it is."""
    if value is None or kind == "any":
        return True
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind == "int":
        return whole and -(2**63) <= int(str(value)) < 2**63
    if kind == "uint":
        return whole and 0 <= int(str(value)) < 2**64
    simple = {"text": str, "bool": bool, "object": dict, "list": list}
    if kind in simple:
        return isinstance(value, simple[kind])
    if kind in {"texts", "objects"}:
        return isinstance(value, list) and all(fits(kind[:-1], item) for item in value)
    inner = "bool" if kind == "flags" else "text"
    return isinstance(value, dict) and all(fits(inner, item) for item in value.values())


NAMES = {
    "text": "text in quotes",
    "int": "a whole number",
    "uint": "a whole number, 0 or more",
    "bool": "true or false, without quotes",
    "object": "an object {…}",
    "list": "a list […]",
    "texts": "a list of text […]",
    "objects": "a list of objects […]",
    "flags": 'an object such as {"ips": true}',
    "strings": "an object whose values are text in quotes",
}
"""The types in words."""
