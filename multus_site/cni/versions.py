"""The default CNI version of a site's networks: the highest that plugins, Multus and container runtime support.

Source: the go.mod of each (containernetworking/cni: v1.1 supports 1.0.0, v1.2 and later 1.1.0).
"""

from collections.abc import Mapping
from typing import Any

from multus_site.model.kubespray_releases import like
from multus_site.model.site import Site

_PLUGINS = ((1, 6), (1, 0), (0, 8))
"""First releases of containernetworking/plugins that support 1.1.0, 1.0.0, 0.4.0."""
_MULTUS = ((4, 2), (4, 0), (3, 4))
_CONTAINERD = ((2, 0), (1, 6), (1, 3))
_VERSIONS = ("1.1.0", "1.0.0", "0.4.0", "0.3.1")


def cni_version_of_site(site: Site) -> str:
    """The version for networks that set none."""
    kubespray = site.kubespray
    return highest_version(site.cni_plugins.version, site.multus.version, kubespray.version, kubespray.all_variables())


def highest_version(plugins: str, multus: str, kubespray: str, variables: Mapping[str, Any]) -> str:
    """The version for these releases. `variables`: Kubespray's variables, with the container runtime."""
    indices = (_index(plugins, _PLUGINS), _index(multus, _MULTUS), _runtime(kubespray, variables))
    return _VERSIONS[max(indices)]


def _runtime(kubespray: str, variables: Mapping[str, Any]) -> int:
    if variables.get("container_manager", "containerd") != "containerd":
        return 1  # CRI-O and cri-dockerd: all their supported releases support 1.0.0
    return _index(str(variables.get("containerd_version", like(kubespray).containerd)), _CONTAINERD)


def _index(release: str, firsts: tuple[tuple[int, int], ...]) -> int:
    return next((i for i, first in enumerate(firsts) if _numbers(release) >= first), len(firsts))


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.lstrip("v").split(".")[:2] if part.isdigit())
