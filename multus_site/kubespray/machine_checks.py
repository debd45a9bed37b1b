"""What Kubespray wants of machines, and whether they have it: memory and kernel. Preflight and the cluster's preview both check here.

Source: Kubespray's roles/kubernetes/preinstall/tasks/0040-verify-settings.yml.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from multus_site.model.kubespray_releases import like

GROUPS = {"kube_control_plane": "control-plane", "kube_node": "worker"}
"""Group of the inventory → the role in a site whose hosts it has. Kubespray checks the memory of no others."""


class Shortfall(NamedTuple):
    """What a machine lacks, and what to do."""

    found: str
    right: str


class NeededMemory(NamedTuple):
    """The least memory in MiB, and the variable that sets it; 0 where nothing is asked for."""

    least: int
    variable: str


def needed_memory(version: str, roles: Collection[str], variables: Mapping[str, Any]) -> NeededMemory:
    """What a machine with these roles needs; one with several roles needs the largest."""
    release = like(version)
    asked = {"control-plane": release.control_plane_memory, "worker": release.worker_memory}
    if variables.get("ignore_assert_errors") is True:
        return NeededMemory(0, "")
    needs = [
        NeededMemory(_given(memory.variable, memory.default, variables), memory.variable)
        for role, memory in asked.items()
        if role in roles
    ]
    return max(needs, default=NeededMemory(0, ""), key=lambda need: need.least)


def needed_kernels(version: str, variables: Mapping[str, Any]) -> dict[str, str]:
    """The first kernel that the variables take → what needs it."""
    if variables.get("ignore_assert_errors") is True:
        return {}
    kernels = like(version).kernels
    return {first: f"{name} {value}" for (name, value), first in kernels.items() if variables.get(name) == value}


def check_memory(there: object, needed: NeededMemory) -> Iterator[Shortfall]:
    """`there`: MiB of the machine, if known."""
    if isinstance(there, int) and there < needed.least:
        yield Shortfall(
            f"the host has {there} MiB of memory; Kubespray requires {needed.least} MiB",
            f"add memory, or lower kubespray.variables.{needed.variable}",
        )


def check_kernel(there: str, needed: Mapping[str, str]) -> Iterator[Shortfall]:
    """`there`: the machine's kernel as `uname -r` prints it; empty if not known."""
    for first, why in needed.items():
        if leading_numbers(there) and leading_numbers(there) < leading_numbers(first):
            yield Shortfall(f"the kernel is {there}; {why} needs {first} or later", "upgrade the kernel")


def check_machines(
    version: str,
    facts: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Sequence[str]],
    variables: Mapping[str, Any],
) -> list[str]:
    """What Kubespray would refuse about the machines, a sentence each; `facts` are those of multus_site/scripts/facts.sh, by node."""
    kernels = needed_kernels(version, variables)
    return [
        f"nodes.hosts.{node}: {shortfall.found}. Fix: {shortfall.right}"
        for node, found in facts.items()
        for shortfall in (
            *check_memory(found.get("memory"), needed_memory(version, _roles(node, groups), variables)),
            *check_kernel(str(found.get("kernel", "")), kernels),
        )
    ]


def leading_numbers(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with: 6.1.0-28-amd64 → (6, 1, 0)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def _given(name: str, default: int, variables: Mapping[str, Any]) -> int:
    """A variable; its default where it is no number, which the check of variables refuses."""
    value = variables.get(name, default)
    return value if type(value) is int else default


def _roles(node: str, groups: Mapping[str, Sequence[str]]) -> set[str]:
    return {role for group, role in GROUPS.items() if node in groups.get(group, ())}
