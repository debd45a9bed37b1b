"""The rendered configurations given to the real plugins, ADD, CHECK and DEL, in network namespaces of their own.

Needs root and the plugins' binaries, as tests/rules/test_real_plugins.py does, whose namespaces these are. What this kernel
or this machine lacks is skipped, and the reason printed.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.rules.test_real_plugins import NO_SUCH_TYPE, call, namespaces
from tests.rules.test_real_plugins import pytestmark as pytestmark

FOLDER = Path(__file__).parent / "networks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
ELSEWHERE = {
    "whereabouts": "whereabouts needs an API server: tests/lab/test_networks.py runs it",
    "dhcp": "dhcp needs its daemon and a server: tests/lab/test_networks.py runs it",
    "sriov": "there is no SR-IOV NIC here: rendered and linted only",
    "pciBusID": "there is no PCI NIC here: rendered and linted only",
    "resourceName": "no device plugin hands out a device here: rendered and linted only",
    "linkInContainer": "its master is another attachment's interface: tests/lab/test_networks.py runs it",
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
        if plugin.get("ipam", {}).get("type") == "host-local":
            plugin["ipam"]["dataDir"] = str(state)
        if plugin.get("capabilities", {}).get("ips"):
            plugin["runtimeConfig"] = {"ips": ["10.9.8.7/24"]}
        if plugin.get("capabilities", {}).get("portMappings"):
            plugin["runtimeConfig"] = {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}
    return config


def ip(namespace, *words):
    command = ["nsenter", f"--net={namespace}", "ip", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check_is_broken(called):
    """Where the first plugin's own CHECK (1.9.1) cannot succeed: sbr takes the connected route to a table in which it does
    not look, and bridge asks an address management that is not there."""
    first, *rest = called
    return any(plugin["type"] == "sbr" for plugin in rest) or (first["type"] == "bridge" and not first["ipam"])


@pytest.mark.parametrize("name", NAMES)
def test_the_real_plugins_take_it(name, namespaces, tmp_path):
    node, pod = namespaces
    config = ready(name, tmp_path)
    ip(node, "link", "set", "eth1", "address", "02:00:00:00:09:01")
    before = {link["ifname"] for link in json.loads(ip(node, "-j", "link").stdout)}
    called, result = [], None
    try:
        for plugin in config["plugins"]:
            given = {**plugin, "name": config["name"], "cniVersion": config["cniVersion"]}
            if result is not None:
                given["prevResult"] = result
            called.append(given)
            ok, result, words = call("ADD", given, node, pod)
            if not ok and any(sign in words.lower() for sign in (*NO_SUCH_TYPE, "no such device type")):
                pytest.skip(f"this kernel cannot make it: {words.strip()[:160]}")
            assert ok, words
        shown = json.loads(ip(pod, "-j", "-d", "addr", "show", "dev", "net1").stdout)[0]
        wanted = [entry["address"] for entry in result.get("ips", [])]
        have = [f"{a['local']}/{a['prefixlen']}" for a in shown["addr_info"] if a["scope"] == "global"]
        assert sorted(have) == sorted(wanted)
        if (mtu := next((p["mtu"] for p in reversed(config["plugins"]) if "mtu" in p), None)) is not None:
            assert shown["mtu"] == mtu
        for given in called[1:] if check_is_broken(called) else called:
            ok, _, words = call("CHECK", {**given, "prevResult": result}, node, pod)
            assert ok, f"CHECK {given['type']}: {words}"
    finally:
        for given in reversed(called):
            ok, _, words = call("DEL", {**given, **({"prevResult": result} if result else {})}, node, pod)
            assert ok, f"DEL {given['type']}: {words}"
        for link in {link["ifname"] for link in json.loads(ip(node, "-j", "link").stdout)} - before:
            ip(node, "link", "del", link)
        ip(node, "link", "set", "eth1", "up")
    assert ip(pod, "link", "show", "dev", "net1").returncode != 0
    assert "eth1" in {link["ifname"] for link in json.loads(ip(node, "-j", "link").stdout)}
