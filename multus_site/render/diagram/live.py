"""What runs, out of the `verification` output, as the diagram takes it."""

from collections.abc import Mapping
from typing import Any

from multus_site.render.diagram.cards import PodInterface


def pod_interfaces(verification: Mapping[str, Any]) -> list[PodInterface]:
    """Each pod's interfaces with the addresses that they had."""
    return [
        PodInterface(pod["workload"], pod["pod"], pod["node"], seen["interface"], tuple(seen["addresses"]))
        for pod in verification.get("pods", [])
        for seen in pod["interfaces"]
    ]
