"""The part of the runner's document that follows from a site, and the plan from one site to another without a state."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from multus_site.kubespray import source
from multus_site.kubespray.document import Document, KubesprayError, Origin
from multus_site.kubespray.plan import PlaybookRun, as_applied, plan
from multus_site.kubespray.variable_checks import check_variables
from multus_site.model.site import Site
from multus_site.render import inventory
from multus_site.ssh.ssh_route import Login, SshRoute


def origin_of(site: Site) -> Origin:
    """Where the site says that Kubespray comes from."""
    given = site.kubespray
    archive = given.archive
    return Origin(given.path, archive.url if archive else None, archive.sha256 if archive else "", given.commit)


def of_site(site: Site, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The part that is known at preview (document.py). Raises KubesprayError for everything that Kubespray would reject."""
    origin = origin_of(site)
    found: dict[str, Any] = {
        "site": site.name,
        "version": site.kubespray.version,
        "origin": asdict(origin),
        "hosts": {name: inventory.host_variables(site, name, host) for name, host in site.nodes.hosts.items()},
        "groups": inventory.groups(site),
        "own_groups": inventory.own_groups(site),
        "variables": inventory.variables(site, dict(variables)),
        "own": sorted(site.kubespray.variables),
        "files": {path: _digest(path) for path in variables.get("custom_cni_manifests", [])},
    }
    if site.kubespray.adopted:
        # Absent otherwise, as in the states of earlier releases: another document is another run.
        found["adopted"] = site.kubespray.adopted.ca
    wrong = [
        *source.check_origin(site.kubespray.version, origin),
        *check_variables(site.kubespray.version, found["hosts"], found["groups"], found["variables"]),
    ]
    if wrong:
        raise KubesprayError("\n".join(wrong))
    return found


def without_nodes(plain: Mapping[str, Any], variables: Mapping[str, Any]) -> Document:
    """The document for a plan that reaches no node."""
    blind = {"identities": {}, "way": asdict(SshRoute(Login(""))), "known_hosts": ""}
    return Document.parse(json.dumps({**plain, "variables": dict(variables), **blind}))


def planned_from(old: Site, new: Site, variables: Mapping[str, Any], later: Mapping[str, Any]) -> list[PlaybookRun]:
    """The runs from one site to another, as if the first one was applied as it is. `variables`, `later`: Kubespray's, of both.

    Raises KubesprayError for changes that Kubespray cannot make.
    """
    before, after = (of_site(*one) for one in ((old, variables), (new, later)))
    return plan(as_applied(without_nodes(before, before["variables"]), None), without_nodes(after, after["variables"]))


def _digest(path: str) -> str:
    """sha256 of a file that a variable names. Raises KubesprayError if it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        msg = f"kubespray.variables.custom_cni_manifests: {path}: {error.strerror}. Paths are relative to the project's folder"
        raise KubesprayError(msg) from None
