"""Three system containers reached over SSH: two hosts, and a bastion which alone leads to them. In a network namespace, with podman's state of its own.

The containers are made by the backend's own script out of the lab's node image, which is read where the lab's cache has it.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.cache import Cache
from lab.place import PROJECT, Place
from lab.podman import NODE_IMAGE
from multus_site.render.host_keys import derive_host_key
from multus_site.render.script import script
from tests.contract.ssh_server import key_pair
from tests.contract.tools import cache

SEGMENTS = {"front": "10.98.0", "management": "10.98.1", "internal": ""}
"""podman's network → the beginning of its addresses; internal has none."""
BASTION, HOSTS = "10.98.0.2", {"node1": "10.98.1.11", "node2": "10.98.1.12"}
SITE = "preflight"


@dataclass
class Hosts:
    """The containers, which run."""

    namespace: str
    environment: dict[str, str]
    private_key: str
    authorized_key: str
    public: dict[str, str] = field(default_factory=dict)
    """Public host keys."""

    def inside(self, *command: str, given: str | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Runs a command in the namespace, from where the bastion can be reached."""
        done = subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.namespace}", *command],
            env=self.environment, input=given, stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True, text=True, check=False, timeout=300, cwd=Path(__file__).parents[3],
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done

    def on(self, node: str, command: str) -> str:
        """Runs a line of shell on a host, and what it printed."""
        return self.inside("podman", "exec", f"{SITE}-{node}", "sh", "-euc", command).stdout

    def make(
        self, name: str, nics: dict[str, str], management: str = "management", image: str = NODE_IMAGE, node: str = ""
    ) -> None:
        """Makes a container, which starts. `nics`: NIC → podman's network. `node`: the host that it passes for, if not the one of its name."""
        pair = derive_host_key("a seed of the tests alone", SITE, node or name)
        self.public[name] = pair.public
        attach = [f"{network}{',' if ':' in network else ':'}interface_name={nic}" for nic, network in nics.items()]
        text = script(
            "container",
            {
                "NAME": f"{SITE}-{name}", "SITE": SITE, "STARTED": "", "NODE": node or name, "IMAGE": image, "ATTACH": " ".join(attach),
                "MANAGEMENT": management, "HOST_KEY": pair.private, "HOST_KEY_PUBLIC": pair.public,
                "AUTHORIZED_KEY": self.authorized_key, "USER_HOME": "/root",
            },
        )  # fmt: skip
        self.inside("timeout", "-k", "10", "300", "sh", "-s", "make", given=text)

    def other_end(self, node: str, nic: str) -> str:
        """Name in the namespace of the other end of a host's NIC."""
        index = int(self.on(node, f"cat /sys/class/net/{nic}/iflink"))
        links = json.loads(self.inside("ip", "-j", "link").stdout)
        return next(str(link["ifname"]) for link in links if link["ifindex"] == index)


def refuse() -> None:
    """Skips where such containers can't be made."""
    if os.geteuid() != 0:
        pytest.skip("system containers need root")
    for tool in ("podman", "nsenter", "ip"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}. Type: make lab, which asks for what is missing")
    if not (_images() / "overlay-images").is_dir():
        pytest.skip("the node image was never made here. Type: make lab")


def _images() -> Path:
    """podman's images of this checkout's lab."""
    return Place(PROJECT, Cache(cache())).storage


@contextlib.contextmanager
def hosts(folder: Path) -> Iterator[Hosts]:
    """From before the first is made until the last is gone."""
    namespace = f"preflight-{os.getpid()}"
    private, public = key_pair()
    there = Hosts(namespace, {**os.environ, **_configuration(folder)}, private, public)
    if subprocess.run(["ip", "netns", "add", namespace], check=False, capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    try:
        there.inside("ip", "link", "set", "lo", "up")
        if there.inside("podman", "image", "exists", NODE_IMAGE, check=False).returncode:
            pytest.skip(f"there is no image {NODE_IMAGE}. Type: make lab")
        for name, net in SEGMENTS.items():
            addresses = ["--subnet", f"{net}.0/24"] if net else ["--ipam-driver", "none"]
            there.inside("podman", "network", "create", "--internal", "--disable-dns", *addresses, name)
        there.make("bastion", {"eth0": f"front:ip={BASTION}", "eth1": "management:ip=10.98.1.2"}, "front")
        for name, address in HOSTS.items():
            there.make(name, {"eth0": f"management:ip={address}", "ens6": "internal"})
        # Of the hosts' own network nothing but the bastion is here.
        (front,) = json.loads(there.inside("podman", "network", "inspect", "front").stdout)
        there.inside("ip", "addr", "add", f"{SEGMENTS['front']}.1/24", "dev", front["network_interface"])
        yield there
    finally:
        there.inside("podman", "rm", "--all", "--force", "--time", "0", "--volumes", check=False)
        subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True)


def _configuration(folder: Path) -> dict[str, str]:
    """podman's state in the folder, with the lab's images beside it to be read."""
    (folder / "networks").mkdir(parents=True)
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
        f'[storage.options]\nadditionalimagestores = ["{_images()}"]\n'
    )
    (folder / "containers.conf").write_text(
        f'[network]\nnetwork_config_dir = "{folder}/networks"\n'
        f'[engine]\ntmp_dir = "{folder}/libpod"\nlock_type = "file"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n'
    )
    return {
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
    }
