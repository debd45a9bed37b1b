"""multus_site/scripts/functions.sh against a /sys of the test's own: files and links as the kernel has them, and what a driver would do."""

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "multus_site" / "scripts" / "functions.sh"


class Sysfs:
    """A NIC with SR-IOV, and a hand that makes its functions as a driver does when their number is written."""

    def __init__(self, root, pf="ens1f0", total=8, there=0):
        self.root, self.pf = root, pf
        self.device = root / "class" / "net" / pf / "device"
        self.devices = root / "bus" / "pci" / "devices"
        for folder in (self.device, self.devices, root / "bus" / "pci" / "drivers" / "vfio-pci"):
            folder.mkdir(parents=True, exist_ok=True)
        (self.device / "sriov_totalvfs").write_text(f"{total}\n")
        (self.device / "sriov_numvfs").write_text(f"{there}\n")
        self.written = []
        self.make(there)

    def make(self, count):
        for link in self.device.glob("virtfn*"):
            link.unlink()
        for i in range(count):
            function = self.devices / f"0000:3b:02.{i}"
            function.mkdir(exist_ok=True)
            (self.device / f"virtfn{i}").symlink_to(function)

    def run(self, argument, text, **more):
        """Runs the script while the driver watches `sriov_numvfs`."""
        done = threading.Event()
        first = (self.device / "sriov_numvfs").read_text()

        def driver():
            seen = first
            last = False
            while not last:
                last = done.is_set()  # looks once more after the script's end
                now = (self.device / "sriov_numvfs").read_text()
                if now.strip() and now != seen:
                    self.written.append(int(now))
                    self.make(int(now))
                    seen = now
                time.sleep(0.001)

        tools = self.root / "bin"
        tools.mkdir(exist_ok=True)
        (tools / "ip").write_text(f'#!/bin/sh\necho "$@" >>{self.root}/ip\n[ "$5" = up ] && [ "$4" != down0 ]\n')
        (tools / "ip").chmod(0o755)
        # A shell writes faster than a thread looks; each write waits for the driver, as in the kernel.
        slow = SCRIPT.read_text().replace('>"$device/sriov_numvfs"', '>"$device/sriov_numvfs"; sleep 0.3')
        watcher = threading.Thread(target=driver)
        watcher.start()
        try:
            return subprocess.run(
                ["sh", "-c", slow, "functions.sh", argument],
                input=text,
                capture_output=True,
                text=True,
                env={
                    **os.environ,
                    "PATH": f"{tools}:{os.environ['PATH']}",
                    "SYSFS": str(self.root),
                    "TRIES": "1",
                    **more,
                },
                check=False,
            )
        finally:
            time.sleep(0.3)
            done.set()
            watcher.join()


def test_functions_are_made(tmp_path):
    nic = Sysfs(tmp_path)
    done = nic.run("apply", "ens1f0 4 netdevice\n")
    assert (done.returncode, nic.written) == (0, [4]), done.stderr


def test_what_is_right_is_left_alone(tmp_path):
    nic = Sysfs(tmp_path, there=4)
    assert nic.run("apply", "ens1f0 4 netdevice\n").returncode == 0
    assert nic.written == []


def test_another_number_goes_by_way_of_none(tmp_path):
    nic = Sysfs(tmp_path, there=2)
    assert nic.run("apply", "ens1f0 4 netdevice\n").returncode == 0
    assert nic.written == [0, 4]


def test_functions_for_dpdk_change_hands(tmp_path):
    nic = Sysfs(tmp_path, there=2)
    for i in range(2):
        (nic.devices / f"0000:3b:02.{i}" / "driver").symlink_to(tmp_path / "bus" / "pci" / "drivers" / "iavf")
    (tmp_path / "bus" / "pci" / "drivers" / "iavf").mkdir()
    done = nic.run("apply", "ens1f0 2 vfio-pci\n")
    assert done.returncode == 0, done.stderr
    for i in range(2):
        assert (nic.devices / f"0000:3b:02.{i}" / "driver_override").read_text() == "vfio-pci\n"
    assert (tmp_path / "bus" / "pci" / "drivers" / "iavf" / "unbind").read_text() == "0000:3b:02.1\n"
    assert (tmp_path / "bus" / "pci" / "drivers_probe").read_text() == "0000:3b:02.1\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ens1f0 9 netdevice\n", "has 8 virtual functions at most, and 9 are asked for"),
        ("ens9 2 netdevice\n", "ens9 has no SR-IOV"),
    ],
)
def test_what_cannot_be_is_told_and_the_others_are_made(tmp_path, text, words):
    nic = Sysfs(tmp_path)
    done = nic.run("apply", text + "ens1f0 3 netdevice\n")
    assert (done.returncode, words in done.stderr) == (1, True)
    assert nic.written[-1:] == [3]


def test_they_go(tmp_path):
    nic = Sysfs(tmp_path, there=4)
    assert nic.run("remove", "ens1f0 4 netdevice\nens9 2 netdevice\n").returncode == 0
    assert nic.written == [0]


def test_the_physical_function_is_set_up(tmp_path):
    nic = Sysfs(tmp_path, there=4)
    assert nic.run("apply", "ens1f0 4 netdevice\n").returncode == 0
    assert (tmp_path / "ip").read_text() == "link set dev ens1f0 up\n"
    down = Sysfs(tmp_path, pf="down0")
    done = down.run("apply", "down0 4 netdevice\n")
    assert (done.returncode, "down0 cannot be set up" in done.stderr, down.written) == (1, True, [])


def test_functions_that_pods_use_are_not_taken_away(tmp_path):
    nic = Sysfs(tmp_path, there=2)
    (nic.devices / "0000:3b:02.0" / "net" / "ens1f0v0").mkdir(parents=True)
    (nic.devices / "0000:3b:02.1" / "net").mkdir()  # its interface is in a pod
    done = nic.run("apply", "ens1f0 4 netdevice\n")
    assert (done.returncode, nic.written) == (1, [])
    assert "ens1f0 has 2 virtual functions, 4 are asked for, and pods use 1: " in done.stderr
    assert "kubectl drain" in done.stderr
    assert nic.run("apply", "ens1f0 2 netdevice\n").returncode == 0
    (nic.devices / "0000:3b:02.1" / "net" / "ens1f0v1").mkdir()
    assert nic.run("apply", "ens1f0 4 netdevice\n").returncode == 0
    assert nic.written == [0, 4]
