"""What pods left behind on a node: the answer of multus_site/verify/leftovers.py, and its findings as sentences."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from multus_site.cni.lost_addresses import why_addresses_are_lost
from multus_site.model.part import Part
from multus_site.model.printable import first_line, printable
from multus_site.ssh.answers import AnswerError, last_object
from multus_site.verify.pools import Allocation

NAMED = 3
"""A check names this many leaks, and counts the rest."""

START_SECONDS = 300
"""Age from which a reservation belongs to a sandbox that is listed or gone. The kubelet gives a sandbox four minutes to start (twice its
runtimeRequestTimeout), and the runtime lists it when its networks are ready."""

NODE_MODULE = "multus_site.verify.leftovers"


class Left(Part):
    """One thing that a pod left behind. `holder`: its sandbox; `seconds`: age."""

    kind: str
    network: str = ""
    what: str
    holder: str = ""
    interface: str = ""
    seconds: int
    path: str
    freed: bool = False


class MultusSeen(Part):
    """Multus on the node. `conf`: text of 00-multus.conf; `version`: what its shim prints; `network`: text of the cluster's own configuration."""

    conf: str = ""
    version: str = ""
    network_file: str = ""
    network: str = ""

    @property
    def loses(self) -> str:
        """Why it loses addresses; empty if it does not."""
        return why_addresses_are_lost(self.conf, self.version, self.network) if self.conf else ""


class NodeAudit(Part):
    """A node. `error`: why nothing could be judged; `reserved`: network → addresses that host-local holds on it."""

    error: str = ""
    sandboxes: tuple[str, ...] = ()
    reserved: dict[str, tuple[str, ...]] = {}
    left: tuple[Left, ...] = ()
    multus: MultusSeen = MultusSeen()


@dataclass(frozen=True)
class Leak:
    """Something without a pod. `where`: a node, or the object of whereabouts; `freed`: whether it was given back."""

    where: str
    kind: str
    what: str
    network: str
    holder: str
    age: int | None
    freed: bool
    path: str

    @property
    def returnable(self) -> bool:
        """Whether it can be given back: not while its pod runs."""
        return self.kind not in {"damaged", "malformed"}

    def line(self) -> str:
        """A line for a person."""
        how = "; given back" if self.freed else ""
        return f"{self.where}: {self.what}{how}"

    def row(self) -> dict[str, Any]:
        """The keys of the JSON output."""
        return {
            "where": self.where,
            "kind": self.kind,
            "network": self.network,
            "what": self.what,
            "holder": self.holder,
            "seconds": self.age,
            "path": self.path,
            "freed": self.freed,
        }


def task(configs: Iterable[str], others: Iterable[str] = (), *, free: bool = False) -> dict[str, Any]:
    """What the node's program reads. `configs`: CNI configurations of the site; `others`: names of networks of other NetworkAttachmentDefinitions."""
    return {"configs": list(configs), "names": list(others), "older": START_SECONDS, "free": free}


def network_name(attachment: Mapping[str, Any]) -> str:
    """The name of the network of a NetworkAttachmentDefinition, under which host-local keeps its addresses."""
    try:
        name = json.loads((attachment.get("spec") or {}).get("config") or "{}").get("name")
    except (ValueError, TypeError, AttributeError):
        name = None
    return name if isinstance(name, str) and name else str(attachment["metadata"]["name"])


def read_audit(text: str) -> NodeAudit:
    """Read the program's output. What cannot be read is the audit's error."""
    try:
        return NodeAudit.model_validate(last_object(text, NODE_MODULE))
    except AnswerError as error:
        return NodeAudit(error=str(error))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return NodeAudit(error=f"{NODE_MODULE} printed {first_line(text)}: {where}: {first['msg']}")


def leaks_of_node(node: str, seen: NodeAudit) -> list[Leak]:
    """The leaks of a node."""
    return [
        Leak(node, one.kind, printable(_sentence(one)), one.network, one.holder, one.seconds, one.freed, one.path)
        for one in seen.left
    ]


def judged_node(seen: NodeAudit) -> tuple[bool, str]:
    """Whether nothing is left behind on a node, and what is."""
    if seen.error:
        return False, f"what is reserved cannot be compared with what runs: {seen.error}"
    found = [printable(_sentence(one)) for one in seen.left]
    held = sum(map(len, seen.reserved.values()))
    return not found, told(found) or f"{held} addresses of host-local, {len(seen.sandboxes)} sandboxes"


def told(sentences: Sequence[str]) -> str:
    """The first few leaks, and how to give all of them back; empty if there are none."""
    more = f", and {len(sentences) - NAMED} more" if len(sentences) > NAMED else ""
    return (
        f"{'; '.join(sentences[:NAMED])}{more}; pulumi up and multus-site leaks --free give back what no pod holds"
        if sentences
        else ""
    )


def leak_of_pool(one: Allocation, *, freed: bool = False) -> Leak:
    """A leak of whereabouts."""
    what = f"{one.address} is reserved for {printable(one.pod)}, which no longer exists"
    where = f"{one.kind} {one.namespace}/{one.name}"
    return Leak(where, "pool", what, "", one.sandbox, None, freed, one.key)


def _sentence(one: Left) -> str:
    sandbox = f"sandbox {one.holder[:13]}" if one.holder else "nobody (the file was cut short)"
    interface = f" ({one.interface})" if one.interface else ""
    age = span(one.seconds)
    if one.kind == "address":
        gone = ", which is gone" if one.holder else ""
        return f"{one.what} of {one.network} is reserved for {sandbox}{interface}{gone}, since {age}"
    if one.kind == "cache":
        return f"Multus' cache of {sandbox}, which is gone, since {age}"
    if one.kind == "result":
        return f"libcni's result of {one.network} for {sandbox}{interface}, which is gone, since {age}"
    if one.kind == "damaged":
        return f"Multus' cache of {sandbox}, which runs, is damaged: Multus will not return its addresses; restart the pod, then free them"
    if one.kind == "namespace":
        return f"network namespace {one.what} has no process, and the links {one.interface or 'lo'}, since {age}"
    return f"{one.kind} {one.what}"


def span(seconds: int) -> str:
    """A time span in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
