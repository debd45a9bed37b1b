"""Turns a running cluster that Kubespray made, and its inventory, into the site's `kubespray`, roles and order of hosts. Pure: no cluster, no files."""

from collections.abc import Iterable, Mapping
from typing import Any

from multus_site.cli.adoption import Adopted
from multus_site.cli.inventory import Vaulted
from multus_site.kubespray.found import FoundCluster, NotFoundError, cluster_of
from multus_site.kubespray.masking import looks_secret
from multus_site.model.kubespray_releases import RELEASES, newest, numbers

_DEFAULTS = {"kube_proxy_mode": "ipvs", "container_manager": "containerd", "dns_domain": "cluster.local"}
"""Variables whose value in the cluster the site needs only where it is not Kubespray's default."""

_TYPED = {
    "kube_version": "kubernetesVersion",
    "kube_network_plugin": "networkPlugin",
    "kube_pods_subnet": "podCidr",
    "kube_service_addresses": "serviceCidr",
}
"""Kubespray's variable → the site's key, which comes from the cluster."""

_NOT_TAKEN = {
    "kube_network_plugin_multus": "multus-site brings Multus itself",
    "kubeconfig_localhost": "multus-site reads the kubeconfig from the node",
    "artifacts_dir": "multus-site reads the kubeconfig from the node",
}
"""Variable → why a site does not have it."""


def adopt_cluster(adopted: Adopted, objects: Iterable[Mapping[str, Any]]) -> FoundCluster | None:
    """Adds the cluster to the site: `kubespray` with its identity, and each host with its roles, in the cluster's order. None if no Kubespray can manage it."""
    try:
        found = cluster_of(objects)
    except NotFoundError as error:
        adopted.findings.append(f"{error}; `up` cannot take it over")
        return None
    versions = found.versions()
    if len(versions) > 1:
        named = "; ".join(f"{version} on {', '.join(where)}" for version, where in sorted(versions.items()))
        adopted.findings.append(
            f"the cluster is between two versions of Kubernetes: {named}; finish its upgrade before the first `up`"
        )
    version = max(versions, key=numbers)
    release = release_for(version)
    if release is None:
        adopted.findings.append(
            f"no known release of Kubespray installs Kubernetes {version}; name yours in kubespray.version with its commit"
        )
    variables = {name: value for name, value in _found_variables(found).items() if value != _DEFAULTS.get(name)}
    plugin = next(iter(sorted(found.plugins)), "")
    if not plugin:
        adopted.findings.append(
            "no daemon of a network plugin that Kubespray installs was found; write kubespray.networkPlugin"
        )
    adopted.kubespray = {
        "version": release or newest(),
        "kubernetesVersion": version,
        **({"networkPlugin": plugin} if plugin else {}),
        "podCidr": found.pods,
        "serviceCidr": found.services,
        "adopted": {"ca": found.ca},
        **({"variables": variables} if variables else {}),
    }
    for name, member in found.members.items():
        if not member.ready:
            adopted.findings.append(f"{name} is NotReady; bring it back, or remove it, before the first `up`")
        if name in adopted.hosts:
            roles = list(member.roles) + (["etcd"] if member.address in found.etcd else [])
            roles = [role for role in ("control-plane", "etcd", "worker") if role in roles]
            host = {key: value for key, value in adopted.hosts[name].items() if key != "roles"}
            adopted.hosts[name] = {**host, **({"roles": roles} if roles != ["worker"] else {})}
    for address in found.etcd:
        if all(member.address != address for member in found.members.values()):
            adopted.findings.append(
                f"{address} is a member of etcd, and no node; name it in --hosts, and give it roles: [etcd]"
            )
    return found


def in_order(adopted: Adopted, found: FoundCluster) -> None:
    """Puts the hosts into the cluster's order: Kubespray treats the first control plane node and the first member of etcd specially."""
    etcd = [name for address in found.etcd for name, member in found.members.items() if member.address == address]
    order = [*found.control_planes, *etcd, *found.members, *adopted.hosts]
    adopted.hosts = {name: adopted.hosts[name] for name in dict.fromkeys(order) if name in adopted.hosts}


def release_for(version: str) -> str | None:
    """The release of Kubespray whose own version of Kubernetes it is, else the newest that can install it; None if none can."""
    known = sorted((r for r in RELEASES if RELEASES[r].knows(version)), key=numbers)
    return next((release for release in known if RELEASES[release].default == version), known[-1] if known else None)


def _found_variables(found: FoundCluster) -> dict[str, Any]:
    managers = {member.manager for member in found.members.values()}
    return {
        "cluster_name": found.name,
        "dns_domain": found.dns_domain,
        **({"kube_proxy_mode": found.proxy} if found.proxy else {"kube_proxy_remove": True}),
        **({"container_manager": managers.pop()} if len(managers) == 1 else {}),
    }


def adopt_variables(adopted: Adopted, given: Mapping[str, Any], usual: Mapping[str, Any]) -> None:
    """Adds variables of an inventory's group_vars that differ from Kubespray's defaults. What looks secret is reported, never written.

    `usual`: Kubespray's defaults, where its source is at hand.
    """
    taken = adopted.kubespray.setdefault("variables", {})
    secret = []
    for name, value in given.items():
        if name in _TYPED:
            there = adopted.kubespray.get(_TYPED[name], value)
            if str(there) != str(value).removeprefix("v"):
                adopted.findings.append(
                    f"inventory: {name} is {value}, and the cluster has {there}; the site says {there}"
                )
        elif name in _NOT_TAKEN:
            if value not in (False, None):
                adopted.left_out.append(f"inventory: {name}: {_NOT_TAKEN[name]}")
        elif isinstance(value, Vaulted) or looks_secret(name, value):
            secret.append(name)
        elif name in taken:
            if taken[name] != value:
                adopted.findings.append(
                    f"inventory: {name} is {value}, and the cluster has {taken[name]}; the site says {taken[name]}"
                )
        elif not (name in usual and usual[name] == value) and value != _DEFAULTS.get(name, _MISSING):
            taken[name] = value
    if secret:
        adopted.remarks["kubespray"] = [
            "Secret variables of the inventory, which are not in this file:",
            *(
                f"  pulumi config set --stack {adopted.name} --secret --path multus-site:kubesprayVariables.{name}"
                for name in secret
            ),
        ]
        adopted.findings += [
            f"inventory: {name} looks secret and was not written; type: pulumi config set --stack {adopted.name} --secret "
            f"--path multus-site:kubesprayVariables.{name}"
            for name in secret
        ]
    if not taken:
        del adopted.kubespray["variables"]


_MISSING = object()
