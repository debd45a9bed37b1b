"""What the API server knows of a pod: whether it lacks interfaces, and whether its eviction would repair it. No I/O.

Every text in a pod is its owner's: annotations, and the names in ownerReferences, which the API server does not check.
"""

import calendar
import ipaddress
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multus_site.cni.network_status import AttachedInterface, annotation, network_status
from multus_site.cni.selections import ANNOTATION, Selection, is_json, json_items, misfits, selections_of, short_items
from multus_site.model.printable import short

MOST_ATTACHMENTS = 64
"""Attachments of one pod that are compared; real pods have fewer than ten."""

RECREATING = {("apps/v1", "ReplicaSet"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"), ("v1", "ReplicationController")}  # fmt: skip
"""Controllers that create the same pod again. Of others, such as a Job's, it is not known."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""Names of objects (RFC 1123 subdomains)."""
_INTERFACE = re.compile(r"[^\s/:]{0,15}")

Object = Mapping[str, Any]


class UnreadableError(ValueError):
    """An annotation that Multus would refuse: a new pod would not start. The text says what is wrong."""


@dataclass(frozen=True)
class Pod:
    """A pod as the API server describes it. `created`: seconds since 1970; `owner`: kind and name of its controller."""

    namespace: str
    name: str
    uid: str
    version: str
    node: str
    created: int
    running: bool
    ended: bool
    ready: bool
    deleted: bool
    api_version: str
    owner: tuple[str, str]
    static: bool
    host_network: bool
    addresses: tuple[str, ...]
    networks: str
    status: str

    @classmethod
    def parse(cls, raw: Object) -> "Pod":
        """From an object of the API."""
        metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
        owner: Object = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), {})
        annotations = metadata.get("annotations") or {}
        conditions = status.get("conditions") or ()
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            version=metadata["resourceVersion"],
            node=spec.get("nodeName") or "",
            created=calendar.timegm(time.strptime(metadata["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")),
            running=status.get("phase") == "Running",
            ended=status.get("phase") in {"Succeeded", "Failed"},
            ready=any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions),
            deleted="deletionTimestamp" in metadata,
            api_version=owner.get("apiVersion", ""),
            owner=(owner.get("kind", ""), owner.get("name", "")),
            static="kubernetes.io/config.mirror" in annotations,
            host_network=bool(spec.get("hostNetwork")),
            addresses=tuple(ip["ip"] for ip in status.get("podIPs") or () if ip.get("ip")),
            networks=annotations.get(ANNOTATION) or "",
            status=annotation(raw),
        )

    @property
    def full_name(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"

    @property
    def group(self) -> str:
        """The pods that replace each other: those of a controller, of a DaemonSet's those of one node. Empty without a known controller."""
        kind, name = self.owner
        if (self.api_version, kind) not in RECREATING or not _NAME.fullmatch(name):
            return ""
        return f"{self.namespace}/{kind}/{name}" + (f"/{self.node}" if kind == "DaemonSet" else "")


def selections(pod: Pod) -> list[Selection]:
    """The attachments that a pod asks for, empty if none. Raises UnreadableError."""
    if not pod.networks:
        return []
    if is_json(pod.networks):
        items = json_items(pod.networks)
        count = -1 if items is None else len(items)
    else:
        count = len(short_items(pod.networks))
    if count > MOST_ATTACHMENTS:
        msg = f"its annotation asks for {count} attachments; more than {MOST_ATTACHMENTS} are not compared"
        raise UnreadableError(msg)
    found = selections_of(pod.networks, pod.namespace, ())
    if len(found) != count or not all(_readable(selection) for selection in found):
        msg = f"Multus cannot read its annotation {ANNOTATION}: {short(pod.networks, 80)}"
        raise UnreadableError(msg)
    return found


def _readable(selection: Selection) -> bool:
    names = _NAME.fullmatch(selection.name) and _NAME.fullmatch(selection.namespace)
    return bool(names and _INTERFACE.fullmatch(selection.interface)) and not (
        selection.item and misfits(selection.item)
    )


def lack(pod: Pod, asked: list[Selection]) -> str:
    """What a running pod lacks of the attachments that it asks for; empty if nothing. Raises StatusError."""
    if not asked:
        return ""
    if not pod.status:
        return "it has no network-status"
    attached = list(network_status(pod.status))
    if missing := [s for s in asked if not _take(attached, s)]:
        return f"it has {len(asked) - len(missing)} of {len(asked)} attachments; {missing[0].full_name} is missing"
    return _stale(pod, network_status(pod.status))


def _take(attached: list[AttachedInterface], selection: Selection) -> bool:
    """Take the entry of a selection out of network-status. A device without a network interface (vfio-pci) has no name there."""
    mine = [entry for entry in attached if not entry.default and entry.network == selection.full_name]
    if not mine:
        return False
    attached.remove(next((entry for entry in mine if entry.interface == selection.interface), mine[0]))
    return True


def _stale(pod: Pod, attached: tuple[AttachedInterface, ...]) -> str:
    """Whether network-status is of a sandbox before this one, which had another address on the cluster's network."""
    earlier = {ipaddress.ip_address(a) for entry in attached if entry.default for a in entry.addresses}
    now = {ipaddress.ip_address(a) for a in pod.addresses}
    if earlier and now and not earlier & now:
        return f"its network-status is of an earlier sandbox, which did not have {pod.addresses[0]}"
    return ""


def untouched(pod: Pod) -> str:
    """Why a pod is only reported; empty if an eviction would repair it."""
    kind = pod.owner[0]
    if pod.deleted:
        return "it is being deleted"
    if pod.host_network:
        return "it has hostNetwork, and Multus attaches nothing to such pods: remove one of the two from it"
    if pod.static or kind == "Node":
        return "it is a static pod: restart it on its node"
    if not kind:
        return "no controller would create it again: delete it and create it again"
    if kind == "Job":
        return "it belongs to a Job, whose work an eviction would end"
    if not pod.group:
        return f"whether its owner, a {short(kind, 40)}, would create it again is not known: delete it yourself"
    return ""
