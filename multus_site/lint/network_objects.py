"""Objects that define networks: NetworkAttachmentDefinitions, kinds of which operators make one, and ConfigMaps with configurations."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from multus_site.cni import go_json
from multus_site.cni.catalogue import OPERATOR, OPERATOR_GROUPS
from multus_site.lint.facts import Facts
from multus_site.lint.rules.syntax import is_nad
from multus_site.lint.subjects import (
    Config,
    ConfigText,
    DevicePlugins,
    Ipam,
    MadeConfig,
    MadeNad,
    Nad,
    Operator,
)
from multus_site.model.paths import Data, Path, value_at

_RENDERED = {
    "SriovNetwork": ("sriov", ("vlan",)),
    "SriovIBNetwork": ("ib-sriov", ()),
    "OVSNetwork": ("ovs", ("bridge", "vlan")),
    "MacvlanNetwork": ("macvlan", ("master", "mode", "mtu")),
    "HostDeviceNetwork": ("host-device", ()),
    "IPoIBNetwork": ("ipoib", ("master",)),
}
"""Kind → the plugin of the configuration that its operator makes, and the keys that it copies."""

_FILES = (".conf", ".conflist", ".json")
"""Ends of a ConfigMap's keys whose text can be a configuration."""


def networks_of(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    """The subjects of an object that defines networks; none of any other object."""
    kind, group = data.get("kind"), str(data.get("apiVersion", "")).partition("/")[0]
    if is_nad(data):
        yield from _nad(data, path, facts)
    elif isinstance(kind, str) and kind in OPERATOR and group in OPERATOR_GROUPS:
        yield from _operator(kind, data, path, facts)
    elif kind == "Network" and group == "operator.openshift.io":
        yield from _additional(data, path, facts)
    elif kind == "ConfigMap" and group == "v1":
        yield from _config_map(data, path, facts)


def _nad(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    name, namespace = _names(data)
    annotations = value_at(data, ("metadata", "annotations"))
    nad = Nad(name, namespace, annotations if isinstance(annotations, dict) else {}, data, path, facts)
    inside = value_at(data, ("spec", "config"))
    text, place = (data.get("config"), ("config",)) if inside is None else (inside, ("spec", "config"))
    yield from _configured(nad, text, (*path, *place), facts)


def _names(data: dict[str, Data]) -> tuple[str, str]:
    name, namespace = value_at(data, ("metadata", "name")), value_at(data, ("metadata", "namespace"))
    return name if isinstance(name, str) else "", namespace if isinstance(namespace, str) else "default"


def _configured(nad: Nad, text: Data, where: Path, facts: Facts) -> Iterator[Any]:
    """A NAD and its configuration, whose text is at a path. A mapping in the place of the text is checked too."""
    config = text
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


def cni_files(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    """A configuration of a node: itself, and the networks to which Multus delegates."""
    config = Config(data, path, facts=facts)
    yield from parts(config)
    for i, delegate in enumerate(config.entries("delegates")):
        if isinstance(delegate, dict):
            yield from parts(Config(delegate, (*path, config.key("delegates"), i), facts=facts))


def _operator(kind: str, data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    """The spec of an operator's object, its strings of JSON, and the network that the operator makes of it."""
    spec, place = data.get("spec"), (*path, "spec")
    if not isinstance(spec, dict):
        return
    yield Operator(spec, place, kind)
    ipam = None
    for key in ("ipam", "capabilities"):
        text = spec.get(key)
        if not isinstance(text, str) or not text.strip():
            continue
        reading = go_json.read(text)
        if reading.mistakes or not isinstance(reading.data, dict):
            yield ConfigText(text, (*place, key), facts)
        if isinstance(reading.data, dict) and key == "ipam":
            ipam = reading.data
            yield Ipam(ipam, (*place, "ipam"), facts=facts)
    if kind in _RENDERED:
        plugin, keys = _RENDERED[kind]
        rendered: dict[str, Data] = {"type": plugin, **{key: spec[key] for key in keys if key in spec}}
        if ipam is not None:
            rendered["ipam"] = ipam
        name, namespace = _names(data)
        own = spec.get("networkNamespace")
        yield from _made(name, own if isinstance(own, str) and own else namespace, data, path, rendered, place, facts)


def _made(
    name: str, namespace: str, data: dict[str, Data], path: Path, rendered: dict[str, Data], where: Path, facts: Facts
) -> Iterator[Any]:
    """The network that an operator makes, for the rules that compare objects."""
    nad = MadeNad(name, namespace, {}, data, path, facts)
    config = MadeConfig(rendered, where, facts=facts, nad=nad)
    yield replace(nad, config=config)
    yield config


def _additional(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    """The additional networks of OpenShift's cluster network operator."""
    networks = value_at(data, ("spec", "additionalNetworks"))
    for i, network in enumerate(networks if isinstance(networks, list) else ()):
        if not isinstance(network, dict):
            continue
        place: Path = (*path, "spec", "additionalNetworks", i)
        name, namespace = (value if isinstance(value := network.get(key), str) else "" for key in ("name", "namespace"))
        nad = MadeNad(name, namespace or "default", {}, network, place, facts)
        simple = network.get("simpleMacvlanConfig")
        if "rawCNIConfig" in network:
            yield from _configured(nad, network["rawCNIConfig"], (*place, "rawCNIConfig"), facts)
        elif isinstance(simple, dict):
            rendered: dict[str, Data] = {
                "type": "macvlan",
                **{key: simple[key] for key in ("master", "mtu") if key in simple},
            }
            where = (*place, "simpleMacvlanConfig")
            yield from _made(name, nad.namespace, network, place, rendered, where, facts)


def _config_map(data: dict[str, Data], path: Path, facts: Facts) -> Iterator[Any]:
    """The configurations in a ConfigMap: those that Multus and network plugins install on nodes, and the SR-IOV device plugin's."""
    files = data.get("data")
    for key, text in files.items() if isinstance(files, dict) else ():
        if not isinstance(text, str) or not key.endswith(_FILES) or text.lstrip()[:1] != "{":
            continue
        place: Path = (*path, "data", key)
        reading = go_json.read(text)
        if '"resourceList"' in text:
            if reading.mistakes:
                yield ConfigText(text, place, facts)
            if isinstance(reading.data, dict):
                yield DevicePlugins(reading.data, place)
        elif '"cniVersion"' in text:
            if reading.mistakes:
                yield ConfigText(text, place, facts)
            if isinstance(reading.data, dict):
                yield from cni_files(reading.data, place, facts)
