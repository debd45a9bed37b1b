"""The findings of a site: every check, over all of its nodes."""

from collections.abc import Sequence

# Each registers its checks, in the order of the documentation.
from preflight import clusters, identity, kernel, machines, nics
from preflight.finding import CHECKS, Finding, Node

PARTS = (machines, identity, nics, kernel, clusters)


def findings(looked: Sequence[Node], known: Sequence[Node] = ()) -> list[Finding]:
    """What is wrong with nodes that were looked at. `known`: the others, as they were found when they passed, for what must differ between nodes."""
    names = {node.name for node in looked}
    found = []
    for check in CHECKS.values():
        subjects = [*looked, *known] if check.together else list(looked)
        found += [
            Finding(problem.node, check.code, problem.level or check.level, problem.found, problem.right)
            for problem in check.check(subjects)
        ]
    order = {name: i for i, name in enumerate(node.name for node in (*looked, *known))}
    return sorted(found, key=lambda one: (one.node not in names, order[one.node]))
