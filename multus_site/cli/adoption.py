"""Turns existing NetworkAttachmentDefinitions and nodes into a site. Pure: no cluster, no files."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from multus_site.cni import configuration, go_json
from multus_site.cni.catalogue import SITE_WORDS, interface_plugin
from multus_site.model.ipam import Dhcp
from multus_site.model.networks import RESOURCE, Network
from multus_site.model.nodes import Host
from multus_site.model.types import NetworkName, NodeName
from multus_site.render.addresses import ipam_config
from multus_site.render.attachment import KIND, nad_manifest

_NETWORK: TypeAdapter[Network] = TypeAdapter(Network)
_NETWORKS: TypeAdapter[dict[NetworkName, Network]] = TypeAdapter(dict[NetworkName, Network])
_HOSTS: TypeAdapter[dict[NodeName, Host]] = TypeAdapter(dict[NodeName, Host])
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
"""Label of control plane nodes, and key of the taint that keeps workloads off them. Other taints are ignored."""

_NOT_OURS = ("kubectl.kubernetes.io/", "pulumi.com/")
"""Prefixes of annotations that tools add."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
"""Characters that would end a comment: a host name can be any text."""

_REMARKED = {"ssh": 6 * " ", "hosts": 6 * " ", "kubespray": 4 * " ", "networks": 4 * " "}
"""Keys that can have a comment, with their indentation in the file."""

HEADER = "# yaml-language-server: $schema=./site.schema.json\n"


@dataclass(slots=True)
class Adopted:
    """The adopted site, and what could not be adopted."""

    name: str
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    ssh: dict[str, Any] = field(default_factory=dict)
    """The site's `ssh`."""
    kubespray: dict[str, Any] = field(default_factory=dict)
    """The site's `kubespray`; empty without a cluster that Kubespray can manage."""
    left_out: list[str] = field(default_factory=list)
    """Reason for each thing that is not in the site."""
    skipped: dict[str, list[str]] = field(default_factory=dict)
    """Kind → names of the objects that are neither a network nor a node."""
    findings: list[str] = field(default_factory=list)
    """What a person should check before the first `up`, one sentence each."""
    remarks: dict[str, list[str]] = field(default_factory=dict)
    """Comments of the file: `ssh`, `hosts`, `kubespray` or `networks` → lines above that key, or at the end if the key is missing."""

    def add(self, manifests: Iterable[Any]) -> None:
        """Adopts NADs and nodes; skips other objects."""
        for manifest in manifests:
            if not isinstance(manifest, dict):
                continue
            if str(manifest.get("kind", "")).endswith("List"):
                self.add(_listed(manifest.get("items")))
            elif manifest.get("kind") == KIND:
                self._network(manifest)
            elif manifest.get("kind") == "Node":
                self._host(manifest)
            elif kind := manifest.get("kind"):
                name = str(_mapping(manifest.get("metadata")).get("name") or "without a name")
                self.skipped.setdefault(str(kind), []).append(name)

    def _network(self, manifest: dict[str, Any]) -> None:
        metadata = _mapping(manifest.get("metadata"))
        name, namespace = str(metadata.get("name")), str(metadata.get("namespace") or "default")
        title = f"{namespace}/{name}"
        text = _mapping(manifest.get("spec")).get("config")
        config: Any = go_json.parse(text)[0] if isinstance(text, str) else None
        if not isinstance(config, dict):
            self.left_out.append(f"{title}: its config is not a JSON object; see the findings of lint and fix it first")
            return
        if name in self.networks:
            before = self.networks[name].get("namespace", "default")
            reason = "it is defined twice" if before == namespace else f"{before}/{name} was adopted already"
            self.left_out.append(f"{title}: names of networks are unique in a site, and {reason}")
            return
        annotations = {
            key: value
            for key, value in _mapping(metadata.get("annotations")).items()
            if isinstance(key, str) and isinstance(value, str) and not key.startswith(_NOT_OURS)
        }
        network = self.as_network(name, namespace, config, annotations)
        try:
            _NETWORKS.validate_python({name: network})
        except ValidationError as error:
            unwritable = any("config" in mistake["loc"] for mistake in error.errors())
            reason = "its name or namespace has dots or capitals, so pods cannot refer to it"
            if unwritable:
                reason = "its config has a number that is too large for a site file; fix it first"
            self.left_out.append(f"{title}: {reason}")
            return
        self.networks[name] = network

    @staticmethod
    def as_network(name: str, namespace: str, config: dict[str, Any], annotations: dict[str, str]) -> dict[str, Any]:
        """The network of the site: typed if it renders to the same configuration and annotations, else raw."""
        place = {} if namespace == "default" else {"namespace": namespace}
        for candidate in _candidates(config, annotations.get(RESOURCE)):
            try:
                network = _NETWORK.validate_python({**candidate, **place})
            except ValidationError:
                continue
            made = nad_manifest(name, network, asked=_capabilities(config))
            same = _plain(json.loads(made["spec"]["config"])) == _plain({"name": name, **config})
            if same and made["metadata"].get("annotations", {}) == annotations:
                return {**network.model_dump(by_alias=True, exclude_defaults=True, mode="json"), "type": network.type}
        raw = {"type": "raw", **place, "config": config}
        return {**raw, "annotations": annotations} if annotations else raw

    def _host(self, manifest: dict[str, Any]) -> None:
        metadata, status = _mapping(manifest.get("metadata")), _mapping(manifest.get("status"))
        labels = _mapping(metadata.get("labels"))
        given = map(_mapping, _listed(status.get("addresses")))
        addresses = [entry.get("address") for entry in given if entry.get("type") == "InternalIP"]
        if not addresses:
            self.left_out.append(f"node {metadata.get('name')}: it has no InternalIP")
            return
        first = _CONTROL_PLANE in labels
        roles = ["control-plane", "etcd", "worker"] if first else ["worker"]
        taints = list(map(_mapping, _listed(_mapping(manifest.get("spec")).get("taints"))))
        if first and any((t.get("key"), t.get("effect")) == (_CONTROL_PLANE, "NoSchedule") for t in taints):
            roles.remove("worker")
        host: dict[str, Any] = {"address": addresses[0], "roles": roles} if first else {"address": addresses[0]}
        architecture = _mapping(status.get("nodeInfo")).get("architecture") or "amd64"
        if architecture != "amd64":
            host["architecture"] = architecture
        try:
            _HOSTS.validate_python({str(metadata.get("name")): host})
        except ValidationError:
            right = "names of a site's hosts are DNS labels without dots, and their architecture is amd64 or arm64"
            self.left_out.append(f"node {metadata.get('name')} ({architecture}): {right}")
            return
        self.hosts[str(metadata.get("name"))] = host

    def stack_file(self) -> str:
        """The stack file. A cluster does not know host keys: a comment gives the command for each."""
        hosts = {name: _Block(host) if "hostKey" in host else host for name, host in self.hosts.items()}
        nodes = {"backend": "existing", **({"ssh": self.ssh} if self.ssh else {}), "hosts": hosts}
        parts = {"kubespray": self.kubespray, "networks": self.networks}
        site = {"name": self.name, "nodes": nodes, **{key: part for key, part in parts.items() if part}}
        data = {"config": {"pulumi:disable-default-providers": ["*"], "multus-site:site": site}}
        text = yaml.dump(
            data, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=10_000, allow_unicode=True
        )
        for name, host in self.hosts.items():
            if "hostKey" not in host:
                note = f"  # add hostKey, printed by: ssh-keyscan -t ed25519 {host['address']}"
                text = re.sub(rf"^( {{8}}{re.escape(name)}:.*)$", rf"\g<1>{note}", text, count=1, flags=re.MULTILINE)
        for key, indent in _REMARKED.items():
            lines = (_CONTROL.sub(" ", line) for line in self.remarks.get(key, []))
            remark = "".join(f"{indent}# {line}\n" for line in lines)
            before, found, after = text.partition(f"\n{indent}{key}:")
            text = f"{before}\n{remark}{found[1:]}{after}" if found else text + remark
        return HEADER + text


class _Block(dict[str, Any]):
    """A mapping with one line per key: host keys are long."""


class _Dumper(yaml.SafeDumper):
    """Dumps `_Block` in block style."""


_Dumper.add_representer(
    _Block, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=False)
)


def _mapping(value: object) -> dict[str, Any]:
    """An object of a manifest; empty if it is anything else."""
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> list[Any]:
    """A list of a manifest; empty if it is anything else."""
    return value if isinstance(value, list) else []


def _plugins(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The configuration of each plugin; empty if the list also contains something else."""
    read = configuration.read(config)
    if not read.is_list:
        return [{key: value for key, value in config.items() if key not in {"name", "cniVersion"}}]
    plugins: list[dict[str, Any]] = [dict(plugin.data) for plugin in read.plugins]
    return plugins if len(plugins) == len(read.entries("plugins")) else []


def _candidates(config: dict[str, Any], resource: str | None) -> Iterable[dict[str, Any]]:
    """The typed network that a configuration can be: the first plugin's keys, the other plugins chained."""
    plugins = _plugins(config)
    if not plugins or not isinstance(plugins[0].get("ipam") or {}, dict):
        return
    first, *chained = ({k: v for k, v in plugin.items() if k != "capabilities"} for plugin in plugins)
    ipam = first.pop("ipam", None) or {}
    network = {SITE_WORDS.get(key, key): value for key, value in first.items()}
    # The options that DHCP requests by default have no keys in a site.
    plain = {"type": "dhcp"} if ipam == ipam_config(Dhcp(type="dhcp")) else _flat(_in_sets(ipam))
    network["ipam"] = plain if ipam else {"type": "none"}
    if config.get("cniVersion"):
        network["cniVersion"] = config["cniVersion"]
    if resource:
        network["resourceName"] = resource
    yield {**network, "chain": chained} if chained else network


def _capabilities(config: dict[str, Any]) -> set[str]:
    """Capabilities that the configuration's plugins take from pods."""
    plugins = configuration.read(config).plugins
    return {name for plugin in plugins for name, on in _mapping(plugin.get("capabilities")).items() if on}


def _in_sets(ipam: dict[str, Any]) -> dict[str, Any]:
    """Converts host-local's old form, one range next to `type`, to a list of range sets (allocator/config.go)."""
    ranges = ipam.get("ranges") or []
    if ipam.get("type") != "host-local" or "subnet" not in ipam or not isinstance(ranges, list):
        return ipam
    old = {key: ipam[key] for key in ("subnet", "rangeStart", "rangeEnd", "gateway") if key in ipam}
    return {**{key: value for key, value in ipam.items() if key not in old}, "ranges": [[old], *ranges]}


def _flat(ipam: dict[str, Any]) -> dict[str, Any]:
    """Converts host-local's range sets to a site's ranges, if each set has one range."""
    sets = ipam.get("ranges")
    if isinstance(sets, list) and all(isinstance(s, list) and len(s) == 1 for s in sets):
        return {**ipam, "ranges": [s[0] for s in sets]}
    return {SITE_WORDS.get(key, key): value for key, value in ipam.items()}


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    """A normalized configuration: a list of plugins without defaults and empty parts."""
    plain = []
    for plugin in _plugins(config):
        defaults = interface_plugin(str(plugin.get("type"))).defaults.items()
        kept = {k: v for k, v in plugin.items() if v not in ({}, None) and (k, v) not in defaults}
        if isinstance(kept.get("ipam"), dict):
            kept["ipam"] = _in_sets(kept["ipam"])
        plain.append(kept)
    return {"name": config.get("name"), "cniVersion": config.get("cniVersion"), "plugins": plain}
