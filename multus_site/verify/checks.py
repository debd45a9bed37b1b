"""The checks of pods: pure judgements about what was seen, each a row of the `verification` output."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from multus_site.cni.network_status import StatusError, network_status
from multus_site.verify.expectation import ExpectedInterface, ExpectedWorkload
from multus_site.verify.observed import Link, NodeSeen, PodSeen
from multus_site.verify.registry import VERIFICATIONS

Row = dict[str, str | bool]


STARTING = ("replicas", "look-inside", "multus-daemon", "network-status")
"""Checks that fail, too, while pods or a daemon are only about to start; the last one, for pods that started on their node before Multus did, until the repair of interfaces evicts them."""


@dataclass(frozen=True)
class Check:
    """One judged fact. `pod` is empty where it is about a node or workload, `interface` and `network` where about all of it."""

    workload: str
    pod: str
    node: str
    interface: str
    network: str
    check: str
    ok: bool
    detail: str

    def __post_init__(self) -> None:
        """Raises KeyError where the check is not in the registry: docs/verification.md would not describe it."""
        VERIFICATIONS[self.check]

    def row(self) -> Row:
        """Return the check as in the `verification` output."""
        return asdict(self)

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        if not (self.pod or self.workload or self.node):
            return f"network {self.network}"
        about = self.pod or self.workload or f"node {self.node}"
        where = f"on {self.node}" if self.node and (self.pod or self.workload) else ""
        return " ".join(filter(None, (about, where, self.interface, self.network)))


def judge_attachment(network: str, asked: str, there: str | None) -> Check:
    """Compare a NetworkAttachmentDefinition with what the site renders: new pods get its contents."""
    if there is None:
        ok, detail = False, "there is no NetworkAttachmentDefinition of this name"
    else:
        ok = _same_json(asked, there)
        detail = "as rendered" if ok else f"it was changed to {there}; the site renders {asked}"
    return Check("", "", "", "", network, "attachment", ok, detail)


def _same_json(one: str, other: str) -> bool:
    try:
        # If nodes have their own configurations, the object has none.
        return one == other or bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def judge(expected: ExpectedWorkload, pods: Iterable[PodSeen], nodes: dict[str, NodeSeen]) -> Iterator[Check]:
    """Check each pod of a workload on its own, in a fixed order."""
    mine = sorted((p for p in pods if p.workload == expected.name), key=lambda p: p.name)
    if len(mine) != expected.replicas:
        detail = f"{len(mine)} running pods, {expected.replicas} asked for"
        yield Check(expected.name, "", "", "", "", "replicas", ok=False, detail=detail)
    for pod in mine:
        for want in expected.interfaces:
            ok, detail = _in_status(pod.network_status, want)
            yield _check(pod, want, "network-status", ok, detail)
        if pod.inside.error:
            yield Check(pod.workload, pod.name, pod.node, "", "", "look-inside", ok=False, detail=pod.inside.error)
            continue
        for want in expected.interfaces:
            yield from _interface(pod, want, nodes.get(pod.node, NodeSeen()))
        yield from _routes(pod, expected)
        dns = pod.inside.dns
        detail = f"{dns.name} is {dns.address}" if dns.address else f"{dns.server} asked for {dns.name}: {dns.error}"
        yield Check(pod.workload, pod.name, pod.node, "eth0", "", "cluster-dns", bool(dns.address), detail)


def _check(pod: PodSeen, want: ExpectedInterface, name: str, ok: bool, detail: str) -> Check:
    return Check(pod.workload, pod.name, pod.node, want.interface, want.network, name, ok, detail)


def _in_status(status: str, want: ExpectedInterface) -> tuple[bool, str]:
    if not status:
        return False, "the pod has no network-status annotation: Multus did not attach it"
    try:
        entries = network_status(status)
    except StatusError as error:
        return False, str(error)
    if any((entry.network, entry.interface) == (want.network, want.interface) for entry in entries):
        return True, f"{want.network} on {want.interface}"
    attached = ", ".join(f"{entry.network} on {entry.interface}" for entry in entries)
    return False, f"network-status has no {want.network} on {want.interface}; it has: {attached}"


def _interface(pod: PodSeen, want: ExpectedInterface, node: NodeSeen) -> Iterator[Check]:
    link = pod.inside.links.get(want.interface)
    if link is None:
        there = ", ".join(pod.inside.links) or "none"
        yield _check(pod, want, "interface", False, f"the pod has no interface {want.interface}; it has: {there}")
        return
    state = "up" if link.up and link.carrier else "up, no carrier" if link.up else "down"
    # A tap has a carrier while a program has it open.
    ok = link.up and (link.carrier or want.kind == "tun")
    yield _check(pod, want, "interface", ok, f"{state}, MAC {link.mac}")
    if want.kind:
        yield _check(pod, want, "link", *_link(link, want, node))
    if want.mtu is not None:
        yield _check(pod, want, "mtu", link.mtu == want.mtu, f"{link.mtu} bytes, {want.mtu} asked for")
    seen = _vlan(link, want, node)
    if want.vlan and seen:
        yield _check(pod, want, "vlan", seen == want.vlan, f"VLAN {seen}, {want.vlan} asked for")
    for r in want.ranges:
        inside = [a for a in link.addresses if r.holds(a.address)]
        ok = len(inside) == 1 and inside[0].prefix == r.prefix
        found = " ".join(f"{a.address}/{a.prefix}" for a in link.addresses) or "no address"
        yield _check(pod, want, "address", ok, f"{found}; asked for: one of {r.start}-{r.end}/{r.prefix}")


def _link(link: Link, want: ExpectedInterface, node: NodeSeen) -> tuple[bool, str]:
    """Compare the interface with what the plugin creates, which also reveals another binary under the plugin's name."""
    parent = node.names.get(link.parent or 0, "")
    found = " ".join(
        filter(None, (link.kind or "no kind", link.mode, f"on {parent}" if want.uplink and parent else ""))
    )
    asked = " ".join(filter(None, (want.kind, want.mode, f"on {want.uplink}" if want.uplink else "")))
    same = link.kind == want.kind and (not want.mode or link.mode == want.mode)
    return same and (not want.uplink or not parent or parent == want.uplink), f"{found}; asked for: {asked}"


def _vlan(link: Link, want: ExpectedInterface, node: NodeSeen) -> int | None:
    """Return the VLAN id of the interface or of its uplink; None if no tag is visible (an access port)."""
    if link.vlan:
        return link.vlan
    return next((uplink.vlan for uplink in node.links if uplink.name == want.uplink), None)


def _routes(pod: PodSeen, expected: ExpectedWorkload) -> Iterator[Check]:
    defaults = sorted(
        (r for r in pod.inside.routes if r.get("dst") == "default"), key=lambda r: int(r.get("metric") or 0)
    )
    by = [f"{r.get('dev')} via {r.get('gateway', 'no gateway')}" for r in defaults]
    ok = bool(defaults) and all(r.get("dev") == expected.default for r in _taken(defaults))
    detail = f"{', '.join(by) or 'there is none'}; asked for: {expected.default}"
    yield Check(pod.workload, pod.name, pod.node, expected.default, "", "default-route", ok, detail)


def _taken(defaults: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the default routes in use: those with the lowest metric of each family."""
    for six in (False, True):
        family = [r for r in defaults if (":" in str(r.get("gateway", "")) or "pref" in r) == six]
        lowest = min((int(r.get("metric") or 0) for r in family), default=0)
        yield from (r for r in family if int(r.get("metric") or 0) == lowest)
