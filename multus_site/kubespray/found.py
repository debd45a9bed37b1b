"""What a running cluster is, from its objects: members in their order, versions and networks. Pure; a takeover and `adopt` read the same.

Sources: kubeadm's ConfigMaps kubeadm-config and kube-proxy, labels of static pods (kubeadm: cmd/kubeadm/app/constants), and Kubespray's
kubeadm-config template, which names the first control plane node as endpoint, and the members of etcd in the order of their group.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import yaml

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
"""Label of control plane nodes, and key of the taint that keeps workloads off them."""

CONFIG_MAPS = ("kubeadm-config", "kube-proxy", "kube-root-ca.crt")
"""ConfigMaps of kube-system that are read."""

READ = """\
export KUBECONFIG=ADMIN PATH="$PATH:BINARIES"
[ -e "$KUBECONFIG" ] || { echo "it has no ADMIN: no control plane runs on it" >&2; exit 3; }
get() { kubectl --request-timeout=30s get "$@" -o json; }
get nodes
get configmaps -n kube-system --ignore-not-found MAPS
get daemonsets -A
get pods -n kube-system -l tier=control-plane
"""
"""Commands on a control plane node whose output `documents` takes apart."""

DAEMONS = {
    "calico-node": "calico",
    "cilium": "cilium",
    "kube-flannel": "flannel",
    "kube-flannel-ds": "flannel",
    "kube-ovn-cni": "kube-ovn",
    "kube-router": "kube-router",
}
"""DaemonSet → the network plugin whose daemons it runs. Kubespray has others, of which nothing in the cluster tells."""

_MANAGERS = {"containerd": "containerd", "cri-o": "crio", "docker": "docker"}
"""Scheme of a node's containerRuntimeVersion → container_manager."""


class NotFoundError(ValueError):
    """The objects do not describe a cluster that Kubespray can manage; the message says what is missing."""


@dataclass(frozen=True)
class Member:
    """A node of the cluster."""

    address: str
    roles: tuple[str, ...]
    """control-plane, worker: as a site writes them, without etcd."""
    version: str
    """Of its kubelet."""
    manager: str
    """The container_manager that Kubespray would call its runtime."""
    runtime: str
    """Version of the runtime."""
    ready: bool
    architecture: str = "amd64"


@dataclass(frozen=True)
class FoundCluster:
    """A running cluster."""

    ca: str
    """sha256 of the file with the certificate authority; empty if the cluster does not publish it."""
    name: str
    """kubeadm's clusterName."""
    members: dict[str, Member]
    control_planes: tuple[str, ...]
    """Nodes, the first one first."""
    etcd: tuple[str, ...]
    """Addresses of the members of etcd, the first one first."""
    api_servers: dict[str, str]
    """Control plane node → version of its API server."""
    pods: str
    services: str
    dns_domain: str
    plugins: frozenset[str]
    """Network plugins whose daemons run."""
    proxy: str | None
    """Mode of kube-proxy; None where it does not run."""

    def versions(self) -> dict[str, list[str]]:
        """Version of Kubernetes → what runs it, for people: nodes, and API servers that differ from their node's kubelet."""
        found: dict[str, list[str]] = {}
        for name, member in self.members.items():
            found.setdefault(member.version, []).append(name)
        for name, version in self.api_servers.items():
            if name in self.members and self.members[name].version != version:
                found.setdefault(version, []).append(f"the API server of {name}")
        return found


def read_command(binaries: str, admin: str = "/etc/kubernetes/admin.conf") -> str:
    """The commands for a control plane node. `binaries`: Kubespray's bin_dir."""
    filled = READ.replace("ADMIN", admin).replace("BINARIES", f"{binaries}:/usr/local/bin:/opt/bin")
    return f"set -e\n{filled.replace('MAPS', ' '.join(CONFIG_MAPS))}"


def documents(text: str) -> Iterator[dict[str, Any]]:
    """The objects of JSON documents one after the other; members of lists, each with its kind. Raises ValueError."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        at += len(text[at:]) - len(text[at:].lstrip())
        data, at = decoder.raw_decode(text, at)
        items = data["items"] if str(data.get("kind", "")).endswith("List") else [data]
        yield from items


def cluster_of(objects: Iterable[Mapping[str, Any]]) -> FoundCluster:
    """The cluster of these nodes, ConfigMaps and pods of kube-system, and DaemonSets. Raises NotFoundError."""
    by_kind: dict[str, list[Mapping[str, Any]]] = {}
    for one in objects:
        by_kind.setdefault(str(one.get("kind")), []).append(one)
    nodes = sorted(
        by_kind.get("Node", []), key=lambda node: (node["metadata"].get("creationTimestamp") or "", _name(node))
    )
    maps = {_name(one): one.get("data") or {} for one in by_kind.get("ConfigMap", [])}
    config = _yaml(maps.get("kubeadm-config", {}).get("ClusterConfiguration"))
    if not nodes or not config:
        missing = (
            "no nodes" if not nodes else "no ConfigMap kubeadm-config in kube-system, which kubeadm and Kubespray write"
        )
        msg = f"the cluster has {missing}"
        raise NotFoundError(msg)
    members = {_name(node): _member(node) for node in nodes}
    endpoint = _host(str(config.get("controlPlaneEndpoint") or ""))
    control_planes = [name for name, member in members.items() if "control-plane" in member.roles]
    control_planes.sort(key=lambda name: members[name].address != endpoint)
    pods = by_kind.get("Pod", [])
    networking = config.get("networking") or {}
    proxy = _yaml(maps.get("kube-proxy", {}).get("config.conf"))
    authority = maps.get("kube-root-ca.crt", {}).get("ca.crt", "")
    return FoundCluster(
        ca=hashlib.sha256(authority.encode()).hexdigest() if authority else "",
        name=str(config.get("clusterName") or "kubernetes"),
        members=members,
        control_planes=tuple(control_planes),
        etcd=_etcd(config, pods, members, control_planes),
        api_servers={
            str(pod["spec"].get("nodeName")): _bare(str(container["image"]).rpartition(":")[2])
            for pod in _of(pods, "kube-apiserver")
            for container in pod["spec"]["containers"][:1]
        },
        pods=str(networking.get("podSubnet") or proxy.get("clusterCIDR") or ""),
        services=str(networking.get("serviceSubnet") or ""),
        dns_domain=str(networking.get("dnsDomain") or "cluster.local"),
        plugins=frozenset(DAEMONS[_name(one)] for one in by_kind.get("DaemonSet", []) if _name(one) in DAEMONS),
        # kube-proxy's own default is iptables.
        proxy=str(proxy.get("mode") or "iptables") if proxy else None,
    )


def _etcd(
    config: Mapping[str, Any],
    pods: list[Mapping[str, Any]],
    members: Mapping[str, Member],
    control_planes: list[str],
) -> tuple[str, ...]:
    """Addresses of etcd's members. API servers name those that joined later too, unlike the ConfigMap, which an upgrade writes."""
    servers = {str(pod["spec"].get("nodeName")): list(_servers(pod)) for pod in _of(pods, "kube-apiserver")}
    named = [address for node in control_planes for address in servers.get(node, [])]
    named += [_host(url) for url in ((config.get("etcd") or {}).get("external") or {}).get("endpoints") or []]
    outside = [address for address in named if address not in {"127.0.0.1", "::1", "localhost"}]
    if not outside:
        there = {str(pod["spec"].get("nodeName")) for pod in _of(pods, "etcd")}
        outside = [members[node].address for node in control_planes if node in there]
    return tuple(dict.fromkeys(outside))


def _servers(pod: Mapping[str, Any]) -> Iterator[str]:
    for container in pod["spec"]["containers"]:
        for word in [*(container.get("command") or []), *(container.get("args") or [])]:
            if str(word).startswith("--etcd-servers="):
                yield from (_host(url) for url in str(word).partition("=")[2].split(","))


def _member(node: Mapping[str, Any]) -> Member:
    metadata, status = node["metadata"], node.get("status") or {}
    info = status.get("nodeInfo") or {}
    internal = [a.get("address", "") for a in status.get("addresses") or [] if a.get("type") == "InternalIP"]
    taints = {(t.get("key"), t.get("effect")) for t in (node.get("spec") or {}).get("taints") or []}
    roles = ("control-plane",) if CONTROL_PLANE in (metadata.get("labels") or {}) else ()
    if not roles or (CONTROL_PLANE, "NoSchedule") not in taints:
        roles = (*roles, "worker")
    scheme, _, runtime = str(info.get("containerRuntimeVersion") or "").partition("://")
    conditions = {one.get("type"): one.get("status") for one in status.get("conditions") or []}
    return Member(
        address=internal[0] if internal else "",
        roles=roles,
        version=_bare(str(info.get("kubeletVersion") or "")),
        manager=_MANAGERS.get(scheme, scheme),
        runtime=runtime.removeprefix("v"),
        ready=conditions.get("Ready") == "True",
        architecture=str(info.get("architecture") or "amd64"),
    )


def _of(pods: Iterable[Mapping[str, Any]], component: str) -> Iterator[Mapping[str, Any]]:
    """The static pods of a component of the control plane."""
    for pod in pods:
        if (pod["metadata"].get("labels") or {}).get("component") == component:
            yield pod


def _name(one: Mapping[str, Any]) -> str:
    return str(one["metadata"]["name"])


def _bare(version: str) -> str:
    """v1.35.4 or v1.35.4+rke2r1 → 1.35.4."""
    return version.removeprefix("v").partition("+")[0]


def _host(url: str) -> str:
    """The host of an address with or without scheme and port."""
    return urlsplit(url if "://" in url else f"//{url}").hostname or ""


def _yaml(text: object) -> dict[str, Any]:
    """A mapping in YAML; empty if the text is none."""
    try:
        data = yaml.safe_load(str(text or ""))
    except yaml.YAMLError:
        return {}
    return data if isinstance(data, dict) else {}
