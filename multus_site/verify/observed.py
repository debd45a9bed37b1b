"""What was seen of nodes and pods: the probe's answers as data, and the pods as the API knows them."""

from typing import Any

from pydantic import Field

from multus_site.model.part import Part


class Address(Part):
    """An address of an interface; `bad`: flags of one that the kernel found to be taken (IPv6)."""

    address: str
    prefix: int
    bad: tuple[str, ...] = ()


class Link(Part):
    """An interface, in a pod or on the node. `parent`: number of the node's interface that it is a child of."""

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
    """Echoes to one address; round trips in ms."""

    sent: int
    received: int
    ms: tuple[float, ...] = ()
    error: str = ""


class Reach(Part):
    """What an interface reaches. `arp`: who answers for an address; `others`: who else holds its own; `path`: bytes that come back unfragmented."""

    arp: dict[str, tuple[str, ...]] = {}
    others: dict[str, tuple[str, ...]] = {}
    ping: dict[str, Ping] = {}
    path: dict[str, int] = {}


class Dns(Part):
    """One question to the pod's name server."""

    name: str = ""
    server: str = ""
    address: str = ""
    error: str = ""


class Inside(Part):
    """A pod's network, seen from inside. `error`: why it could not be looked at."""

    error: str = ""
    links: dict[str, Link] = {}
    routes: tuple[dict[str, Any], ...] = ()
    interfaces: dict[str, Reach] = {}
    dns: Dns = Dns()
    evidence: dict[str, str] = {}


class NodeSeen(Part):
    """A node. `names`: its interfaces by number."""

    error: str = ""
    files: tuple[str, ...] = ()
    multus_conf: str = ""
    binaries: dict[str, str] = {}
    links: tuple[Link, ...] = ()
    names: dict[int, str] = {}
    evidence: dict[str, str] = {}
    daemon: str = Field(default="", description="Pod of the Multus daemon there; empty if there is none that runs.")
    daemon_ready: bool = False


class PodSeen(Part):
    """A pod that runs."""

    workload: str
    name: str
    node: str
    uid: str
    network_status: str = ""
    inside: Inside = Inside()
