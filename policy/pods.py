"""Containers: images that do not move, and what each may use."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .resources import Policy, Resource, Settings, entries

_TEMPLATES = {
    "Pod": (),
    "PodTemplate": ("template",),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"), ("spec", "template")
    ),
}
"""Kind → path of its pod template."""

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}\Z")


def template_of(resource: Resource) -> tuple[str, Mapping[str, Any]] | None:
    """The pod that a resource makes, with its path (empty, or with a dot behind it); None where it makes none."""
    kind = resource.type.rpartition(":")[2]
    path = _TEMPLATES.get(kind) if resource.type.startswith("kubernetes:") else None
    pod = resource.at(*path) if path is not None else None
    return ("".join(f"{part}." for part in path or ()), pod) if isinstance(pod, Mapping) else None


def containers_of(resource: Resource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Path and container, those that run first included."""
    found = template_of(resource)
    spec = found[1].get("spec") if found else None
    if not found or not isinstance(spec, Mapping):
        return
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for i, container in enumerate(entries(spec.get(key))):
            yield f"{found[0]}spec.{key}[{i}]", container


def moving_images(resource: Resource, settings: Settings) -> Iterator[str]:
    """Images that may be others tomorrow, or that come from somewhere else than the organisation wants."""
    for path, container in containers_of(resource):
        image = container.get("image")
        if not isinstance(image, str):
            continue
        where, name = f"{path}.image of {resource.object_name()}", image.partition("@")[0]
        tag = name.rpartition("/")[2].partition(":")[2]
        if settings["digest"] and not _DIGEST.search(image):
            yield f"{where}: {image} has no digest; write {name}@sha256:…, which the registry tells, or list the image in the catalogue's `images`"
        elif not _DIGEST.search(image) and tag in {"", "latest"}:
            found = "the tag latest, which moves" if tag else "no tag, which means latest"
            yield f"{where}: {image} has {found}; write a version, such as {name.removesuffix(':latest')}:1.2.3, or a digest"
        allowed = settings["registries"]
        if allowed and not any(image.startswith(f"{registry.rstrip('/')}/") for registry in allowed):
            yield f"{where}: {image} is from a registry that is not allowed; take it from one of {', '.join(allowed)}"


def missing_amounts(resource: Resource, settings: Settings) -> Iterator[str]:
    """Requests and limits that a container lacks: without a limit one pod takes the node's memory from all others."""
    for path, container in containers_of(resource):
        resources = container.get("resources")
        given: Mapping[str, Any] = resources if isinstance(resources, Mapping) else {}
        lacking = [wanted for wanted in settings["required"] if not _given(given, wanted)]
        if lacking:
            yield (
                f"{path}.resources of {resource.object_name()}: {', '.join(lacking)} missing; "
                "say what the container needs, in a site workloads.NAME.resources: "
                "{requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}"
            )


def _given(resources: Mapping[str, Any], wanted: str) -> bool:
    kind, _, what = wanted.partition(".")
    amounts = resources.get(kind)
    return bool(amounts.get(what)) if isinstance(amounts, Mapping) else False


IMAGES_PINNED = Policy(
    "images-pinned",
    "Every container of every pod has a fixed tag or a digest.",
    of_one=moving_images,
    settings={
        "digest": {"type": "boolean", "default": False, "description": "Whether a digest is required."},
        "registries": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Registries, or folders in one, that images may come from; empty: all.",
        },
    },
)

RESOURCES_SET = Policy(
    "resources-set",
    "Every container sets requests and limits.",
    of_one=missing_amounts,
    settings={
        "required": {
            "type": "array",
            "items": {"enum": ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]},
            "default": ["requests.cpu", "requests.memory", "limits.memory"],
            "description": "What each container must set. A CPU limit throttles pods even while cores are idle.",
        }
    },
)
