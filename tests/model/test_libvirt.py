"""What a site says of virtual machines: mistakes, each with its place and what would be right; hardware of single nodes."""

import copy

import pytest

from multus_site.model.load import SiteError, parse_site
from tests.render.test_libvirt import NODES


def site(edit=None, **more):
    data = {"name": "dallas", "nodes": copy.deepcopy(NODES), **more}
    if edit:
        edit(data["nodes"])
    return parse_site(data, source="a test")


def mistakes(edit, **more):
    with pytest.raises(SiteError) as error:
        site(edit, **more)
    return [line.removeprefix("a test: ") for line in error.value.lines()]


def libvirt(**changes):
    return lambda nodes: nodes["libvirt"].update(changes)


def machine(node, **changes):
    return lambda nodes: nodes["libvirt"]["machines"].setdefault(node, {}).update(changes)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            lambda n: n["hosts"]["node1"].update(address="10.1.2.5"),
            "nodes.hosts.node1.address: 10.1.2.5 is not in 10.1.1.0/24, the network of nodes.libvirt.management; correct one of them",
        ),
        (
            lambda n: n["libvirt"]["management"].update(gateway="10.2.1.1"),
            "nodes.libvirt.management.gateway: 10.2.1.1 is not in 10.1.1.0/24; give the router's address in that network",
        ),
        (
            lambda n: n["hosts"]["node1"].update(address="10.1.1.0"),
            "nodes.hosts.node1.address: 10.1.1.0 is the network address of 10.1.1.0/24; use an address from 10.1.1.1 to 10.1.1.254",
        ),
        (
            lambda n: n["hosts"]["node1"].update(address="10.1.1.255"),
            "nodes.hosts.node1.address: 10.1.1.255 is the broadcast address of 10.1.1.0/24; use an address from 10.1.1.1 to 10.1.1.254",
        ),
        (
            lambda n: n["hosts"]["node1"].update(address="10.1.1.1"),
            "nodes.hosts.node1.address: 10.1.1.1 is also the gateway, in nodes.libvirt.management; change one of them",
        ),
        (
            lambda n: n["libvirt"]["management"].update(gateway="10.1.1.255"),
            "nodes.libvirt.management.gateway: 10.1.1.255 is the broadcast address of 10.1.1.0/24; use an address from 10.1.1.1 to 10.1.1.254",
        ),
        (
            machine("node9", cpus=4),
            "nodes.libvirt.machines.node9: there is no host 'node9'; name one of node1, packets, emulated, or add it to nodes.hosts",
        ),
        (
            libvirt(hypervisor="kvm9"),
            "nodes.libvirt.hypervisor: there is no hypervisor 'kvm9'; name one of kvm1, or add it to nodes.libvirt.hypervisors",
        ),
        (
            machine("node1", hypervisor="kvm9"),
            "nodes.libvirt.machines.node1.hypervisor: there is no hypervisor 'kvm9'; name one of kvm1, or add it to nodes.libvirt.hypervisors",
        ),
        (
            machine("packets", cpuPinning=[2, 3]),
            "nodes.libvirt.machines.packets.cpuPinning: packets has 4 CPUs, but 2 are listed; list one for each",
        ),
        (
            machine("packets", memory=8000),
            "nodes.libvirt.machines.packets.memory: 8000 MiB is not a multiple of 1 GiB; write 8192, or hugepages: 2M",
        ),
        (
            machine("node1", hypervisor="kvm1", nics={"ens8": {"vf": "0000:3b:02.1"}}),
            "nodes.libvirt.machines.packets.nics.ens6: 0000:3b:02.1 is also used by node1, on the same hypervisor; choose another for packets in nodes.libvirt.machines.packets",
        ),
        (
            machine("node1", hypervisor="kvm1", cpuPinning=[1, 2]),
            "nodes.libvirt.machines.packets.cpuPinning: CPU 2 is also used by node1, on the same hypervisor; choose another for packets in nodes.libvirt.machines.packets",
        ),
        (
            machine("node1", hypervisor="kvm1", nics={"ens8": {"macvtap": "eno2"}}),
            "nodes.libvirt.machines.packets.nics.ens7: eno2 is also used by node1, on the same hypervisor; choose another for packets in nodes.libvirt.machines.packets",
        ),
        (
            lambda n: (
                machine("node1", nics={"ens8": {"macvtap": "eno5", "mode": "passthrough"}})(n),
                machine("emulated", nics={"ens8": {"macvtap": "eno5"}})(n),
            ),
            "nodes.libvirt.machines.emulated.nics.ens8: eno5 is also used by node1, on the same hypervisor; choose another for emulated in nodes.libvirt.machines.emulated",
        ),
        (
            machine("node1", nics={"ens8": {"vf": "0000:3b:02.4"}, "ens9": {"vf": "0000:3b:02.4"}}),
            "nodes.libvirt.machines.node1.nics.ens9: 0000:3b:02.4 is also used by ens8 of node1; change one of them",
        ),
        (
            machine("node1", cpuPinning=[2, 2]),
            "nodes.libvirt.machines.node1.cpuPinning: CPU 2 is listed 2 times; list another CPU for each virtual CPU of node1",
        ),
        (
            machine("node1", nics={"ens8": {"bridge": "br1", "mode": "passthrough"}}),
            "nodes.libvirt.machines.node1.nics.ens8: mode applies to macvtap only; remove it, or use macvtap instead of bridge",
        ),
        (
            machine("node1", nics={"ens8": {"vf": "0000:3b:02.4", "mode": "bridge"}}),
            "nodes.libvirt.machines.node1.nics.ens8: mode applies to macvtap only; remove it, or use macvtap instead of vf",
        ),
        (
            lambda n: n["hosts"]["node1"].update(architecture="arm64"),
            "nodes.hosts.node1.architecture: virtual machines can only be amd64; remove it, or create node1 yourself (backend: existing)",
        ),
        (
            machine("node1", nics={"ens8": {"bridge": "br-a", "vf": "0000:3b:02.4"}}),
            "nodes.libvirt.machines.node1.nics.ens8: bridge and vf are set; give exactly one of bridge, macvtap, vf",
        ),
        (
            machine("node1", nics={"ens8": {}}),
            "nodes.libvirt.machines.node1.nics.ens8: none of bridge, macvtap, vf is set; give exactly one of bridge, macvtap, vf",
        ),
        (
            libvirt(image={"sha256": "c" * 64}),
            "nodes.libvirt.image: none of url, path is set; give exactly one of url, path",
        ),
        (
            libvirt(storage="images"),
            "nodes.libvirt.storage: 'images' is not the full path of a file or folder; write one such as /var/lib/libvirt/images",
        ),
    ],
)
def test_mistakes(edit, expected):
    assert mistakes(edit) == [expected]


def test_a_macvtap_that_is_not_one_machine_s_alone_is_shared():
    shared = {"macvtap": "eno5", "mode": "vepa"}
    assert site(libvirt(nics={**NODES["libvirt"]["nics"], "ens8": shared, "ens9": {"macvtap": "eno5"}}))


def of_addresses(network, gateway, *addresses):
    def edit(nodes):
        nodes["libvirt"]["management"].update(network=network, gateway=gateway)
        for host, address in zip(nodes["hosts"].values(), addresses, strict=True):
            host["address"] = address

    return edit


def test_addresses_of_ipv6():
    found = mistakes(of_addresses("fd00:1::/64", "fd00:1::1", "fd00:1::", "fd00:1::1", "fd00:1::ffff:ffff:ffff:ffff"))
    assert found == [
        "nodes.hosts.node1.address: fd00:1:: is the subnet-router anycast address of fd00:1::/64; use an address from fd00:1::1 to fd00:1::ffff:ffff:ffff:ffff",
        "nodes.hosts.packets.address: fd00:1::1 is also the gateway, in nodes.libvirt.management; change one of them",
    ]


def test_of_two_addresses_both_are_machines():
    def edit(nodes):
        nodes["libvirt"]["machines"] = {}
        nodes["libvirt"]["management"].update(network="10.1.1.4/31", gateway="10.1.1.4")
        nodes["hosts"] = {"node1": nodes["hosts"]["node1"]}

    assert site(edit)


def test_the_management_nic_has_to_be_there():
    found = mistakes(lambda n: n["libvirt"]["nics"].pop("eth0"))
    assert found[0] == (
        "nodes.libvirt.management.interface: node1 has no NIC 'eth0'; name one of ens6, ens7, or add it, such as eth0: {bridge: br-mgmt}"
    )
    assert len(found) == 3


def macvlan(master):
    return {"type": "macvlan", "master": master, "nodes": ["emulated"], "ipam": {"type": "static"}}


def test_macvtap_delivers_nothing_to_the_addresses_of_macvlan():
    expected = (
        "networks.lan.master: ens7 of emulated is a macvtap, which drops frames to MAC addresses of pods; "
        "set mode: passthrough there, or use type: ipvlan"
    )
    assert mistakes(None, networks={"lan": macvlan("ens7")}) == [expected]
    assert site(None, networks={"lan": {**macvlan("ens7"), "type": "ipvlan"}})
    assert site(None, networks={"lan": macvlan("ens6")})
    # A passthrough NIC is one machine's alone.
    alone = machine("emulated", nics={"ens7": {"macvtap": "eno3", "mode": "passthrough"}})
    assert site(alone, networks={"lan": macvlan("ens7")})


def test_a_machine_has_of_its_own_what_is_written_there_and_the_rest_of_all():
    made = site(libvirt(memory=16384)).nodes
    assert made.nics("packets") == {"eth0": "br-mgmt", "ens6": "0000:3b:02.1", "ens7": "eno2"}
    assert made.nics("node1") == {"eth0": "br-mgmt", "ens6": "br-internal", "ens7": "br-external"}
    assert made.made_of("packets") == (
        "4 CPUs on 2+3+18+19, 8192 MiB of memory in huge pages of 1G of NUMA node 0, 20 GiB of disk, on kvm1, "
        "eth0 in br-mgmt, ens6 in 0000:3b:02.1, ens7 in eno2"
    )
    assert made.made_of("node1") == (
        "2 CPUs, 16384 MiB of memory, 20 GiB of disk, eth0 in br-mgmt, ens6 in br-internal, ens7 in br-external"
    )
    assert made.management == "eth0"
    assert made.makes_machines
