"""`python -m multus_site.nodes.topology apply|remove`: reads {"kubeconfig", "nodes": node → {"labels", "taints"}} as JSON, and sets or removes the labels and taints.

Prints the labels and taints that are set, as JSON; reports changes on standard error. Exits 1 if a node does not exist, or the cluster does not answer.
"""

import asyncio
import json
import sys
from typing import Any

import httpx
import kr8s
import yaml

from multus_site.nodes.topology.evictions import SECONDS, at_rest, settled
from multus_site.nodes.topology.patches import Wanted, new_evicting, patch
from multus_site.ssh.fan_out import fan_out
from multus_site.ssh.ssh_route import ReachError
from multus_site.verify.cluster import Cluster

ATTEMPTS = 5
"""Number of attempts for a patch: kubelets and controllers change nodes in between."""

NODE_SECONDS = 60
"""Time limit for one node: the API server answers a patch in well under a second."""


class TopologyError(Exception):
    """A failure; the text is for a person."""


async def apply(api: Any, wanted: dict[str, Wanted]) -> list[str]:  # noqa: ANN401  # kr8s' has no public type
    """Set labels and taints, wait for pods that a taint evicts, and return the changed nodes. Raises TopologyError before any change if nodes do not exist."""
    nodes = {node.name: node async for node in api.get("nodes")}
    if missing := [name for name in wanted if name not in nodes]:
        msg = f"{', '.join(missing)}: the cluster has no such node; see `kubectl get nodes`, and run `pulumi up` again once it has joined"
        raise TopologyError(msg)
    evicting = {name: taints for name in wanted if (taints := new_evicting(nodes[name].raw, wanted[name]))}
    before = await at_rest(api) if evicting else set()
    outcome = await fan_out(wanted, lambda name, its: _changed(nodes[name], its), NODE_SECONDS)
    if outcome.failed:
        raise TopologyError("\n".join(outcome.errors()))
    if evicting and (left := list(await settled(api, evicting, before))):
        print(f"topology: not ready after {SECONDS} s: {', '.join(left)}", file=sys.stderr)
    return [name for name, changed in outcome.done.items() if changed]


async def _changed(node: Any, wanted: Wanted) -> bool:  # noqa: ANN401  # as above
    """Patch a node, and return whether that changed it. Raises ReachError."""
    for attempt in range(ATTEMPTS):
        todo = patch(node.raw, wanted)
        if todo is None:
            return attempt > 0
        try:
            await node.patch(todo)
        except kr8s.ServerError as error:
            if error.response is None or error.response.status_code != httpx.codes.CONFLICT:
                raise
            await node.refresh()
        else:
            return True
    msg = "other clients keep changing the node; run `pulumi up` again"
    raise ReachError(msg)


async def main(verb: str, document: dict[str, Any]) -> int:
    """Run the command, and return its exit status."""
    nodes = document["nodes"]
    wanted = {name: Wanted.parse(its) if verb == "apply" else Wanted() for name, its in nodes.items()}
    try:
        cluster = await Cluster.connect(yaml.safe_load(document["kubeconfig"]))
        changed = await apply(cluster.api, wanted)
    except TopologyError as error:
        print(f"topology: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # kr8s and httpx raise many types; each means that the cluster failed
        print(f"topology: the cluster cannot be reached: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    if changed:
        print(f"topology: labels and taints of {', '.join(changed)}", file=sys.stderr)
    print(json.dumps(nodes if verb == "apply" else {}, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], json.load(sys.stdin))))
