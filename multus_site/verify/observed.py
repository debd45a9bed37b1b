"""Observations of nodes and pods: the probe's answers, and the pods as the API lists them."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import Field, ValidationError

from multus_site.model.part import Part
from multus_site.model.printable import first_line
from multus_site.ssh.answers import AnswerError, last_object
from multus_site.verify.leaks import NodeAudit


class Address(Part):
    """An address of an interface; `bad`: flags of a failed duplicate address detection (IPv6)."""

    address: str
    prefix: int
    bad: tuple[str, ...] = ()


class Link(Part):
    """An interface, in a pod or on the node. `parent`: index of its parent interface on the node."""

    name: str
    up: bool
    carrier: bool
    no_arp: bool = False
    mtu: int
    mac: str = ""
    kind: str = ""
    mode: str = ""
    vlan: int | None = None
    parent: int | None = None
    addresses: tuple[Address, ...] = ()


class Ping(Part):
    """ICMP echoes to one address; `ms`: round trips."""

    sent: int
    received: int
    ms: tuple[float, ...] = ()
    error: str = ""


class Reach(Part):
    """What an interface reaches. `arp`: address → MACs that answer; `others`: own address → other MACs that hold it; `path`: address → path MTU.

    `twins`: what another host with its MAC says: addresses, or "a frame"; `twins_error`: why nobody could be looked for.
    """

    arp: dict[str, tuple[str, ...]] = {}
    others: dict[str, tuple[str, ...]] = {}
    ping: dict[str, Ping] = {}
    path: dict[str, int] = {}
    twins: tuple[str, ...] = ()
    twins_error: str = ""


class Dns(Part):
    """One query to the pod's name server."""

    name: str = ""
    server: str = ""
    address: str = ""
    error: str = ""


class Inside(Part):
    """A pod's network from inside. `error`: why it could not be inspected."""

    error: str = ""
    links: dict[str, Link] = {}
    routes: tuple[dict[str, Any], ...] = ()
    interfaces: dict[str, Reach] = {}
    dns: Dns = Dns()
    evidence: dict[str, str] = {}


class Program(Part):
    """A plugin's file on a node. `fault`: why the runtime cannot use it; empty if it can."""

    fault: str = ""


class NodeSeen(Part):
    """A node. `names`: its interfaces by index; `cluster`: plugins that configurations in /etc/cni/net.d call."""

    error: str = ""
    files: tuple[str, ...] = ()
    multus_conf: str = ""
    binaries: dict[str, str] = {}
    programs: dict[str, Program] = {}
    cluster: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    names: dict[int, str] = {}
    evidence: dict[str, str] = {}
    daemon: str = Field(default="", description="The running pod of its Multus daemon; empty if none.")
    daemon_ready: bool = False
    audit: NodeAudit | None = None
    """What pods left behind there; None if it was not asked."""


class PodSeen(Part):
    """A running pod."""

    workload: str
    name: str
    node: str
    uid: str
    network_status: str = ""
    inside: Inside = Inside()


def read_answer(node: str, text: str, uids: Sequence[str]) -> tuple[NodeSeen, dict[str, Inside]]:
    """Read the probe's output: the node, and its pods by uid. Malformed parts become the `error` of the node or pod."""
    try:
        answer = last_object(text, "the probe")
        seen = NodeSeen.model_validate(answer["node"])
        pods = {**answer["pods"]}
    except (ValueError, KeyError, TypeError) as error:
        why = str(error) if isinstance(error, AnswerError) else f"the probe printed {first_line(text)}: {_short(error)}"
        return unreadable(node, why, uids)
    return seen, {uid: _inside(node, pods.get(uid)) for uid in uids}


def _inside(node: str, found: object) -> Inside:
    try:
        return Inside.model_validate(found)
    except ValidationError as error:
        return Inside(
            error=f"the probe's answer on {node} is malformed: {_short(error)}; it begins: {first_line(str(found))}"
        )


def _short(error: Exception) -> str:
    """Return what is wrong with a malformed answer, in one line."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'all of it'}: {first['msg']}"
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def unreadable(node: str, why: str, uids: Iterable[str]) -> tuple[NodeSeen, dict[str, Inside]]:
    """Return a node that could not be inspected, and its pods."""
    error = f"{node} cannot be inspected: {why}"
    return NodeSeen(error=error), {uid: Inside(error=error) for uid in uids}
