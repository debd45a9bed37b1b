"""multus_site/scripts/facts.sh in namespaces: what it says of NICs and kernel made for the test, and of a machine that is no container."""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from multus_site.render.script import script

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "--net", "true"], check=False).returncode != 0,
    reason="needs root, mount and network namespaces",
)


def look(tmp_path, *before, modules="", ports=""):
    """What is found on a host that is in namespaces of its own; `before`: commands on it. Programs in `bin` come first."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    inside = "; ".join(["mount -t sysfs none /sys", *before, f"PATH={tmp_path}/bin:$PATH exec sh -s"])
    done = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c", inside],
        input=script("facts", {"MODULES": modules, "PORTS": ports}),
        capture_output=True, text=True, check=False, timeout=120, errors="replace",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def program(tmp_path, name, text):
    """A program that stands for the system's own."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    file = tmp_path / "bin" / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def over(tmp_path, path, text):
    """The command that lays a text over a file of the system."""
    file = tmp_path / path.replace("/", "-")
    file.write_text(text)
    return f"mount --bind {file} {path}"


def test_nics(tmp_path):
    nics = look(
        tmp_path,
        "ip link add ens6 mtu 9000 type veth peer name veth7; ip link set veth7 up; ip link set ens6 up",
        "ip link set ens6 address 02:00:00:00:00:06; ip addr add 10.1.10.6/24 dev ens6; ip addr add 2001:db8::6/64 dev ens6 nodad",
        "ip link property add dev ens6 altname enp4s0; ip route add default via 10.1.10.1",
        "ip link add br0 type bridge; ip link add ens7 type veth peer name veth8; ip link set ens7 master br0",
    )["nics"]
    # The ends of pods are not a host's NICs, and link-local addresses are nobody's.
    assert set(nics) == {"ens6", "ens7", "br0"}
    speed = nics["ens6"].pop("speed")
    assert speed is None or speed > 0
    assert nics["ens6"] == {
        "mac": "02:00:00:00:00:06", "mtu": 9000, "up": True, "carrier": True, "addresses": ["10.1.10.6/24", "2001:db8::6/64"],
        "driver": "", "pci": "", "path": "", "default": True, "kind": "veth", "master": "", "below": [], "altnames": ["enp4s0"], "functions": 0,
    }  # fmt: skip
    assert (nics["ens7"]["up"], nics["ens7"]["carrier"], nics["ens7"]["master"]) == (False, False, "br0")
    assert (nics["br0"]["kind"], nics["br0"]["below"], nics["ens7"]["default"]) == ("bridge", ["ens7"], False)


def test_a_routed_hosts_addresses_are_no_nics(tmp_path):
    lo = "ip link set lo up; ip addr add 10.1.1.5/32 dev lo; ip addr add fd00::5/128 dev lo nodad"
    found = look(tmp_path, lo)
    assert (found["loopback"], found["nics"]) == (["10.1.1.5/32", "fd00::5/128"], {})


def test_the_machine(tmp_path):
    found = look(
        tmp_path,
        over(tmp_path, "/etc/os-release", "ID=rocky\nVERSION_ID=9.4\nPRETTY_NAME='Rocky \"Green\" 9.4'\n"),
        over(tmp_path, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
        over(tmp_path, "/proc/meminfo", "MemTotal:        8388608 kB\nSwapTotal:       2097152 kB\n"),
        "mount -t tmpfs -o size=64m none /var",
    )
    assert found["os"] == {"id": "rocky", "version": "9.4", "name": 'Rocky "Green" 9.4'}
    assert (found["memory"], found["swap"], found["disk"]["/var"]) == (8192, 2048, 64)
    assert found["machineId"] == "0123456789abcdef0123456789abcdef"
    assert (found["hostname"], found["architecture"]) == (os.uname().nodename, os.uname().machine)
    assert abs(found["clock"] - time.time()) < 300
    assert found["cgroup"] in {1, 2}


@pytest.mark.parametrize(("said", "synchronized"), [("yes", True), ("no", False), ("", None)])
def test_whether_something_keeps_the_clock(tmp_path, said, synchronized):
    program(tmp_path, "timedatectl", f"echo {said}")
    assert look(tmp_path)["synchronized"] is synchronized


def test_the_hypervisor(tmp_path):
    program(tmp_path, "systemd-detect-virt", "echo vmware")
    assert look(tmp_path)["hypervisor"] == "vmware"
    program(tmp_path, "systemd-detect-virt", "echo none; exit 1")
    assert look(tmp_path)["hypervisor"] == "none"


def test_cgroups(tmp_path):
    assert look(tmp_path, "mount -t tmpfs none /sys/fs/cgroup")["cgroup"] == 1
    if "cgroup2" in Path("/proc/filesystems").read_text():
        assert look(tmp_path, "mount -t cgroup2 none /sys/fs/cgroup")["cgroup"] == 2


def test_the_uuid_of_the_board(tmp_path):
    laid = "mount -t tmpfs none /sys/class; mkdir -p /sys/class/net /sys/class/dmi/id; echo 4C4C-X >/sys/class/dmi/id/product_uuid"
    assert look(tmp_path, laid)["productUuid"] == "4C4C-X"


def test_python_and_systems_without(tmp_path):
    assert look(tmp_path)["python"].startswith("3.")
    program(tmp_path, "python3", "exit 127")
    assert look(tmp_path)["python"] == ""


def test_ports_that_are_taken_and_by_whom(tmp_path):
    listen = "python3 -c 'import socket, time; s = socket.create_server((\"127.0.0.1\", 6443)); time.sleep(60)' & "
    begun = f"ip link set lo up; {listen} until grep -q :192B /proc/net/tcp; do sleep 0.1; done"
    holder = look(tmp_path, begun, ports="6443 10250")["ports"]
    assert holder == {"6443": "python3" if shutil.which("ss") else ""}


def tree(*lines):
    """A folder of modules for this kernel, with these lines as modules.dep; nothing of the real one."""
    folder = f"/lib/modules/{os.uname().release}"
    made = (
        "mkdir -p /lib/modules; mount -t tmpfs none /lib/modules; mount -t tmpfs none /sys/module; mkdir -p " + folder
    )
    dep = "".join(f"{line}\\n" for line in lines)
    return f"{made}; printf '{dep}' >{folder}/modules.dep; echo kernel/net/8021q/8021q.ko >{folder}/modules.builtin"


def test_modules(tmp_path):
    program(tmp_path, "modprobe", 'case $3 in bonding) echo "install /bin/true" ;; *) echo "insmod $3" ;; esac')
    found = look(
        tmp_path,
        tree(
            "kernel/drivers/net/vfio-pci.ko.xz: kernel/a.ko",
            "kernel/drivers/net/bonding/bonding.ko:",
            "kernel/x.ko: kernel/sctp.ko",
        ),
        "mkdir /sys/module/vrf",
        modules="vrf 8021q vfio-pci bonding ip_vs_rr",
    )["modules"]
    # One that is only named as what another needs is not there by that.
    assert found == {
        "vrf": "loaded",
        "8021q": "built-in",
        "vfio-pci": "available",
        "bonding": "absent",
        "ip_vs_rr": "absent",
    }


def test_modules_of_a_kernel_that_has_none_are_tried(tmp_path):
    hidden = "mkdir -p /lib/modules; mount -t tmpfs none /lib/modules; mount -t tmpfs none /sys/module"
    found = look(tmp_path, hidden, modules="veth ip_vs_rr")["modules"]
    # veth can be made, or no test of these would run; what is no interface can't be tried, and is left out.
    assert found == {"veth": "built-in"}
    assert "probe0" not in look(tmp_path, hidden, modules="veth")["nics"]


def test_clusters_and_what_they_leave(tmp_path):
    etc = "mount -t tmpfs none /etc/kubernetes"
    if not Path("/etc/kubernetes").is_dir():
        etc = "cp -a /etc /run/etc; mount --bind /run/etc /etc; mkdir -p /etc/kubernetes"
    found = look(
        tmp_path,
        "mount -t tmpfs none /run; " + etc,
        "echo '    server: https://192.0.2.7:6443' >/etc/kubernetes/kubelet.conf; mkdir -p /etc/kubernetes/ssl /etc/kubernetes/manifests",
        "printf authority >/etc/kubernetes/ssl/ca.crt; touch /etc/kubernetes/manifests/etcd.yaml",
        "mount -t tmpfs none /var/lib; mkdir -p /var/lib/etcd/member /var/lib/multus-site",
        'echo \'{"applied": {"site": 1}, "site": "dallas"}\' >/var/lib/multus-site/kubespray.json',
    )["cluster"]
    left = [path for path in found.pop("left") if not path.startswith("/etc/cni")]
    assert left == ["/etc/kubernetes/manifests/etcd.yaml", "/var/lib/etcd/member"]
    assert found == {
        "kubelet": True,
        "server": "https://192.0.2.7:6443",
        "ca": hashlib.sha256(b"authority").hexdigest(),
        "site": "dallas",
    }


def test_names_of_interfaces_are_text_whatever_is_in_them(tmp_path):
    """A bridge network can give an interface of the host any name: the kernel refuses `/`, `:` and white space only."""
    names = ['a"],"x",["', "b\\c", "$(reboot)", "`id`", "*", "[a-z]*", "-n", "e\x1b[31m", "\u202eabc", "é;#&|<>"]
    made = [f"ip link add name {shlex.quote(name)} type bridge" for name in names]
    below = ["ip link add port0 type veth peer name port1", f"ip link set port0 master {shlex.quote(names[0])}"]
    odd = ['q"q', "s\\s"]
    ports = [c for i, name in enumerate(odd) for c in (f"ip link add {shlex.quote(name)} type veth peer name peer{i}", f"ip link set {shlex.quote(name)} master {shlex.quote(names[1])}")]  # fmt: skip
    alternative = [f"ip link property add dev port1 altname {shlex.quote(name)}" for name in ('alt"', "alt\\")]
    nics = look(tmp_path, *made, *below, *ports, *alternative)["nics"]
    shown = {name.replace("\x1b", "") for name in [*names, *odd]}
    assert shown <= nics.keys()
    assert set(nics[names[1]]["below"]) == set(odd)
    assert nics["port0"]["master"] == names[0]
    assert nics["port1"]["altnames"] == ['alt"', "alt\\"]


def test_bytes_that_are_no_text_are_left_out(tmp_path):
    nics = look(tmp_path, "ip link add name \"$(printf 'x\\377y')\" type bridge")["nics"]
    assert any(name.startswith("x") for name in nics)
