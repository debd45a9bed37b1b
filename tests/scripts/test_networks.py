"""multus_site/scripts/networks.sh, run by sh as root with /etc, and with stand-ins of what this kernel has no links for.

The kernel here may know neither VLANs nor bonds: `ip link`, networkctl and systemctl are scripts that keep what the real ones
would have made; that systemd-networkd makes it is shown in a virtual machine (docs/networks.md). Everything else is real.
"""

import hashlib
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from multus_site import scripts
from multus_site.render.script import script

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "--net", "true"], check=False).returncode != 0,
    reason="needs root, mount and network namespaces",
)

# What networkd would make of our files: each .netdev a link; and what breaks a node's network, if the test asks for that.
NETWORKCTL = """#!/bin/sh
case $1 in
    status) sed -n "s/^$2 /   Network File: /p" /tools/network-files ;;
    reload)
        echo reload >>/tools/log
        [ ! -e /tools/breaks ] || { ip addr flush dev eth0; rm /tools/breaks; exit 0; }
        [ ! -e /tools/restores ] || ip addr replace 10.1.1.6/24 dev eth0
        for file in /etc/systemd/network/70-multus-site-*.netdev; do
            [ -e "$file" ] || continue
            name=$(sed -n 's/^Name=//p' "$file")
            [ -d "/sys/class/net/$name" ] || ip link add "$name" type veth peer name "p-$name"
        done ;;
esac
"""


class Node:
    """A node's /etc and tools of the test's own, and a network namespace with eth0 and two NICs."""

    def __init__(self, root):
        self.root = root
        for name in ("etc/systemd/network", "etc/systemd/system", "etc/cni", "etc/multus-site", "tools"):
            (root / name).mkdir(parents=True)
        self.tool("networkctl", NETWORKCTL)
        self.tool("systemctl", '#!/bin/sh\necho "$@" >>/tools/log\n[ "$1 $3" != "is-active NetworkManager" ]\n')
        (root / "tools" / "network-files").touch()
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "120"])
        self.net = f"/proc/{self.holder.pid}/ns/net"
        while Path(self.net).readlink() == Path("/proc/self/ns/net").readlink():
            time.sleep(0.01)
        for words in (
            "link set lo up",
            "link add eth0 type veth peer name peer0",
            "link add ens6 address 02:00:00:00:00:06 type veth peer name peer6",
            "link property add dev ens6 altname enp6s0f0np0",
            "addr add 10.1.1.6/24 dev eth0",
        ):
            self.ip(*words.split())

    def tool(self, name, text):
        path = self.root / "tools" / name
        path.write_text(text)
        path.chmod(0o755)

    def ip(self, *words):
        return subprocess.run(
            ["nsenter", f"--net={self.net}", "ip", *words], capture_output=True, text=True, check=True
        )

    def run(self, argument="apply", **variables):
        given = dict.fromkeys(("LINKS", "FUNCTIONS", "FUNCTIONS_SCRIPT", "CONFIGS"), "") | variables
        text = script("networks", {**given, "MANAGEMENT": "10.1.1.6"})
        inside = (
            f"mount --bind {self.root}/etc/systemd/network /etc/systemd/network; mount --bind {self.root}/etc/systemd/system "
            f"/etc/systemd/system; mkdir -p /etc/cni /tools /etc/multus-site; mount --bind {self.root}/etc/cni /etc/cni; "
            f"mount --bind {self.root}/tools /tools; mount --bind {self.root}/etc/multus-site /etc/multus-site; mount -t sysfs none /sys; "
            f"PATH=/tools:$PATH SYSFS={self.root}/sys exec sh -s {argument}"
        )
        command = ["nsenter", f"--net={self.net}", "unshare", "--mount", "sh", "-c", inside]
        temporary = self.root / "temporary"
        temporary.mkdir(exist_ok=True)
        environment = {**os.environ, "TMPDIR": str(temporary)}
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, timeout=60, env=environment
        )
        assert list(temporary.iterdir()) == []
        return done

    def files(self):
        folder = self.root / "etc" / "systemd" / "network"
        return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}

    def configs(self):
        folder = self.root / "etc" / "cni" / "multus" / "net.d"
        return {p.name: p.read_text().strip() for p in folder.glob("*")} if folder.exists() else {}

    def links(self):
        return {link["ifname"] for link in json.loads(self.ip("-j", "link").stdout)}

    def log(self):
        path = self.root / "tools" / "log"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def node(tmp_path):
    made = Node(tmp_path)
    yield made
    made.holder.kill()
    made.holder.wait()


VLAN = "ens6.110 vlan ens6 110 1400"


def test_a_vlan_is_made_of_networkd_s_files(node):
    done = node.run(LINKS=VLAN)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"links": {"ens6.110": {"mtu": 1400}}, "masters": {}, "files": {}}
    assert node.files() == {
        "70-multus-site-ens6.110.netdev": "[NetDev]\nName=ens6.110\nKind=vlan\nMTUBytes=1400\n[VLAN]\nId=110\n",
        "70-multus-site-ens6.110.network": "[Match]\nName=ens6.110\n[Network]\nLinkLocalAddressing=no\n",
        "70-multus-site-ens6.network": "[Match]\nName=ens6\n[Network]\nLinkLocalAddressing=no\nVLAN=ens6.110\n",
    }
    assert "ens6.110" in node.links()


def test_a_bond_with_a_vlan_of_its_own(node):
    done = node.run(LINKS="bond0 bond 802.3ad 9000 ens6 ens7\nbond0.110 vlan bond0 110 -")
    assert done.returncode == 0, done.stderr
    files = node.files()
    assert files["70-multus-site-bond0.netdev"] == (
        "[NetDev]\nName=bond0\nKind=bond\nMTUBytes=9000\n[Bond]\nMode=802.3ad\nMIIMonitorSec=100ms\n"
    )
    assert files["70-multus-site-ens7.network"].endswith("Bond=bond0\n")
    assert files["70-multus-site-bond0.network"].endswith("VLAN=bond0.110\n")


def test_who_has_a_network_file_keeps_it(node):
    (node.root / "tools" / "network-files").write_text("ens6 /run/systemd/network/10-uplink.network\n")
    assert node.run(LINKS=VLAN).returncode == 0
    assert node.files()["10-uplink.network.d/multus-site.conf"] == "[Network]\nVLAN=ens6.110\n"
    assert "70-multus-site-ens6.network" not in node.files()


def test_again_changes_nothing(node):
    node.run(LINKS=VLAN)
    before, reloads = node.files(), node.log().count("reload")
    assert node.run(LINKS=VLAN).returncode == 0
    assert (node.files(), node.log().count("reload")) == (before, reloads)


def mtu(node, link):
    return json.loads(node.ip("-j", "link", "show", "dev", link).stdout)[0]["mtu"]


@pytest.mark.parametrize(("link", "asked"), [(VLAN, 1400), ("ens6.110 vlan ens6 110 -", 1500)])
def test_what_was_set_by_hand_is_put_back_without_touching_the_rest(node, link, asked):
    node.run(LINKS=link)
    reloads = node.log().count("reload")
    node.ip("link", "set", "dev", "ens6.110", "mtu", "1300", "down")
    done = node.run(LINKS=link)
    assert done.returncode == 0, done.stderr
    assert mtu(node, "ens6.110") == asked
    assert "UP" in json.loads(node.ip("-j", "link", "show", "dev", "ens6.110").stdout)[0]["flags"]
    assert node.log().count("reload") == reloads


def test_a_link_that_was_taken_away_is_made_again(node):
    node.run(LINKS=VLAN)
    node.ip("link", "del", "dev", "ens6.110")
    assert node.run(LINKS=VLAN).returncode == 0
    assert "ens6.110" in node.links()


def test_what_is_asked_for_no_more_goes(node):
    node.run(LINKS=VLAN + "\nens6.120 vlan ens6 120 -")
    assert node.run(LINKS=VLAN).returncode == 0
    assert {"ens6.110", "ens6.120"} & node.links() == {"ens6.110"}
    assert node.run("remove", LINKS=VLAN).returncode == 0
    assert node.files() == {}
    assert "ens6.110" not in node.links()


def test_a_change_that_costs_the_node_its_address_is_taken_back(node):
    node.run(LINKS=VLAN)
    before = node.files()
    for name in ("breaks", "restores"):
        (node.root / "tools" / name).touch()
    done = node.run(LINKS="bond0 bond active-backup - eth0")
    assert done.returncode == 1
    assert "as it was before" in done.stderr
    assert node.files() == before
    assert "10.1.1.6/24" in node.ip("addr", "show", "dev", "eth0").stdout
    assert "bond0" not in node.links()


def test_network_manager_is_left_alone(node):
    node.tool("systemctl", '#!/bin/sh\n[ "$1 $3" = "is-active NetworkManager" ]\n')
    done = node.run(LINKS=VLAN)
    assert (done.returncode, node.files()) == (1, {})
    assert "nmcli" in done.stderr


def test_netplan_rules_where_it_is(node):
    node.tool("netplan", "#!/bin/sh\necho netplan $1 >>/tools/log\nip link add ens6.110 type veth peer name v\n")
    netplan = node.root / "etc" / "netplan"
    netplan.mkdir()
    (netplan / "50-cloud-init.yaml").write_text("network: {version: 2}\n")
    text = script(
        "networks",
        {"LINKS": VLAN, "FUNCTIONS": "", "FUNCTIONS_SCRIPT": "", "CONFIGS": "", "MANAGEMENT": "10.1.1.6"},
    )
    inside = (
        f"mkdir -p /etc/netplan /tools /etc/cni; mount --bind {netplan} /etc/netplan; mount --bind {node.root}/etc/cni /etc/cni; "
        f"mount --bind {node.root}/tools /tools; mount -t sysfs none /sys; PATH=/tools:$PATH exec sh -s apply"
    )
    command = ["nsenter", f"--net={node.net}", "unshare", "--mount", "sh", "-c", inside]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (netplan / "90-multus-site.yaml").read_text() == (
        "network:\n  version: 2\n  vlans:\n    ens6.110: {id: 110, link: ens6, link-local: [], mtu: 1400}\n"
    )
    assert node.log() == ["netplan apply"]


def physical_functions(node, *names):
    """NICs with SR-IOV in the /sys that functions.sh is given: name → its file of how many functions there are."""
    found = {}
    for name in names:
        device = node.root / "sys" / "class" / "net" / name / "device"
        device.mkdir(parents=True)
        node.ip("link", "add", name, "type", "veth", "peer", "name", f"p-{name}")
        (device / "sriov_totalvfs").write_text("8\n")
        found[name] = device / "sriov_numvfs"
        found[name].write_text("2\n")
        for i in range(2):
            (device / f"virtfn{i}").mkdir()
    return found


def test_a_nic_that_leaves_the_pools_gives_its_functions_back(node):
    counts = physical_functions(node, "ens1", "ens2", "ens2.0")
    both = {
        "FUNCTIONS": "ens1 2 netdevice\nens2.0 2 netdevice\nens2 2 netdevice",
        "FUNCTIONS_SCRIPT": scripts.text("functions"),
    }
    assert node.run(**both).returncode == 0
    assert {name: count.read_text() for name, count in counts.items()} == dict.fromkeys(counts, "2\n")
    done = node.run(**both | {"FUNCTIONS": "ens2.0 2 netdevice"})
    assert done.returncode == 0, done.stderr
    assert {name: count.read_text() for name, count in counts.items()} == {
        "ens1": "0\n",
        "ens2": "0\n",
        "ens2.0": "2\n",
    }
    assert (node.root / "etc" / "multus-site" / "functions").read_text() == "ens2.0 2 netdevice\n"
    before = node.log()
    assert node.run(**both | {"FUNCTIONS": "ens2.0 2 netdevice"}).returncode == 0
    assert [line for line in node.log()[len(before) :] if "is-active" not in line] == []
    assert node.run("remove", **both).returncode == 0
    assert counts["ens2.0"].read_text() == "0\n"
    assert list((node.root / "etc" / "multus-site").iterdir()) == []


CONFIG = '{"plugins": [{"master": "@MASTER@"}]}'


@pytest.mark.parametrize("how", ["mac 02:00:00:00:00:06", "altname enp6s0f0np0"])
def test_a_master_is_found_by_what_the_node_knows_of_it(node, how):
    done = node.run(CONFIGS=f"a|{how}|{CONFIG}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["masters"] == {"a": "ens6"}
    written = CONFIG.replace("@MASTER@", "ens6")
    assert node.configs() == {"multus-site-a.conflist": written}
    sha = hashlib.sha256(f"{written}\n".encode()).hexdigest()
    assert json.loads(done.stdout)["files"] == {"/etc/cni/multus/net.d/multus-site-a.conflist": sha}


def test_what_is_not_there_is_told(node):
    done = node.run(CONFIGS=f"a|altname nothing|{CONFIG}\nb|pci 0000:3b:00.0|{CONFIG}\nc||{{}}")
    assert done.returncode == 1
    assert "network a: there is no interface with altname nothing" in done.stderr
    assert "network b: there is no interface with pci 0000:3b:00.0" in done.stderr


def test_configurations_go_with_their_network(node):
    node.run(CONFIGS="a||{}\nb||{}")
    (node.root / "etc" / "cni" / "multus" / "net.d" / "other.conf").write_text("{}")
    assert node.run(CONFIGS="b||{}").returncode == 0
    assert sorted(node.configs()) == ["multus-site-b.conflist", "other.conf"]
    assert node.run("remove", CONFIGS="b||{}").returncode == 0
    assert sorted(node.configs()) == ["other.conf"]
