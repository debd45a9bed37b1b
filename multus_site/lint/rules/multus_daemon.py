"""Rules on manifests of Multus itself: releases and arrangements that lose addresses."""

import json
from collections.abc import Iterator
from typing import Any

from multus_site.cni.lost_addresses import BY_PATH, release_in, why_addresses_are_lost
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Manifest
from multus_site.model.paths import Data, Path, value_at

_CONTAINERS = ("spec", "template", "spec", "containers")
_FIX = "Name the cluster's network by its name, with confDir, in a configuration of your own; or use another release."


@rule(
    "MULTUS_LOSES_ADDRESSES",
    "warning",
    "configuration",
    "A Multus that loses addresses",
    example="image: ghcr.io/k8snetworkplumbingwg/multus-cni:v4.2.3-thick",
    source="multus-cni pkg/types/conf.go LoadDelegateNetConfFromConfList; issues 1449, 1521",
)
def multus_loses_addresses(manifest: Manifest) -> Problems:
    """The thick daemon gives Multus the path of the cluster's own .conflist, and deletes pods with a part of it: their addresses stay reserved until no pod starts any more.
    `multus-site leaks` finds and returns them."""
    if manifest.data.get("kind") == "DaemonSet":
        for path, image in _thick(manifest.data):
            message = f"Multus {BY_PATH} (thick) keeps the address of the cluster's own network of each deleted pod reserved: {image}"
            yield Problem(path, message, _FIX)
    elif manifest.data.get("kind") == "ConfigMap":
        for path, conf in _configurations(manifest.data):
            if why := why_addresses_are_lost(conf, "", ""):
                yield Problem(path, why, _FIX)


def _thick(data: dict[str, Data]) -> Iterator[tuple[Path, str]]:
    """Containers that run the thick daemon of a release that loses addresses, with its own configuration."""
    containers = value_at(data, _CONTAINERS)
    for index, container in enumerate(containers) if isinstance(containers, list) else ():
        image = container.get("image") if isinstance(container, dict) else None
        if not isinstance(image, str) or not isinstance(container, dict):
            continue
        name = image.rpartition("/")[2]
        if "multus" in name and release_in(name.rpartition(":")[2]) in BY_PATH and _runs_daemon(container, name):
            yield (*_CONTAINERS, index, "image"), image


def _runs_daemon(container: dict[str, Any], name: str) -> bool:
    """Whether it runs multus-daemon itself, and not a program that gives it a configuration."""
    command = [*_words(container.get("command")), *_words(container.get("args"))]
    return command[0].endswith("multus-daemon") if command else name.endswith("-thick")


def _words(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _configurations(data: dict[str, Data]) -> Iterator[tuple[Path, str]]:
    """Texts of a ConfigMap that are configurations of Multus."""
    texts = data.get("data")
    for key, text in texts.items() if isinstance(texts, dict) else ():
        if not isinstance(text, str):
            continue
        try:
            conf = json.loads(text)
        except ValueError:
            continue
        if isinstance(conf, dict) and ("clusterNetwork" in conf or "delegates" in conf):
            yield ("data", key), text
