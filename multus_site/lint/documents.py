"""Find the subjects of rules in a document: CNI configurations, and Kubernetes objects of any kind and depth."""

import difflib
import re
from collections.abc import Iterator
from typing import Any

from multus_site.cni.catalogue import IPAM, PLUGINS
from multus_site.cni.selections import ANNOTATION, DEFAULT
from multus_site.lint.facts import Facts
from multus_site.lint.network_objects import cni_files, networks_of
from multus_site.lint.pod_templates import SKIPPED, is_object, pods_of
from multus_site.lint.subjects import Ipam, Manifest
from multus_site.model.paths import Data, Path
from multus_site.model.yaml_documents import YamlMistakeError, documents

SITE_KEY = "multus-site:site"

_CARRIED = (ANNOTATION, DEFAULT, "k8s.cni.cncf.io/v1")
"""What marks a string that contains manifests, such as a ConfigMap's or the values of a Helm chart."""


def is_site(data: Data) -> bool:
    """Whether a document is a stack file with a site."""
    config = data.get("config") if isinstance(data, dict) else None
    return isinstance(config, dict) and SITE_KEY in config


def stack_of(file: str) -> str:
    """The stack of a file that is named Pulumi.STACK.yaml; empty for any other."""
    match = re.search(r"(?:^|[/\\])Pulumi\.([^/\\]+)\.ya?ml$", file)
    return match.group(1) if match else ""


def lacks_site(data: Data) -> bool:
    """Whether a document has keys of this program, as a stack file has, and no site. A project file (Pulumi.yaml) has a runtime."""
    if not isinstance(data, dict) or is_site(data) or "runtime" in data or "apiVersion" in data:
        return False
    return any(key.startswith("multus-site:") for key in _stack_keys(data))


def _stack_keys(data: dict[str, Data]) -> list[str]:
    return [*data, *(key for part in data.values() if isinstance(part, dict) for key in part)]


def without_site(data: Data) -> str:
    """The message on a stack file without a site."""
    keys = _stack_keys(data) if isinstance(data, dict) else []
    if isinstance(data, dict) and SITE_KEY in keys and SITE_KEY not in data and "config" not in data:
        holder = next(key for key, part in data.items() if isinstance(part, dict) and SITE_KEY in part)
        return f"the stack file has no config, only {holder}; write config: {{{SITE_KEY}: {{name: …, nodes: …}}}}"
    near = difflib.get_close_matches(SITE_KEY, keys, 1, 0.8)
    found = f", only {near[0]}" if near and near[0] != SITE_KEY else " below config:" if near else ""
    return f"the stack file has no {SITE_KEY}{found}; write config: {{{SITE_KEY}: {{name: …, nodes: …}}}}"


def is_cni(data: dict[str, Data], *, sure: bool) -> bool:
    """Whether an object is a CNI configuration. With `sure`, a `type` alone is not enough: other files have one too."""
    if "apiVersion" in data or "kind" in data:
        return False
    if "cniVersion" in data or isinstance(data.get("ipam"), dict) or isinstance(data.get("plugins"), list):
        return True
    return str(data.get("type")) in {*PLUGINS, *IPAM} or not sure


def subjects_in(data: Data, facts: Facts, *, sure: bool) -> Iterator[Any]:
    """Subjects of a document; `sure` as in is_cni."""
    if not isinstance(data, dict):
        return
    if is_cni(data, sure=sure):
        yield from _bare(data, facts)
    else:
        yield from _objects(data, (), facts)


def _bare(data: dict[str, Data], facts: Facts) -> Iterator[Any]:
    if str(data.get("type")) in IPAM:
        yield Ipam(data, (), facts=facts)
    elif set(data) == {"ipam"} and isinstance(data["ipam"], dict):
        yield Ipam(data["ipam"], ("ipam",), facts=facts)
    else:
        yield from cni_files(data, (), facts)


def _objects(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    """Subjects of an object, and of the objects inside it; items of a typed list inherit its kind."""
    waiting = [(data, path)]
    while waiting:
        data, path = waiting.pop()
        kind, items = str(data.get("kind", "")), data.get("items")
        if isinstance(items, list) and kind.endswith("List"):
            inherited: dict[str, Data] = {}
            if kind != "List":
                inherited = {"apiVersion": data.get("apiVersion"), "kind": kind[:-4]}
            inside = [
                ({**inherited, **item}, (*path, "items", i)) for i, item in enumerate(items) if isinstance(item, dict)
            ]
        else:
            yield Manifest(data, path, facts)
            yield from networks_of(data, path, facts)
            yield from pods_of(data, path, facts)
            inside = list(_inside(data, path))
        waiting += reversed(inside)


def _inside(data: dict[str, Data], path: Path) -> Iterator[tuple[dict[str, Data], Path]]:
    """Whole objects inside another: of a template, a chart's values, a string of YAML."""
    waiting: list[tuple[Data, Path]] = [(value, (key,)) for key, value in reversed(data.items()) if key not in SKIPPED]
    while waiting:
        value, place = waiting.pop()
        if is_object(value):
            yield value, (*path, *place)  # type: ignore[misc]  # an object is a mapping
        elif isinstance(value, dict):
            waiting += [(inner, (*place, key)) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(inner, (*place, i)) for i, inner in reversed(list(enumerate(value)))]
        elif isinstance(value, str) and "\n" in value and any(mark in value for mark in _CARRIED):
            yield from ((inner, (*path, *place)) for inner in _in_text(value))


def _in_text(text: str) -> Iterator[dict[str, Data]]:
    """Mappings in a string of YAML; none in any other text, such as a script."""
    for document in documents(text):
        try:
            data = document.data()
        except YamlMistakeError:
            return
        if isinstance(data, dict):
            yield data
