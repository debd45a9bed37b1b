"""Which CNI plugin binaries change on which nodes."""

from multus_site.model.catalog import Catalog
from multus_site.model.cni_plugins import GoModule
from multus_site.model.site import Site
from multus_site.model.types import Architecture
from multus_site.render import cni_plugins
from multus_site.review.data import Binaries, Difference
from multus_site.review.effects import Change
from multus_site.review.preview import Preview

_COMPONENT = "multus-site:index:CniPlugins"
_CALICO = "Calico's own"


def binaries(change: Change, preview: Preview, *, kubespray_runs: bool) -> list[Binaries]:
    """Return the nodes whose plugin binaries are installed, replaced or removed, grouped by change.

    One resource covers all nodes and acts only where needed, so the sites and the steps of the nodes say where.
    """
    before = _by_architecture(change.old, change.old_catalog)
    after = _by_architecture(change.new, change.new_catalog)
    script_changed = any(step.kind == _COMPONENT and "script" in step.paths for step in preview.steps)
    checked = {change.node_of(step) for step in preview.steps_of("NodeVM") if not all(map(_of_connection, step.paths))}
    groups: dict[tuple[tuple[Difference, ...], str], list[str]] = {}
    for step in preview.steps_of("CniPlugins"):
        old = change.old.nodes.hosts if change.old and step.op != "create" else {}
        new = change.new.nodes.hosts if step.op != "delete" else {}
        for node in dict.fromkeys((*new, *old)):
            had = before[old[node].architecture] if node in old else {}
            has = after[new[node].architecture] if node in new else {}
            names = [n for n in dict.fromkeys((*has, *had)) if had.get(n) != has.get(n)]
            # The record lacks what Calico installed, which stays as long as the node does.
            left = {n: "no longer in the site; Calico keeps it" for n in names if node in new and had.get(n) == _CALICO}
            moved = tuple(Difference(n, had.get(n, ""), has.get(n, left.get(n, ""))) for n in names)
            if node not in old:
                why = "the node is new"
            elif node not in new:
                why = "the node is removed from the site"
            elif moved:
                why = "the site's plugins changed"
            elif kubespray_runs:
                why = "reinstalled: Kubespray unpacks its own archive over /opt/cni/bin"
            elif script_changed:
                why = "reinstalled: another version of multus-site delivers them"
            elif node in checked:
                why = "checked first, and reinstalled if the machine is another one or its binaries drifted"
            else:
                continue
            groups.setdefault((moved, why), []).append(node)
    return [Binaries(tuple(nodes), moved, why) for (moved, why), nodes in groups.items()]


def _of_connection(path: str) -> bool:
    """Return whether a property belongs to the connection, which alone delivers nothing."""
    return path.startswith("connection")


def _by_architecture(site: Site | None, catalog: Catalog) -> dict[str, dict[str, str]]:
    hosts = site.nodes.hosts.values() if site else ()
    return {name: _origins(site, catalog, name) for name in {host.architecture for host in hosts} if site}


def _origins(site: Site, catalog: Catalog, architecture: Architecture) -> dict[str, str]:
    """Return plugin → its origin, without the URL, which may hold a password. Empty if the catalogue lacks one, which the preview reports."""
    try:
        found = cni_plugins.origins(site, catalog, architecture)
    except LookupError:
        return {}
    return {origin.name: _describe(site, origin, architecture) for origin in found}


def _describe(site: Site, origin: cni_plugins.Origin, architecture: Architecture) -> str:
    if origin.kind == "calico":
        return _CALICO
    pin = origin.pin.removeprefix("h1:")[:12]
    if site.cni_plugins.binary(origin.name, architecture):
        return f"the site's own, sha256 {pin}…"
    source = "built from source" if isinstance(site.cni_plugins.source, GoModule) else "release"
    return f"{source} {site.cni_plugins.version}, {'sum' if origin.kind == 'go' else 'sha256'} {pin}…"
