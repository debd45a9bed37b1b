"""Plan a measurement: which networks, between which nodes, with which addresses."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import islice
from typing import Any

from multus_site.cni import configuration
from multus_site.model.links import Link
from multus_site.model.site import Site
from multus_site.render.attachment import API_VERSION, KIND, nad_config
from multus_site.render.network import NetworkFacts, network_facts

NAMESPACE = "multus-site-throughput"
PORT = 52011
"""Port of the first server; the others follow. Not iperf3's default, which may be in use on a node."""
NODE, POD_NETWORK = "node", "pod-network"
"""Names of the references: the bare nodes, and the pod network of Kubernetes."""


class CannotMeasure(Exception):
    """Nothing can be measured; the message says why."""


@dataclass(frozen=True)
class Path:
    """A path between the two nodes: interface and addresses of both ends, empty until the pods run."""

    network: str
    interface: str
    port: int
    client: str = ""
    server: str = ""
    prefix: int = 0
    uplink: str = ""
    """NIC of the nodes; if empty, the one with their own addresses."""


@dataclass(frozen=True)
class Plan:
    """A measurement. `skipped`: network → why it is not measured."""

    client: str
    server: str
    paths: tuple[Path, ...]
    attachments: tuple[dict[str, Any], ...]
    skipped: dict[str, str]


def plan(site: Site, held: Iterable[str]) -> Plan:
    """Plan the measurement of a site. `held`: addresses of pods. Raises CannotMeasure."""
    workers = site.with_role("worker")
    if len(workers) < 2:
        msg = f"throughput is measured between two workers; {site.name} has {len(workers)}"
        raise CannotMeasure(msg)
    client, server = workers[:2]
    hosts = site.nodes.hosts
    paths = [
        Path(NODE, "", PORT, hosts[client].address, hosts[server].address),
        Path(POD_NETWORK, "eth0", PORT + 1),
    ]
    attachments: list[dict[str, Any]] = []
    skipped: dict[str, str] = {}
    taken = set(held)
    for name, network in site.networks.items():
        facts = network_facts(name, network)
        ends = _two_free(facts, taken)
        if not facts.plugin.measured or (isinstance(network, Link) and network.link_in_container):
            skipped[name] = f"a {facts.type} network is not measured" + " inside a pod" * facts.plugin.measured
        elif site.differs_by_node(network):
            skipped[name] = "its configuration differs by node"
        elif missing := [node for node in (client, server) if node not in site.nodes_with(network)]:
            skipped[name] = f"{' and '.join(missing)} {'do' if len(missing) > 1 else 'does'} not have it"
        elif ends is None:
            skipped[name] = "it has no IPv4 range with two free addresses"
        else:
            taken |= set(ends[:2])
            index = len(attachments) + 1
            paths.append(Path(name, f"net{index}", PORT + 1 + index, *ends, facts.uplink))
            attachments.append(_attachment(name, nad_config(name, network)))
    return Plan(client, server, tuple(paths), tuple(attachments), skipped)


def _two_free(facts: NetworkFacts, held: set[str]) -> tuple[str, str, int] | None:
    """Return the last two free addresses of the first IPv4 range that has two; IPAM plugins allocate these last."""
    for r in facts.ranges:
        if r.network is None or r.network.version != 4:
            continue
        numbers = (number for part in reversed(r.handed_out) for number in range(part.last, part.first - 1, -1))
        addresses = (str(IPv4Address(number)) for number in numbers)
        free = list(islice((address for address in addresses if address not in {*held, str(r.gateway)}), 2))
        if len(free) == 2:
            return free[0], free[1], r.network.prefixlen
    return None


def _attachment(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the network's configuration with static IPAM; the pods request their addresses."""
    main, *chained = configuration.read(config).plugins
    first: dict[str, Any] = {k: v for k, v in main.data.items() if k not in {"name", "cniVersion"}}
    capabilities = first.get("capabilities")
    first["ipam"] = {"type": "static"}
    first["capabilities"] = {**(capabilities if isinstance(capabilities, dict) else {}), "ips": True}
    document = {
        "cniVersion": config.get("cniVersion", "1.0.0"),
        "name": f"throughput-{name}",
        "plugins": [first, *(plugin.data for plugin in chained)],
    }
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"config": json.dumps(document, sort_keys=True)},
    }


def pods(measured: Plan, image: str) -> list[dict[str, Any]]:
    """Return two pods for each of the two nodes: one on all networks, one on the node's network. One node has the servers."""
    return [
        _pod("client", measured.client, image, ["sleep", "infinity"], _networks(measured.paths, client=True)),
        _pod("server", measured.server, image, _servers(measured.paths[1:]), _networks(measured.paths, client=False)),
        _pod("node-client", measured.client, image, ["sleep", "infinity"], None),
        _pod("node-server", measured.server, image, _servers(measured.paths[:1]), None),
    ]


def _networks(paths: Sequence[Path], *, client: bool) -> str:
    """Return the annotation for Multus, with the addresses of one end."""
    return json.dumps(
        [
            {
                "name": p.network,
                "namespace": NAMESPACE,
                "interface": p.interface,
                "ips": [f"{p.client if client else p.server}/{p.prefix}"],
            }
            for p in paths
            if p.prefix
        ]
    )


def _servers(paths: Sequence[Path]) -> list[str]:
    """Return a command with one server for each path, bound to its address."""
    servers = " & ".join(f"iperf3 -s -p {p.port} -B {p.server or '$POD_IP'}" for p in paths)
    return ["sh", "-c", f"trap 'exit 0' TERM; {servers} & wait"]


def _pod(name: str, node: str, image: str, command: list[str], networks: str | None) -> dict[str, Any]:
    """Return a pod on a node; `networks` None: on the node's network."""
    pod_ip = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    metadata: dict[str, Any] = {"name": name, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/name": name}}
    spec: dict[str, Any] = {
        "containers": [{"name": "iperf3", "image": image, "command": command, "env": [pod_ip]}],
        "nodeName": node,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "tolerations": [{"operator": "Exists"}],
    }
    if networks is None:
        spec["hostNetwork"] = True
    elif networks != "[]":
        metadata["annotations"] = {"k8s.v1.cni.cncf.io/networks": networks}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
