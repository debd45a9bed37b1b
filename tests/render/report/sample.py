"""A site and what was found of it, as its report takes them."""

from multus_site.render.report.content import Found
from tests.render.diagram.sites import lab

POD = "samplepod-757ff45647-6cccn"


def site():
    """The lab's."""
    return lab()


def check(name, ok=True, *, interface="", network="", pod=POD, node="node2", detail="as it should be"):
    """A check about the pod, or about a node where `pod` is empty."""
    return {
        "workload": "samplepod" if pod else "",
        "pod": pod,
        "node": node,
        "interface": interface,
        "network": network,
        "check": name,
        "ok": ok,
        "detail": detail,
    }


def found(*, broken=False):
    """Everything; `broken`: with a gateway that does not answer, and evidence."""
    checks = [check("attachment", network=f"default/macvlan-{n}", pod="", node="") for n in ("internal", "external")]
    for node in ("node1", "node2", "node3"):
        checks += [check(c, pod="", node=node) for c in ("multus-daemon", "multus-conf", "plugin-binary")]
        checks += [check("uplink", pod="", node=node, interface=nic) for nic in ("ens6", "ens7")]
    for interface, network in (("net1", "default/macvlan-internal"), ("net2", "default/macvlan-external")):
        for name in (
            "network-status",
            "interface",
            "link",
            "address",
            "gateway-arp",
            "gateway-ping",
            "path-mtu",
            "unique-address",
            "isolation",
        ):
            bad = broken and name in {"gateway-arp", "gateway-ping"} and interface == "net2"
            said = "nobody answers for 10.1.20.1 <script>alert(1)</script>" if bad else "as it should be"
            checks.append(check(name, not bad, interface=interface, network=network, detail=said))
    checks += [check("default-route", interface="eth0"), check("cluster-dns", interface="eth0")]
    verification = {
        "passed": not broken,
        "checks": checks,
        "pods": [
            {
                "workload": "samplepod",
                "pod": POD,
                "node": "node2",
                "interfaces": [
                    {"interface": "eth0", "mac": "02:00:00:00:00:01", "mtu": 1450, "addresses": ["10.233.65.5/24"]},
                    {"interface": "net1", "mac": "7a:0b:3c:11:22:33", "mtu": 1500, "addresses": ["10.1.10.200/24"]},
                    {"interface": "net2", "mac": "7a:0b:3c:11:22:34", "mtu": 1500, "addresses": ["10.1.20.200/24"]},
                ],
            }
        ],
        "nodes": [
            {
                "node": node,
                "versions": {
                    "osImage": "Debian GNU/Linux 12 (bookworm)",
                    "kernelVersion": "6.1.0",
                    "kubeletVersion": "v1.35.4",
                    "containerRuntimeVersion": "containerd://2.2.3",
                },
                "images": {"ghcr.io/k8snetworkplumbingwg/multus-cni:v4.3.0-thick": "sha256:" + "c" * 64},
                "binaries": {"macvlan": "a" * 64},
                "uplinks": [{"name": nic, "mtu": 1500, "mac": "02:00:00:00:00:06"} for nic in ("ens6", "ens7")],
            }
            for node in ("node1", "node2", "node3")
        ],
    }
    if broken:
        verification["evidence"] = {
            "Multus on node2": "2026-11-24 [error] <b>no</b> device",
            "ip -d link on node2": "1: lo",
        }
    return Found(
        verification=verification,
        verified="2026-11-24 10:00 UTC",
        throughput=list(figures()),
        measured="2026-11-24 10:02 UTC",
        timeline={
            "started": "2026-11-24T09:58:00+00:00",
            "seconds": 118.0,
            "stages": [
                {"name": "node VMs", "stage": "node VMs", "begun": 0, "seconds": 5.7},
                {"name": "cluster", "stage": "cluster", "begun": 5.7, "seconds": 79.8},
                {"name": "Multus", "stage": "Multus", "begun": 86.4, "seconds": 16.4},
                {"name": "verification", "stage": "verification", "begun": 106, "seconds": 8.3},
            ],
            "resources": [],
            "critical": [{"name": "lab-kubernetes-kubespray", "stage": "cluster", "begun": 5.7, "seconds": 79.8}],
        },
        written="2026-11-24 10:02 UTC",
    )


def figures():
    """One and four streams of TCP, one of UDP, both directions."""
    speeds = {"node": 13.2, "pod-network": 7.9, "macvlan-internal": 12.4, "macvlan-external": 12.1}
    for protocol, streams, part in (("tcp", 1, 1.0), ("tcp", 4, 1.2), ("udp", 1, 0.07)):
        for source, target in (("node1", "node2"), ("node2", "node1")):
            for network, speed in speeds.items():
                yield {
                    "network": network,
                    "protocol": protocol,
                    "streams": streams,
                    "from": source,
                    "to": target,
                    "runs": 3,
                    "gbitsPerSecond": round(speed * part, 3),
                    "stddev": 0.4 * part,
                    "retransmits": 12 if protocol == "tcp" else None,
                    "ratioToNode": round(speed / 13.2, 3),
                    "ratioToNodeRange": [1.0, 1.0]
                    if network == "node"
                    else [round(speed / r, 3) for r in (14.2, 12.2)],
                    "ratioToLink": None,
                    "latencyMicroseconds": 61.2,
                    **({"lossPercent": 0.1, "jitterMilliseconds": 0.004} if protocol == "udp" else {}),
                }
