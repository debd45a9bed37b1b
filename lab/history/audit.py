"""What is left on the nodes after the end, compared with the sandboxes that their runtime lists: reservations, caches, namespaces and links."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.cache import LabError
from lab.commands import Commands
from lab.history import remains


def left(lab: Commands, nodes: list[str]) -> Iterator[dict[str, Any]]:
    """{"node", "kind", "name", "owner"} for everything without a sandbox. Raises LabError for a node that does not answer."""
    text = Path(remains.__file__).read_text(encoding="utf-8")
    for node in nodes:
        listed = lab.node(node, "crictl", "pods", "-o", "json")
        seen = lab.node(node, "python3", "-c", text)
        if listed.status or seen.status:
            msg = f"{node} cannot be audited: {listed.last if listed.status else seen.last}"
            raise LabError(msg)
        sandboxes = {pod["id"] for pod in json.loads(listed.output)["items"]}
        for one in json.loads(seen.output):
            if one["owner"] not in sandboxes:
                yield {"node": node, **one}
