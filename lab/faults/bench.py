"""What faults are provoked with: commands on the lab, its segments, its sample pod, and a second program that runs meanwhile."""

import contextlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lab.commands import Commands, Done
from lab.place import NAMESPACE

POD = "app.kubernetes.io/name=samplepod"
STATUS = "k8s.v1.cni.cncf.io/network-status"
NODES = ("node1", "node2", "node3")
GATEWAYS = {"internal": "10.1.10.1", "external": "10.1.20.1"}


class Bench(Commands):
    """The lab as faults use it. What a fault starts must be over when it is undone."""

    hidden: tuple[str, ...] = ()
    """Programs that the commands do not find on PATH."""

    def later(self, seconds: float, *command: str) -> None:
        """Runs a command in so many seconds, while the commands are asked."""
        timer = threading.Timer(seconds, self.run, command)
        timer.daemon = True
        timer.start()

    def ask(self, *arguments: str, seconds: float = 240) -> Done:
        """`multus-site`, without the hidden programs."""
        if not self.hidden:
            return self.product(*arguments, seconds=seconds)
        return self.product(*arguments, seconds=seconds, PATH=str(self._path_without()))

    def _path_without(self) -> Path:
        """A folder with links to everything on PATH except the hidden programs."""
        folder = self.place.folder / "faults" / "path"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for place in self.environment["PATH"].split(os.pathsep):
            for program in Path(place).iterdir() if Path(place).is_dir() else ():
                link = folder / program.name
                if program.name not in self.hidden and not link.is_symlink():
                    link.symlink_to(program)
        return folder

    def on(self, node: str, script: str, given: str | None = None) -> str:
        """The output of a shell script on a node. Raises LabError."""
        options = () if given is None else ("--interactive",)
        return self.must("podman", "exec", *options, f"lab-{node}", "sh", "-euc", script, given=given)

    def ip(self, *arguments: str) -> Done:
        """An `ip` command in the namespace that holds the segments."""
        return self.run("ip", "-n", NAMESPACE, *arguments)

    def bridge(self, segment: str) -> str:
        """The bridge of a segment: the one with its gateway's address, or that podman's network names."""
        found = json.loads(self.must("podman", "network", "inspect", segment))
        return str(found[0]["network_interface"])

    def port(self, node: str, nic: str) -> str:
        """The bridge port that a node's NIC is connected to."""
        peer = self.on(node, f"cat /sys/class/net/{nic}/iflink").strip()
        links = json.loads(self.ip("-j", "link").output)
        return next(str(link["ifname"]) for link in links if str(link["ifindex"]) == peer)

    def sample(self) -> dict[str, Any]:
        """The sample workload's pod. Raises LabError or IndexError."""
        found = self.get("pods", "-l", POD)["items"]
        return next(dict(p) for p in found if "deletionTimestamp" not in p["metadata"])

    def attachment(self, interface: str = "net1") -> dict[str, Any]:
        """The sample pod's entry in its network-status."""
        status = json.loads(self.sample()["metadata"]["annotations"][STATUS])
        return next(dict(entry) for entry in status if entry["interface"] == interface)

    def sandbox(self, node: str = "node2") -> str:
        """Id of the sample pod's sandbox."""
        name = self.sample()["metadata"]["name"]
        return self.on(node, f"crictl pods --name {name} --state Ready -q").split()[0]

    def in_pod(self, script: str) -> None:
        """A script in the network namespace of the sample pod, from its node."""
        inspected = json.loads(self.on("node2", f"crictl inspectp {self.sandbox()}"))
        spaces = inspected["info"]["runtimeSpec"]["linux"]["namespaces"]
        path = next(space["path"] for space in spaces if space["type"] == "network")
        self.on("node2", f"nsenter --net={path} {script}")

    def new_pod(self) -> None:
        """The sample pod is replaced by a new one, without waiting for it to be ready."""
        self.must("kubectl", "delete", "pod", "-l", POD, "--wait=true", "--timeout=120s", seconds=140)

    def pods_are_ready(self, seconds: int = 180) -> None:
        """Waits for the sample pod. Raises LabError."""
        wait = ("kubectl", "wait", "--for=condition=Ready", "pod", "-l", POD)
        self.must(*wait, f"--timeout={seconds}s", seconds=seconds + 10)

    @contextlib.contextmanager
    def host(self, segment: str, name: str, *, address: str, mac: str) -> Iterator[None]:
        """Another host on a segment, with this address and MAC."""
        port = f"{name}-port"
        try:
            self.ip("link", "add", name, "type", "veth", "peer", "name", port)
            self.ip("link", "set", name, "address", mac)
            self.ip("link", "set", port, "master", self.bridge(segment), "up")
            self.must("ip", "netns", "add", name)
            self.ip("link", "set", name, "netns", name)
            self.must("ip", "-n", name, "addr", "add", address, "dev", name)
            self.must("ip", "-n", name, "link", "set", name, "up")
            yield
        finally:
            self.run("ip", "netns", "del", name)
            self.ip("link", "del", port)


def eventually(look: Callable[[], bool], seconds: float, pause: float = 2.0) -> bool:
    """Whether something becomes true in time."""
    until = time.monotonic() + seconds
    while not look():
        if time.monotonic() > until:
            return False
        time.sleep(pause)
    return True
