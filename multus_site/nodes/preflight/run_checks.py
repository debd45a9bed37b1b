"""The findings of a site: every check, over all of its nodes."""

from collections.abc import Sequence

# Each module registers its checks.
from multus_site.nodes.preflight import clusters, identity, kernel, machines, nics
from multus_site.nodes.preflight.finding import CHECKS, Finding, Node

PARTS = {
    machines: "The machine",
    identity: "Who it is, and what time it has",
    nics: "NICs",
    kernel: "Kernel and hypervisor",
    clusters: "Other clusters",
}
"""Module → its title in the documentation, in the order of findings."""

_ORDER = [part.__name__ for part in PARTS]


def findings(checked: Sequence[Node], passed: Sequence[Node] = ()) -> list[Finding]:
    """The findings on the checked nodes. `passed`: the other nodes with their facts from when they passed, for checks that compare nodes."""
    names = {node.name for node in checked}
    found = []
    for check in sorted(CHECKS.values(), key=lambda check: _ORDER.index(check.part)):
        subjects = [*checked, *passed] if check.together else list(checked)
        found += [
            Finding(problem.node, check.code, problem.level or check.level, problem.found, problem.fix)
            for problem in check.check(subjects)
        ]
    order = {name: i for i, name in enumerate(node.name for node in (*checked, *passed))}
    return sorted(found, key=lambda one: (one.node not in names, order[one.node]))
