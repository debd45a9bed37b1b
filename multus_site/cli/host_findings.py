"""Preflight's findings on adopted hosts, before there is a site. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from multus_site.cli.adopted_hosts import Seen
from multus_site.cli.host_keys import HostKey
from multus_site.model.paths import path_text
from multus_site.model.pydantic_errors import mistakes_of
from multus_site.model.site import Site
from multus_site.nodes.preflight.finding import Node, lines
from multus_site.nodes.preflight.requirements import requirements_of
from multus_site.nodes.preflight.run_checks import findings

_ROLES = ("control-plane", "etcd", "worker")


def to_ask(networks: Mapping[str, Any], address: str, key: HostKey) -> tuple[str, str]:
    """MODULES and PORTS of multus_site/scripts/facts.sh for hosts whose names and roles are unknown."""
    hosts = {"node1": {"address": address, "hostKey": key.text, "roles": list(_ROLES)}}
    # Networks that need other hosts than this one are left to preflight.
    site = _site(hosts, networks)[0] or _site(hosts, {})[0]
    every = requirements_of(site, site.kubespray.all_variables()) if site else {}
    modules = sorted({module for one in every.values() for module in one.modules})
    ports = sorted({port for one in every.values() for port in one.ports}, key=int)
    return " ".join(modules), " ".join(ports)


def judged(
    seen: Mapping[str, Seen],
    hosts: Mapping[str, Mapping[str, Any]],
    networks: Mapping[str, Any],
    in_cluster: Sequence[str],
) -> list[str]:
    """A sentence for each problem of the first `up`. `in_cluster`: hosts that are nodes of the adopted cluster."""
    some_key = next(host.host_key for host in seen.values())
    whole = {name: {"hostKey": some_key, **host} for name, host in hosts.items()}
    site, mistakes = _site(whole, networks)
    if site is None:
        return mistakes
    wanted = requirements_of(site, site.kubespray.all_variables())
    authorities = Counter(h.facts["cluster"]["ca"] for h in seen.values() if h.facts["cluster"]["kubelet"])
    ours = authorities.most_common(1)[0][0] if authorities else None
    nodes = [
        Node(
            name,
            wanted[name],
            host.facts,
            name in in_cluster or (host.facts["cluster"]["kubelet"] and host.facts["cluster"]["ca"] == ours),
            host.facts["offset"],
        )
        for name, host in seen.items()
    ]
    return lines(findings(nodes))


def _site(hosts: Mapping[str, Any], networks: Mapping[str, Any]) -> tuple[Site | None, list[str]]:
    """The site, or its mistakes."""
    data = {"name": "adopted", "nodes": {"backend": "existing", "hosts": hosts}, "networks": networks}
    try:
        return Site.model_validate(data), []
    except ValidationError as error:
        return None, [f"{path_text(mistake.path) or 'site'}: {mistake.message}" for mistake in mistakes_of(error, data)]
