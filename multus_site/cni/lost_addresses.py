"""Releases of Multus that lose addresses when pods are deleted, and the arrangements in which they do: one table.

Source: multus-cni pkg/types/conf.go LoadDelegateNetConfFromConfList (528d4f150, in 4.2.1; fixed by 6597fa65f, in no release yet);
pkg/multus/multus.go CmdDel, where a list without cniVersion is written again from the parts that Multus knows (in 4.0.0; fixed by 168814456).
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple


class Releases(NamedTuple):
    """Releases from `first` to `last`, both included."""

    first: tuple[int, int, int]
    last: tuple[int, int, int]

    def __contains__(self, release: object) -> bool:
        return isinstance(release, tuple) and self.first <= release <= self.last

    def __str__(self) -> str:
        return f"{_text(self.first)} to {_text(self.last)}"


BY_PATH = Releases((4, 2, 1), (4, 3, 0))
"""Lose the address of the cluster's own network if clusterNetwork is the absolute path of a .conflist."""
WITHOUT_VERSION = Releases((4, 0, 0), (4, 3, 0))
"""Lose every address of a network whose configuration is a list of plugins without cniVersion."""

_RELEASE = re.compile(r"(?<![\d.])v?(\d+)\.(\d+)\.(\d+)(?![\d.])")


def release_in(text: str) -> tuple[int, int, int] | None:
    """The release in an image's tag or in what `multus-shim -version` prints; None if there is none."""
    found = _RELEASE.search(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def why_addresses_are_lost(multus_conf: str, version: str, network: str) -> str:
    """Why a node's Multus loses addresses of the cluster's own network, as a clause; empty if it does not.

    `multus_conf`: text of 00-multus.conf; `version`: what the shim prints; an unknown release is taken for one that loses them. `network`: text of the
    configuration of the cluster's network.
    """
    conf, release = _object(multus_conf), release_in(version)
    named = conf.get("clusterNetwork")
    shown = f"Multus {_text(release)}" if release else "this Multus, whose release is unknown,"
    by_path = isinstance(named, str) and named.startswith("/") and named.endswith(".conflist")
    if by_path and (release is None or release in BY_PATH):
        return f"{shown} deletes pods from {named} with a part of its configuration (Multus {BY_PATH}), so their addresses stay reserved"
    lists = [own for own in _delegates(conf) or [_object(network)] if isinstance(own.get("plugins"), list)]
    if any(not own.get("cniVersion") for own in lists) and (release is None or release in WITHOUT_VERSION):
        return f"{shown} deletes pods from a list of plugins without cniVersion with a part of it (Multus {WITHOUT_VERSION}), so their addresses stay reserved"
    return ""


def _delegates(conf: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Networks that are written in 00-multus.conf itself, as the thin plugin has them."""
    found = conf.get("delegates")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(release: tuple[int, int, int]) -> str:
    return ".".join(map(str, release))
