"""Kubespray's checks of machines against what is found on them (roles/kubernetes/preinstall/tasks/0040-verify-settings.yml)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

CONTROL_PLANE_MEMORY = ("minimal_master_memory_mb", 1500)
NODE_MEMORY = ("minimal_node_memory_mb", 1024)
"""Kubespray's variable and its default, in MiB."""

KERNELS = {("kube_proxy_mode", "nftables"): (5, 13), ("kube_network_plugin", "cilium"): (4, 9, 17)}
"""Variable and value → the first kernel that it works with."""


def check_machines(
    facts: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]], variables: Mapping[str, Any]
) -> list[str]:
    """What Kubespray would refuse about the machines, a sentence each; `facts` are those that multus_site/scripts/facts.sh found, by node."""
    return [
        line
        for node, found in facts.items()
        for line in (*_memory(node, found, groups, variables), *_kernel(node, found, variables))
    ]


def _memory(
    node: str, found: Mapping[str, Any], groups: Mapping[str, Sequence[str]], variables: Mapping[str, Any]
) -> Iterator[str]:
    first_rank = node in groups["kube_control_plane"]
    name, default = CONTROL_PLANE_MEMORY if first_rank else NODE_MEMORY
    least, there = variables.get(name, default), found.get("memory")
    if isinstance(there, int) and isinstance(least, int) and there < least:
        what = "control plane node" if first_rank else "node"
        yield (
            f"nodes.hosts.{node}: the machine has {there} MiB of memory, Kubespray wants {least} of a {what}; "
            f"give it more, or lower kubespray.variables.{name}"
        )


def _kernel(node: str, found: Mapping[str, Any], variables: Mapping[str, Any]) -> Iterator[str]:
    kernel = str(found.get("kernel", "")).partition("-")[0]
    parts = tuple(int(part) for part in kernel.split(".") if part.isdecimal())
    for (name, value), first in KERNELS.items():
        if variables.get(name) == value and parts and parts < first:
            wanted = ".".join(map(str, first))
            yield f"nodes.hosts.{node}: its kernel {found['kernel']} is older than {wanted}, which {name} {value} needs; update it"
