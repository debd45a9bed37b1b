"""Which CNI plugin binaries of which nodes are others, by the sites and the one resource that is for all of them."""

from multus_site.model.catalog import Catalog
from multus_site.model.cni_plugins import GoModule
from multus_site.model.site import Site
from multus_site.model.types import Architecture
from multus_site.render import cni_plugins
from multus_site.review.data import Binaries, Moved
from multus_site.review.effects import Change
from multus_site.review.preview import Preview

_COMPONENT = "multus-site:index:CniPlugins"
_CALICO = "Calico's own"


def binaries(change: Change, preview: Preview, *, kubespray_runs: bool) -> list[Binaries]:
    """Nodes whose plugin binaries are put there, exchanged or taken away; nodes that are treated alike together.

    One resource is for all nodes, and goes only to those concerned: which these are is told from the sites and from the nodes' own steps.
    """
    before = _by_architecture(change.old, change.old_catalog)
    after = _by_architecture(change.new, change.new_catalog)
    another_script = any(step.kind == _COMPONENT and "script" in step.paths for step in preview.steps)
    looked_at = {change.node_of(step) for step in preview.steps_of("NodeVM") if not all(map(_of_the_way, step.paths))}
    groups: dict[tuple[tuple[Moved, ...], str], list[str]] = {}
    for step in preview.steps_of("CniPlugins"):
        old = change.old.nodes.hosts if change.old and step.op != "create" else {}
        new = change.new.nodes.hosts if step.op != "delete" else {}
        for node in dict.fromkeys((*new, *old)):
            had = before[old[node].architecture] if node in old else {}
            has = after[new[node].architecture] if node in new else {}
            names = [n for n in dict.fromkeys((*has, *had)) if had.get(n) != has.get(n)]
            # What Calico put there is in no record of ours, and stays as long as the node does.
            left = {n: "no longer asked for; Calico keeps it" for n in names if node in new and had.get(n) == _CALICO}
            moved = tuple(Moved(n, had.get(n, ""), has.get(n, left.get(n, ""))) for n in names)
            if node not in old:
                why = "the node is new"
            elif node not in new:
                why = "the node leaves the site"
            elif moved:
                why = "the site names others"
            elif kubespray_runs:
                why = "the same again: Kubespray unpacks its own archive over /opt/cni/bin"
            elif another_script:
                why = "the same again: another version of this program puts them there"
            elif node in looked_at:
                why = "the same again if it is another machine, or what is on it is not as it was applied: the node is looked at first"
            else:
                continue
            groups.setdefault((moved, why), []).append(node)
    return [Binaries(tuple(nodes), moved, why) for (moved, why), nodes in groups.items()]


def _of_the_way(path: str) -> bool:
    """Whether a property says how a node is reached, which alone sends the delivery nowhere."""
    return path.startswith("connection")


def _by_architecture(site: Site | None, catalog: Catalog) -> dict[str, dict[str, str]]:
    hosts = site.nodes.hosts.values() if site else ()
    return {its: _origins(site, catalog, its) for its in {host.architecture for host in hosts} if site}


def _origins(site: Site, catalog: Catalog, architecture: Architecture) -> dict[str, str]:
    """Plugin → what it is, without a URL: these may hold passwords. Nothing where the catalogue lacks it, which the preview tells."""
    try:
        found = cni_plugins.origins(site, catalog, architecture)
    except LookupError:
        return {}
    return {origin.name: _said(site, origin, architecture) for origin in found}


def _said(site: Site, origin: cni_plugins.Origin, architecture: Architecture) -> str:
    if origin.kind == "calico":
        return _CALICO
    pin = origin.pin.removeprefix("h1:")[:12]
    if site.cni_plugins.binary(origin.name, architecture):
        return f"the site's own, sha256 {pin}…"
    source = "built from source" if isinstance(site.cni_plugins.source, GoModule) else "release"
    return f"{source} {site.cni_plugins.version}, {'sum' if origin.kind == 'go' else 'sha256'} {pin}…"
