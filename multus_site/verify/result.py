"""One verification of a site: observe, check, and collect evidence for failures."""

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from multus_site.verify.checks import STARTING, Check, judge, judge_attachment
from multus_site.verify.cluster import Cluster
from multus_site.verify.expectation import Expectation
from multus_site.verify.leaks import leak_of_pool, told
from multus_site.verify.nodes import judge_node
from multus_site.verify.observed import NodeSeen, PodSeen
from multus_site.verify.pools import Allocation, leaked
from multus_site.verify.reach import attached, isolation, judge_reach, unique_addresses, unique_macs

TRIES = 3
"""Attempts: a new pod may need a moment for ARP and DNS."""
PAUSE_SECONDS = 3
STARTING_SECONDS = 180
"""How long `up` waits for starting pods. Nothing else waits for pods of an unchanged workload, which restart when their node
was recreated or restarted. The repair of interfaces, if the site asks for it, runs every two minutes."""


@dataclass
class Result:
    """The result. `evidence`: title → text, for failed checks."""

    checks: list[Check]
    nodes: dict[str, NodeSeen]
    pods: list[PodSeen]
    evidence: dict[str, str] = field(default_factory=dict)
    inventory: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Node → versions, and image digests."""

    @property
    def failed(self) -> list[Check]:
        """The failed checks."""
        return [c for c in self.checks if not c.ok]

    def output(self) -> dict[str, Any]:
        """Return the `verification` output: checks and inventory."""
        return {
            "passed": not self.failed,
            "checks": [c.row() for c in self.checks],
            "pods": [
                {
                    "workload": p.workload,
                    "pod": p.name,
                    "node": p.node,
                    "interfaces": [
                        {
                            "interface": name,
                            "mac": link.mac,
                            "mtu": link.mtu,
                            "addresses": [f"{a.address}/{a.prefix}" for a in link.addresses],
                        }
                        for name, link in p.inside.links.items()
                        if name != "lo"
                    ],
                }
                for p in self.pods
            ],
            "nodes": [
                {
                    "node": name,
                    **self.inventory.get(name, {"versions": {}, "images": {}}),
                    "binaries": seen.binaries,
                    "uplinks": [{"name": link.name, "mtu": link.mtu, "mac": link.mac} for link in seen.links],
                }
                for name, seen in self.nodes.items()
            ],
        }


async def verify(cluster: Cluster, expected: Expectation, patience: float = 0) -> Result:
    """Verify in up to three attempts, then collect evidence if a check fails. Waits up to `patience` seconds for starting pods first."""
    until = time.monotonic() + patience
    result = await _once(cluster, expected)
    while any(c.check in STARTING for c in result.failed) and time.monotonic() < until:
        await asyncio.sleep(PAUSE_SECONDS)
        result = await _once(cluster, expected)
    for _ in range(TRIES - 1):
        if not result.failed:
            break
        await asyncio.sleep(PAUSE_SECONDS)
        result = await _once(cluster, expected)
    result.inventory = await cluster.inventory()
    if result.failed:
        result.evidence = await _evidence(cluster, expected, result)
    return result


def judged(
    expected: Expectation,
    nodes: dict[str, NodeSeen],
    pods: list[PodSeen],
    attachments: dict[str, str],
    held: Sequence[Allocation] = (),
    existing: Collection[str] = (),
) -> list[Check]:
    """Return all checks of the observations. `attachments`: network → existing configuration; `held`: allocations of whereabouts; `existing`: pods."""
    interfaces = attached(pods, expected)
    checks = [judge_attachment(name, asked, attachments.get(name)) for name, asked in expected.attachments.items()]
    checks += [c for node in expected.nodes for c in judge_node(node, nodes.get(node.name, NodeSeen()))]
    checks += _allocated(held, existing, [nodes.get(node.name, NodeSeen()) for node in expected.nodes])
    for workload in expected.workloads:
        checks += judge(workload, pods, nodes)
    return [
        *checks,
        *judge_reach(interfaces),
        *unique_addresses(interfaces),
        *unique_macs(interfaces),
        *isolation(interfaces),
    ]


async def _once(cluster: Cluster, expected: Expectation) -> Result:
    nodes, pods = await cluster.look(expected)
    attachments = await cluster.attachments({name.partition("/")[0] for name in expected.attachments})
    held, existing = await cluster.allocated()
    return Result(judged(expected, nodes, pods, attachments, held, existing), nodes, pods)


def _allocated(held: Sequence[Allocation], existing: Collection[str], nodes: Sequence[NodeSeen]) -> Iterator[Check]:
    """Check the allocations of whereabouts. They are not judged without the sandboxes of every node: a pod that was deleted by force may still run."""
    if not held or any(seen.audit is None or seen.audit.error for seen in nodes):
        return
    gone = leaked(held, existing, {one for seen in nodes if seen.audit for one in seen.audit.sandboxes})
    left = told([leak_of_pool(one).what for one in gone])
    yield Check("", "", "", "", "whereabouts", "whereabouts", not gone, left or f"{len(held)} allocations")


async def _evidence(cluster: Cluster, expected: Expectation, result: Result) -> dict[str, str]:
    """Collect events and network-status of the failed pods; Multus log, plugins and links of their nodes."""
    found: dict[str, str] = {}
    failed = {c.workload for c in result.failed if c.workload}
    touched = {c.node for c in result.failed if c.node}
    names: dict[str, set[str]] = {}
    for workload in expected.workloads:
        if workload.name not in failed:
            continue
        for pod, (node, lines) in (await cluster.events(workload.namespace, workload.selector)).items():
            found[f"events of pod {pod}"] = "\n".join(lines)
            names.setdefault(node, set()).add(pod)
            touched |= {node} if node else set()
    nodes, pods = await cluster.look(expected, evidence=True)
    daemons = await cluster.daemons()
    for node in sorted(touched):
        if node in daemons:
            log = await cluster.multus_log(daemons[node], names.get(node, ()))
            found[f"Multus on {node}"] = "\n".join(log) or "no log"
        for title, text in nodes.get(node, NodeSeen()).evidence.items():
            found[f"{title} on {node}"] = text.rstrip()
    for seen in pods:
        if seen.workload in failed:
            for title, text in seen.inside.evidence.items():
                found[f"{title} in pod {seen.name}"] = text.rstrip()
    return found
