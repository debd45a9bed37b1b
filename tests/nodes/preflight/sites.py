"""A site of three hosts, and what multus_site/scripts/facts.sh finds on hosts that are as it asks."""

import copy

from multus_site.model.load import parse_site
from multus_site.nodes.preflight.finding import Node, lines
from multus_site.nodes.preflight.requirements import requirements_of
from multus_site.nodes.preflight.run_checks import findings
from tests.graph.recording import ED25519, ranged

MEDIA = {"type": "macvlan", "master": "ens6", "ipam": {"type": "host-local", "ranges": [ranged(10)]}}


AIR_GAP = {"files": "http://192.0.2.9:8080", "registry": "http://192.0.2.9:5000", "os": "debian-12"}


def site(**changes):
    """Three hosts that exist, and one macvlan network on ens6; `changes` replace top-level keys."""
    hosts = {f"node{i}": {"address": f"10.1.1.{4 + i}", "hostKey": ED25519} for i in (1, 2, 3)}
    hosts["node1"]["roles"] = ["control-plane", "etcd", "worker"]
    whole = {"name": "dallas", "nodes": {"backend": "existing", "hosts": hosts}, "networks": {"media": MEDIA}}
    return {**whole, **changes}


def host(i):
    """What is found on host i: a virtual machine with two NICs that lacks nothing."""
    nic = {
        "mtu": 1500, "up": True, "carrier": True, "driver": "virtio_net", "speed": None, "kind": "physical",
        "master": "", "altnames": [], "functions": 0,
    }  # fmt: skip
    own = {"mac": f"02:00:00:00:01:0{i}", "addresses": [f"10.1.1.{4 + i}/24"], "pci": "0000:00:03.0", "default": True}
    media = {"mac": f"02:00:00:00:02:0{i}", "addresses": [], "pci": "0000:00:04.0", "default": False}
    return {
        "hostname": f"node{i}",
        "machineId": f"{i}" * 32,
        "productUuid": f"0000000{i}-0000-4000-8000-000000000000",
        "architecture": "x86_64",
        "kernel": "6.1.0-28-amd64",
        "os": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)"},
        "python": "3.11.2",
        "init": "systemd",
        "memory": 8192,
        "swap": 0,
        "disk": {"/": 40000, "/var": 40000},
        "cgroup": 2,
        "clock": 1700000000,
        "synchronized": True,
        "loopback": [],
        "nics": {"eth0": nic | own, "ens6": nic | media},
        "modules": {"macvlan": "available", "overlay": "loaded", "nf_conntrack": "built-in"},
        "ports": {},
        "multus": {"conf": "", "version": "", "network": ""},
        "cluster": {"kubelet": False, "server": "", "ca": "", "site": "", "left": []},
        "hypervisor": "none",
        "container": "",
        "iommu": True,
        "apt": True,
        "offset": 0.2 * i,
    }


def nodes(data=None, change=None, variables=None, ours=()):
    """The hosts of a site as they are judged. `change`: changes the facts, a dict by node; `ours`: nodes of the site's own cluster."""
    parsed = parse_site(data or site(), source="stacks/Pulumi.dallas.yaml")
    wanted = requirements_of(parsed, {**parsed.kubespray.all_variables(), **(variables or {})})
    facts = {f"node{i}": host(i) for i in (1, 2, 3)}
    if change:
        change(facts)
    return [
        Node(name, wanted[name], copy.deepcopy(its), name in ours, its["offset"])
        for name, its in facts.items()
        if name in wanted
    ]


def said(*arguments, **keywords):
    """What would be said of such hosts, a line each, and the levels."""
    found = findings(nodes(*arguments, **keywords))
    return [
        f"{level}: {line}" for level in ("error", "warning") for line in lines([f for f in found if f.level == level])
    ]
