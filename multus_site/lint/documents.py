"""Find the subjects of rules in a document."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from multus_site.cni import go_json
from multus_site.cni.catalogue import IPAM, OPERATOR, PLUGINS
from multus_site.cni.selections import ANNOTATION, selections_of
from multus_site.lint.facts import Facts
from multus_site.lint.rules.syntax import KIND, is_misspelt
from multus_site.lint.subjects import Config, ConfigText, Ipam, Manifest, Nad, Operator, Pod
from multus_site.model.paths import Data, Path, value_at

SITE_KEY = "multus-site:site"


def is_site(data: Data) -> bool:
    """Whether a document is a stack file with a site."""
    config = data.get("config") if isinstance(data, dict) else None
    return isinstance(config, dict) and SITE_KEY in config


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


def _objects(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    """Subjects of a manifest, or of the items of a list; items of a typed list inherit its kind."""
    kind, items = str(data.get("kind", "")), data.get("items")
    if not isinstance(items, list) or not kind.endswith("List"):
        yield from _manifest(data, path, facts)
        return
    inherited: dict[str, Data] = {} if kind == "List" else {"apiVersion": data.get("apiVersion"), "kind": kind[:-4]}
    for i, item in enumerate(items):
        if isinstance(item, dict):
            yield from _objects({**inherited, **item}, (*path, "items", i), facts)


def _bare(data: dict[str, Data], facts: Facts) -> Iterator[Any]:
    if str(data.get("type")) in IPAM:
        yield Ipam(data, (), facts=facts)
    elif set(data) == {"ipam"} and isinstance(data["ipam"], dict):
        yield Ipam(data["ipam"], ("ipam",), facts=facts)
    else:
        yield from parts(Config(data, (), facts=facts))


def _manifest(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    yield Manifest(data, path, facts)
    kind, group = data.get("kind"), str(data.get("apiVersion", "")).partition("/")[0]
    if kind == KIND or is_misspelt(kind):
        yield from _nad(data, path, facts)
    elif isinstance(kind, str) and kind in OPERATOR and group == "sriovnetwork.openshift.io":
        spec = data.get("spec")
        if isinstance(spec, dict):
            yield Operator(spec, (*path, "spec"), kind)
            yield from _operator_ipam(spec, (*path, "spec"), facts)
    else:
        yield from _pods(data, path, facts)


def _nad(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    name, namespace = value_at(data, ("metadata", "name")), value_at(data, ("metadata", "namespace"))
    annotations = value_at(data, ("metadata", "annotations"))
    nad = Nad(
        name if isinstance(name, str) else "",
        namespace if isinstance(namespace, str) else "default",
        annotations if isinstance(annotations, dict) else {},
        data,
        path,
        facts,
    )
    inside = value_at(data, ("spec", "config"))
    text, place = (data.get("config"), ("config",)) if inside is None else (inside, ("spec", "config"))
    where = (*path, *place)
    config = text  # a mapping in the place of the string can be checked too
    if isinstance(text, str) and text.strip():
        reading = go_json.read(text)
        config = reading.data
        if reading.mistakes or not isinstance(config, dict):
            yield ConfigText(text, where, facts)
    parsed = Config(config, where, facts=facts, nad=nad) if isinstance(config, dict) else None
    yield replace(nad, config=parsed)
    if parsed:
        yield from parts(parsed)


def parts(config: Config) -> Iterator[Any]:
    """A configuration, its plugins and their IPAM."""
    yield config
    for plugin in config.plugins:
        yield plugin
        if plugin.ipam is not None:
            yield plugin.ipam


def _operator_ipam(spec: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    """The IPAM of an operator's SriovNetwork, a JSON string."""
    text = spec.get("ipam")
    if not isinstance(text, str) or not text.strip():
        return
    reading = go_json.read(text)
    if reading.mistakes or not isinstance(reading.data, dict):
        yield ConfigText(text, (*path, "ipam"), facts)
    if isinstance(reading.data, dict):
        yield Ipam(reading.data, (*path, "ipam"), facts=facts)


def _pods(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Pod]:
    """The pod of a manifest: itself, or the pod template of a workload of any kind."""
    kind = str(data.get("kind", ""))
    where: Path = {"Pod": (), "PodTemplate": ("template",), "CronJob": ("spec", "jobTemplate", "spec", "template")}.get(
        kind, ("spec", "template")
    )
    template = value_at(data, where)
    if not isinstance(template, dict) or (kind != "Pod" and not isinstance(template.get("spec"), dict)):
        return
    metadata, outer = template.get("metadata"), data.get("metadata")
    own = metadata.get("annotations") if isinstance(metadata, dict) else None
    above = outer.get("annotations") if isinstance(outer, dict) else None
    name = value_at(data, ("metadata", "name")) or value_at(data, ("metadata", "generateName"))
    namespace = value_at(data, ("metadata", "namespace"))
    copies: Path = {"Job": ("spec", "parallelism"), "CronJob": ("spec", "jobTemplate", "spec", "parallelism")}.get(
        kind, ("spec", "replicas")
    )
    replicas = value_at(data, copies) if kind != "Pod" else 1
    spec = template.get("spec")
    place: Path = (*where, "metadata")
    annotations = own if isinstance(own, dict) else {}
    pod = Pod(
        kind,
        str(name or ""),
        namespace if isinstance(namespace, str) else "default",
        annotations,
        spec if isinstance(spec, dict) else {},
        path,
        place,
        facts,
        replicas if isinstance(replicas, int) and not isinstance(replicas, bool) else 1,
        above if isinstance(above, dict) and where else {},
        ("metadata",),
    )
    text = annotations.get(ANNOTATION)
    if isinstance(text, str) and text:
        pod.selections.extend(selections_of(text, pod.namespace, (*place, "annotations", ANNOTATION)))
    yield pod
