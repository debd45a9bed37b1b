"""The leaks of a site: reservations, caches and namespaces on its nodes, and allocations of whereabouts, compared with the sandboxes of all nodes."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multus_site.model.printable import first_line
from multus_site.model.site import Site
from multus_site.render.attachment import API_VERSION, config_of, configs_by_node
from multus_site.ssh.fan_out import fan_out_blocking
from multus_site.ssh.openssh import Shell
from multus_site.ssh.ssh_route import ReachError
from multus_site.verify import leftovers
from multus_site.verify.leaks import Leak, NodeAudit, leak_of_pool, leaks_of_node, network_name, read_audit, task
from multus_site.verify.pools import OVERLAPPING, POOLS, Allocation, allocations, leaked, overlapping

NODE_SECONDS = 60
"""Time limit for one node: the runtime lists its sandboxes in well under a second."""

ATTACHMENTS = f"/apis/{API_VERSION}/network-attachment-definitions"
_KUBECTL = "PATH=$PATH:/usr/local/bin:/opt/bin kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout 20s"
_NAMES = '{range .items[*]}{.metadata.namespace}/{.metadata.name}{"\\n"}{end}'


@dataclass(frozen=True)
class Host:
    """How a node is reached, as the inventory names it."""

    address: str
    port: int
    user: str

    @property
    def variables(self) -> dict[str, Any]:
        """Its variables in the inventory."""
        return {"ansible_host": self.address, "ansible_port": self.port, "ansible_user": self.user}


@dataclass
class Audit:
    """What was found. `unknown`: node, or the cluster → why it could not be judged."""

    leaks: list[Leak] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, NodeAudit] = field(default_factory=dict)

    @property
    def losing(self) -> dict[str, str]:
        """Node → why its Multus loses addresses."""
        return {name: why for name, seen in self.nodes.items() if (why := seen.multus.loses)}


def hosts_of(site: Site) -> dict[str, Host]:
    """The nodes of a site."""
    ssh = site.nodes.ssh
    return {name: Host(host.address, ssh.port, ssh.user) for name, host in site.nodes.hosts.items()}


def configs_of(site: Site) -> list[str]:
    """The CNI configurations of the site's networks, with the variants of nodes."""
    found: list[dict[str, Any]] = []
    for name, network in site.networks.items():
        own = configs_by_node(site, name).values() if site.differs_by_node(network) else [config_of(site, name)]
        # Multus gives a raw configuration without a name that of its attachment.
        found += [{**one, "name": one.get("name") or name} for one in own]
    return sorted({json.dumps(one, sort_keys=True) for one in found})


def audit(
    shell: Shell, hosts: Mapping[str, Host], control_plane: Sequence[str], configs: Iterable[str], *, free: bool = False
) -> Audit:
    """Find the leaks of these nodes and, with `control_plane`, of whereabouts; `free`: give them back. A node that does not answer is in `unknown`."""
    found = Audit()
    cluster = _ask_first(shell, [hosts[name] for name in control_plane if name in hosts], found)
    task_of_node = task(configs, cluster.attachments if cluster else (), free=free)
    answers = fan_out_blocking(hosts, lambda _, host: _on_node(shell, host, task_of_node), NODE_SECONDS * 2)
    found.unknown.update({name: str(error) for name, error in answers.failed.items()})
    for name, seen in answers.done.items():
        if seen.error:
            found.unknown[name] = seen.error
        found.nodes[name] = seen
        found.leaks += leaks_of_node(name, seen)
    if cluster:
        _judge_pools(shell, cluster, found, free=free)
    return found


def _on_node(shell: Shell, host: Host, task_of_node: dict[str, Any]) -> NodeAudit:
    text = Path(leftovers.__file__).read_text(encoding="utf-8")
    program = f"{text}\nmain(json.loads({json.dumps(task_of_node)!r}))\n"
    done = shell.run(host.variables, "python3 -", program, NODE_SECONDS)
    if done.returncode:
        raise ReachError((done.stderr.strip().splitlines() or ["no answer"])[-1])
    return read_audit(done.stdout)


@dataclass(frozen=True)
class _Cluster:
    """What a control plane node says of the cluster, in the order in which it was read."""

    host: Host
    held: tuple[Allocation, ...]
    wrong: tuple[str, ...]
    attachments: tuple[str, ...]
    pods: frozenset[str]


def _ask_first(shell: Shell, control_plane: Sequence[Host], found: Audit) -> _Cluster | None:
    """Ask the first control plane node that answers."""
    why = ""
    for host in control_plane:
        try:
            return _ask(shell, host)
        except ReachError as error:
            why = str(error)
    if control_plane:
        found.unknown["whereabouts"] = f"no control plane node answers for the cluster: {why}"
    return None


def _ask(shell: Shell, host: Host) -> _Cluster:
    """Read allocations first, then pods: a pod that comes in between is in the second list, one that goes still has its sandbox."""
    pools, overlaps, nads = (_items(shell, host, path) for path in (POOLS, OVERLAPPING, ATTACHMENTS))
    held, wrong = allocations(pools)
    pods = _run(shell, host, f"{_KUBECTL} get pods -A -o jsonpath={shlex.quote(_NAMES)}")
    return _Cluster(
        host,
        (*held, *overlapping(overlaps)),
        tuple(wrong),
        tuple(network_name(one) for one in nads),
        frozenset(pods.split()),
    )


def _items(shell: Shell, host: Host, path: str) -> list[dict[str, Any]]:
    """The objects under a path of the API; none if the cluster does not know the kind."""
    done = shell.run(host.variables, f"{_KUBECTL} get --raw {path}", "", NODE_SECONDS)
    if done.returncode and "NotFound" in done.stderr:
        return []
    if done.returncode:
        raise ReachError((done.stderr.strip().splitlines() or ["no answer"])[-1])
    try:
        return list(json.loads(done.stdout)["items"])
    except (ValueError, KeyError, TypeError):
        msg = f"kubectl get --raw {path} printed {first_line(done.stdout)}"
        raise ReachError(msg) from None


def _run(shell: Shell, host: Host, command: str) -> str:
    done = shell.run(host.variables, command, "", NODE_SECONDS)
    if done.returncode:
        raise ReachError((done.stderr.strip().splitlines() or ["no answer"])[-1])
    return done.stdout


def _judge_pools(shell: Shell, cluster: _Cluster, found: Audit, *, free: bool) -> None:
    found.leaks += [Leak("whereabouts", "malformed", one, "", "", None, freed=False, path="") for one in cluster.wrong]
    sandboxes = {one for seen in found.nodes.values() for one in seen.sandboxes}
    gone = leaked(cluster.held, cluster.pods, sandboxes)
    if gone and found.unknown:
        # A pod that was deleted by force may still run on a node that does not answer.
        missing = ", ".join(found.unknown)
        found.unknown["whereabouts"] = f"{len(gone)} allocations of deleted pods, judged when these answer: {missing}"
        return
    for one in gone:
        found.leaks.append(leak_of_pool(one, freed=free and _return(shell, cluster.host, one)))


def _return(shell: Shell, host: Host, one: Allocation) -> bool:
    """Remove an allocation, if it still is that of the same sandbox."""
    where = f"-n {shlex.quote(one.namespace)} {shlex.quote(one.name)}"
    if one.kind == "IPPool":
        entry = f"/spec/allocations/{one.key}"
        patch = [{"op": "test", "path": f"{entry}/podref", "value": one.pod}, {"op": "remove", "path": entry}]
        kind = "ippools.whereabouts.cni.cncf.io"
        command = f"{_KUBECTL} patch {kind} {where} --type json -p {shlex.quote(json.dumps(patch))}"
    else:
        command = f"{_KUBECTL} delete overlappingrangeipreservations.whereabouts.cni.cncf.io {where}"
    return shell.run(host.variables, command, "", NODE_SECONDS).returncode == 0
