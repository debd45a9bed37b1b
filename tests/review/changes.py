"""Changes of a site, each with a name: what was, and what is to be."""

import copy

from tests.graph.recording import lab_site
from tests.render.placement import in_racks

WORKER = {"address": "10.1.1.8"}
ALL_ROLES = ["control-plane", "etcd", "worker"]
SPARE = {
    "type": "macvlan",
    "master": "ens6",
    "ipam": {"type": "whereabouts", "range": "10.1.30.0/28", "gateway": "10.1.30.1"},
}


def changed(edit, start=None):
    """A site and the same after an edit."""
    before = copy.deepcopy(start or lab_site())
    after = copy.deepcopy(before)
    edit(after)
    return before, after


def high():
    """Three control plane nodes."""
    site = lab_site()
    for host in site["nodes"]["hosts"].values():
        host["roles"] = list(ALL_ROLES)
    return site


def sticky():
    """A StatefulSet with addresses by replica."""
    site = lab_site()
    site["networks"]["macvlan-internal"]["ipam"] = {"type": "static", "gateways": ["10.1.10.1"]}
    site["workloads"] = {
        "core": {
            "kind": "StatefulSet",
            "image": "docker.io/library/busybox:1.36",
            "replicas": 2,
            "networks": [{"name": "macvlan-internal", "ipsByReplica": ["10.1.10.11/24", "10.1.10.12/24"]}],
        }
    }
    return site


def virtual():
    """Virtual machines on two hypervisors."""
    site = lab_site()
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMMBiOX5o5vhHt6iyc5/g8YeZZ4gvCxLKOYupGSW5Sv/"
    site["nodes"] = {
        "backend": "libvirt",
        "libvirt": {
            "image": {"url": "https://example.org/debian-12.qcow2", "sha256": "c" * 64},
            "management": {"network": "10.1.1.0/24", "gateway": "10.1.1.1"},
            "hypervisor": "kvm1",
            "hypervisors": {
                name: {"address": at, "hostKey": key} for name, at in (("kvm1", "10.1.1.2"), ("kvm2", "10.1.1.3"))
            },
            "nics": {"eth0": {"bridge": "br-mgmt"}, "ens6": {"bridge": "br-int"}, "ens7": {"bridge": "br-ext"}},
        },
        "hosts": site["nodes"]["hosts"],
    }
    return site


def _virtual(**changes):
    return changed(lambda s: s["nodes"]["libvirt"].update(changes), virtual())


def _machine(**changes):
    return changed(lambda s: s["nodes"]["libvirt"].update(machines={"node2": changes}), virtual())


def split():
    """Ranges that are split by node, on NICs that differ by node."""
    site = lab_site()
    hosts = site["nodes"]["hosts"]
    hosts["node1"]["groups"], hosts["node2"]["groups"], hosts["node3"]["groups"] = ["a"], ["b"], ["b"]
    internal = site["networks"]["macvlan-internal"]
    internal["master"] = {"groups": {"a": "ens6", "b": "ens7"}}
    internal["ipam"] = {
        "type": "host-local",
        "ranges": [{"subnet": "10.1.10.0/24", "gateway": "10.1.10.1"}],
        "addressesPerNode": 16,
    }
    site["workloads"]["samplepod"] |= {"kind": "DaemonSet", "networks": ["macvlan-internal"], "nodes": []}
    return site


def of_several_pods():
    site = lab_site()
    site["workloads"]["samplepod"] |= {"replicas": 3}
    return site


def racks(**c1):
    """Three racks of a node each, in two rows; pods may run anywhere. `c1`: of the third rack."""
    site = lab_site()
    internal = site["networks"]["macvlan-internal"]
    internal["ipam"] = {"type": "whereabouts", "range": "10.1.10.200-10.1.10.250/24", "gateway": "10.1.10.1"}
    workload = {**site["workloads"]["samplepod"], "networks": ["macvlan-internal"], "nodes": [], "replicas": 4}
    return in_racks(site, workload, **c1)


def raw():
    """A network that is given word for word."""
    site = lab_site()
    config = {"cniVersion": "1.0.0", "name": "lan", "type": "bridge", "bridge": "br0", "mtu": 1400}
    config["ipam"] = {"type": "host-local", "ranges": [[{"subnet": "10.1.40.0/24"}]]}
    site["networks"]["lan"] = {"type": "raw", "config": config}
    return site


def _internal(site):
    return site["networks"]["macvlan-internal"]


def _range(site):
    return _internal(site)["ipam"]["ranges"][0]


def _rename(mapping, old, new):
    items = [(new if key == old else key, value) for key, value in mapping.items()]
    mapping.clear()
    mapping.update(items)


def _network_renamed(site):
    _rename(site["networks"], "macvlan-internal", "signalling")
    site["workloads"]["samplepod"]["networks"][0] = "signalling"


def _moved_range(site):
    _internal(site)["ipam"]["ranges"] = [{"subnet": "10.7.0.0/24", "gateway": "10.7.0.1"}]


def _dual_stack(site):
    _internal(site)["ipam"]["ranges"].append({"subnet": "fd00:10::/64"})


def _one_network_less(site):
    del site["networks"]["macvlan-external"]
    site["workloads"]["samplepod"]["networks"] = ["macvlan-internal"]


CHANGES = {
    "nothing": changed(lambda s: s.copy()),
    "key order": (lab_site(), {key: lab_site()[key] for key in reversed(lab_site())}),
    "new site": (None, lab_site()),
    "node added": changed(lambda s: s["nodes"]["hosts"].update(node4=WORKER)),
    "node removed": changed(lambda s: s["nodes"]["hosts"].pop("node3")),
    "node of a pinned workload removed": changed(
        lambda s: (s["nodes"]["hosts"].pop("node2"), s["workloads"]["samplepod"].update(nodes=["node3"]))
    ),
    "node renamed": changed(lambda s: _rename(s["nodes"]["hosts"], "node3", "edge3")),
    "node with another address": changed(lambda s: s["nodes"]["hosts"]["node3"].update(address="10.1.1.9")),
    "control plane grows": changed(
        lambda s: s["nodes"]["hosts"].update(
            node4={"address": "10.1.1.8", "roles": ALL_ROLES}, node5={"address": "10.1.1.9", "roles": ALL_ROLES}
        )
    ),
    "control plane role given": changed(lambda s: s["nodes"]["hosts"]["node3"].update(roles=["control-plane", "worker"])),
    "first control plane node removed": changed(
        lambda s: (s["nodes"]["hosts"].pop("node1"), s["nodes"]["hosts"]["node2"].update(roles=["control-plane", "worker"])),
        high(),
    ),
    "machines of another image": changed(lambda s: s["nodes"]["container"].update(image="localhost/multus-site-node:trixie")),
    "limits of machines": changed(
        lambda s: s["nodes"]["container"].update(memory=8192, machines={"node2": {"cpus": 4}})
    ),
    "memory of virtual machines": _virtual(memory=8192, cpus=4),
    "bridge of a virtual machine": _machine(nics={"ens6": {"bridge": "br-other"}}),
    "virtual machine on another hypervisor": _machine(hypervisor="kvm2"),
    "NIC of a virtual machine": _machine(nics={"ens7": {"vf": "0000:3b:02.1"}, "ens8": {"bridge": "br-oam"}}),
    "disk of a virtual machine": _machine(disk=10),
    "range grown": changed(lambda s: _range(s).update(rangeStart="10.1.10.100")),
    "range shrunk": changed(lambda s: _range(s).update(rangeEnd="10.1.10.220")),
    "range moved": changed(_moved_range),
    "second range": changed(_dual_stack),
    "gateway": changed(lambda s: _range(s).update(gateway="10.1.10.254")),
    "address management": changed(
        lambda s: _internal(s).update(ipam={"type": "whereabouts", "range": "10.1.10.200-10.1.10.250/24", "gateway": "10.1.10.1"})
    ),
    "network added": changed(lambda s: s["networks"].update(spare=SPARE)),
    "network removed": changed(_one_network_less),
    "unused network removed": changed(lambda s: s["networks"].pop("spare"), {**lab_site(), "networks": {**lab_site()["networks"], "spare": SPARE}}),
    "network renamed": changed(_network_renamed),
    "mode": changed(lambda s: _internal(s).update(mode="private")),
    "mtu": changed(lambda s: _internal(s).update(mtu=1400)),
    "type": changed(lambda s: _internal(s).update(type="ipvlan")),
    "uplink": changed(lambda s: _internal(s).update(master="ens7")),
    "raw network": changed(lambda s: s["networks"]["lan"]["config"].update(mtu=9000, isGateway=True), raw()),
    "node of split ranges": changed(lambda s: s["nodes"]["hosts"].update(node4={"address": "10.1.1.8", "groups": ["a"]}), split()),
    "Kubespray upgrade": changed(lambda s: s["kubespray"].update(version="v2.31.0"), {**lab_site(), "kubespray": {"version": "v2.30.0"}}),
    "two steps at once": changed(lambda s: s["kubespray"].update(version="v2.31.0"), {**lab_site(), "kubespray": {"version": "v2.29.1"}}),
    "Kubespray variable": changed(lambda s: s.update(kubespray={"variables": {"kube_proxy_mode": "iptables"}})),
    "plugin version": changed(lambda s: s["cniPlugins"].update(version="1.8.0")),
    "plugin added": changed(lambda s: s["cniPlugins"]["plugins"].append("bridge")),
    "Multus version": changed(lambda s: s.update(multus={"version": "4.2.4", "memoryLimit": "512Mi"})),
    "replicas": changed(lambda s: s["workloads"]["samplepod"].update(replicas=3)),
    "fewer replicas": changed(lambda s: s["workloads"]["samplepod"].update(replicas=1), of_several_pods()),
    "no replicas": changed(lambda s: s["workloads"]["samplepod"].update(replicas=0)),
    "image": changed(lambda s: s["workloads"]["samplepod"].update(image="docker.io/library/busybox:1.37"), of_several_pods()),
    "command": changed(lambda s: s["workloads"]["samplepod"].update(command=["sh", "-c", "exec server --password=hunter2222"])),
    "kind": changed(lambda s: s["workloads"]["samplepod"].update(kind="StatefulSet")),
    "workload added": changed(lambda s: s["workloads"].update(probe={"image": "docker.io/library/busybox:1.36", "networks": ["macvlan-external"], "nodes": ["node3"]})),
    "workload removed": changed(lambda s: s["workloads"].pop("samplepod")),
    "workload renamed": changed(lambda s: _rename(s["workloads"], "samplepod", "probe")),
    "sticky addresses": changed(lambda s: s["workloads"]["core"]["networks"][0].update(ipsByReplica=["10.1.10.11/24", "10.1.10.13/24"]), sticky()),
    "racks named": (racks() | {"racks": {}, "nodes": lab_site()["nodes"]}, racks()),
    "rack in another row": changed(lambda s: s["racks"]["r2"].update(row="b", zone="east", labels={"example.com/power": "feed-b"}), racks()),
    "rack dedicated": changed(lambda s: s["racks"]["c1"].update(dedicated=True), racks()),
    "rack dedicated at once": changed(lambda s: s["racks"]["c1"].update(dedicated={"effect": "NoExecute"}), racks()),
    "rack dedicated no more": changed(lambda s: s["racks"]["c1"].pop("dedicated"), racks(dedicated=True)),
    "rack dedicated otherwise": changed(lambda s: s["racks"]["c1"].update(dedicated={"effect": "NoExecute"}), racks(dedicated=True)),
    "host in another rack": changed(lambda s: s["nodes"]["hosts"]["node2"].update(rack="c1"), racks(dedicated={"effect": "NoExecute"})),
    "workload into a dedicated rack": changed(lambda s: s["workloads"]["w"].update(racks=["c1"]), racks(dedicated=True)),
    "spread over racks": changed(lambda s: s["workloads"]["w"].update(spread="rack"), racks()),
    "DaemonSet and a dedicated rack": changed(
        lambda s: s["racks"]["c1"].update(dedicated=True),
        {**racks(), "workloads": {"w": {**racks()["workloads"]["w"], "kind": "DaemonSet", "replicas": 1}}},
    ),
    "network by rack": changed(lambda s: _internal(s).update(racks=["r1", "r2"]), racks()),
    "site renamed": changed(lambda s: s.update(name="dallas")),
}  # fmt: skip
