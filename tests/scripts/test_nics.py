"""Which NIC of a node is meant: what is looked at and what is made find the same one, in a sysfs of the test's own.

The kernel here may have no bonds, no VLANs and no PCI: /sys/class/net and /sys/devices are folders that hold what a real one shows, and `ip` is a
script that knows alternative names and keeps what it was asked for.
"""

import json
import os
import subprocess

import pytest

from multus_site.cni.uplinks import find
from multus_site.render.script import script

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "--net", "true"], check=False).returncode != 0,
    reason="needs root, mount and network namespaces",
)

A, B, C = "02:00:00:00:00:06", "02:00:00:00:00:07", "02:00:00:00:00:08"
VIRTIO = "pci0000:00/0000:00:04.0/virtio1"
BEHIND_A_BRIDGE = "pci0000:3a/0000:3a:00.0/0000:3b:00.1"
PLAIN = {"ens6": {"mac": A, "device": VIRTIO, "altnames": ["enp0s4"]}, "ens7": {"mac": B, "device": BEHIND_A_BRIDGE}}
# A bond gives its members the MAC address of the first; a VLAN has that of what carries it.
BOND = {
    "bond0": {"mac": A, "below": ["ens6", "ens7"]},
    "bond0.110": {"mac": A, "below": ["bond0"]},
    "ens6": {"mac": A, "above": "bond0", "device": VIRTIO},
    "ens7": {"mac": A, "above": "bond0", "device": BEHIND_A_BRIDGE},
}
ON_A_BRIDGE = {
    "br0": {"mac": A, "below": ["bond0"]},
    **BOND,
    "bond0": {**BOND["bond0"], "above": "br0"},
}
BRIDGED_VLAN = {
    "br110": {"mac": A, "below": ["ens6.110"]},
    "ens6": {"mac": A},
    "ens6.110": {"mac": A, "below": ["ens6"], "above": "br110"},
}
CASES = {
    "virtio": (PLAIN, "pci 0000:00:04.0", "ens6"),
    "behind a bridge of PCI": (PLAIN, "pci 0000:3b:00.1", "ens7"),
    "the bridge itself": (PLAIN, "pci 0000:3a:00.0", None),
    "MAC": (PLAIN, f"mac {B}", "ens7"),
    "nobody's MAC": (PLAIN, f"mac {C}", None),
    "alternative name": (PLAIN, "altname enp0s4", "ens6"),
    "part of an alternative name": (PLAIN, "altname enp0", None),
    "a bond": (BOND, f"mac {A}", "bond0"),
    "a member, by its PCI address": (BOND, "pci 0000:00:04.0", "ens6"),
    "a bond in a bridge": (ON_A_BRIDGE, f"mac {A}", "br0"),
    "a VLAN": ({"a.110": {"mac": A, "below": ["ens6"]}, "ens6": {"mac": A}}, f"mac {A}", "ens6"),
    "a VLAN in a bridge": (BRIDGED_VLAN, f"mac {A}", "ens6"),
    "in a bridge with another MAC": ({"br0": {"mac": B, "below": ["ens6"]}, "ens6": {"mac": A, "above": "br0"}}, f"mac {A}", "ens6"),
    "in a VRF": ({"blue": {"mac": C, "below": ["ens6"]}, "ens6": {"mac": A, "above": "blue"}}, f"mac {A}", "ens6"),
    "the end of a pod": ({"cali0": {"mac": A}, "ens6": {"mac": B}}, f"mac {A}", None),
}  # fmt: skip


def sysfs(nics):
    """Commands that lay out what a kernel shows of NICs: name → `mac`, `device` (below /sys/devices), `above` (what it is part of), `below`, `mtu`."""
    yield "mount -t tmpfs none /sys/class; mount -t tmpfs none /sys/devices; mkdir /sys/class/net; cd /sys/class/net"
    for name, its in nics.items():
        yield f"mkdir {name}; echo {its['mac']} >{name}/address; echo {its.get('mtu', 1500)} >{name}/mtu; echo 0x1002 >{name}/flags; echo 1 >{name}/carrier"
        if device := its.get("device"):
            yield f"mkdir -p /sys/devices/{device}; ln -s /sys/devices/{device} {name}/device"
        if above := its.get("above"):
            yield f"ln -s ../{above} {name}/master"
        yield from (f"ln -s ../{below} {name}/lower_{below}" for below in its.get("below", ()))


@pytest.fixture
def run(tmp_path):
    """Runs a job on a host with these NICs: what it printed, and the lines of `ip` that changed anything."""

    def on(nics, job, argument="", **variables):
        known = "".join(
            f"{name}) echo '    altname {alt}' ;; " for name, its in nics.items() for alt in its.get("altnames", ())
        )
        (tmp_path / "bin").mkdir(exist_ok=True)
        program = tmp_path / "bin" / "ip"
        program.write_text(
            f'#!/bin/sh\ncase $* in "link show dev "*) case $4 in {known}esac ;; "link set "*) echo "$@" >>{tmp_path}/log ;; esac\n'
        )
        program.chmod(0o755)
        (tmp_path / "log").write_text("")
        (tmp_path / "cni").mkdir(exist_ok=True)
        (tmp_path / "lib").mkdir(exist_ok=True)
        laid = [
            "mount -t sysfs none /sys",
            *sysfs(nics),
            f"mkdir -p /etc/cni; mount --bind {tmp_path}/cni /etc/cni; mount --bind {tmp_path}/lib /var/lib; mount -t tmpfs none /etc/apt",
            f"PATH={tmp_path}/bin:$PATH TRIES=1 exec sh -s {argument}",
        ]
        done = subprocess.run(
            ["unshare", "--mount", "--net", "sh", "-euc", "; ".join(laid)],
            input=script(job, variables), capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return done, (tmp_path / "log").read_text().splitlines()

    return on


@pytest.mark.parametrize("case", CASES)
def test_it_is_found_where_it_is_looked_at(case, run):
    nics, nic, name = CASES[case]
    done, _ = run(nics, "facts", MODULES="", PORTS="")
    assert (done.returncode, done.stderr) == (0, "")
    assert find(nic, json.loads(done.stdout)["nics"]) == name


@pytest.mark.parametrize("case", CASES)
def test_its_configuration_names_the_same_one(case, run):
    nics, nic, name = CASES[case]
    lists = dict.fromkeys(("LINKS", "FUNCTIONS", "FUNCTIONS_SCRIPT"), "")
    done, changed = run(nics, "networks", "apply", **lists, CONFIGS=f"a|{nic}|{{}}", MANAGEMENT="10.1.1.6")
    if name is None:
        assert (done.returncode, changed) == (1, [])
        assert f"network a: there is no interface with {nic}" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["masters"] == {"a": name}
    assert changed == [f"link set dev {name} up"]


@pytest.mark.parametrize("case", ["virtio", "a bond", "alternative name", "nobody's MAC"])
def test_the_same_one_is_set_up(case, run):
    nics, nic, name = CASES[case]
    done, changed = run(nics, "prepare", UPLINKS="ens6", FOUND_BY=nic, PACKAGES="", MADE="", LOOKED="1")
    assert done.returncode == 0, done.stderr
    assert changed == ["link set dev ens6 up", *([f"link set dev {name} up"] if name else [])]


def test_all_that_are_there_are_set_up_and_keep_their_mtu(run):
    both = f"pci 0000:00:04.0\nmac {C}\nmac {B}"
    nics = {**PLAIN, "ens7": {**PLAIN["ens7"], "mtu": 9000}}
    for _ in range(2):
        done, changed = run(nics, "prepare", UPLINKS="", FOUND_BY=both, PACKAGES="", MADE="yes", LOOKED="1")
        assert done.returncode == 0, done.stderr
        assert changed == ["link set dev ens6 up", "link set dev ens7 up"]
    _, changed = run(PLAIN, "prepare", UPLINKS="", FOUND_BY=both, PACKAGES="", MADE="yes", LOOKED="1")
    assert changed[-1] == "link set dev ens7 mtu 9000"
