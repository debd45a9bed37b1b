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
from multus_site.nodes.topology.nodes import Wanted, new_evicting, patch
from multus_site.verify.cluster import Cluster

ATTEMPTS = 5
"""So often a node is read anew where somebody else changed it meanwhile, as kubelets and controllers do."""

AT_ONCE = 16
"""Requests under way at a time."""


class TopologyError(Exception):
    """What cannot be done; the text is for a person."""


async def apply(api: Any, wanted: dict[str, Wanted]) -> list[str]:  # noqa: ANN401  # kr8s' has no public type
    """Names of the nodes that were changed; pods that a taint ends are waited for. Raises TopologyError for all that are not there, before any is changed."""
    nodes = {node.name: node async for node in api.get("nodes")}
    if missing := [name for name in wanted if name not in nodes]:
        msg = f"{', '.join(missing)}: the cluster has no such node; see `kubectl get nodes`, and run `pulumi up` again once it has joined"
        raise TopologyError(msg)
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> bool:
        async with limit:
            return await _changed(nodes[name], wanted[name])

    evicting = {name: taints for name in wanted if (taints := new_evicting(nodes[name].raw, wanted[name]))}
    before = await at_rest(api) if evicting else set()
    changed = await asyncio.gather(*map(one, wanted))
    if evicting and (left := list(await settled(api, evicting, before))):
        print(f"topology: not at rest after {SECONDS} s: {', '.join(left)}", file=sys.stderr)
    return [name for name, done in zip(wanted, changed, strict=True) if done]


async def _changed(node: Any, wanted: Wanted) -> bool:  # noqa: ANN401  # as above
    """Whether there was anything to do, once it is done."""
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
    msg = f"{node.name} is changed by somebody else all the while; run `pulumi up` again"
    raise TopologyError(msg)


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
