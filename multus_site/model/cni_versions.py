"""Which version of the CNI specification a network is called with: the highest that every part understands.

Read from the go.mod of each (containernetworking/cni: v1.1 speaks 1.0.0, from v1.2 on 1.1.0).
"""

from collections.abc import Mapping
from typing import Any

_PLUGINS = ((1, 6), (1, 0), (0, 8))
"""First releases of containernetworking/plugins that speak 1.1.0, 1.0.0, 0.4.0."""
_MULTUS = ((4, 2), (4, 0), (3, 4))
_CONTAINERD = ((2, 0), (1, 6), (1, 3))
_KUBESPRAY_WITH_CONTAINERD_2 = (2, 28)
_VERSIONS = ("1.1.0", "1.0.0", "0.4.0", "0.3.1")


def highest(plugins: str, multus: str, kubespray: str, variables: Mapping[str, Any]) -> str:
    """The version for these releases; `variables` are Kubespray's, which say which container runtime there is."""
    indices = (_place(plugins, _PLUGINS), _place(multus, _MULTUS), _runtime(kubespray, variables))
    return _VERSIONS[max(indices)]


def _runtime(kubespray: str, variables: Mapping[str, Any]) -> int:
    if variables.get("container_manager", "containerd") != "containerd":
        return 1  # CRI-O and cri-dockerd: 1.0.0 is what all their supported releases speak
    if "containerd_version" in variables:
        return _place(str(variables["containerd_version"]), _CONTAINERD)
    return 0 if _numbers(kubespray) >= _KUBESPRAY_WITH_CONTAINERD_2 else 1


def _place(release: str, firsts: tuple[tuple[int, int], ...]) -> int:
    return next((i for i, first in enumerate(firsts) if _numbers(release) >= first), len(firsts))


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.lstrip("v").split(".")[:2] if part.isdigit())
