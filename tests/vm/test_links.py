"""VLAN sub-interfaces and bonds on a real node: systemd-networkd and udev at work, a reboot, and an address that is lost.

multus_site/scripts/networks.sh as the project sends it; the node is the lab's image with Debian's kernel, whose 802.1Q and bonding the lab's lacks.
"""

import contextlib
import json

import pytest

from multus_site.render.script import script
from tests.vm.guest import NoGuestError
from tests.vm.node import ADDRESS, disk, started

pytestmark = pytest.mark.vm

LINKS = "bond0 bond active-backup 1400 ens6 ens7\nbond0.110 vlan bond0 110 -"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("node")
    try:
        yield folder, disk(folder)
    except NoGuestError as reason:
        pytest.skip(str(reason))
    finally:
        (folder / "disk").unlink(missing_ok=True)


@contextlib.contextmanager
def node(place):
    with started(*place) as machine:
        machine.run("sh", "-c", "networkctl >/dev/null; systemctl enable -q --now systemd-networkd; sleep 5")
        yield machine
        machine.run("sync")


def apply(machine, argument="apply", **variables):
    given = dict.fromkeys(("LINKS", "FUNCTIONS", "FUNCTIONS_SCRIPT", "CONFIGS"), "") | variables
    return machine.run("sh", "-s", argument, text=script("networks", {**given, "MANAGEMENT": ADDRESS}))


def links(machine):
    _, out, _ = machine.run("ip", "-j", "-d", "addr")
    return {link["ifname"]: link for link in json.loads(out)}


def addresses(link):
    return [a["local"] for a in link["addr_info"] if a["family"] == "inet"]


def is_made(machine):
    there = links(machine)
    assert (there["bond0.110"]["link"], there["bond0.110"]["linkinfo"]["info_data"]["id"]) == ("bond0", 110)
    assert (there["bond0"]["mtu"], there["bond0"]["linkinfo"]["info_data"]["mode"]) == (1400, "active-backup")
    assert {there[name].get("master") for name in ("ens6", "ens7")} == {"bond0"}
    assert {"UP", "LOWER_UP"} <= set(there["bond0.110"]["flags"])
    assert addresses(there["eth0"]) == [ADDRESS]
    return there["bond0.110"]["ifindex"]


def test_made_kept_over_a_reboot_and_taken_away(place):
    with node(place) as machine:
        assert addresses(links(machine)["eth0"]) == [ADDRESS]
        status, out, words = apply(machine, LINKS=LINKS)
        assert status == 0, words
        first = is_made(machine)
        # Once more changes nothing: the links are the same ones.
        again = apply(machine, LINKS=LINKS)
        assert again[:2] == (0, out), again[2]
        assert is_made(machine) == first
    with node(place) as machine:
        is_made(machine)
        # A bond of the node's own NIC takes its address: the node takes that back by itself, and keeps the links from before.
        status, _, words = apply(machine, LINKS=f"{LINKS}\nbond1 bond active-backup - eth0")
        assert status == 1
        assert "the node's network is as it was before" in words
        assert "bond1" not in links(machine)
        is_made(machine)
        status, _, words = apply(machine, "remove", LINKS=LINKS)
        assert status == 0, words
        there = links(machine)
        assert not {"bond0", "bond0.110"} & set(there)
        assert addresses(there["eth0"]) == [ADDRESS]
