"""Findings provoked one by one on system containers behind a bastion, by the real program over real SSH: what it says, word for word.

What a container can't lack (its clock's keeper, cgroups, swap, a board) is provoked on a virtual machine: tests/vm/test_preflight.py.
"""

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from components.preflight import document_of
from multus_site.model.load import parse_site
from multus_site.ssh.ssh_route import ssh_route
from tests.engine.applied import Place
from tests.graph.recording import ED25519
from tests.nodes.preflight.hosts import BASTION, HOSTS, SITE, hosts, refuse
from tests.nodes.preflight.provoked import CLUSTER, LISTEN, OF_THE_SITE, ON_HOST, moved
from tests.nodes.preflight.sites import AIR_GAP, MEDIA

LAST = "Fix the findings, then run the same command again: it checks the hosts again."
HERE = {"kube_proxy_mode": "iptables", "kube_network_plugin": "none", "allow_unsupported_distribution_setup": False}
"""Variables that ask a kernel for what every machine has that runs containers."""


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    refuse()
    with hosts(tmp_path_factory.mktemp("preflight") / "podman") as running:
        yield running


@pytest.fixture
def preflight(there):
    """Runs it for the two hosts: (errors, warnings, the record). `network`: what is on ens6; `other`: keys of the site."""

    def run(*, network=None, before=None, keys=None, variables=None, **other):
        bastion = {"host": BASTION, "hostKey": there.public["bastion"]}
        roles = {"node1": {"roles": ["control-plane", "etcd", "worker"]}}
        named = {
            name: {"address": address, "hostKey": there.public[name], **roles.get(name, {})}
            for name, address in HOSTS.items()
        }
        for name, changes in other.pop("hosts", {}).items():
            named[name] |= changes
        data = {
            "name": "preflight",
            "nodes": {"backend": "existing", "ssh": {"bastion": bastion}, "hosts": named},
            "networks": {"media": {**MEDIA, **(network or {})}},
            **other,
        }
        site = parse_site(data, source="stacks/Pulumi.preflight.yaml")
        known = {name: host.host_key for name, host in site.nodes.hosts.items()} | (keys or {})
        everywhere = dict.fromkeys(HOSTS, "prepared")
        reasons = {name: ["identity", "0"] for name in HOSTS}
        way_there = asdict(ssh_route(site.nodes.ssh, {"sshPrivateKey": there.private_key}))
        asked = document_of(site, {**HERE, **(variables or {})}, everywhere, way_there, reasons, known)
        there.environment["PULUMI_COMMAND_STDOUT"] = json.dumps(before) if before else ""
        done = there.inside(sys.executable, "-m", "multus_site.nodes.preflight", given=json.dumps(asked), check=False)
        if done.returncode:
            head, *lines, last = done.stderr.strip().splitlines()
            assert (done.stdout, last) == ("", LAST)
            assert head.endswith("of 2 hosts cannot become nodes; nothing was installed on any host.")
            warnings = [line.removeprefix("warning: ") for line in lines if line.startswith("warning: ")]
            return [line for line in lines if not line.startswith("warning: ")], warnings, None
        record = json.loads(done.stdout)
        return [], record["warnings"], record

    return run


@pytest.fixture
def provoked(there):
    """Changes a host for as long as a test lasts: what is done, and what undoes it."""
    undone = []

    def change(do, undo, node="node2"):
        undone.append((node, undo))
        there.on(node, do)

    yield change
    for node, undo in reversed(undone):
        there.on(node, undo)


def test_hosts_that_lack_nothing_pass_and_what_they_are_is_kept(preflight):
    errors, warnings, record = preflight()
    assert (errors, warnings) == ([], [])
    nic = record["nodes"]["node2"]["facts"]["nics"]
    assert set(nic) == {"eth0", "ens6"}
    assert (nic["ens6"]["mtu"], nic["ens6"]["speed"], nic["ens6"]["kind"]) == (1500, 10000, "veth")
    assert nic["eth0"]["addresses"] == [f"{HOSTS['node2']}/24"]


@pytest.mark.parametrize("code", ON_HOST)
def test_what_is_wrong_with_a_host(code, preflight, provoked):
    change, line = ON_HOST[code]
    provoked(*change)
    assert preflight() == ([line], [], None)


def test_a_kernel_that_is_too_old(preflight, provoked):
    wrapper = "/usr/local/bin/uname"
    provoked(
        f"printf '#!/bin/sh\\n[ $1 = -r ] && echo 5.10.0-28-amd64 || /bin/uname $1' >{wrapper}; chmod 755 {wrapper}",
        f"rm {wrapper}",
    )
    errors, _, _ = preflight(variables={"kube_proxy_mode": "nftables"})
    assert (
        "node2: the kernel is 5.10.0-28-amd64; kube_proxy_mode nftables needs 5.13 or later (KERNEL_OLD). Fix: upgrade the kernel"
        in errors
    )


def test_a_host_that_systemd_does_not_run(there, preflight):
    image = "localhost/without-systemd"
    server = 'CMD ["sh", "-c", "mkdir -p /run/sshd; /usr/sbin/sshd; sleep infinity"]'
    there.inside("podman", "commit", "--quiet", "--change", server, f"{SITE}-node2", image)
    there.make("other", {"eth0": "management:ip=10.98.1.13", "ens6": "internal"}, image=image, node="node2")
    there.on("other", "ip link set ens6 up; until ss -Hltn 'sport = :22' | grep -q .; do sleep 0.1; done")
    line = "node2: process 1 is sh; Kubespray needs systemd (INIT_UNSUPPORTED). Fix: boot the host with systemd"
    assert preflight(hosts={"node2": {"address": "10.98.1.13"}}) == ([line], [], None)


def test_one_machine_id_on_two_hosts(there, preflight, provoked):
    identity = there.on("node1", "cat /etc/machine-id").strip()
    provoked(f"cp /etc/machine-id /root/kept; echo {identity} >/etc/machine-id", "cat /root/kept >/etc/machine-id")
    line = f"node1, node2: several hosts have the machine-id {identity}; each host needs its own (MACHINE_ID_SHARED). "
    line += "Fix: rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot"
    assert preflight() == ([line], [], None)


def test_one_mac_address_on_two_hosts(there, preflight, provoked):
    mac, own = (there.on(node, "cat /sys/class/net/ens6/address").strip() for node in ("node1", "node2"))
    provoked(f"ip link set ens6 address {mac}", f"ip link set ens6 address {own}")
    ends = {"node1": "node2", "node2": "node1"}
    right = "(MAC_SHARED). Fix: give each machine MAC addresses of its own"
    lines = [
        f"{node}: ens6 has the MAC address {mac}, the same as ens6 of {other} {right}" for node, other in ends.items()
    ]
    assert preflight() == (lines, [], None)


def test_a_nic_without_a_carrier(there, preflight):
    peer = there.other_end("node2", "ens6")
    there.inside("ip", "link", "set", peer, "down")
    try:
        found = preflight()
    finally:
        there.inside("ip", "link", "set", peer, "up")
    line = "node2: ens6 has no carrier; network media (macvlan) needs a link (NIC_NO_CARRIER). Fix: check its cable, its switch port or its virtual network"
    assert found == ([line], [], None)


def test_an_mtu_that_is_too_small(preflight, provoked):
    provoked("ip link set ens6 mtu 1400", "ip link set ens6 mtu 1500")
    line = (
        "node2: ens6 has an MTU of 1400; network media (macvlan) needs 1500 (NIC_MTU_SMALL). Fix: raise it in the system's network settings "
        "and on the switch ports (until the next boot: ip link set ens6 mtu 1500), or lower the network's mtu"
    )
    assert preflight(network={"mtu": 1500}) == ([line], [], None)


def test_an_address_where_none_should_be(preflight, provoked):
    provoked("ip addr add 10.1.10.205/24 dev ens6", "ip addr flush dev ens6")
    errors, warnings, record = preflight()
    assert (errors, bool(record)) == ([], True)
    assert warnings == [
        "node2: ens6 has 10.1.10.205/24; network media (macvlan) uses the NIC for pods (NIC_HAS_ADDRESS). "
        "Fix: remove the address in the system's network settings, unless the node belongs in that network",
        "node2: ens6 has 10.1.10.205, which network media (macvlan) can give to a pod (ADDRESS_IN_RANGE). "
        "Fix: exclude it from the range (rangeStart and rangeEnd, or exclude)",
    ]


def test_networks_configurations_of_something_else(preflight, provoked):
    provoked("mkdir -p /etc/cni/net.d; touch /etc/cni/net.d/10-flannel.conflist", "rm -r /etc/cni")
    line = "node2: another program left /etc/cni/net.d/10-flannel.conflist, which may become the network of every pod (CNI_LEFTOVERS). "
    line += "Fix: rm /etc/cni/net.d/10-flannel.conflist, unless it is intended"
    errors, warnings, _ = preflight()
    assert (errors, warnings) == ([], [line])


def test_little_room(preflight, provoked):
    provoked("mount -t tmpfs -o size=5g none /var", "umount /var")
    errors, warnings, _ = preflight()
    assert (errors, warnings) == (
        [],
        [
            "node2: /var has 5120 MiB free; 10 GiB or more is recommended (DISK_SMALL). Fix: free space in /var, or give it a disk of its own"
        ],
    )


def test_an_address_that_is_translated_on_the_way(there, preflight):
    rule = ["OUTPUT", "-t", "nat", "-d", "10.98.1.99", "-j", "DNAT", "--to", HOSTS["node2"]]
    there.on("bastion", f"iptables -A {' '.join(rule)}")
    try:
        found = preflight(hosts={"node2": {"address": "10.98.1.99"}})
    finally:
        there.on("bastion", f"iptables -D {' '.join(rule)}")
    line = (
        "node2: no NIC has 10.98.1.99, the host's address in the site; found 10.98.1.12/24 (ADDRESS_MISSING). "
        "Fix: correct nodes.hosts.node2.address; if NAT translates it, reach the hosts through a bastion"
    )
    assert found == ([line], [], None)


BOTH = "node1, node2:"


@pytest.mark.parametrize("code", OF_THE_SITE)
def test_what_a_site_asks_and_hosts_have_not(code, there, preflight):
    if code == "IOMMU_OFF" and Path("/sys/kernel/iommu_groups/0").exists():
        pytest.skip("this machine has an IOMMU in use, and its containers have it too")
    asked, line = OF_THE_SITE[code]
    memory = int(there.on("node2", "sed -n 's/^MemTotal: *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo")) // 1024
    errors, _, _ = preflight(**asked)
    assert line.format(memory=memory) in errors


def test_the_nodes_own_nic_as_a_master(preflight):
    line = (
        f"{BOTH} eth0 has the node's own address, and network media (macvlan) uses it: a node and its own pods cannot reach each other "
        "through it (NIC_OWN). Fix: use another NIC, if the host has one"
    )
    errors, warnings, _ = preflight(network={"master": "eth0"})
    assert (errors, warnings) == ([], [line])


def test_a_module_that_the_kernel_lacks(there, preflight):
    kinds = {"ipvlan": "ipvlan", "8021q": "vlan", "dummy": "dummy"}
    probe = "ip link add up0 type veth peer name up1; ip link add {}name probe0 type {}"
    options = {"ipvlan": ("link up0 ", "ipvlan"), "8021q": ("link up0 ", "vlan id 2"), "dummy": ("", "dummy")}
    made = {
        module: there.inside("unshare", "--net", "sh", "-c", probe.format(*options[module]), check=False).returncode
        == 0
        for module in kinds
    }
    module = next((module for module, there_is in made.items() if not there_is), None)
    if module is None:
        pytest.skip(f"this kernel makes all of {', '.join(kinds.values())}")
    network = {
        "ipvlan": MEDIA,
        "8021q": {**MEDIA, "vlanId": 2},
        "dummy": {k: v for k, v in MEDIA.items() if k != "master"},
    }
    errors, _, _ = preflight(networks={"media": {**network[module], "type": kinds[module]}})
    kernel = there.on("node2", "uname -r").strip()
    line = f"{BOTH} kernel {kernel} has no module {module}; network media needs it (MODULE_ABSENT). "
    line += (
        "Fix: install linux-image-amd64 instead of the cloud kernel, or allow the module if /etc/modprobe.d blocks it"
    )
    assert errors == [line]


def test_no_apt_at_an_air_gapped_site(preflight, provoked):
    provoked(*moved("/usr/bin/apt-get"))
    line = (
        "node2: Debian GNU/Linux 12 (bookworm) has no apt-get; airGap.os needs Debian or Ubuntu (NO_APT). "
        "Fix: correct airGap.os, or install that system"
    )
    assert preflight(airGap=AIR_GAP) == ([line], [], None)


def test_another_host_key_than_the_pinned_one(preflight):
    errors, _, _ = preflight(keys={"node2": ED25519})
    assert errors[0].startswith(f"node2: {HOSTS['node2']} cannot be checked: its SSH host key is not the pinned one")


def test_all_at_once_and_once_mended_it_goes_on(preflight, provoked, there):
    provoked("hostname localhost", "hostname node1", "node1")
    provoked(
        "ip link set ens6 mtu 1400; mkdir -p /var/lib/etcd/member", "ip link set ens6 mtu 1500; rm -rf /var/lib/etcd"
    )
    errors, _, record = preflight(network={"mtu": 1500})
    assert [re.search(r"^(\w+): .*\(([A-Z_]+)\)", line).groups() for line in errors] == [
        ("node1", "HOSTNAME_DIFFERS"),
        ("node2", "NIC_MTU_SMALL"),
        ("node2", "CLUSTER_LEFTOVERS"),
    ]
    assert record is None
    there.on("node1", "hostname node1")
    there.on("node2", "ip link set ens6 mtu 1500; rm -rf /var/lib/etcd")
    errors, _, record = preflight(network={"mtu": 1500})
    assert (errors, bool(record)) == ([], True)


def test_a_host_that_passed_is_ours_and_is_not_reached_until_other_things_are_asked(preflight, provoked):
    _, _, record = preflight()
    provoked(CLUSTER, "rm -r /etc/kubernetes")
    provoked(LISTEN, "systemctl stop squatter")
    assert preflight(before=record) == ([], [], record)
    # With a wrong key it could not be reached: it was not even tried.
    assert preflight(before=record, keys={"node2": ED25519})[2] == record
    errors, warnings, later = preflight(before=record, network={"mtu": 1500})
    assert (errors, warnings) == ([], [])
    assert later["nodes"]["node2"]["asked"] != record["nodes"]["node2"]["asked"]


def test_a_cluster_is_ours_by_the_authority_beside_the_sites_record(preflight, provoked):
    mine = f"{CLUSTER}; mkdir -p /etc/kubernetes/ssl; echo authority >/etc/kubernetes/ssl/ca.crt"
    record = (
        'mkdir -p /var/lib/multus-site; echo \'{"runs": 1, "site": "preflight"}\' >/var/lib/multus-site/kubespray.json'
    )
    provoked(f"{mine}; {record}", "rm -r /etc/kubernetes /var/lib/multus-site", "node1")
    provoked(mine, "rm -r /etc/kubernetes")
    assert preflight()[:2] == ([], [])
    provoked("echo another >/etc/kubernetes/ssl/ca.crt", "true")
    errors, _, _ = preflight()
    assert len(errors) == 1
    assert errors[0].startswith(
        "node2: /etc/kubernetes/kubelet.conf belongs to another cluster: https://192.0.2.7:6443"
    )


@pytest.mark.engine
def test_the_real_program_fails_once_with_everything_looks_anew_and_then_leaves_hosts_alone(
    there, tmp_path, provoked, monkeypatch
):
    """`pulumi up` of a whole site. There is no Kubespray to be had in the namespace, so that it ends behind preflight."""
    monkeypatch.setattr(
        "tests.engine.applied.without_network", lambda: ["nsenter", f"--net=/run/netns/{there.namespace}"]
    )
    identity, other = (there.on(node, "cat /etc/machine-id").strip() for node in HOSTS)
    provoked(f"echo {identity} >/etc/machine-id", f"echo {other} >/etc/machine-id")
    provoked("mkdir -p /var/lib/etcd/member", "rm -rf /var/lib/etcd", "node1")
    place = Place(tmp_path)
    named = {name: {"address": address, "hostKey": there.public[name]} for name, address in HOSTS.items()}
    named["node1"]["roles"] = ["control-plane", "etcd", "worker"]
    ssh = {"bastion": {"host": BASTION, "hostKey": there.public["bastion"]}}
    site = {
        "name": "preflight",
        "nodes": {"backend": "existing", "ssh": ssh, "hosts": named},
        "kubespray": {"variables": {**HERE, "kubelet_fail_cgroup_v1": False}},
        "networks": {"media": MEDIA},
    }
    del site["kubespray"]["variables"]["kube_network_plugin"]
    site["kubespray"]["networkPlugin"] = "none"
    place.write(site)
    place.initialise()
    place.secret("multus-site:sshPrivateKey", there.private_key)
    place.write(site)

    def up():
        done = place.run("pulumi", "up", "--stack", "dallas", "--yes", "--skip-preview", "--non-interactive")
        assert done.returncode
        return done.stdout + done.stderr

    first = up()
    assert (
        f"node1, node2: several hosts have the machine-id {identity}; each host needs its own (MACHINE_ID_SHARED)"
        in first
    )
    assert "node1: an earlier cluster left /var/lib/etcd/member (CLUSTER_LEFTOVERS)" in first
    assert "preflight-kubernetes-kubespray creating" not in first

    there.on("node2", f"echo {other} >/etc/machine-id")
    there.on("node1", "rm -r /var/lib/etcd; ip link set ens6 down")
    second = up()
    assert "MACHINE_ID_SHARED" not in second
    # The NIC was set up, and the new identity read, by commands that had succeeded before.
    assert "UP" in there.on("node1", "ip link show ens6")
    assert "preflight-preflight-run created" in second
    assert "preflight-kubernetes-kubespray creating" in second
    state = json.loads(place.must("pulumi", "stack", "export", "--stack", "dallas"))["deployment"]["resources"]
    facts = {r["urn"].split("::")[-1]: json.loads(r["outputs"]["stdout"]) for r in state if r["urn"].endswith("-facts")}
    assert facts["preflight-node2-facts"]["machineId"] == other

    third = up()
    assert "-facts updat" not in third
    assert "preflight-preflight-run updat" not in third
