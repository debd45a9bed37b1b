"""What a system container can't lack, provoked on a virtual machine that exists to the site: findings word for word. `make lab-vm`."""

import json
import sys
import time
from dataclasses import asdict

import pytest

from components.preflight import document_of
from multus_site.model.load import parse_site
from multus_site.nodes.preflight.kernel import _QEMU
from multus_site.render.host_keys import derive_host_key
from multus_site.ssh.ssh_route import ssh_route
from tests.contract.tools import tool
from tests.lint.test_real_plugins import PLUGINS
from tests.nodes.preflight.sites import MEDIA
from tests.vm.hypervisor import missing
from tests.vm.site_stack import REPOSITORY, SEED, Stack, a_site

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(bool(missing()), reason=f"no libvirt with QEMU here: {missing()}"),
    pytest.mark.skipif(PLUGINS is None, reason="no CNI plugins in $CNI_PLUGINS nor built by the lab (make lab)"),
]

FILTERS = f"it is a virtual machine (qemu), and pods of media send with MAC addresses of their own (HYPERVISOR_FILTERS). See that the hypervisor lets them through ({_QEMU}), or take ipvlan"
CLOCK = "its clock is not synchronized (CLOCK_UNSYNCHRONISED). Turn it on: timedatectl set-ntp true, with a server of the site in /etc/systemd/timesyncd.conf or chrony.conf"
ALWAYS = [f"node1: {CLOCK}", f"node1: {FILTERS}"]
"""It is a virtual machine, and there is no time server in its network."""


@pytest.fixture(scope="module")
def machine(image, kvm, tmp_path_factory):
    """It runs, and is no node of any cluster."""
    tool("pulumi")
    folder = tmp_path_factory.mktemp("machine")
    stack = Stack(kvm, folder)
    stack.site(a_site(image, kvm, folder))
    stack.pulumi("up", "--yes", "--skip-preview")
    yield stack
    stack.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture
def look(machine):
    """Runs preflight for it as a host that exists: (errors, warnings). `addresses`: node → where it is."""

    def run(*, addresses=None, variables=None):
        pinned = derive_host_key(SEED, "tests", "node1").public
        addresses = addresses or {"node1": "10.1.1.5"}
        hosts = {name: {"address": address, "hostKey": pinned} for name, address in addresses.items()}
        hosts["node1"]["roles"] = ["control-plane", "etcd", "worker"]
        data = {
            "name": "preflight",
            "nodes": {"backend": "existing", "ssh": {"user": "ubuntu"}, "hosts": hosts},
            "networks": {"media": MEDIA},
        }
        site = parse_site(data, source="stacks/Pulumi.preflight.yaml")
        there = asdict(ssh_route(site.nodes.ssh, {"sshPrivateKey": machine.kvm.private_key}))
        reasons = {name: ["identity", "0"] for name in hosts}
        keys = dict.fromkeys(hosts, pinned)
        asked = document_of(site, variables or {}, dict.fromkeys(hosts, "prepared"), there, reasons, keys)
        done = machine.kvm.run(
            sys.executable, "-m", "multus_site.nodes.preflight", folder=REPOSITORY, input=json.dumps(asked)
        )
        if done.returncode == 0:
            return [], json.loads(done.stdout)["warnings"]
        lines = done.stderr.strip().splitlines()[1:-1]
        warnings = [line.removeprefix("warning: ") for line in lines if line.startswith("warning: ")]
        return [line for line in lines if not line.startswith("warning: ")], warnings

    return run


def restart(machine):
    """Restarts it and waits for it."""
    before = machine.on_node("cat /proc/sys/kernel/random/boot_id")
    machine.ssh("sudo systemctl reboot")
    until = time.monotonic() + 400
    while True:
        done = machine.ssh("cat /proc/sys/kernel/random/boot_id")
        if done.returncode == 0 and done.stdout != before:
            return
        assert time.monotonic() < until, done.stderr
        time.sleep(2)


def test_a_machine_of_a_hypervisor_that_is_not_ours_with_a_clock_that_nothing_keeps(look):
    assert look() == ([], ALWAYS)


def test_swap(machine, look):
    machine.on_node(
        "sudo sh -c 'dd if=/dev/zero of=/swap bs=1M count=65; chmod 600 /swap; /sbin/mkswap /swap; /sbin/swapon /swap'"
    )
    line = "node1: 64 MiB of swap are on; Kubespray turns swap off and masks it (SWAP_ON). Fix: none needed; to keep swap on, set kubespray.variables.kubelet_fail_swap_on: false"
    try:
        assert look() == ([], [line, *ALWAYS])
        assert look(variables={"kubelet_fail_swap_on": False}) == ([], ALWAYS)
    finally:
        machine.on_node("sudo /sbin/swapoff /swap; sudo rm /swap")


def test_one_machine_under_two_names(machine, look):
    uuid = machine.on_node("sudo cat /sys/class/dmi/id/product_uuid").strip()
    assert len(uuid) == 36
    machine.on_node("sudo ip addr add 10.1.1.6/24 dev eth0")
    line = f"node1, node2: several hosts have the product_uuid {uuid}; Kubernetes expects one for each host (PRODUCT_UUID_SHARED). Fix: give virtual machines UUIDs of their own; on physical machines, ignore this"
    errors, warnings = look(addresses={"node1": "10.1.1.5", "node2": "10.1.1.6"})
    assert line in warnings
    # What else is the same of two machines that are one.
    assert any("MACHINE_ID_SHARED" in line for line in errors)
    assert (
        "node2: the host name is node1; the site needs node2 (HOSTNAME_DIFFERS). Fix: hostnamectl set-hostname node2"
        in errors
    )


def test_the_first_version_of_control_groups(machine, look):
    machine.on_node("sudo sed -i 's/ console=/ systemd.unified_cgroup_hierarchy=0 console=/' /boot/grub/grub.cfg")
    restart(machine)
    line = (
        "node1: the host uses cgroup v1; the kubelet of this release needs cgroup v2 (CGROUP_V1). Fix: boot with systemd.unified_cgroup_hierarchy=1, "
        "or set kubespray.variables.kubelet_fail_cgroup_v1: false for now"
    )
    assert look() == ([line], ALWAYS)
    line = "node1: the host uses cgroup v1; Kubernetes 1.35 and later need cgroup v2 (CGROUP_V1). Fix: boot with systemd.unified_cgroup_hierarchy=1 before you upgrade Kubernetes"
    assert look(variables={"kubelet_fail_cgroup_v1": False}) == ([], [line, *ALWAYS])
