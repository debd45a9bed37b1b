"""Compare the versions and other settings of two sites."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from multus_site.cni.versions import cni_version_of_site
from multus_site.model.kubespray_releases import kubernetes_of
from multus_site.model.pydantic_errors import FREE
from multus_site.model.site import Site
from multus_site.render import images
from multus_site.render.network import address_management
from multus_site.review.data import Difference
from multus_site.review.wording import value

_OTHER_SECTIONS = {"name", "nodes", "racks", "networks", "workloads"}
_VERSIONS = {"version", "kubernetesVersion"}


def versions(old: Site | None, new: Site) -> list[Difference]:
    """Return the releases and images that differ; all of them for a new site."""
    before, after = (dict(_versions(site)) if site else {} for site in (old, new))
    keys = dict.fromkeys((*after, *before))
    return [
        Difference(key, before.get(key, ""), after.get(key, "")) for key in keys if before.get(key) != after.get(key)
    ]


def _versions(site: Site) -> Iterator[tuple[str, str]]:
    kubespray = site.kubespray
    yield "Kubespray", kubespray.version
    given = kubespray.all_variables().get("kube_version")
    # A variable may hold anything. One that is not a version is refused elsewhere, and not shown.
    known = str(given) if re.fullmatch(r"[0-9.]+", str(given)) else None
    yield "Kubernetes", kubernetes_of(kubespray.version, known) or "default of the release"
    yield "CNI plugins", site.cni_plugins.version
    yield "Multus", site.multus.version
    if "whereabouts" in address_management(site):
        yield "whereabouts", site.whereabouts.version
    if site.sriov is not None and images.device_plugin(site.sriov.version) in images.images(site):
        yield "SR-IOV device plugin", site.sriov.version
    if site.networks:
        yield "CNI specification", cni_version_of_site(site)
    for name, workload in site.workloads.items():
        yield f"image of {name}", workload.image


def settings(old: Site, new: Site) -> list[Difference]:
    """Return the keys that differ, except nodes, racks, networks, workloads and versions, which have their own sections."""
    before, after = (site.model_dump(mode="json", by_alias=True, exclude_none=True) for site in (old, new))
    found = []
    for key in dict.fromkeys((*before, *after)):
        if key not in _OTHER_SECTIONS:
            found += list(_moved(key, before.get(key), after.get(key)))
    return found


def _moved(path: str, old: Any, new: Any, *, silent: bool = False) -> Iterator[Difference]:  # noqa: ANN401  # any JSON
    """Yield what differs. Values of free-form settings are not shown, only that they changed."""
    last = path.rpartition(".")[2]
    if old == new or last in _VERSIONS:
        return
    if isinstance(old or {}, Mapping) and isinstance(new or {}, Mapping):
        was, now = old or {}, new or {}
        for key in dict.fromkeys((*was, *now)):
            yield from _moved(f"{path}.{key}", was.get(key), now.get(key), silent=silent or last in FREE)
    elif silent or last in FREE:
        yield Difference(
            path,
            "set" if old is not None else "",
            "set to another value" if new is not None and old is not None else "set" if new is not None else "",
        )
    else:
        yield Difference(path, value(old), value(new))


def apart(one: Site, other: Site) -> list[str]:
    """Return the keys of two sites that differ, two levels deep."""
    first, second = (site.model_dump(mode="json", by_alias=True) for site in (one, other))
    found = []
    for key in dict.fromkeys((*first, *second)):
        was, now = first.get(key), second.get(key)
        if isinstance(was, dict) and isinstance(now, dict):
            found += [f"{key}.{k}" for k in dict.fromkeys((*was, *now)) if was.get(k) != now.get(k)]
        elif was != now:
            found.append(key)
    return found
