"""Machines that libvirt makes, run for real under software emulation: `make lab-vm`. Prints the time of each step.

What a site does with NodeVM and CniPlugins, by the real CLI, on a hypervisor of the test's own.
"""

import hashlib
import json
import os
import signal
import time

import pytest

from multus_site.model.load import parse_site
from multus_site.render.host_keys import derive_host_key
from multus_site.render.libvirt import machine
from multus_site.render.libvirt.cloud_init import READY
from multus_site.render.libvirt.domain import mac
from multus_site.render.script import script
from tests.lint.test_real_plugins import PLUGINS
from tests.vm.hypervisor import SSH, missing
from tests.vm.site_stack import SEED, a_site, nics

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(bool(missing()), reason=f"no libvirt with QEMU here: {missing()}"),
    pytest.mark.skipif(PLUGINS is None, reason="no CNI plugins in $CNI_PLUGINS nor built by the lab (make lab)"),
]

NOTHING = {"domains": [], "files": [], "logs": [], "taps": []}


def child_pings(stack, master, address, gateway):
    """A macvlan child by the plugin that the node was given: whether its gateway answers it."""
    config = {"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": master,
              "ipam": {"type": "static", "addresses": [{"address": address}]}}  # fmt: skip
    cni = "CNI_CONTAINERID=a CNI_NETNS=/run/netns/pod CNI_IFNAME=net1 CNI_PATH=/opt/cni/bin"
    ask = f"sudo env {cni} CNI_COMMAND=%s /opt/cni/bin/macvlan"
    stack.on_node("sudo ip netns add pod")
    try:
        stack.on_node(ask % "ADD", json.dumps(config))
        # The bridge may take a moment to know the child.
        return "1 received" in stack.on_node(f"sudo ip netns exec pod ping -c 1 -W 10 {gateway} || true")
    finally:
        stack.on_node(ask % "DEL", json.dumps(config))
        stack.on_node("sudo ip netns del pod")


def test_made_reached_given_plugins_changed_and_destroyed(image, kvm, stack, timed, tmp_path):
    stack.site(a_site(image, kvm, tmp_path))
    timed("up: made, reached, looked at, given plugins", lambda: stack.pulumi("up", "--yes", "--skip-preview"))

    facts, passed = stack.output("facts"), stack.output("found")
    assert facts["hostname"] == "node1"
    assert passed["os"].startswith("Debian GNU/Linux")
    assert {name: nic["mtu"] for name, nic in passed["nics"].items()} == {"ens6": 1500, "ens7": 9000}
    assert {nic["driver"] for nic in passed["nics"].values()} == {"virtio_net"}
    assert passed["nics"]["ens6"]["mac"] == mac("tests", "node1", "ens6")
    found = stack.on_node("sudo find /opt/cni/bin -type f -perm 755 -user root -printf '%f '")
    assert sorted(found.split()) == ["macvlan", "static"]
    assert "Valid" in stack.on_node("sudo cloud-init schema --system")
    addresses = stack.on_node("ip -o addr show scope global; ip -o addr show dev ens6; ip -o addr show dev ens7")
    assert [line.split()[1:4] for line in addresses.splitlines()] == [["eth0", "inet", "10.1.1.5/24"]]
    assert timed("macvlan child on ens6 pings", lambda: child_pings(stack, "ens6", "10.1.10.200/24", "10.1.10.1"))
    assert timed("macvlan child on ens7 pings", lambda: child_pings(stack, "ens7", "10.1.20.200/24", "10.1.20.1"))
    timed("up again: nothing", lambda: stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes"))

    started = stack.on_node("cat /proc/sys/kernel/random/boot_id")
    stack.site(a_site(image, kvm, tmp_path, memory=2048, hugepages="1G"))
    with pytest.raises(AssertionError, match="0 huge pages of 1048576 KiB are free or its own, and it needs 2"):
        stack.pulumi("up", "--yes", "--skip-preview")
    stack.site(a_site(image, kvm, tmp_path))
    timed("up as before: nothing of the machine", lambda: stack.pulumi("up", "--yes", "--skip-preview"))
    assert stack.on_node("cat /proc/sys/kernel/random/boot_id") == started
    stack.on_node("echo kept | sudo tee /root/kept")
    changed = a_site(image, kvm, tmp_path, memory=2048, cpus=2, disk=15, nics=nics("bridge"))
    changed["networks"]["external"] |= {"type": "ipvlan"}
    stack.site(changed)
    said = timed("preview of a change", lambda: stack.pulumi("preview", "--diff"))
    assert "2 CPUs, 2048 MiB of memory, 15 GiB of disk" in said
    assert "replace" not in said
    # A hypervisor whose disk was full for a while.
    kvm.virsh("suspend", "tests-node1")
    timed("up: memory, CPUs and disk in place", lambda: stack.pulumi("up", "--yes", "--skip-preview"))
    found = stack.output("facts")
    assert found["memory"] > facts["memory"] + 200
    assert {**found, "memory": 0} == {**facts, "memory": 0}
    assert stack.on_node("cat /proc/sys/kernel/random/boot_id") != started
    assert stack.on_node("sudo cat /root/kept; nproc").split() == ["kept", "2"]
    assert int(stack.on_node("df --output=size -BM / | tail -1").strip().rstrip("M")) > 13000
    assert child_pings(stack, "ens6", "10.1.10.200/24", "10.1.10.1")
    # Why a site with macvlan on such a NIC is refused.
    assert not child_pings(stack, "ens7", "10.1.20.200/24", "10.1.20.1")

    timed("destroy", lambda: stack.pulumi("destroy", "--yes", "--skip-preview"))
    assert kvm.left() == NOTHING


def test_on_a_hypervisor_that_ssh_reaches(image, kvm, stack, timed, tmp_path):
    there = {"address": SSH[0], "hostKey": kvm.host_key}
    stack.site(a_site(image, kvm, tmp_path, hypervisor="kvm1", hypervisors={"kvm1": there}))
    timed("up over SSH", lambda: stack.pulumi("up", "--yes", "--skip-preview"))
    assert stack.on_node("hostname").strip() == "node1"

    # The hypervisor is gone for good: what docs/nodes-libvirt.md says then.
    machine = next(urn for urn in stack.urns() if urn.endswith("::tests-node1-machine"))
    known = stack.pulumi("stack", "export")
    stack.pulumi("state", "delete", "--target-dependents", "--yes", machine)
    without = stack.urns()
    assert machine not in without
    assert not any(urn.endswith("-facts") for urn in without)
    stack.pulumi("destroy", "--yes", "--skip-preview")
    assert kvm.virsh("domstate", "tests-node1") == "running"
    (tmp_path / "known.json").write_text(known)
    stack.pulumi("stack", "import", "--file", str(tmp_path / "known.json"))

    # It is gone already when it is to be removed.
    kvm.virsh("destroy", "tests-node1")
    kvm.virsh("undefine", "tests-node1")
    timed("destroy over SSH, the domain gone", lambda: stack.pulumi("destroy", "--yes", "--skip-preview"))
    assert kvm.left() == NOTHING


@pytest.fixture
def run_script(kvm, tmp_path):
    """`run_script(argument, origin, **libvirt)`: the script itself, for what a machine need not boot for."""

    def run(argument, origin, *, started=None, variables=None, **libvirt):
        site = parse_site(a_site(origin, kvm, tmp_path, **libvirt), source="a test")
        keys = derive_host_key(SEED, "tests", "node1")
        told = {
            **machine.variables("tests", "node1", site.nodes),
            **machine.seed("tests", "node1", site.nodes, keys.public, keys.private, keys.public),
            "BOOT_SECONDS": "15",
            **(variables or {}),
        }
        text = script("libvirt", told)
        return (started or kvm.run)("sh", "-s", argument, input=text)

    return run


@pytest.fixture(scope="module")
def empty_disk(tmp_path_factory):
    """An image that nothing starts from."""
    path = tmp_path_factory.mktemp("empty") / "empty.raw"
    with path.open("wb") as disk:
        disk.truncate(1 << 20)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def talking_disk(tmp_path_factory):
    """An image whose boot sector says that it is ready, and waits for ever."""
    words = f"{READY}\n".encode()
    # Each byte of the words to the first serial port when that is free for it, then hlt.
    code = bytes.fromhex("31c0 8ed8 fc be227c ac 84c0 7412 88c4 bafd03 ec a820 74fb 88e0 baf803 ee ebe9 f4 ebfd")
    path = tmp_path_factory.mktemp("talking") / "talking.raw"
    path.write_bytes(((code + words).ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def words_of(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_machine_of_another_stack_is_left_alone(run_script, kvm, talking_disk, timed):
    uuid, made = timed("a machine of a boot sector", lambda: words_of(run_script("make", talking_disk)))
    theirs = {"HOST_KEY_PUBLIC": "ssh-ed25519 AAAA"}
    for argument in ("make", "remove"):
        done = run_script(argument, talking_disk, variables=theirs)
        assert done.returncode == 1
        assert "the machine tests-node1 is node node1 of site tests, made by another stack" in done.stderr
    assert kvm.virsh("domstate", "tests-node1") == "running"
    # Its own stack finds it so, and may give it another host key.
    assert words_of(run_script("make", talking_disk)) == [uuid, made]
    assert words_of(run_script("change", talking_disk, variables=theirs)) == [uuid, made]
    assert run_script("remove", talking_disk).returncode == 0
    assert kvm.left() == NOTHING


def test_a_paused_machine_and_a_change_that_fails(run_script, kvm, talking_disk, timed):
    made = words_of(run_script("make", talking_disk))
    kvm.virsh("suspend", "tests-node1")
    assert words_of(run_script("change", talking_disk)) == made
    assert kvm.virsh("domstate", "tests-node1") == "running"

    kvm.virsh("suspend", "tests-node1")
    # No hypervisor has such a CPU.
    pinned = {"cpus": 1, "cpuPinning": [4000]}
    done = timed("a change that fails", lambda: run_script("change", talking_disk, **pinned))
    assert done.returncode == 1, done.stdout
    assert kvm.virsh("domstate", "tests-node1") == "shut off"
    assert words_of(run_script("change", talking_disk)) == made
    assert kvm.virsh("domstate", "tests-node1") == "running"
    assert "4000" not in kvm.virsh("dumpxml", "tests-node1")
    assert run_script("remove", talking_disk).returncode == 0
    assert kvm.left() == NOTHING


def test_tells_all_that_the_hypervisor_lacks(run_script, kvm, tmp_path):
    nics = {
        "eth0": {"bridge": "br-none"},
        "ens6": {"macvtap": "eno9", "mode": "passthrough"},
        "ens7": {"vf": "0000:3b:02.1"},
        "ens8": {"bridge": "br-int", "mtu": 9000},
    }
    done = run_script("make", (tmp_path / "no.qcow2", "a" * 64), nics=nics, storage="/srv/none")
    assert done.returncode == 1
    said = [line.partition(": hypervisor ")[2].partition(": ")[2] for line in done.stderr.splitlines()]
    assert [line.partition(";")[0] for line in said] == [
        "there is no folder /srv/none",
        f"there is no file {tmp_path}/no.qcow2",
        "there is no bridge br-none",
        "there is no NIC eno9",
        "0000:3b:02.1 is no virtual function of an SR-IOV NIC",
        "br-int has an MTU of 1500, and 9000 is to go through",
    ]
    assert kvm.left() == NOTHING


def test_refuses_another_image_than_the_pinned_one(run_script, kvm, empty_disk):
    done = run_script("make", (empty_disk[0], "a" * 64))
    assert done.returncode == 1
    assert f"has sha256 {empty_disk[1]}, and {'a' * 64} is pinned; nothing was made of it" in done.stderr
    assert kvm.left() == NOTHING


def test_fetches_the_image(run_script, kvm, empty_disk):
    server = kvm.start("python3", "-m", "http.server", "--bind", SSH[0], "8080", folder=empty_disk[0].parent)
    try:
        image = {"url": f"http://{SSH[0]}:8080/{empty_disk[0].name}", "sha256": empty_disk[1]}
        done = run_script("make", empty_disk, image=image, variables={"BOOT_SECONDS": "1"})
        # It came as far as a machine that is started from it.
        assert "was not ready" in done.stderr
        image["url"] += ".none"
        done = run_script("make", empty_disk, image=image)
        assert f"the image cannot be fetched from {image['url']}" in done.stderr
    finally:
        server.kill()
        server.wait()
        run_script("remove", empty_disk)
    assert kvm.left() == NOTHING


def test_refuses_a_disk_smaller_than_the_image(run_script, kvm, image):
    done = run_script("make", image, disk=1)
    assert done.returncode == 1
    assert "disk: 1 GiB are less than the image's 1887436800 bytes; give it more" in done.stderr
    assert kvm.left() == NOTHING


def test_refuses_a_machine_that_is_not_of_the_site(run_script, kvm, empty_disk, tmp_path):
    (tmp_path / "other.xml").write_text(
        "<domain type='qemu'><name>tests-node1</name><memory>65536</memory><os><type>hvm</type></os></domain>"
    )
    kvm.virsh("define", str(tmp_path / "other.xml"))
    try:
        done = run_script("make", empty_disk)
        assert done.returncode == 1
        assert "a machine tests-node1 is there that is not of this site; rename one of them" in done.stderr
        assert kvm.left()["domains"] == ["tests-node1"]
    finally:
        kvm.virsh("undefine", "tests-node1")


def test_asks_for_huge_pages_before_it_makes_anything(run_script, kvm, empty_disk):
    done = run_script("make", empty_disk, variables={"PAGES": "1048576 4000"})
    assert done.returncode == 1
    assert "huge pages of 1048576 KiB are free or its own, and it needs 4000" in done.stderr
    assert kvm.left() == NOTHING


def test_shows_and_keeps_the_console_of_a_machine_that_does_not_start(run_script, kvm, empty_disk, timed):
    done = timed("a machine that does not start", lambda: run_script("make", empty_disk))
    assert done.returncode == 1
    assert "it is running, and was not ready 15 s after its start; the end of its console" in done.stderr
    # The stack does not know of it, so nothing of it may stay but what says why.
    assert kvm.left() == {**NOTHING, "logs": ["tests-node1.console.log"]}
    assert run_script("remove", empty_disk).returncode == 0
    assert kvm.left() == NOTHING


def test_a_killed_run_is_begun_anew(run_script, kvm, empty_disk):
    def start_and_kill(*words, input):
        process = kvm.start(*words, stdin=-1, start_new_session=True)
        process.stdin.write(input)
        process.stdin.close()
        until = time.monotonic() + 60
        while "running" not in kvm.run("virsh", "domstate", "tests-node1").stdout and time.monotonic() < until:
            time.sleep(0.2)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    run_script("make", empty_disk, started=start_and_kill)
    assert kvm.left()["files"]
    # Its own machine would be told to be a stranger's, or taken up as it is, were it not seen whose it is.
    done = run_script("make", empty_disk)
    assert "was not ready" in done.stderr
    assert kvm.left() == {**NOTHING, "logs": ["tests-node1.console.log"]}
    run_script("remove", empty_disk)
    assert kvm.left() == NOTHING


def test_removes_what_is_there_no_more(run_script, kvm, empty_disk):
    assert run_script("remove", empty_disk).returncode == 0
    assert kvm.left() == NOTHING
