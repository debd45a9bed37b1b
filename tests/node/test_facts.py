"""node/facts.sh in a network namespace with a NIC of the test's own: what is found, and what is put back."""

import json
import os
import subprocess

import pytest

from render.script import script

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "--net", "true"], check=False).returncode != 0,
    reason="needs root, mount and network namespaces",
)

NIC = "ip link add ens6 mtu 9000 type veth peer name peer6 mtu 9000; ip link set peer6 up"


def run(tmp_path, *before, made="yes", uplinks="ens6"):
    """Runs it on a node whose /var/lib stays from one run to the next; `before`: commands on the node."""
    text = script("facts", {"NODE": os.uname().nodename, "UPLINKS": uplinks, "PACKAGES": "", "MADE": made})
    inside = (
        f"mkdir -p {tmp_path}/lib; mount --bind {tmp_path}/lib /var/lib; "
        f"mount -t tmpfs none /etc/apt; mount -t sysfs none /sys; {'; '.join(before)}; exec sh -s"
    )
    command = ["unshare", "--mount", "--net", "sh", "-c", inside]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)


def mtu(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["nics"]["ens6"]["mtu"]


def test_the_nics_are_set_up_and_told(tmp_path):
    assert mtu(run(tmp_path, NIC)) == 9000


def test_a_machine_that_was_made_has_its_mtu_back(tmp_path):
    assert mtu(run(tmp_path, NIC)) == 9000
    assert mtu(run(tmp_path, NIC, "ip link set ens6 mtu 1400")) == 9000
    assert (tmp_path / "lib" / "multus-site" / "nics").read_text() == "ens6 9000\n"


def test_a_host_that_exists_keeps_what_it_has(tmp_path):
    assert mtu(run(tmp_path, NIC, made="")) == 9000
    assert mtu(run(tmp_path, NIC, "ip link set ens6 mtu 1400", made="")) == 1400
    assert not (tmp_path / "lib" / "multus-site" / "nics").exists()


def test_an_mtu_that_cannot_be_had_is_told(tmp_path):
    (tmp_path / "lib" / "multus-site").mkdir(parents=True)
    (tmp_path / "lib" / "multus-site" / "nics").write_text("ens6 70000\n")
    done = run(tmp_path, NIC)
    assert done.returncode == 1
    assert "interface ens6 cannot have an MTU of 70000" in done.stderr
