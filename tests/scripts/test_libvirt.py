"""multus_site/scripts/libvirt.sh on a machine that has no libvirt: what it says, and that what is gone can be removed. The rest is in tests/vm."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest

from multus_site.render.libvirt.cloud_init import AT_EACH_BOOT, READY
from tests.scripts.libvirt_programs import Hypervisor


@pytest.fixture
def run(tmp_path):
    kvm = Hypervisor(tmp_path)

    def run(argument, **variables):
        return kvm.run(argument, **variables), kvm.storage

    return run


def test_says_all_that_is_missing_at_once(run):
    done, storage = run(
        "make",
        IMAGE_URL="https://example.org/image",
        IMAGE_PATH="",
        NICS="bridge br-none 1500\nmacvtap lo 65537\nvf 0000:00:00.9 1500",
    )
    assert done.returncode == 1
    assert done.stdout == ""
    said = [line.partition(": hypervisor ")[2].partition(": ")[2] for line in done.stderr.splitlines()]
    assert said == [
        "there is no qemu-img; type: apt-get install qemu-utils util-linux coreutils",
        "there is no curl to fetch the image with; type: apt-get install curl",
        "there is no virsh; type: apt-get install libvirt-daemon-system libvirt-clients qemu-system-x86",
        "there is no bridge br-none; make it, such as: ip link add br-none type bridge",
        "lo has an MTU of 65536, and 65537 is to go through; give it to lo: ip link set lo mtu 65537, or write mtu: 65536",
        "0000:00:00.9 is no virtual function of an SR-IOV NIC; make some: echo COUNT >/sys/class/net/NIC/device/sriov_numvfs",
    ]
    assert not list(storage.iterdir())


def test_what_is_left_goes_where_there_is_no_libvirt_any_more(run, tmp_path):
    machines = tmp_path / "images" / "multus-site"
    for name in ("images", "dallas-node1"):
        (machines / name).mkdir(parents=True)
    (machines / "images" / ("a" * 64)).write_text("an image")
    (machines / "dallas-node1" / "image").write_text("a" * 64 + "\n")
    (machines / "dallas-node1" / "owner").write_text("dallas node1 ssh-ed25519 ours\n")
    (tmp_path / "console.log").write_text("said")
    done, storage = run("remove")
    assert done.returncode == 0, done.stderr
    assert not list(storage.iterdir())
    assert not (tmp_path / "console.log").exists()


def test_an_image_that_another_machine_stands_on_stays(run, tmp_path):
    machines = tmp_path / "images" / "multus-site"
    for name in ("images", "dallas-node1", "dallas-node2"):
        (machines / name).mkdir(parents=True)
    for digest in ("a" * 64, "b" * 64):
        (machines / "images" / digest).write_text("an image")
    (machines / "dallas-node1" / "image").write_text("a" * 64 + "\n")
    (machines / "dallas-node2" / "image").write_text("b" * 64 + "\n")
    run("remove")
    assert sorted(path.name for path in machines.rglob("*") if path.is_file()) == ["b" * 64, "image"]


HELD = {"/var/lib/etcd/member": 2379, "/etc/kubernetes/kubelet.conf": 10250}
"""What tells that a machine is a node, and the port that it listens at then."""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("ss") is None, reason="needs root and ss (iproute2)")
@pytest.mark.parametrize("path", HELD)
def test_at_each_boot_the_node_is_waited_for_too(path):
    server = f'socket.create_server(("127.0.0.1", {HELD[path]}))'
    listen = f"import socket, time; time.sleep(3); print('it listens', flush=True); s = {server}; time.sleep(5)"
    laid = [f"mount -t tmpfs none {folder}" for folder in ("/var/lib", "/etc")]
    before = [*laid, "ip link set lo up", f"mkdir -p {path}", f"{sys.executable} -c {shlex.quote(listen)} & exec sh -s"]
    inside = ["unshare", "--mount", "--net", "sh", "-euc", "; ".join(before)]
    script = AT_EACH_BOOT.replace("/dev/ttyS0", "/dev/stdout")
    done = subprocess.run(inside, input=script, capture_output=True, text=True, check=True)
    assert (done.stdout.splitlines()[0], done.stdout.splitlines()[-1], done.stderr) == ("it listens", READY, "")
