"""`python -m verification`: reads {"kubeconfig", "workloads"} as JSON, prints the result as JSON; exit 1 if a check fails.

A failure's evidence goes to standard error: events of the pods, and what Multus said on their nodes.
"""

import asyncio
import json
import sys
from typing import Any

import yaml

from verification.checks import Check, judge, unique_addresses
from verification.cluster import Cluster
from verification.expectation import ExpectedWorkload

TRIES = 3
"""A pod that has just started may need a moment for ARP and DNS; what still fails at the third look is a failure."""
PAUSE_SECONDS = 3


async def verify(cluster: Cluster, workloads: list[ExpectedWorkload]) -> list[Check]:
    """One look at every pod of every workload."""
    checks: list[Check] = []
    everything = []
    for workload in workloads:
        pods = await cluster.pods_of(workload)
        seen = list(await asyncio.gather(*(cluster.look_at(workload, pod) for pod in pods)))
        everything += seen
        checks += judge(workload, seen)
    return checks + unique_addresses(everything, workloads)


async def main(document: dict[str, Any]) -> int:
    """Looks up to three times, reports, and says whether all is well (0) or not (1)."""
    workloads = [ExpectedWorkload.model_validate(w) for w in document["workloads"]]
    cluster = await Cluster.connect(yaml.safe_load(document["kubeconfig"]))
    checks: list[Check] = []
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(PAUSE_SECONDS)
        checks = await verify(cluster, workloads)
        if all(c.ok for c in checks):
            break
    failed = [c for c in checks if not c.ok]
    for c in failed:
        where = " ".join(filter(None, (c.pod or c.workload, f"on {c.node}" if c.node else "", c.interface, c.network)))
        print(f"verification: {where}: {c.check}: {c.detail}", file=sys.stderr)
    for workload in workloads:
        if any(c.workload == workload.name for c in failed):
            print(await cluster.evidence(workload), file=sys.stderr)
    print(json.dumps({"passed": not failed, "checks": [c.row() for c in checks]}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(json.load(sys.stdin))))
