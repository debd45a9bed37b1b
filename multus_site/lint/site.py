"""Check a site: its rendered networks like any NAD, and rules that need to know the site's nodes and workloads."""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from multus_site.cni.catalogue import SITE_WORDS
from multus_site.cni.go_object import Part
from multus_site.cni.ranges import repeats_between_nodes
from multus_site.cni.selections import Selection
from multus_site.cni.uplinks import uplink_of
from multus_site.lint.allow import allows_in, not_allowed
from multus_site.lint.engine import Collection, Located, Origin, findings_of, findings_together
from multus_site.lint.facts import Facts
from multus_site.lint.finding import Finding
from multus_site.lint.network_objects import parts
from multus_site.lint.positions import YamlText
from multus_site.lint.registry import RULES
from multus_site.lint.rules.racks import Racks
from multus_site.lint.rules.releases import Releases
from multus_site.lint.subjects import Config, Nad, Pod
from multus_site.model.defaults import Defaults
from multus_site.model.links import Link
from multus_site.model.load import SITE_PATH, site_data
from multus_site.model.networks import Raw
from multus_site.model.paths import Data, Path
from multus_site.model.site import Site
from multus_site.model.workloads import replica_name
from multus_site.model.yaml_documents import Document, documents
from multus_site.render.attachment import MASTER, config_of, configs_by_node, manifest_of
from multus_site.render.cluster import pod_cidrs, service_cidrs
from multus_site.render.workload import selection


@dataclass(frozen=True, slots=True, eq=False)
class SiteText:
    """Positions in a stack file of paths in the rendered networks; 0 if the text is unknown."""

    document: Document | None
    number: int = 1
    defaults: Defaults | None = None
    own: Data = None
    """The data of the stack file alone, to tell its values from those of the defaults."""

    def place(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """Line and column of a path of the site."""
        del offset  # nothing in a site is a string of JSON
        if self.defaults is not None and self.file(path) and self.defaults.document:
            return self.defaults.document.position(self.shown(path))
        return self.document.position((*SITE_PATH, *self.shown(path))) if self.document else (0, 0)

    def file(self, path: Path) -> str | None:
        """The file of the defaults if the value comes from there; never if the stack file's text is unknown."""
        if self.defaults is None or self.document is None:
            return None
        return self.defaults.file if self.defaults.hold(self.shown(path), self.own) else None

    def holder(self, path: Path) -> int:
        """The line of the path."""
        return self.place(path)[0]

    def shown(self, path: Path) -> Path:
        """The path in the site. A typed network is its first plugin and chains the others; its range sets have one range each."""
        if path[:1] != ("networks",) or path[2:3] == ("config",):
            return path
        rest = [SITE_WORDS.get(str(part), part) for part in path[2:]]
        if rest[:1] == ["plugins"]:
            number = rest[1] if len(rest) > 1 else 0
            rest = rest[2:] if not isinstance(number, int) or number == 0 else ["chain", number - 1, *rest[2:]]
        if rest[:2] == ["ipam", "ranges"]:
            rest = rest[:3] + rest[4:]
        return (*path[:2], *rest)


def check_site(
    site: Site, *, file: str, text: str | None = None, facts: Facts | None = None, defaults: Defaults | None = None
) -> list[Finding]:
    """Findings on a site, without those that a comment in its stack file or defaults allows.

    `file` names the stack file and `text` is its YAML, for lines and columns (0 without); `facts` override those of the site.
    """
    located = list(located_in(site, file=file, text=site_text(text, defaults), facts=facts or Facts()))
    # A network that differs by node can give the same finding for each variant: report it once.
    return silenced(list({found.finding: found for found in located}.values()), {file: text, **_texts(defaults)})


def site_text(text: str | None, defaults: Defaults | None) -> SiteText:
    """Positions in a stack file with this text, and in its defaults."""
    document = next(documents(text), None) if text is not None else None
    own = site_data(document.data()) if document and defaults else None
    return SiteText(document, defaults=defaults, own=own)


def silenced(findings: list[Located], texts: Mapping[str, str | None]) -> list[Finding]:
    """The findings without those that comments allow; `texts` are the YAML of the findings' files."""
    left: list[Finding] = []
    by_file: dict[str, list[Located]] = {}
    for located in findings:
        by_file.setdefault(located.finding.file, []).append(located)
    for file, text in texts.items():
        document = next(documents(text), None) if text else None
        allows = allows_in(text or "", [YamlText(document)] if document else [])
        left += not_allowed(by_file.get(file, []), allows)
    return left


def _texts(defaults: Defaults | None) -> dict[str, str | None]:
    return {defaults.file: defaults.text} if defaults else {}


def located_in(site: Site, *, file: str, text: SiteText, facts: Facts) -> Iterator[Located]:
    """Findings on a site with their origins, before comments apply."""
    origin = Origin(file, text)
    known = _facts(site, facts)
    collection = Collection(known)
    yield from findings_of(Racks(site), origin)
    yield from findings_of(Releases(site), origin)
    for name in site.networks:
        for subject in _subjects(site, name, known):
            yield from findings_of(subject, origin)
            collection.add(subject, origin)
    for name in site.workloads:
        for pod in _pods(site, name, known):
            collection.add(pod, origin)
    yield from findings_together(collection)
    yield from _host_local_on_several_nodes(site, collection, origin)


def rendered(site: Site, name: str, facts: Facts, nodes: tuple[str, ...] = ()) -> Config:
    """The configuration of a site's network with its NAD; `nodes` select the variant if it differs by node."""
    network = site.networks[name]
    data = config_of(site, name, nodes[0] if nodes else None)
    if MASTER in str(data) and isinstance(network, Link):
        # Only the node knows which NIC this is: a name of its own, about which there are no facts.
        facts = facts.model_copy(update={"ifaces": None, "ifaces_by_node": None})
        uplink = uplink_of(site, nodes[0], network) or ""
        data = json.loads(json.dumps(data).replace(MASTER, f"@{zlib.crc32(uplink.encode()):08x}@"))
    manifest = {**manifest_of(site, name), "spec": {"config": json.dumps(data)}}
    nad = Nad(name, network.namespace, manifest["metadata"].get("annotations", {}), manifest, ("networks", name), facts)
    path: Path = ("networks", name, "config") if isinstance(network, Raw) else ("networks", name)
    config = Config(data, path, facts=facts, nad=nad, in_site=True, nodes=nodes)
    object.__setattr__(nad, "config", config)
    return config


def configurations(site: Site, name: str, facts: Facts) -> list[Config]:
    """The distinct configurations of a network on its nodes."""
    if not site.differs_by_node(site.networks[name]):
        return [rendered(site, name, facts)]
    variants: dict[str, list[str]] = {}
    for node, config in configs_by_node(site, name).items():
        variants.setdefault(str(config), []).append(node)
    return [rendered(site, name, facts, tuple(nodes)) for nodes in variants.values()]


def _subjects(site: Site, name: str, facts: Facts) -> Iterator[object]:
    configs = configurations(site, name, facts)
    yield configs[0].nad
    for config in configs:
        yield from parts(config)


def _pods(site: Site, name: str, facts: Facts) -> Iterator[Pod]:
    """A workload's pods for the rules: one for each replica with its own addresses, otherwise one for all.

    They have no containers: the program adds the devices that the networks need.
    """
    workload = site.workloads[name]
    replicas = range(workload.replicas) if workload.sticky else (0,)
    for replica in replicas:
        own = replica_name(name, replica) if workload.sticky else name
        nodes = tuple(site.nodes_of(workload))
        count = 1 if workload.sticky else len(nodes) if workload.kind == "DaemonSet" else workload.replicas
        pod = Pod(workload.kind, own, workload.namespace, {}, {}, ("workloads", name), (), facts, count, nodes=nodes)
        for i, (interface, attachment) in enumerate(workload.interfaces()):
            asked = selection(attachment, replica)
            item = Part(asked, ()) if len(asked) > 1 else None
            pod.selections.append(Selection(attachment.name, workload.namespace, interface, ("networks", i), item))
        yield pod


def _facts(site: Site, given: Facts) -> Facts:
    """Facts from the site about its nodes and cluster; `given` facts take precedence."""
    known: dict[str, object] = {
        "pod_cidr": pod_cidrs(site),
        "service_cidr": service_cidrs(site),
        "node_ips": [host.address for host in site.nodes.hosts.values()],
    }
    machines = {node: list(site.nodes.nics(node)) for node in site.nodes.hosts}
    alike = len({tuple(nics) for nics in machines.values()}) == 1
    if any(machines.values()):
        known |= {"ifaces": next(iter(machines.values()))} if alike else {"ifaces_by_node": machines}
    if site.nodes.management is not None:
        known["primary_iface"] = site.nodes.management
    return Facts.model_validate({**known, **given.model_dump(exclude_none=True)})


def _host_local_on_several_nodes(site: Site, collection: Collection, origin: Origin) -> Iterator[Located]:
    """HOSTLOCAL_MULTINODE as an error: the site knows on which nodes the network's pods can run."""
    users_of: dict[str, list[str]] = {}
    for workload_name, workload in site.workloads.items():
        for used in dict.fromkeys(attachment.name for attachment in workload.networks):
            users_of.setdefault(used, []).append(workload_name)
    for config in collection.configs:
        name = str(config.path[1])
        users = users_of.get(name, [])
        nodes = sorted({node for user in users for node in site.nodes_of(site.workloads[user])})
        for ipam in config.addresses if len(nodes) > 1 else ():
            network = site.networks[name]
            split = not isinstance(network, Raw) and getattr(network.ipam, "addresses_per_node", None) is not None
            if split or not repeats_between_nodes(ipam):
                continue
            message = f"{ipam.type} tracks addresses on each node separately, and the pods of {name} can run on {', '.join(nodes)}: two of them would get the same address"
            hint = f"Use whereabouts, split the range (ipam.addressesPerNode), or keep its pods on one node: {', '.join(f'workloads.{user}.nodes: [{nodes[0]}]' for user in users)}."
            line, column = origin.text.place(ipam.path)
            shown = ".".join(str(part) for part in origin.text.shown(ipam.path))
            finding = Finding(
                origin.text.file(ipam.path) or origin.file,
                1,
                line,
                column,
                shown,
                RULES["HOSTLOCAL_MULTINODE"].code,
                "error",
                message,
                hint,
            )
            yield Located(finding, origin, ipam.path)
