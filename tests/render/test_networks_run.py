"""The rendered configurations given to the real plugins, ADD, CHECK and DEL, in network namespaces of their own.

Needs root and the plugins' binaries, as tests/lint/test_real_plugins.py does, whose namespaces these are. What this kernel
or this machine lacks is skipped, and the reason printed.
"""

import json
import subprocess
from pathlib import Path

import pytest

from multus_site.cni.catalogue import plugin_type
from tests.lint.test_real_plugins import call, namespaces
from tests.lint.test_real_plugins import pytestmark as pytestmark
from tests.plugins import NoSuchTypeError, Place, run_through

FOLDER = Path(__file__).parent / "networks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
ELSEWHERE = {
    "whereabouts": "whereabouts needs an API server: tests/lab/test_networks.py runs it",
    "dhcp": "dhcp needs its daemon and a server: tests/lab/test_networks.py runs it",
    "pciBusID": "there is no PCI NIC here: rendered and linted only",
    "resourceName": "no device plugin hands out a device here: rendered and linted only",
    "linkInContainer": "its master is another attachment's interface: make lab-vm runs it",
}
__all__ = ["namespaces"]


def ready(name, state):
    """The golden configuration with what a runtime adds: host-local's folder, and addresses that a pod asks for."""
    golden = json.loads((FOLDER / f"{name}.json").read_text())
    text = json.dumps(golden)
    for sign, reason in ELSEWHERE.items():
        if f'"{sign}"' in text or f"/{sign}" in text:
            pytest.skip(reason)
    config = golden["config"]
    for plugin in config["plugins"]:
        if plugin_type(plugin["type"]).binary != "release":
            pytest.skip(f"{plugin['type']} is not in containernetworking/plugins: rendered and linted only")
        if plugin.get("ipam", {}).get("type") == "host-local":
            plugin["ipam"]["dataDir"] = str(state)
        if plugin.get("capabilities", {}).get("ips"):
            plugin["runtimeConfig"] = {"ips": ["10.9.8.7/24"]}
        if plugin.get("capabilities", {}).get("portMappings"):
            plugin["runtimeConfig"] = {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}
    return config


def ip(namespace, *words):
    command = ["nsenter", f"--net={namespace}", "ip", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_the_real_plugins_take_it(name, namespaces, tmp_path):
    node, pod = namespaces
    place = Place(
        lambda command, given: call(command, given, node, pod),
        lambda *words: ip(node, *words),
        lambda *words: ip(pod, *words),
    )
    config = ready(name, tmp_path)
    place.ip_of_node("link", "set", "eth1", "address", "02:00:00:00:09:01")
    try:
        run_through(config, place)
    except NoSuchTypeError as error:
        pytest.skip(f"this kernel cannot make it, `make lab-vm` can: {str(error)[:160]}")
