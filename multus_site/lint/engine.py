"""Run the rules on subjects, and turn problems into findings with their position in the file."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from multus_site.lint.changes import Change
from multus_site.lint.facts import Facts
from multus_site.lint.finding import Finding
from multus_site.lint.positions import Text
from multus_site.lint.registry import Problem, Rule, rules_for

# Importing a module registers its rules.
from multus_site.lint.rules import (
    address_management,
    annotation,
    attached,
    bonds,
    capacity,
    chained,
    configuration,
    device_plugins,
    exclusive_nics,
    fixed_addresses,
    gateways,
    interfaces,
    keys,
    multus_daemon,
    node_addresses,
    nodes,
    ovn_kubernetes,
    pod_interfaces,
    pods,
    racks,
    ranges,
    releases,
    shared_segments,
    slices,
    sriov_policies,
    syntax,
    versions,
)
from multus_site.lint.subjects import Attached, Config, Everything, Ipam, Nad, Plugin, Pod
from multus_site.model.paths import Path, path_text

CATALOGUE = (
    *(syntax, configuration, keys, versions, interfaces, chained, bonds),
    *(ranges, slices, address_management, gateways),
    *(
        annotation,
        pods,
        attached,
        fixed_addresses,
        nodes,
        node_addresses,
        shared_segments,
        racks,
        capacity,
        exclusive_nics,
        multus_daemon,
    ),
    device_plugins,
    *(ovn_kubernetes, pod_interfaces, sriov_policies, releases),
)
"""The modules of the rules."""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where a subject comes from."""

    file: str
    text: Text


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """A finding with its origin and path, to match it with comments."""

    finding: Finding
    origin: Origin
    path: Path
    changes: tuple[Change, ...] = ()
    """What would fix it, with paths in the document."""

    def holder(self) -> int:
        """The line of the YAML node that contains it."""
        return self.origin.text.holder(self.path)


@dataclass(slots=True)
class Collection:
    """Everything that is checked in one run."""

    facts: Facts
    nads: list[Nad] = field(default_factory=list)
    configs: list[Config] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    origins: dict[int, Origin] = field(default_factory=dict)
    """Origins of NADs, configurations and pods by their id()."""

    def add(self, subject: Any, origin: Origin) -> None:  # noqa: ANN401  # a subject of any kind
        """Keep a subject for the rules that check several subjects together."""
        if isinstance(subject, Nad):
            self.nads.append(subject)
        elif isinstance(subject, Config):
            self.configs.append(subject)
        elif isinstance(subject, Pod):
            self.pods.append(subject)
        else:
            return
        self.origins[id(subject)] = origin


def findings_of(subject: Any, origin: Origin) -> Iterator[Located]:  # noqa: ANN401  # a subject of any kind
    """What the rules find on one subject."""
    for rule in rules_for(type(subject)):
        for problem in rule.check(subject):
            yield _finding(rule, problem, subject.path, getattr(problem.subject, "origin", origin))


def findings_together(collection: Collection) -> Iterator[Located]:
    """Findings of the rules that check several subjects together."""
    everything = Everything(collection.nads, collection.configs, collection.pods, collection.facts)
    for rule in rules_for(Everything):
        for problem in rule.check(everything):
            subject = problem.subject
            yield _finding(rule, problem, getattr(subject, "path", ()), collection.origins[id(_root(subject))])
    for pair in _pairs(collection):
        for rule in rules_for(Attached):
            for problem in rule.check(pair):
                yield _finding(rule, problem, (*pair.pod.path, *pair.path), collection.origins[id(pair.pod)])


def _pairs(collection: Collection) -> Iterator[Attached]:
    """Each attachment with its network; where the network differs by node, one pair per variant that the pod can get."""
    by_name = {nad.full_name: nad for nad in collection.nads}
    of_nodes: dict[str, dict[str, Config]] = {}
    for config in collection.configs:
        if config.nad is not None:
            of_nodes.setdefault(config.nad.full_name, {}).update(dict.fromkeys(config.nodes, config))
    for pod in collection.pods:
        for selection in pod.selections:
            name = selection.full_name
            there = of_nodes.get(name) or {}
            variants = dict.fromkeys(there[node].nad for node in pod.nodes if node in there)
            for nad in variants or [by_name.get(name)]:
                yield Attached(pod, selection, nad, collection.facts)


def _root(subject: object) -> object:
    if isinstance(subject, Ipam) and subject.plugin is not None:
        subject = subject.plugin
    return subject.config if isinstance(subject, Plugin) else subject


def _finding(rule: Rule, problem: Problem, base: Path, origin: Origin) -> Located:
    path = (*base, *problem.path)
    line, column = origin.text.place(path, problem.offset)
    level = problem.level or rule.level
    shown, number = path_text(origin.text.shown(path)), origin.text.number
    finding = Finding(
        origin.text.file(path) or origin.file,
        number,
        line,
        column,
        shown,
        rule.code,
        level,
        problem.message,
        problem.hint,
    )
    changes = tuple(replace(change, path=(*base, *change.path)) for change in problem.changes)
    return Located(finding, origin, path, changes)
