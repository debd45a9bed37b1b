"""Rules on one configuration: a case that each reports, and the closest one that it does not."""

import pytest

WB = {"type": "whereabouts", "range": "10.1.10.0/24"}
MACVLAN = {"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "eth1", "ipam": WB}
IPVLAN = {**MACVLAN, "type": "ipvlan"}
VLAN = {**MACVLAN, "type": "vlan", "vlanId": 110}
BRIDGE = {"cniVersion": "1.0.0", "name": "n", "type": "bridge", "bridge": "br0", "ipam": WB}
SRIOV = {"cniVersion": "1.0.0", "name": "n", "type": "sriov", "ipam": WB}
HOST_DEVICE = {"cniVersion": "1.0.0", "name": "n", "type": "host-device", "device": "eth1"}
PTP = {"cniVersion": "1.0.0", "name": "n", "type": "ptp", "ipam": WB}
DUMMY = {"cniVersion": "1.0.0", "name": "n", "type": "dummy", "ipam": WB}
TAP = {"cniVersion": "1.0.0", "name": "n", "type": "tap", "ipam": WB}
BOND = {
    "cniVersion": "1.0.0",
    "name": "n",
    "type": "bond",
    "mode": "active-backup",
    "miimon": "100",
    "links": [{"name": "net1"}, {"name": "net2"}],
}
OVS = {"cniVersion": "1.0.0", "name": "n", "type": "ovs", "bridge": "br1", "vlan": 100}


def chain(*behind, first=MACVLAN, **top):
    inner = {key: value for key, value in first.items() if key not in {"cniVersion", "name"}}
    return {"cniVersion": "1.0.0", "name": "n", **top, "plugins": [inner, *behind]}


def less(config, *keys):
    return {key: value for key, value in config.items() if key not in keys}


CLEAN = [
    *(MACVLAN, IPVLAN, VLAN, BRIDGE, SRIOV, HOST_DEVICE, PTP, DUMMY, TAP, BOND, OVS),
    chain(
        {
            "type": "tuning",
            "sysctl": {"net.core.somaxconn": "500"},
            "mac": "02:00:0a:01:0a:05",
            "mtu": 1400,
            "promisc": True,
        }
    ),
    chain({"type": "sbr"}),
    chain({"type": "vrf", "vrfname": "blue", "table": 100}),
    chain({"type": "firewall", "backend": "iptables", "ingressPolicy": "same-bridge"}, first=BRIDGE),
    chain({"type": "portmap", "snat": True, "capabilities": {"portMappings": True}}, first=BRIDGE),
    chain({"type": "bandwidth", "ingressRate": 1000, "ingressBurst": 1000}, first=BRIDGE),
    {**MACVLAN, "ipam": {}},
    {**less(MACVLAN, "ipam")},
    {**MACVLAN, "dns": {"nameservers": ["10.1.1.1"]}, "capabilities": {"ips": True, "mac": True}},
    {**MACVLAN, "args": {"cni": {"ips": ["10.1.10.5/24"]}}},
    {**MACVLAN, "MASTER": "eth1", "master": "eth1"},
    {
        "cniVersion": "1.1.0",
        "cniVersions": ["1.0.0", "1.1.0"],
        "name": "n",
        "disableCheck": True,
        "plugins": [less(MACVLAN, "cniVersion", "name")],
    },
]

CASES = [
    # PLUGIN_TYPE_MISSING: a type at the top, or a list of plugins with a type each
    (less(MACVLAN, "type"), {"PLUGIN_TYPE_MISSING": "error"}),
    ({**MACVLAN, "type": ""}, {"PLUGIN_TYPE_MISSING": "error"}),
    ({"cniVersion": "1.0.0", "name": "n", "plugins": []}, {"PLUGIN_TYPE_MISSING": "error"}),
    ({"cniVersion": "1.0.0", "name": "n", "plugins": [{"master": "eth1"}]}, {"PLUGIN_TYPE_MISSING": "error"}),
    ({**MACVLAN, "ipam": {"range": "10.1.10.0/24"}}, {"PLUGIN_TYPE_MISSING": "warning"}),
    # WRONG_TYPE: as encoding/json decodes
    ({**VLAN, "vlanId": "110"}, {"WRONG_TYPE": "error"}),
    ({**VLAN, "vlanId": 110.0}, {"WRONG_TYPE": "error"}),
    ({**VLAN, "vlanId": True}, {"WRONG_TYPE": "error"}),
    ({**MACVLAN, "mtu": 2**63}, {"WRONG_TYPE": "error"}),
    ({**MACVLAN, "mtu": None}, {}),
    ({**MACVLAN, "master": ["eth1"]}, {"WRONG_TYPE": "error"}),
    ({**MACVLAN, "linkInContainer": "false"}, {"WRONG_TYPE": "error"}),
    ({**MACVLAN, "bcqueuelen": -1}, {"WRONG_TYPE": "error"}),
    ({**MACVLAN, "capabilities": {"ips": "true"}}, {"WRONG_TYPE": "error"}),
    ({**MACVLAN, "ipam": "dhcp"}, {"WRONG_TYPE": "error"}),
    ({**BRIDGE, "isGateway": 1}, {"WRONG_TYPE": "error"}),
    ({**BRIDGE, "vlanTrunk": [101]}, {"WRONG_TYPE": "error"}),
    ({**BRIDGE, "vlanTrunk": {"id": 101}}, {"WRONG_TYPE": "error"}),
    (chain({"type": "tuning", "sysctl": {"net.core.somaxconn": 500}}), {"WRONG_TYPE": "error"}),
    (chain("tuning"), {"WRONG_TYPE": "error"}),
    ({"cniVersion": "1.0.0", "name": "n", "plugins": less(MACVLAN, "cniVersion", "name")}, {"WRONG_TYPE": "error"}),
    ({**MACVLAN, "ipam": {**WB, "exclude": "10.1.10.0/28"}}, {"WRONG_TYPE": "error"}),
    ({**MACVLAN, "ipam": {**WB, "routes": {"dst": "10.2.0.0/16"}}}, {"WRONG_TYPE": "error"}),
    ({**MACVLAN, "name": 7}, {"WRONG_TYPE": "error"}),
    ({**MACVLAN, "cniVersion": 1.0}, {"WRONG_TYPE": "error"}),
    # UNKNOWN_KEY_FOR_TYPE
    ({**MACVLAN, "vlan": 110}, {"UNKNOWN_KEY_FOR_TYPE": "warning"}),
    ({**IPVLAN, "mac": "02:00:0a:01:0a:05"}, {"UNKNOWN_KEY_FOR_TYPE": "warning"}),
    ({**MACVLAN, "Master": "eth1"}, {}),
    ({**MACVLAN, "range": "10.1.10.0/24"}, {"UNKNOWN_KEY_FOR_TYPE": "warning"}),
    ({**MACVLAN, "cni.dev/attachments": []}, {}),
    ({**MACVLAN, "ipam": {**WB, "foo": 1}}, {"UNKNOWN_KEY_FOR_TYPE": "warning"}),
    ({**MACVLAN, "type": "some-plugin", "foo": 1}, {"THIRD_PARTY_PLUGIN": "warning"}),
    ({**MACVLAN, "ipam": {"type": "some-ipam", "foo": 1}}, {"THIRD_PARTY_PLUGIN": "warning"}),
    # CNIVERSION_*
    (less(MACVLAN, "cniVersion"), {"CNIVERSION_MISSING": "warning"}),
    (less(MACVLAN, "cniVersion", "ipam"), {"CNIVERSION_MISSING": "error"}),
    ({**VLAN, "ipam": {"range": "10.1.10.0/24"}}, {"IPAM_REQUIRED": "error", "PLUGIN_TYPE_MISSING": "warning"}),
    ({**MACVLAN, "cniVersion": ""}, {"CNIVERSION_MISSING": "warning"}),
    (less(chain({"type": "sbr", "cniVersion": "1.0.0"}), "cniVersion"), {"CNIVERSION_MISPLACED": "warning"}),
    (chain({"type": "sbr", "cniVersion": "1.0.0"}), {"CNIVERSION_MISPLACED": "warning"}),
    ({**MACVLAN, "ipam": {**WB, "cniVersion": "1.0.0"}}, {"CNIVERSION_MISPLACED": "warning"}),
    *(({**MACVLAN, "cniVersion": v}, {}) for v in ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")),
    *(({**MACVLAN, "cniVersion": v}, {"CNIVERSION_UNSUPPORTED": "error"}) for v in ("0.3", "0.5.0", "1.0", "1.2.0", "v1.0.0", "2.0.0", "latest")),
    (chain({"type": "firewall"}, cniVersion="0.3.1"), {"CNIVERSION_UNSUPPORTED": "error"}),
    (chain({"type": "firewall"}, cniVersion="0.4.0"), {}),
    (chain({"type": "vrf", "vrfname": "blue"}, cniVersion="0.3.0"), {"CNIVERSION_UNSUPPORTED": "error"}),
    (chain({"type": "vrf", "vrfname": "blue"}, cniVersion="0.3.1"), {}),
    # names
    ({**MACVLAN, "name": "a b"}, {"NETWORK_NAME": "error"}),
    ({**MACVLAN, "name": "-a"}, {"NETWORK_NAME": "error"}),
    ({**MACVLAN, "name": "A_b.c-9"}, {}),
    (chain({"type": "sbr", "name": "other"}), {"NAME_MISMATCH": "warning"}),
    (chain({"type": "sbr", "name": "n"}), {}),
    # CHAINED_PLUGIN_FIRST
    *(({"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": t, "vrfname": "blue"} if t == "vrf" else {"type": t}]}, {"CHAINED_PLUGIN_FIRST": "error"})
      for t in ("tuning", "sbr", "vrf", "bandwidth", "firewall", "portmap")),
    ({"cniVersion": "1.0.0", "name": "n", "type": "tuning"}, {"CHAINED_PLUGIN_FIRST": "error"}),
    # MASTER_REQUIRED
    (less(VLAN, "master"), {"MASTER_REQUIRED": "error"}),
    ({**VLAN, "master": ""}, {"MASTER_REQUIRED": "error"}),
    (less(MACVLAN, "master"), {}),
    (less(IPVLAN, "master"), {}),
    (chain({"type": "vrf"}), {"MASTER_REQUIRED": "error"}),
    (less(OVS, "bridge"), {"MASTER_REQUIRED": "error"}),
    # IPAM_REQUIRED
    *((less(c, "ipam"), {"IPAM_REQUIRED": "error"}) for c in (VLAN, IPVLAN, PTP, DUMMY)),
    *(({**c, "ipam": {}}, {"IPAM_REQUIRED": "error"}) for c in (VLAN, IPVLAN, PTP, DUMMY)),
    *((less(c, "ipam"), {}) for c in (MACVLAN, BRIDGE, SRIOV, TAP)),
    (chain({"type": "ipvlan"}), {}),
    # ENUM
    *(({**MACVLAN, "mode": m}, {}) for m in ("bridge", "private", "vepa", "passthru", "")),
    *(({**MACVLAN, "mode": m}, {"ENUM": "error"}) for m in ("l2", "Bridge", "passthrough", "source")),
    *(({**IPVLAN, "mode": m}, {}) for m in ("l2", "l3", "l3s")),
    *(({**IPVLAN, "mode": m}, {"ENUM": "error"}) for m in ("bridge", "L2", "l4")),
    *(({**BRIDGE, "ipMasqBackend": b}, e) for b, e in (("iptables", {}), ("nftables", {}), ("nft", {"ENUM": "error"}))),
    *((chain({"type": "portmap", "backend": b}, first=BRIDGE), e) for b, e in (("nftables", {}), ("firewalld", {"ENUM": "error"}))),
    *((chain({"type": "firewall", "backend": b}, first=BRIDGE), e) for b, e in (("firewalld", {}), ("nftables", {"ENUM": "error"}))),
    *((chain({"type": "portmap", "markMasqBit": b}, first=BRIDGE), e) for b, e in ((0, {}), (31, {}), (32, {"ENUM": "error"}), (-1, {"ENUM": "error"}))),
    *(({**SRIOV, "spoofchk": v}, e) for v, e in (("on", {}), ("off", {}), ("true", {"ENUM": "error"}))),
    *(({**SRIOV, "link_state": v}, e) for v, e in (("auto", {}), ("disable", {}), ("up", {"ENUM": "error"}))),
    *(({**SRIOV, "vlan": 5, "vlanQoS": v}, e) for v, e in ((0, {}), (7, {}), (8, {"ENUM": "error"}))),
    *(({**SRIOV, "vlan": 5, "vlanProto": v}, e) for v, e in (("802.1ad", {}), ("802.1Q", {}), ("802.1x", {"ENUM": "error"}))),
    ({**BOND, "mode": "lacp"}, {"ENUM": "error"}),
    ({**MACVLAN, "mtu": -1}, {"ENUM": "error"}),
    ({**MACVLAN, "mtu": 0}, {}),
    # EXCLUSIVE
    ({**BRIDGE, "hairpinMode": True, "promiscMode": True}, {"EXCLUSIVE": "error"}),
    ({**BRIDGE, "hairpinMode": True, "promiscMode": False}, {}),
    (chain({"type": "portmap", "markMasqBit": 5, "externalSetMarkChain": "X"}, first=BRIDGE), {"EXCLUSIVE": "error"}),
    (less(HOST_DEVICE, "device"), {"EXCLUSIVE": "error"}),
    ({**HOST_DEVICE, "hwaddr": "02:00:0a:01:0a:05"}, {"EXCLUSIVE": "warning"}),
    ({**less(HOST_DEVICE, "device"), "pciBusID": "0000:3d:00.1"}, {}),
    ({**less(HOST_DEVICE, "device"), "capabilities": {"deviceID": True}}, {}),
    # VLAN_ID, both ends of every key
    *(({**VLAN, "vlanId": v}, {} if 0 <= v <= 4094 else {"VLAN_ID": "error"}) for v in (-1, 0, 1, 110, 4093, 4094, 4095, 4096)),
    *(({**BRIDGE, "vlan": v}, {} if 0 <= v <= 4094 else {"VLAN_ID": "error"}) for v in (-1, 0, 1, 4094, 4095)),
    *(({**SRIOV, "vlan": v}, {} if 0 <= v <= 4094 else {"VLAN_ID": "error"}) for v in (-1, 0, 1, 4094, 4095)),
    *(({**OVS, "vlan": v}, {} if 0 <= v <= 4094 else {"VLAN_ID": "error"}) for v in (0, 1, 4094, 4095)),
    *(({**BRIDGE, "vlanTrunk": [{"id": v}]}, {} if 1 <= v <= 4094 else {"VLAN_ID": "error"}) for v in (0, 1, 4094, 4095)),
    *(({**BRIDGE, "vlanTrunk": [{"minID": a, "maxID": b}]}, e) for a, b, e in (
        (1, 4094, {}), (5, 5, {}), (6, 5, {"VLAN_ID": "error"}), (0, 5, {"VLAN_ID": "error"}), (5, 4095, {"VLAN_ID": "error"}))),
    ({**BRIDGE, "vlanTrunk": [{"minID": 5}]}, {"VLAN_ID": "error"}),
    ({**BRIDGE, "vlanTrunk": [{"maxID": 5}]}, {"VLAN_ID": "error"}),
    ({**BRIDGE, "vlan": 100, "vlanTrunk": [{"id": 101}]}, {}),
    (less(VLAN, "vlanId"), {"VLAN_ID": "warning"}),
    ({**less(VLAN, "vlanId"), "VLANID": 4095}, {"VLAN_ID": "error"}),
    # VLANQOS_NEEDS_VLAN
    ({**SRIOV, "vlanQoS": 4}, {"VLANQOS_NEEDS_VLAN": "error"}),
    ({**SRIOV, "vlanQoS": 0}, {"VLANQOS_NEEDS_VLAN": "error"}),
    ({**SRIOV, "vlan": 0, "vlanQoS": 0}, {}),
    ({**SRIOV, "vlan": 0, "vlanQoS": 4}, {"VLANQOS_NEEDS_VLAN": "error"}),
    ({**SRIOV, "vlan": 0, "vlanProto": "802.1ad"}, {"VLANQOS_NEEDS_VLAN": "error"}),
    ({**SRIOV, "vlan": 0, "vlanProto": "802.1q"}, {}),
    ({**SRIOV, "vlan": 1, "vlanQoS": 4, "vlanProto": "802.1ad"}, {}),
    # rates and bandwidth
    ({**SRIOV, "min_tx_rate": 101, "max_tx_rate": 100}, {"RATE_REVERSED": "error"}),
    ({**SRIOV, "min_tx_rate": 100, "max_tx_rate": 100}, {}),
    ({**SRIOV, "min_tx_rate": 100, "max_tx_rate": 0}, {}),
    *((chain({"type": "bandwidth", **k}, first=BRIDGE), e) for k, e in (
        ({"ingressRate": 1}, {"BANDWIDTH_PAIR": "error"}),
        ({"egressBurst": 1}, {"BANDWIDTH_PAIR": "error"}),
        ({"ingressRate": 1, "ingressBurst": 8 * (2**32 - 1) - 1}, {}),
        ({"ingressRate": 1, "ingressBurst": 8 * (2**32 - 1)}, {"BANDWIDTH_PAIR": "error"}),
        ({"ingressRate": 0, "ingressBurst": 0}, {}))),
    *((chain({"type": "bandwidth", "egressRate": 8, "egressBurst": 8}, first=f), {"BANDWIDTH_NEEDS_VETH": "error"}) for f in (MACVLAN, IPVLAN, VLAN, SRIOV, HOST_DEVICE)),
    *((chain({"type": "bandwidth", "egressRate": 8, "egressBurst": 8}, first=f), {}) for f in (BRIDGE, PTP)),
    (chain({"type": "bandwidth", "capabilities": {"bandwidth": True}}), {}),
    # SYSCTL_NOT_NET
    *((chain({"type": "tuning", "sysctl": {k: "1"}}), e) for k, e in (
        ("net.ipv4.conf.IFNAME.arp_filter", {}), ("net/ipv4/conf/IFNAME/arp_filter", {}), ("kernel.msgmax", {"SYSCTL_NOT_NET": "error"}), ("network.x", {"SYSCTL_NOT_NET": "error"}))),
    # BOND_*
    ({**BOND, "links": [{"name": "net1"}]}, {"BOND_LINKS": "error"}),
    (less(BOND, "links"), {"BOND_LINKS": "error"}),
    ({**BOND, "links": [{"name": "net1"}, {}]}, {"BOND_LINKS": "error"}),
    ({**BOND, "links": [{"name": "net1"}, {"name": "net2"}, {"name": "net3"}]}, {}),
    (less(BOND, "mode"), {"BOND_SETTINGS": "error"}),
    (less(BOND, "miimon"), {"BOND_SETTINGS": "error"}),
    ({**BOND, "miimon": ""}, {"BOND_SETTINGS": "error"}),
    ({**BOND, "miimon": "100ms"}, {"BOND_SETTINGS": "error"}),
    ({**BOND, "miimon": 100}, {"WRONG_TYPE": "error"}),
    *(({**BOND, "mtu": m}, e) for m, e in ((0, {}), (68, {}), (67, {"BOND_SETTINGS": "error"}), (9000, {}))),
    *(({**BOND, "failOverMac": m}, e) for m, e in ((0, {}), (2, {}), (3, {"ENUM": "error"}))),
    ({**BOND, "allSlavesActive": 1, "xmitHashPolicy": "layer3+4"}, {}),
    # more of ENUM, EXCLUSIVE, MAC_INVALID, ROUTE_TOO_WIDE
    ({**less(HOST_DEVICE, "device"), "kernelpath": "/sys/devices/pci0000:00/0000:00:03.0"}, {}),
    ({**less(HOST_DEVICE, "device"), "kernelpath": "/sys/class/net/eth1"}, {"ENUM": "error"}),
    ({**less(HOST_DEVICE, "device"), "hwaddr": "02:00:0a:01:0a:05"}, {}),
    ({**less(HOST_DEVICE, "device"), "hwaddr": "02:00:0a:01:0a:05:06:07"}, {}),
    ({**less(HOST_DEVICE, "device"), "hwaddr": "02:00:0a"}, {"MAC_INVALID": "error"}),
    ({**BRIDGE, "disableContainerInterface": True}, {"EXCLUSIVE": "error"}),
    ({**BRIDGE, "disableContainerInterface": True, "ipam": {}}, {}),
    ({**BRIDGE, "disableContainerInterface": False}, {}),
    ({**BRIDGE, "isDefaultGateway": True}, {}),  # the cluster's own network
    (chain({"type": "sbr"}, first={**BRIDGE, "isDefaultGateway": True}), {}),
    ({**BRIDGE, "isGateway": True}, {}),
    # objects inside of it
    ({**MACVLAN, "dns": {"nameserver": ["10.1.1.1"]}}, {"UNKNOWN_KEY_FOR_TYPE": "warning"}),
    ({**MACVLAN, "dns": {"nameservers": "10.1.1.1"}}, {"WRONG_TYPE": "error"}),
    ({**BRIDGE, "vlanTrunk": [{"minId": 5, "maxId": 6}]}, {}),
    ({**BRIDGE, "vlanTrunk": [{"min": 5}]}, {"UNKNOWN_KEY_FOR_TYPE": "warning"}),
    ({**BRIDGE, "vlanTrunk": [{"id": "5"}]}, {"WRONG_TYPE": "error"}),
    # one address of each family before 0.3.0
    *(({**MACVLAN, "cniVersion": v, "ipam": i}, e) for v, i, e in (
        ("0.2.0", {"type": "static", "addresses": [{"address": "10.1.10.5/24"}, {"address": "10.1.20.5/24"}]}, {"CNIVERSION_UNSUPPORTED": "error"}),
        ("0.3.0", {"type": "static", "addresses": [{"address": "10.1.10.5/24"}, {"address": "10.1.20.5/24"}]}, {}),
        ("0.2.0", {"type": "static", "addresses": [{"address": "10.1.10.5/24"}, {"address": "fd00::5/64"}]}, {}),
        ("0.1.0", {"type": "host-local", "ranges": [[{"subnet": "10.1.10.0/24"}], [{"subnet": "10.1.20.0/24"}]]}, {"CNIVERSION_UNSUPPORTED": "error"}),
        ("0.1.0", {"type": "host-local", "ranges": [[{"subnet": "10.1.10.0/24"}, {"subnet": "10.1.20.0/24"}]]}, {}),
        ("0.2.0", {"type": "whereabouts", "ipRanges": [{"range": "fd00::/64"}, {"range": "fd01::/64"}]}, {"CNIVERSION_UNSUPPORTED": "error"}),
        ("", {"type": "static", "addresses": [{"address": "10.1.10.5/24"}, {"address": "10.1.20.5/24"}]}, {"CNIVERSION_MISSING": "error"}))),
    # INTERFACE_NAME
    ({**MACVLAN, "master": "a" * 15}, {}),
    ({**MACVLAN, "master": "a" * 16}, {"INTERFACE_NAME": "error"}),
    ({**MACVLAN, "master": "é" * 8}, {"INTERFACE_NAME": "error"}),
    ({**MACVLAN, "master": "a/b"}, {"INTERFACE_NAME": "error"}),
    ({**BRIDGE, "bridge": "b" * 16}, {"INTERFACE_NAME": "error"}),
    # MAC
    *(({**MACVLAN, "mac": m}, e) for m, e in (
        ("02:00:0a:01:0a:05", {}), ("02-00-0a-01-0a-05", {}), ("0200.0a01.0a05", {}), ("03:00:0a:01:0a:05", {"MAC_MULTICAST": "error"}),
        ("ff:ff:ff:ff:ff:ff", {"MAC_MULTICAST": "error"}), ("02:00:0a:01:0a", {"MAC_INVALID": "error"}),
        ("02:00:0a:01:0a:05:06:07", {"MAC_INVALID": "error"}), ("00:00:00:00:00:00", {"MAC_INVALID": "error"}), ("020000010a05", {"MAC_INVALID": "error"}))),
]  # fmt: skip


@pytest.mark.parametrize("config", CLEAN, ids=lambda c: str(c.get("type") or c["plugins"][-1]["type"]))
def test_nothing_to_say(config, found):
    assert found(config) == {}


@pytest.mark.parametrize(
    ("config", "expected"), CASES, ids=[f"{i}-{'+'.join(e) or 'clean'}" for i, (_, e) in enumerate(CASES)]
)
def test_exactly_this_rule(config, expected, found):
    assert found(config) == expected
