"""Virtual machines: domain XML, cloud-init's files and their disk. To accept new texts: UPDATE_GOLDEN=1, then read the diff."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from multus_site.model.libvirt import Management
from multus_site.model.load import parse_site
from multus_site.render.host_keys import derive_host_key
from multus_site.render.libvirt.cloud_init import files, network_config
from multus_site.render.libvirt.domain import domain, mac
from multus_site.render.libvirt.machine import makes_another, seed, variables
from multus_site.render.libvirt.seed import SECTOR, extents

GOLDEN = Path(__file__).parent / "libvirt"
KEYS = derive_host_key("0123456789abcdef", "dallas", "node1")
NODES = {
    "backend": "libvirt",
    "ssh": {"user": "ubuntu"},
    "libvirt": {
        "image": {"url": "https://example.org/debian-12.qcow2", "sha256": "c" * 64},
        "management": {"network": "10.1.1.0/24", "gateway": "10.1.1.1", "dns": ["10.1.1.1", "fd00::1"]},
        "nics": {"eth0": {"bridge": "br-mgmt"}, "ens6": {"bridge": "br-internal"}, "ens7": {"bridge": "br-external"}},
        "hypervisors": {"kvm1": {"address": "10.1.1.2", "hostKey": KEYS.public}},
        "machines": {
            "packets": {
                "hypervisor": "kvm1",
                "cpus": 4,
                "memory": 8192,
                "cpuPinning": [2, 3, 18, 19],
                "hugepages": "1G",
                "numaNode": 0,
                "nics": {
                    "ens6": {"vf": "0000:3b:02.1", "mtu": 9000},
                    "ens7": {"macvtap": "eno2", "mode": "passthrough"},
                },
            },
            "emulated": {"accelerator": "tcg", "hugepages": "2M", "nics": {"ens7": {"macvtap": "eno3"}}},
        },
    },
    "hosts": {
        "node1": {"address": "10.1.1.5", "roles": ["control-plane", "etcd", "worker"]},
        "packets": {"address": "10.1.1.6"},
        "emulated": {"address": "10.1.1.7"},
    },
}


def nodes(**changes):
    data = {"name": "dallas", "nodes": {**NODES, "libvirt": {**NODES["libvirt"], **changes}}}
    return parse_site(data, source="a test").nodes


def as_written(name, text):
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("node", NODES["hosts"])
def test_domain(node):
    as_written(f"{node}.xml", domain("dallas", node, nodes().libvirt))


@pytest.mark.parametrize("node", NODES["hosts"])
def test_libvirt_takes_the_domain(node):
    if shutil.which("virt-xml-validate") is None or shutil.which("xmllint") is None:
        pytest.skip("no virt-xml-validate; type: apt-get install --no-install-recommends libvirt-clients libxml2-utils")
    done = subprocess.run(
        ["virt-xml-validate", GOLDEN / f"{node}.xml", "domain"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("user", ["root", "ubuntu"])
def test_cloud_init(user):
    told = files(
        "dallas", "packets", nodes().libvirt, "10.1.1.6", user, "ssh-ed25519 AAAA", "PRIVATE\n", "ssh-ed25519 B"
    )
    for name in told:
        as_written(f"{user}.{name}", told[name])


@pytest.mark.parametrize(
    ("network", "gateway", "everywhere"),
    [("10.1.1.0/24", "10.1.1.1", "0.0.0.0/0"), ("fd00:1::/64", "fd00:1::1", "::/0")],
)
def test_the_default_route_is_a_network_that_every_renderer_of_cloud_init_knows(network, gateway, everywhere):
    told = nodes().libvirt.model_copy(update={"management": Management(network=network, gateway=gateway)})
    routes = network_config("dallas", "node1", told, "10.1.1.5")["ethernets"]["eth0"]["routes"]
    assert routes == [{"to": everywhere, "via": gateway}]


def test_another_key_is_another_instance_to_cloud_init():
    def instance(key):
        told = files("dallas", "node1", nodes().libvirt, "10.1.1.5", "root", key, "PRIVATE", "PUBLIC")
        return json.loads(told["meta-data"])["instance-id"]

    assert instance("one") != instance("two")
    assert instance("one") == instance("one")


def test_macs_are_unicast_locally_administered_and_all_different():
    made = {
        mac(site, f"node{i}", nic)
        for site in ("dallas", "austin")
        for i in range(1000)
        for nic in ("eth0", "ens6", "ens7")
    }
    assert len(made) == 6000
    assert {int(address[:2], 16) & 3 for address in made} == {2}


def disk(told):
    parts, sectors = extents(told)
    found = bytearray(sectors * SECTOR)
    for sector, data in parts:
        assert not any(found[sector * SECTOR : sector * SECTOR + len(data)])
        found[sector * SECTOR : sector * SECTOR + len(data)] = data
    return bytes(found)


def test_the_disk_holds_the_files(tmp_path):
    if shutil.which("isoinfo") is None:
        pytest.skip("no isoinfo to read it with; type: apt-get install --no-install-recommends genisoimage")
    told = {"user-data": "a" * 5000, "meta-data": "{}\n", "network-config": "n" * SECTOR}
    image = tmp_path / "seed.iso"
    image.write_bytes(disk(told))

    def isoinfo(*words):
        return subprocess.run(["isoinfo", *words, "-i", image], capture_output=True, text=True, check=True).stdout

    assert "Volume id: CIDATA" in isoinfo("-d")
    assert {name: isoinfo("-x", f"/{name};1") for name in told} == told


def test_equal_files_give_an_equal_disk_whatever_their_order():
    told = {"user-data": "u", "meta-data": "m"}
    assert disk(told) == disk(dict(reversed(told.items())))


def test_the_script_is_given_the_disk_and_no_secret_besides():
    told = seed("dallas", "node1", nodes(), "ssh-ed25519 AAAA", KEYS.private, KEYS.public)
    assert int(told["SEED_SECTORS"]) > max(int(line.split()[0]) for line in told["SEED"].splitlines())
    assert KEYS.private.splitlines()[1] not in str(variables("dallas", "node1", nodes()))


def test_the_hypervisor_is_told_what_each_nic_is_plugged_into_and_has_to_carry():
    told = variables("dallas", "packets", nodes())["NICS"]
    assert told.splitlines() == ["bridge br-mgmt 1500", "vf 0000:3b:02.1 9000", "macvtap eno2 1500"]


def test_huge_pages_are_counted_and_where_they_have_to_be():
    assert variables("dallas", "packets", nodes())["PAGES"] == "1048576 8 0"
    assert variables("dallas", "emulated", nodes())["PAGES"] == "2048 2048"
    assert variables("dallas", "node1", nodes())["PAGES"] == ""


@pytest.mark.parametrize(
    ("changes", "another"),
    [
        ({"memory": 8192}, False),
        ({"cpus": 4}, False),
        ({"disk": 40}, False),
        ({"nics": {**NODES["libvirt"]["nics"], "ens6": {"bridge": "br-other"}}}, False),
        ({"nics": {**NODES["libvirt"]["nics"], "ens6": {"bridge": "br-internal", "mtu": 9000}}}, True),
        ({"nics": {**NODES["libvirt"]["nics"], "ens6": {"macvtap": "eno5"}}}, True),
        ({"nics": {**NODES["libvirt"]["nics"], "ens8": {"bridge": "br-oam"}}}, True),
        ({"image": {"url": "https://example.org/debian-12.qcow2", "sha256": "d" * 64}}, True),
        ({"image": {"url": "https://mirror.example/debian-12.qcow2", "sha256": "c" * 64}}, False),
        ({"hypervisor": "kvm1"}, True),
        ({"storage": "/srv/disks"}, True),
    ],
)
def test_what_makes_another_machine(changes, another):
    assert (makes_another(nodes(**changes), "node1") != makes_another(nodes(), "node1")) is another
