"""A rendered configuration through the plugins themselves, as libcni calls them: ADD, CHECK, DEL, and what is left afterwards."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NO_SUCH_TYPE = ("operation not supported", "not supported", "unknown device type", "no such device type")
"""What plugins say where the kernel cannot make a type."""


class NoSuchTypeError(Exception):
    """The kernel lacks the type; the plugin's words."""


@dataclass(frozen=True)
class Place:
    """Where plugins are run. `call`: command and configuration → success, answer, the plugin's words; `ip`: ip's output, None where it fails."""

    call: Callable[[str, dict[str, Any]], tuple[bool, dict[str, Any], str]]
    ip_of_node: Callable[..., str | None]
    ip_of_pod: Callable[..., str | None]

    def links(self) -> set[str]:
        """Names of the node's interfaces."""
        return {link["ifname"] for link in json.loads(self.ip_of_node("-j", "link") or "[]")}


def check_is_broken(called):
    """Where the first plugin's own CHECK (1.9.1) cannot succeed: it looks for the connected route in the main table, from where
    sbr and vrf have taken it, and which single addresses (/32) have none of; and bridge asks an address management that is not there."""
    first, *rest = called
    ipam = first.get("ipam") or {}
    single = [entry["address"].endswith("/32") for entry in ipam.get("addresses", ())]
    moved = any(plugin["type"] in {"sbr", "vrf"} for plugin in rest)
    return moved or (bool(single) and all(single)) or (first["type"] == "bridge" and not ipam)


def run_through(config, place):
    """Everything that the plugins do with it; the pod's interface as it was (`ip -d -j addr`), and whose CHECK succeeded. Raises NoSuchTypeError."""
    before, called, result = place.links(), [], None
    try:
        for plugin in config["plugins"]:
            given = {**plugin, "name": config["name"], "cniVersion": config["cniVersion"]}
            if result is not None:
                given["prevResult"] = result
            called.append(given)
            ok, result, words = place.call("ADD", given)
            if not ok and any(sign in words.lower() for sign in NO_SUCH_TYPE):
                raise NoSuchTypeError(words.strip())
            assert ok, words
        shown = json.loads(place.ip_of_pod("-j", "-d", "addr", "show", "dev", "net1"))[0]
        wanted = [entry["address"] for entry in result.get("ips", [])]
        have = [f"{a['local']}/{a['prefixlen']}" for a in shown["addr_info"] if a["scope"] == "global"]
        assert sorted(have) == sorted(wanted)
        if (mtu := next((p["mtu"] for p in reversed(config["plugins"]) if "mtu" in p), None)) is not None:
            assert shown["mtu"] == mtu
        checked = called[1:] if check_is_broken(called) else called
        for given in checked:
            ok, _, words = place.call("CHECK", {**given, "prevResult": result})
            assert ok, f"CHECK {given['type']}: {words}"
    finally:
        for given in reversed(called):
            ok, _, words = place.call("DEL", {**given, **({"prevResult": result} if result else {})})
            assert ok, f"DEL {given['type']}: {words}"
        for link in place.links() - before:
            place.ip_of_node("link", "del", link)
        place.ip_of_node("link", "set", "eth1", "up")
    assert place.ip_of_pod("link", "show", "dev", "net1") is None
    assert "eth1" in place.links()
    return shown, [given["type"] for given in checked]
