"""`python -m multus_site.nodes.topology apply|remove`: reads {"kubeconfig", "nodes": node → {"labels", "taints"}} as JSON; removes all of ours, or makes it so.

Prints what nodes have of it now, as JSON; what was changed goes to standard error. Exit 1 where a node is not there, or the cluster cannot be asked.
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
"""How often a patch is tried: kubelets and controllers change nodes in between."""

NODE_SECONDS = 60
"""Time for one node: the API server answers a patch in well under a second."""


class TopologyError(Exception):
    """What cannot be done; the text is for a person."""


async def apply(api: Any, wanted: dict[str, Wanted]) -> list[str]:  # noqa: ANN401  # kr8s' has no public type
    """Names of the nodes that were changed; pods that a taint ends are waited for. Raises TopologyError for all that are not there, before any is changed."""
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
        print(f"topology: not at rest after {SECONDS} s: {', '.join(left)}", file=sys.stderr)
    return [name for name, changed in outcome.done.items() if changed]


async def _changed(node: Any, wanted: Wanted) -> bool:  # noqa: ANN401  # as above
    """Patches a node until nothing is left to do; whether there was anything. Raises ReachError."""
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
    """Does it, and says so."""
    nodes = document["nodes"]
    wanted = {name: Wanted.parse(its) if verb == "apply" else Wanted() for name, its in nodes.items()}
    try:
        cluster = await Cluster.connect(yaml.safe_load(document["kubeconfig"]))
        changed = await apply(cluster.api, wanted)
    except TopologyError as error:
        print(f"topology: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # kr8s and httpx raise many kinds; each means the same here
        print(f"topology: the cluster cannot be asked: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    if changed:
        print(f"topology: labels and taints of {', '.join(changed)}", file=sys.stderr)
    print(json.dumps(nodes if verb == "apply" else {}, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], json.load(sys.stdin))))
