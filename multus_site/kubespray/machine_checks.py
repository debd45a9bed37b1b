"""Kubespray's requirements for the memory and kernel of machines. Preflight and the preview of the cluster share these checks.

Source: Kubespray's roles/kubernetes/preinstall/tasks/0040-verify-settings.yml.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from multus_site.model.kubespray_releases import like

GROUPS = {"kube_control_plane": "control-plane", "kube_node": "worker"}
"""Inventory group → role in the site. Kubespray checks the memory of these groups only."""


class Shortfall(NamedTuple):
    """What a machine lacks, and what to do."""

    found: str
    right: str


class NeededMemory(NamedTuple):
    """The required memory in MiB, and the variable that sets it; 0 without a requirement."""

    least: int
    variable: str


def needed_memory(version: str, roles: Collection[str], variables: Mapping[str, Any]) -> NeededMemory:
    """The memory that a machine with these roles needs: the largest requirement of its roles."""
    release = like(version)
    required = {"control-plane": release.control_plane_memory, "worker": release.worker_memory}
    if variables.get("ignore_assert_errors") is True:
        return NeededMemory(0, "")
    needs = [
        NeededMemory(_given(memory.variable, memory.default, variables), memory.variable)
        for role, memory in required.items()
        if role in roles
    ]
    return max(needs, default=NeededMemory(0, ""), key=lambda need: need.least)


def needed_kernels(version: str, variables: Mapping[str, Any]) -> dict[str, str]:
    """Oldest kernel that works → the setting that needs it."""
    if variables.get("ignore_assert_errors") is True:
        return {}
    kernels = like(version).kernels
    return {first: f"{name} {value}" for (name, value), first in kernels.items() if variables.get(name) == value}


def check_memory(memory: object, needed: NeededMemory) -> Iterator[Shortfall]:
    """`memory`: MiB of the machine, if known."""
    if isinstance(memory, int) and memory < needed.least:
        yield Shortfall(
            f"the host has {memory} MiB of memory; Kubespray requires {needed.least} MiB",
            f"add memory, or lower kubespray.variables.{needed.variable}",
        )


def check_kernel(kernel: str, needed: Mapping[str, str]) -> Iterator[Shortfall]:
    """`kernel`: as `uname -r` prints it; empty if unknown."""
    for oldest, setting in needed.items():
        if leading_numbers(kernel) and leading_numbers(kernel) < leading_numbers(oldest):
            yield Shortfall(f"the kernel is {kernel}; {setting} needs {oldest} or later", "upgrade the kernel")


def check_machines(
    version: str,
    facts: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Sequence[str]],
    variables: Mapping[str, Any],
) -> list[str]:
    """One message per machine property that Kubespray would reject. `facts`: node → output of multus_site/scripts/facts.sh."""
    kernels = needed_kernels(version, variables)
    return [
        f"nodes.hosts.{node}: {shortfall.found}. Fix: {shortfall.right}"
        for node, machine in facts.items()
        for shortfall in (
            *check_memory(machine.get("memory"), needed_memory(version, _roles(node, groups), variables)),
            *check_kernel(str(machine.get("kernel", "")), kernels),
        )
    ]


def leading_numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: 6.1.0-28-amd64 → (6, 1, 0)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def _given(name: str, default: int, variables: Mapping[str, Any]) -> int:
    """A variable, or its default if it is not a number: check_variables rejects that."""
    value = variables.get(name, default)
    return value if type(value) is int else default


def _roles(node: str, groups: Mapping[str, Sequence[str]]) -> set[str]:
    return {role for group, role in GROUPS.items() if node in groups.get(group, ())}
