"""The linter's verdict against the real plugins: each configuration is given to them (ADD) in network namespaces of its own.

Needs root and the plugins' binaries: those that the lab has built, or a folder named by $CNI_PLUGINS. What this kernel cannot
make (vlan, ipvlan, dummy on some machines) is compared only where the plugin refuses before it asks the kernel.
"""

import contextlib
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("MULTUS_SITE_CACHE") or Path.home() / ".cache" / "multus-site")
PLUGINS = next(
    (
        p
        for p in [Path(os.environ.get("CNI_PLUGINS", "/nonexistent")), *sorted(CACHE.glob("built/cni-plugins-*"))]
        if (p / "macvlan").exists()
    ),
    None,
)

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: network namespaces"),
    pytest.mark.skipif(PLUGINS is None, reason="no CNI plugins in $CNI_PLUGINS nor built by the lab (make lab)"),
]

HL = {"type": "host-local", "subnet": "10.9.8.0/24"}
STATIC = {"type": "static", "addresses": [{"address": "10.9.8.5/24"}]}
FACTS = {"ifaces": ["eth0", "eth1"], "mtu": {"eth0": 1500, "eth1": 1500}, "defaultRoute": "eth0"}
NO_SUCH_TYPE = ("operation not supported", "not supported", "unknown device type")


def macvlan(**more):
    return {"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "eth1", **more}


def ipam(**keys):
    return macvlan(ipam={"type": "host-local", **keys})


def chain(*behind, first=None, version="1.0.0"):
    inner = first or {"type": "bridge", "bridge": "br9", "ipam": HL}
    return {"cniVersion": version, "name": "n", "plugins": [inner, *behind]}


def bridge(**more):
    return {"cniVersion": "1.0.0", "name": "n", "type": "bridge", "bridge": "br9", "ipam": HL, **more}


CONFIGURATIONS = {
    "plain": macvlan(), "empty-ipam": macvlan(ipam={}), "host-local": ipam(subnet="10.9.8.0/24"), "static": macvlan(ipam=STATIC),
    **{f"mode-{m or 'none'}": macvlan(mode=m) for m in ("", "bridge", "private", "vepa", "passthru", "l2", "Bridge")},
    **{f"mtu-{m}": macvlan(mtu=m) for m in (-1, 0, 1400, 1500, 1501)},
    "mtu-text": macvlan(mtu="1500"), "mtu-float": macvlan(mtu=1500.0), "mtu-null": macvlan(mtu=None), "keys-in-capitals": macvlan(MODE="l2"),
    "no-such-master": macvlan(master="eth7"), "no-master": {"cniVersion": "1.0.0", "name": "n", "type": "macvlan"}, "long-master": macvlan(master="e" * 16),
    "mac": macvlan(mac="02:00:0a:01:0a:05"), "multicast-mac": macvlan(mac="03:00:0a:01:0a:05"), "short-mac": macvlan(mac="02:00:0a:01:0a"), "zero-mac": macvlan(mac="00:00:00:00:00:00"),
    "unknown-key": macvlan(vlan=5), "old-version": macvlan(cniVersion="0.3.1"), "no-version": {"name": "n", "type": "macvlan", "master": "eth1"}, "bad-version": macvlan(cniVersion="0.5.0"), "short-version": macvlan(cniVersion="1.0"),
    **{f"subnet-{s}": ipam(subnet=s) for s in ("10.9.8.1/24", "10.9.8.0/30", "10.9.8.0/31", "10.9.8.0/32", "10.9.8.0", "abc/24", "10.9.8.0/33", "fd09::/64", "fd09::/126", "fd09::/127", "fd09::1/64", "010.9.8.0/24", "10.9.8.0/255.255.255.0")},
    "start-outside": ipam(subnet="10.9.8.0/24", rangeStart="10.9.9.1"), "end-outside": ipam(subnet="10.9.8.0/24", rangeEnd="10.9.9.1"),
    "start-is-network": ipam(subnet="10.9.8.0/24", rangeStart="10.9.8.0"), "end-is-broadcast": ipam(subnet="10.9.8.0/24", rangeEnd="10.9.8.255"),
    "reversed": ipam(subnet="10.9.8.0/24", rangeStart="10.9.8.9", rangeEnd="10.9.8.8"), "one": ipam(subnet="10.9.8.0/24", rangeStart="10.9.8.9", rangeEnd="10.9.8.9"),
    "bad-start": ipam(subnet="10.9.8.0/24", rangeStart="x"), "bad-gateway": ipam(subnet="10.9.8.0/24", gateway="x"), "no-ranges": ipam(), "empty-ranges": ipam(ranges=[]), "empty-set": ipam(ranges=[[]]),
    "flat-ranges": ipam(ranges=[{"subnet": "10.9.8.0/24"}]), "two-sets": ipam(ranges=[[{"subnet": "10.9.8.0/24"}], [{"subnet": "fd09::/64"}]]), "mixed": ipam(ranges=[[{"subnet": "10.9.8.0/24"}, {"subnet": "fd09::/64"}]]),
    "overlap": ipam(ranges=[[{"subnet": "10.9.0.0/16"}], [{"subnet": "10.9.8.0/24"}]]), "overlap-in-set": ipam(ranges=[[{"subnet": "10.9.8.0/24"}, {"subnet": "10.9.8.128/25"}]]),
    "touching": ipam(ranges=[[{"subnet": "10.9.8.0/25"}, {"subnet": "10.9.8.128/25"}]]), "foreign-keys": ipam(range="10.9.8.0/24"), "foreign-key": ipam(subnet="10.9.8.0/24", range_start="10.9.8.9"),
    "bad-route": ipam(subnet="10.9.8.0/24", routes=[{"dst": "10.2.0.0"}]), "route": ipam(subnet="10.9.8.0/24", routes=[{"dst": "10.2.0.0/16"}]), "route-object": ipam(subnet="10.9.8.0/24", routes={"dst": "10.2.0.0/16"}),
    "static-none": macvlan(ipam={"type": "static"}), "static-no-prefix": macvlan(ipam={"type": "static", "addresses": [{"address": "10.9.8.5"}]}), "ipam-text": macvlan(ipam="static"), "ipam-no-type": macvlan(ipam={"subnet": "10.9.8.0/24"}),
    "vlan-no-master": {"cniVersion": "1.0.0", "name": "n", "type": "vlan", "vlanId": 5, "ipam": HL}, **{f"vlan-{v}": {"cniVersion": "1.0.0", "name": "n", "type": "vlan", "master": "eth1", "vlanId": v, "ipam": HL} for v in (-1, 4095, "5")},
    "vlan-mtu": {"cniVersion": "1.0.0", "name": "n", "type": "vlan", "master": "eth1", "vlanId": 5, "mtu": 9000, "ipam": HL}, "ipvlan-mode": {"cniVersion": "1.0.0", "name": "n", "type": "ipvlan", "master": "eth1", "mode": "bridge", "ipam": HL},
    "ipvlan": {"cniVersion": "1.0.0", "name": "n", "type": "ipvlan", "master": "eth1", "ipam": HL}, "dummy": {"cniVersion": "1.0.0", "name": "n", "type": "dummy", "ipam": HL}, "dummy-no-ipam": {"cniVersion": "1.0.0", "name": "n", "type": "dummy"},
    "ptp": {"cniVersion": "1.0.0", "name": "n", "type": "ptp", "ipam": HL}, "ptp-no-ipam": {"cniVersion": "1.0.0", "name": "n", "type": "ptp"},
    "bridge": bridge(), "bridge-l2": bridge(ipam={}), "hairpin-promisc": bridge(hairpinMode=True, promiscMode=True), "bridge-vlan-4095": bridge(vlan=4095), "bridge-vlan--1": bridge(vlan=-1), "long-bridge": bridge(bridge="b" * 16),
    **{f"trunk-{i}": bridge(vlanTrunk=t) for i, t in enumerate(([{"id": 0}], [{"id": 4095}], [{"minID": 5}], [{"maxID": 5}], [{"minID": 6, "maxID": 5}], [5]))},
    "host-device": {"cniVersion": "1.0.0", "name": "n", "type": "host-device", "device": "eth1"}, "host-device-none": {"cniVersion": "1.0.0", "name": "n", "type": "host-device"}, "host-device-missing": {"cniVersion": "1.0.0", "name": "n", "type": "host-device", "device": "eth7"},
    "host-device-two": {"cniVersion": "1.0.0", "name": "n", "type": "host-device", "device": "eth1", "hwaddr": "02:00:00:00:00:01"},
    "tap": {"cniVersion": "1.0.0", "name": "n", "type": "tap", "ipam": HL},
    "tuning": chain({"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}}), "tuning-number": chain({"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": 1}}), "sbr": chain({"type": "sbr"}),
    **{f"first-{t}": {"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": t, "vrfname": "blue"} if t == "vrf" else {"type": t}]} for t in ("tuning", "sbr", "vrf", "bandwidth", "firewall", "portmap")},
    "bandwidth-rate": chain({"type": "bandwidth", "ingressRate": 8000}), "bandwidth-burst": chain({"type": "bandwidth", "ingressBurst": 8000}), "bandwidth-huge": chain({"type": "bandwidth", "ingressRate": 1, "ingressBurst": 8 * (2**32 - 1)}),
    "bandwidth-macvlan": chain({"type": "bandwidth", "ingressRate": 8000, "ingressBurst": 8000}, first={"type": "macvlan", "master": "eth1", "ipam": HL}),
    "portmap-bit": chain({"type": "portmap", "markMasqBit": 32}), "portmap-both": chain({"type": "portmap", "markMasqBit": 5, "externalSetMarkChain": "X"}), "portmap-backend": chain({"type": "portmap", "backend": "firewalld"}),
    "route-host-bits": ipam(subnet="10.9.8.0/24", routes=[{"dst": "10.2.0.1/16"}]), "route-host-bits-6": ipam(subnet="fd09::/64", routes=[{"dst": "fd0a::1/64"}]), "route-table": ipam(subnet="10.9.8.0/24", routes=[{"dst": "0.0.0.0/0", "table": 100}]),
    "subnet-empty": ipam(subnet=""), "end-is-network": ipam(subnet="10.9.8.0/24", rangeEnd="10.9.8.0"), "start-is-broadcast": ipam(subnet="10.9.8.0/24", rangeStart="10.9.8.255"),
    "range-number": ipam(ranges=[[5]]), "range-text": ipam(ranges=[["10.9.8.0/24"]]), "start-number": ipam(ranges=[[{"subnet": "10.9.8.0/24", "rangeStart": 5}]]), "inner-foreign": ipam(ranges=[[{"range": "10.9.8.0/24"}]]), "inner-unknown": ipam(ranges=[[{"subnet": "10.9.8.0/24", "first": "10.9.8.9"}]]),
    "dns-text": macvlan(ipam=STATIC, dns={"nameservers": "10.9.8.1"}), "dns-unknown": macvlan(ipam=STATIC, dns={"nameserver": ["10.9.8.1"]}), "address-text": macvlan(ipam={"type": "static", "addresses": ["10.9.8.5/24"]}), "address-missing": macvlan(ipam={"type": "static", "addresses": [{"adress": "10.9.8.5/24"}]}),
    **{f"two-addresses-{v}": macvlan(cniVersion=v, ipam={"type": "static", "addresses": [{"address": "10.9.8.5/24"}, {"address": "10.9.8.6/24"}]}) for v in ("0.2.0", "0.3.0")},
    **{f"two-ranges-{v}": macvlan(cniVersion=v, ipam={"type": "host-local", "ranges": [[{"subnet": "10.9.8.0/24"}], [{"subnet": "10.9.6.0/24"}]]}) for v in ("0.2.0", "0.3.0")}, "dual-stack-0.2.0": macvlan(cniVersion="0.2.0", ipam={"type": "host-local", "ranges": [[{"subnet": "10.9.8.0/24"}], [{"subnet": "fd09::/64"}]]}),
    "two-addresses-no-version": {"name": "n", "type": "macvlan", "master": "eth1", "ipam": {"type": "static", "addresses": [{"address": "10.9.8.5/24"}, {"address": "10.9.8.6/24"}]}},
    "sysctl-kernel": chain({"type": "tuning", "sysctl": {"kernel.msgmax": "65536"}}), "sysctl-slashes": chain({"type": "tuning", "sysctl": {"net/ipv4/conf/IFNAME/arp_filter": "1"}}), "no-container-interface": bridge(disableContainerInterface=True), "no-container-interface-l2": bridge(disableContainerInterface=True, ipam={}),
    "kernelpath": {"cniVersion": "1.0.0", "name": "n", "type": "host-device", "kernelpath": "/sys/class/net/eth1"}, "hwaddr-short": {"cniVersion": "1.0.0", "name": "n", "type": "host-device", "hwaddr": "02:00:00"},
    "firewall-same-bridge-macvlan": chain({"type": "firewall", "ingressPolicy": "same-bridge"}, first={"type": "macvlan", "master": "eth1", "ipam": HL}), "vrf-no-name": chain({"type": "vrf"}), "sbr-gateways-text": chain({"type": "sbr", "gateways": "10.9.8.1"}), "static-network-address": macvlan(ipam={"type": "static", "addresses": [{"address": "10.9.8.0/24"}]}), "ptp-mtu-negative": {"cniVersion": "1.0.0", "name": "n", "type": "ptp", "mtu": -1, "ipam": HL},
    "bridge-mtu-negative": bridge(mtu=-1), "tap-owner-negative": {"cniVersion": "1.0.0", "name": "n", "type": "tap", "owner": -1, "ipam": HL}, "conditions-text": chain({"type": "portmap", "conditionsV4": "-s"}), "args-text": macvlan(args="x", ipam=STATIC),
    "firewall-old": chain({"type": "firewall"}, version="0.3.1"), "firewall-policy": chain({"type": "firewall", "ingressPolicy": "closed"}), "vrf-old": chain({"type": "vrf", "vrfname": "blue"}, version="0.3.0"),
}  # fmt: skip


@pytest.fixture(scope="module")
def namespaces():
    """Two network namespaces held by a process each: a node with eth0 (default route) and eth1, and a pod."""
    holders = [subprocess.Popen(["unshare", "--net", "sleep", "600"]) for _ in range(2)]
    try:
        node, pod = (f"/proc/{holder.pid}/ns/net" for holder in holders)
        own = Path("/proc/self/ns/net").readlink()
        for _ in range(100):
            if all(Path(path).readlink() != own for path in (node, pod)):
                break
            time.sleep(0.05)
        for command in (
            "link set lo up", "link add eth0 type veth peer name peer0", "link add eth1 type veth peer name peer1", "link set eth0 up", "link set peer0 up",
            "link set eth1 up", "link set peer1 up", "addr add 10.9.7.2/24 dev eth0", "route add default via 10.9.7.1",
        ):  # fmt: skip
            done = subprocess.run(
                ["nsenter", f"--net={node}", "ip", *command.split()], capture_output=True, text=True, check=False
            )
            if done.returncode:
                pytest.skip(f"cannot make the node's interfaces: ip {command}: {done.stderr.strip()}")
        subprocess.run(["nsenter", f"--net={pod}", "ip", "link", "set", "lo", "up"], check=True)
        yield node, pod
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()


def call(command, config, node, pod):
    environment = {
        "CNI_COMMAND": command,
        "CNI_CONTAINERID": "c",
        "CNI_NETNS": pod,
        "CNI_IFNAME": "net1",
        "CNI_PATH": str(PLUGINS),
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        ["nsenter", f"--net={node}", str(PLUGINS / config["type"])],
        input=json.dumps(config),
        capture_output=True,
        text=True,
        env=environment,
        timeout=30,
        check=False,
    )
    answer = json.loads(done.stdout) if done.stdout.strip().startswith("{") else {}
    return done.returncode == 0, answer, answer.get("msg", "") + answer.get("details", "") + done.stderr


def verdict(config, node, pod, state):
    """What the plugins say, called one after the other as libcni does: refused or not, and their words."""
    plugins = config.get("plugins") or [
        {key: value for key, value in config.items() if key not in {"cniVersion", "name"}}
    ]
    called, result, words = [], None, ""
    try:
        for plugin in plugins:
            ready = {
                **plugin,
                "name": config["name"],
                **({"cniVersion": config["cniVersion"]} if "cniVersion" in config else {}),
            }
            if isinstance(ready.get("ipam"), dict) and ready["ipam"].get("type") == "host-local":
                ready["ipam"] = {**ready["ipam"], "dataDir": str(state)}
            if result is not None:
                ready["prevResult"] = result
            called.append(ready)
            ok, result, words = call("ADD", ready, node, pod)
            if not ok:
                return False, words
        return True, words
    finally:
        for ready in reversed(called):
            call("DEL", ready, node, pod)
        for link in ("net1", "eth1"):
            with contextlib.suppress(subprocess.SubprocessError):
                subprocess.run(["nsenter", f"--net={pod}", "ip", "link", "del", link], capture_output=True, check=False)
        subprocess.run(["nsenter", f"--net={node}", "ip", "link", "del", "br9"], capture_output=True, check=False)
        subprocess.run(
            ["nsenter", f"--net={node}", "ip", "link", "set", "eth1", "up"], capture_output=True, check=False
        )


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_verdict_is_that_of_the_plugins(name, namespaces, found, tmp_path):
    config = CONFIGURATIONS[name]
    accepted, words = verdict(config, *namespaces, tmp_path)
    levels = found(config, FACTS)
    if not accepted and "error" not in levels.values() and any(sign in words.lower() for sign in NO_SUCH_TYPE):
        pytest.skip(f"this kernel cannot make it: {words.strip()[:120]}")
    assert ("error" not in levels.values()) == accepted, f"plugins: {words.strip() or 'accepted'}; lint: {levels}"
