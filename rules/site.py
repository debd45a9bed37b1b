"""The rules on a whole site: its networks rendered and looked at like any NAD, and what only the site knows."""

from collections.abc import Iterator

from model.load import SITE_PATH
from model.networks import HostLocal, Macvlan
from model.positions import Path, documents, written
from model.site import Site
from rules.finding import Finding


def check_site(site: Site, *, file: str, text: str | None = None) -> list[Finding]:
    """Findings on a site. `file` names it; `text` is its stack file's YAML, for lines and columns (0 without)."""
    document = next(documents(text), None) if text is not None else None
    findings = []
    for path, message, hint in _host_local_on_several_nodes(site):
        line, column = document.position((*SITE_PATH, *path)) if document else (0, 0)
        findings.append(Finding(file, 1, line, column, written(path), "HOSTLOCAL_MULTINODE", "error", message, hint))
    return findings


def _host_local_on_several_nodes(site: Site) -> Iterator[tuple[Path, str, str]]:
    for name, network in site.networks.items():
        if not isinstance(network, Macvlan) or not isinstance(network.ipam, HostLocal):
            continue
        users = [w for w, workload in site.workloads.items() if any(a.name == name for a in workload.networks)]
        nodes = sorted({node for user in users for node in site.nodes_of(site.workloads[user])})
        if len(nodes) > 1:
            yield (
                ("networks", name, "ipam"),
                f"host-local remembers addresses on each node alone, and the pods of {name} can run on {', '.join(nodes)}: "
                "two of them would get the same address",
                f"Keep its pods on one node: {', '.join(f'workloads.{user}.nodes: [{nodes[0]}]' for user in users)}.",
            )
