"""The pods of an object: itself, and pod templates, annotations of pods and virtual machines at any depth."""

from collections.abc import Iterator
from typing import NamedTuple

from multus_site.cni.selections import ANNOTATION, DEFAULT, Selection, selections_of
from multus_site.lint.facts import Facts
from multus_site.lint.subjects import Pod
from multus_site.model.paths import Data, Path, path_text, value_at

SKIPPED = frozenset({"apiVersion", "kind", "metadata", "status"})
"""Keys of an object that contain no pods."""

_OUTER = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "PodTemplate"}
    | {"Rollout", "VirtualMachine"}
)
"""Kinds whose pods do not get their annotations."""


class Found(NamedTuple):
    """The place of a pod in an object: the mapping with its annotations, the key that holds them, and its spec."""

    metadata: Path
    key: str
    annotations: dict[str, Data]
    spec: dict[str, Data]
    copies: int
    networks: list[Data] | None = None
    """Networks of a virtual machine; None of any other pod."""
    place: Path = ()
    """Path of those networks."""
    beside: tuple[Path, dict[str, Data]] = ((), {})
    """Annotations beside `metadata`, which have no effect, and the path of what holds them."""


def pods_of(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Pod]:
    """The pods of an object."""
    found = [_itself(data)] if data.get("kind") == "Pod" else list(_inside(data))
    outer = _mapping(value_at(data, ("metadata", "annotations")))
    kind = str(data.get("kind") or "Pod")
    name = value_at(data, ("metadata", "name")) or value_at(data, ("metadata", "generateName")) or ""
    namespace = value_at(data, ("spec", "targetNamespace")) if kind == "HelmRelease" else None
    namespace = namespace or value_at(data, ("metadata", "namespace"))
    for one in found:
        shown = f"{name} ({_label(one)})" if len(found) > 1 else str(name)
        pod = Pod(
            kind,
            shown,
            namespace if isinstance(namespace, str) else "default",
            one.annotations,
            one.spec,
            path,
            one.metadata,
            facts,
            one.copies,
            one.beside[1] or (outer if kind in _OUTER else {}),
            one.beside[0] if one.beside[1] else ("metadata",),
            annotations_key=one.key,
        )
        text = one.annotations.get(ANNOTATION)
        if isinstance(text, str) and text:
            pod.selections.extend(selections_of(text, pod.namespace, pod.place(ANNOTATION)))
        pod.selections.extend(_of_machine(one, pod.namespace))
        yield pod


def _mapping(data: Data) -> dict[str, Data]:
    return data if isinstance(data, dict) else {}


def _label(found: Found) -> str:
    """Distinguishes the pods of one object in messages."""
    steps = found.place or found.metadata
    return path_text([step for step in steps if step not in {"spec", "template", "metadata"}]) or path_text(steps)


def _itself(data: dict[str, Data]) -> Found:
    annotations = _mapping(value_at(data, ("metadata", "annotations")))
    beside = (), _mapping(data.get("annotations"))
    return Found(("metadata",), "annotations", annotations, _mapping(data.get("spec")), 1, beside=beside)


def _inside(data: dict[str, Data]) -> Iterator[Found]:
    """Pods at any depth, in the order of the file."""
    waiting: list[tuple[Data, Path, dict[str, Data], int]] = [(data, (), {}, 1)]
    while waiting:
        here, path, above, copies = waiting.pop()
        if isinstance(here, list):
            waiting += [(item, (*path, i), above, copies) for i, item in reversed(list(enumerate(here)))]
        if not isinstance(here, dict) or (path and is_object(here)):
            continue
        copies = _copies(here, copies)
        spec, networks = _mapping(here.get("spec")), here.get("networks")
        skipped = frozenset[str]() if path else SKIPPED
        if path and _is_template(path[-1], here.get("spec")):
            own = _mapping(_mapping(here.get("metadata")).get("annotations"))
            beside = path, _mapping(here.get("annotations"))
            yield Found((*path, "metadata"), "annotations", own, spec, copies, beside=beside)
            skipped = frozenset({"metadata", "spec", "annotations"})
        elif isinstance(networks, list) and any(isinstance(one, dict) and "multus" in one for one in networks):
            yield Found((*path[:-1], "metadata"), "annotations", {}, {}, copies, networks, (*path, "networks"))
        for key, value in here.items():
            if isinstance(value, dict) and key not in skipped and (ANNOTATION in value or DEFAULT in value):
                yield Found(path, key, value, {"containers": _containers(here) or _containers(above)}, copies)
                skipped |= {key}
        waiting += [(v, (*path, k), here, copies) for k, v in reversed(list(here.items())) if k not in skipped]


def _copies(holder: dict[str, Data], otherwise: int) -> int:
    found = holder.get("parallelism", holder.get("replicas"))
    return found if isinstance(found, int) and not isinstance(found, bool) else otherwise


def _is_template(key: str | int, spec: Data) -> bool:
    """Whether a mapping is a pod template, by its key and its spec; not that of a virtual machine or a job."""
    if not isinstance(spec, dict) or "domain" in spec:
        return False
    named = isinstance(key, str) and key.lower().endswith("template")
    return isinstance(spec.get("containers"), list) or (named and "template" not in spec)


def _containers(holder: dict[str, Data]) -> list[Data]:
    """The container of a step of Argo Workflows."""
    return [holder[key] for key in ("container", "script") if isinstance(holder.get(key), dict)]


def is_object(data: Data) -> bool:
    """Whether data is a whole Kubernetes object, not a reference to one."""
    return (
        isinstance(data, dict)
        and isinstance(data.get("kind"), str)
        and isinstance(data.get("apiVersion"), str)
        and isinstance(data.get("metadata"), dict)
    )


def _of_machine(found: Found, namespace: str) -> Iterator[Selection]:
    """The networks of a virtual machine of KubeVirt: `[namespace/]name` in multus.networkName."""
    number = 0
    for i, network in enumerate(found.networks or ()):
        multus = network.get("multus") if isinstance(network, dict) else None
        text = multus.get("networkName") if isinstance(multus, dict) else None
        if not isinstance(text, str) or not text:
            continue
        number += 1
        own, slash, name = text.rpartition("/")
        place = (*found.place, i, "multus", "networkName")
        yield Selection(name, own if slash else namespace, f"net{number}", place)
