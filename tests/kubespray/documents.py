"""Documents of clusters for the tests."""

from dataclasses import replace
from typing import Any

from multus_site.kubespray.document import Document
from multus_site.ssh.ssh_route import Login, SshRoute


def document(*roles: str, version: str = "v2.31.0", **variables: Any) -> Document:
    """A cluster of hosts `name:letters`: c(ontrol plane), e(tcd), w(orker); a digit after them is the machine's generation.

    >>> document("a:cew", "b:w", "c:w2")
    """
    hosts: dict[str, dict[str, Any]] = {}
    groups: dict[str, list[str]] = {"kube_control_plane": [], "etcd": [], "kube_node": []}
    identities = {}
    for role in roles:
        name, letters = role.split(":")
        last = 10 + ord(name[0]) - ord("a")
        hosts[name] = {
            "ansible_host": f"10.1.1.{last}",
            "ansible_port": 22,
            "ansible_user": "root",
            "ip": f"10.1.1.{last}",
        }
        identities[name] = f"{name}-{letters.lstrip('cew') or '1'}"
        for letter, group in (("c", "kube_control_plane"), ("e", "etcd"), ("w", "kube_node")):
            if letter in letters:
                groups[group].append(name)
    return Document(
        site="test",
        version=version,
        hosts=hosts,
        groups={group: tuple(names) for group, names in groups.items()},
        variables=variables,
        identities=identities,
        route=SshRoute(Login("root", "KEY")),
        known_hosts="".join(f"{its['ansible_host']} ssh-ed25519 {name}\n" for name, its in hosts.items()),
    )


def relabelled(given: Document, host: str, zone: str) -> Document:
    """The same with another label and another taint on a host."""
    own = {"node_labels": {"topology.kubernetes.io/zone": zone}, "node_taints": [f"dedicated={zone}:NoSchedule"]}
    changed = {**given.hosts[host], **own}
    return replace(given, hosts={**given.hosts, host: changed})


def moved(given: Document, host: str, address: str) -> Document:
    """The same with another address of a host."""
    return replace(given, hosts={**given.hosts, host: {**given.hosts[host], "ip": address}})
