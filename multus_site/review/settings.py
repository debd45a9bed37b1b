"""What else a site says, held against what it said: versions, and settings key by key."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from multus_site.cni.versions import cni_version_of_site
from multus_site.model.kubespray_releases import kubernetes_of
from multus_site.model.pydantic_errors import FREE
from multus_site.model.site import Site
from multus_site.render import images
from multus_site.render.network import address_management
from multus_site.review.data import Moved
from multus_site.review.wording import value

_TOLD_ELSEWHERE = {"name", "nodes", "racks", "networks", "workloads"}
_VERSIONS = {"version", "kubernetesVersion"}


def versions(old: Site | None, new: Site) -> list[Moved]:
    """Releases and images that are others now; those of a new or a deleted site are all told."""
    before, after = (dict(_versions(site)) if site else {} for site in (old, new))
    keys = dict.fromkeys((*after, *before))
    return [Moved(key, before.get(key, ""), after.get(key, "")) for key in keys if before.get(key) != after.get(key)]


def _versions(site: Site) -> Iterator[tuple[str, str]]:
    kubespray = site.kubespray
    yield "Kubespray", kubespray.version
    given = kubespray.all_variables().get("kube_version")
    # Variables may be anything: one that is no version is refused, and not shown.
    known = str(given) if re.fullmatch(r"[0-9.]+", str(given)) else None
    yield "Kubernetes", kubernetes_of(kubespray.version, known) or "as released"
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


def settings(old: Site, new: Site) -> list[Moved]:
    """Keys with other values, but nodes, racks, networks, workloads and versions, which have sections of their own."""
    before, after = (site.model_dump(mode="json", by_alias=True, exclude_none=True) for site in (old, new))
    found = []
    for key in dict.fromkeys((*before, *after)):
        if key not in _TOLD_ELSEWHERE:
            found += list(_moved(key, before.get(key), after.get(key)))
    return found


def _moved(path: str, old: Any, new: Any, *, silent: bool = False) -> Iterator[Moved]:  # noqa: ANN401  # any JSON
    """What differs; of values that may be anything that they changed, and which of them, not to what."""
    last = path.rpartition(".")[2]
    if old == new or last in _VERSIONS:
        return
    if isinstance(old or {}, Mapping) and isinstance(new or {}, Mapping):
        was, now = old or {}, new or {}
        for key in dict.fromkeys((*was, *now)):
            yield from _moved(f"{path}.{key}", was.get(key), now.get(key), silent=silent or last in FREE)
    elif silent or last in FREE:
        yield Moved(
            path,
            "set" if old is not None else "",
            "set to something else" if new is not None and old is not None else "set" if new is not None else "",
        )
    else:
        yield Moved(path, value(old), value(new))


def apart(one: Site, other: Site) -> list[str]:
    """Keys of two sites that say different things, two levels deep."""
    first, second = (site.model_dump(mode="json", by_alias=True) for site in (one, other))
    found = []
    for key in dict.fromkeys((*first, *second)):
        was, now = first.get(key), second.get(key)
        if isinstance(was, dict) and isinstance(now, dict):
            found += [f"{key}.{k}" for k in dict.fromkeys((*was, *now)) if was.get(k) != now.get(k)]
        elif was != now:
            found.append(key)
    return found
