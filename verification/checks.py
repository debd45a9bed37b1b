"""The checks of one pod: pure judgements about what was seen, each a row of the `verification` output."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from verification.expectation import ExpectedInterface, ExpectedWorkload
from verification.interface import Interface

Row = dict[str, str | bool]


@dataclass(frozen=True)
class Check:
    """One judged fact. `interface` and `network` are empty where the check is about the whole pod."""

    workload: str
    pod: str
    node: str
    interface: str
    network: str
    check: str
    ok: bool
    detail: str

    def row(self) -> Row:
        """The check as the `verification` output has it."""
        return asdict(self)


@dataclass(frozen=True)
class Answer:
    """What a command in a pod came to."""

    status: int
    text: str


@dataclass(frozen=True)
class SeenPod:
    """What was seen of a pod: its status annotation, its interfaces by name, pings by (interface, address), its DNS look-up."""

    workload: str
    name: str
    node: str
    network_status: str
    interfaces: dict[str, Interface | None]
    pings: dict[tuple[str, str], Answer]
    dns: Answer


def judge(expected: ExpectedWorkload, pods: list[SeenPod]) -> list[Check]:
    """Every check of a workload's pods, in a fixed order."""
    checks: list[Check] = []
    if len(pods) != expected.replicas:
        detail = f"{len(pods)} running pods, {expected.replicas} asked for"
        checks.append(Check(expected.name, "", "", "", "", "replicas", ok=False, detail=detail))
    for pod in sorted(pods, key=lambda p: p.name):
        for interface in expected.interfaces:
            checks += _interface_checks(pod, interface)
        ok = pod.dns.status == 0
        checks.append(Check(pod.workload, pod.name, pod.node, "eth0", "", "cluster-dns", ok, _last_line(pod.dns.text)))
    return checks


def unique_addresses(pods: Iterable[SeenPod], expected: Iterable[ExpectedWorkload]) -> list[Check]:
    """One check a pod and attached interface: its addresses belong to no other pod of the site on that network."""
    network_of = {(w.name, i.interface): i.network for w in expected for i in w.interfaces}
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    seen: list[tuple[SeenPod, str, str, list[str]]] = []
    for pod in pods:
        for name, interface in pod.interfaces.items():
            network = network_of.get((pod.workload, name))
            if network is None or interface is None:
                continue
            addresses = [address for address, _ in interface.addresses]
            seen.append((pod, name, network, addresses))
            for address in addresses:
                holders[network, address].append(pod.name)
    checks = []
    for pod, name, network, addresses in seen:
        twice = {a: [p for p in holders[network, a] if p != pod.name] for a in addresses}
        shared = {a: others for a, others in twice.items() if others}
        detail = "; ".join(f"{a} is held by {', '.join(o)} too" for a, o in shared.items()) or " ".join(addresses)
        checks.append(Check(pod.workload, pod.name, pod.node, name, network, "unique-address", not shared, detail))
    return checks


def _interface_checks(pod: SeenPod, want: ExpectedInterface) -> Iterator[Check]:
    def check(name: str, ok: bool, detail: str) -> Check:
        return Check(pod.workload, pod.name, pod.node, want.interface, want.network, name, ok, detail)

    yield check("network-status", *_in_status(pod.network_status, want))
    seen = pod.interfaces.get(want.interface)
    if seen is None:
        yield check("interface", ok=False, detail=f"the pod has no interface {want.interface}")
        return
    yield check("interface", ok=seen.up, detail=f"{'up' if seen.up else 'down'}, MAC {seen.mac}")
    if want.mtu is not None:
        yield check("mtu", ok=seen.mtu == want.mtu, detail=f"{seen.mtu} bytes, {want.mtu} asked for")
    for r in want.ranges:
        inside = [(a, prefix) for a, prefix in seen.addresses if r.holds(a)]
        ok = len(inside) == 1 and inside[0][1] == r.prefix
        found = " ".join(f"{a}/{prefix}" for a, prefix in seen.addresses) or "no address"
        yield check("address", ok, f"{found}; asked for: one of {r.start}-{r.end}/{r.prefix}")
        if r.gateway:
            ping = pod.pings.get((want.interface, r.gateway), Answer(1, "not tried"))
            yield check("gateway-ping", ping.status == 0, f"{r.gateway}: {_ping_summary(ping.text)}")


def _in_status(status: str, want: ExpectedInterface) -> tuple[bool, str]:
    if not status:
        return False, "the pod has no network-status annotation: Multus did not attach it"
    entries = json.loads(status)
    for entry in entries:
        if entry.get("name") == want.network and entry.get("interface") == want.interface:
            return True, f"{want.network} on {want.interface}"
    there = ", ".join(f"{e.get('name')} on {e.get('interface')}" for e in entries)
    return False, f"network-status has no {want.network} on {want.interface}; it has: {there}"


def _ping_summary(text: str) -> str:
    lines = [line for line in text.splitlines() if "packet loss" in line or "min/avg/max" in line]
    return ", ".join(line.strip() for line in lines) or _last_line(text)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"
