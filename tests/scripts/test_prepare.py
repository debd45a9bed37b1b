"""multus_site/scripts/prepare.sh in a network namespace with a NIC of the test's own: what is set up, and what is put back."""

import json
import os
import subprocess

import pytest

from multus_site.render.script import script

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "--net", "true"], check=False).returncode != 0,
    reason="needs root, mount and network namespaces",
)

NIC = "ip link add ens6 mtu 9000 type veth peer name peer6 mtu 9000; ip link set peer6 up"


def run(tmp_path, *before, made="yes", uplinks="ens6", packages=""):
    """Runs it on a node whose /var/lib stays from one run to the next; `before`: commands on the node. Its NIC follows on the last line."""
    text = script("prepare", {"UPLINKS": uplinks, "PACKAGES": packages, "MADE": made, "LOOKED": "3"})
    inside = (
        f"mkdir -p {tmp_path}/lib; mount --bind {tmp_path}/lib /var/lib; "
        f"mount -t tmpfs none /etc/apt; mkdir /etc/apt/apt.conf.d; mount -t sysfs none /sys; {'; '.join(before)}; sh -s || exit; "
        "ip -j link show ens6 2>/dev/null || echo; cat /etc/apt/multus-site.list 2>/dev/null || true"
    )
    command = ["unshare", "--mount", "--net", "env", "TRIES=1", "sh", "-c", inside]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)


def nic(done):
    assert done.returncode == 0, done.stderr
    (link,) = json.loads(done.stdout.splitlines()[1])
    return link


def test_nics_are_set_up_and_the_machine_told(tmp_path):
    done = run(tmp_path, NIC)
    assert "UP" in nic(done)["flags"]
    told = json.loads(done.stdout.splitlines()[0])
    assert (told["hostname"], told["kernel"], told["looked"]) == (os.uname().nodename, os.uname().release, 3)


def test_a_machine_that_was_made_has_its_mtu_back(tmp_path):
    assert nic(run(tmp_path, NIC))["mtu"] == 9000
    assert nic(run(tmp_path, NIC, "ip link set ens6 mtu 1400"))["mtu"] == 9000
    assert (tmp_path / "lib" / "multus-site" / "nics").read_text() == "ens6 9000\n"


def test_a_host_that_exists_keeps_what_it_has(tmp_path):
    assert nic(run(tmp_path, NIC, made=""))["mtu"] == 9000
    assert nic(run(tmp_path, NIC, "ip link set ens6 mtu 1400", made=""))["mtu"] == 1400
    assert not (tmp_path / "lib" / "multus-site" / "nics").exists()


def test_an_mtu_that_cannot_be_had_is_told(tmp_path):
    (tmp_path / "lib" / "multus-site").mkdir(parents=True)
    (tmp_path / "lib" / "multus-site" / "nics").write_text("ens6 70000\n")
    done = run(tmp_path, NIC)
    assert done.returncode == 1
    assert "interface ens6 cannot have an MTU of 70000" in done.stderr


def test_what_is_wrong_with_a_host_is_preflights_to_say(tmp_path):
    done = run(tmp_path, "true")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.splitlines()[0])["looked"] == 3


def test_packages_come_from_the_mirror_where_there_is_apt(tmp_path):
    assert run(tmp_path, NIC, packages="deb http://192.0.2.9 bookworm main").stdout.endswith("bookworm main\n")
    done = run(tmp_path, "rmdir /etc/apt/apt.conf.d", packages="deb http://192.0.2.9 bookworm main")
    assert (done.returncode, done.stderr) == (0, "")
