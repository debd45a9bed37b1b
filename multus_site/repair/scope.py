"""Which pods a pass looks at, from the settings that the site's objects carry (multus_site/render/repair.py)."""

import json
from dataclasses import dataclass

from multus_site.repair.pods import Pod


@dataclass(frozen=True)
class Scope:
    """What is looked at. `namespaces`: None for all; `workloads`: (namespace, kind, name) whose pods alone count, None for all pods."""

    namespaces: tuple[str, ...] | None
    workloads: frozenset[tuple[str, str, str]] | None
    attachments: tuple[str, ...]
    """Namespaces of the site's networks."""
    pods_per_pass: int
    system: str
    """Namespace of the Multus daemons and of the record."""
    record: str
    """Name of the ConfigMap with the record."""

    def has(self, pod: Pod) -> bool:
        """Whether a pod counts. That of a Deployment has a ReplicaSet as its owner: DEPLOYMENT-HASH."""
        if self.workloads is None:
            return True
        kind, name = pod.owner
        if kind == "ReplicaSet":
            kind, name = "Deployment", name.rpartition("-")[0]
        return (pod.namespace, kind, name) in self.workloads

    @classmethod
    def parse(cls, text: str) -> "Scope":
        """From the settings. Raises ValueError and KeyError."""
        data = json.loads(text)
        workloads = data["workloads"]
        return cls(
            namespaces=None if data["namespaces"] is None else tuple(data["namespaces"]),
            workloads=None if workloads is None else frozenset((w[0], w[1], w[2]) for w in workloads),
            attachments=tuple(data["attachments"]),
            pods_per_pass=data["podsPerPass"],
            system=data["system"],
            record=data["record"],
        )
