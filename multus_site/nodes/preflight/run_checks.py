"""The findings of a site: every check, over all of its nodes."""

from collections.abc import Sequence

# Each registers its checks.
from multus_site.nodes.preflight import clusters, identity, kernel, machines, nics
from multus_site.nodes.preflight.finding import CHECKS, Finding, Node

PARTS = {
    machines: "The machine",
    identity: "Who it is, and what time it has",
    nics: "NICs",
    kernel: "Kernel and hypervisor",
    clusters: "Other clusters",
}
"""Module → what it is called, in the order in which findings are said."""

_ORDER = [part.__name__ for part in PARTS]


def findings(looked: Sequence[Node], known: Sequence[Node] = ()) -> list[Finding]:
    """What is wrong with nodes that were looked at. `known`: the others, as they were found when they passed, for what must differ between nodes."""
    names = {node.name for node in looked}
    found = []
    for check in sorted(CHECKS.values(), key=lambda check: _ORDER.index(check.part)):
        subjects = [*looked, *known] if check.together else list(looked)
        found += [
            Finding(problem.node, check.code, problem.level or check.level, problem.found, problem.right)
            for problem in check.check(subjects)
        ]
    order = {name: i for i, name in enumerate(node.name for node in (*looked, *known))}
    return sorted(found, key=lambda one: (one.node not in names, order[one.node]))
