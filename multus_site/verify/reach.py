"""Checks of what pods reach and must not reach: gateways, peers, other segments, holders of the same address."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from multus_site.verify.checks import Check
from multus_site.verify.expectation import Expectation, ExpectedInterface
from multus_site.verify.observed import Ping, PodSeen, Reach

PEERS = 3
"""Pods on other nodes that each interface pings."""
STRANGERS = 2
"""Addresses of each other segment that each interface sends ARP requests for."""


@dataclass(frozen=True)
class Attached:
    """One interface of a pod, with its expectation."""

    pod: PodSeen
    want: ExpectedInterface

    @property
    def addresses(self) -> list[str]:
        """Its addresses."""
        link = self.pod.inside.links.get(self.want.interface)
        return [a.address for a in link.addresses] if link else []

    @property
    def mac(self) -> str:
        """Its MAC address; empty if it does not exist."""
        link = self.pod.inside.links.get(self.want.interface)
        return link.mac if link else ""

    @property
    def reach(self) -> Reach:
        """What it reaches."""
        return self.pod.inside.interfaces.get(self.want.interface, Reach())

    def check(self, name: str, ok: bool, detail: str) -> Check:
        """Return a check of it."""
        pod = self.pod
        return Check(pod.workload, pod.name, pod.node, self.want.interface, self.want.network, name, ok, detail)


def attached(pods: Iterable[PodSeen], expected: Expectation) -> list[Attached]:
    """Return every interface of every pod."""
    wanted = {w.name: w.interfaces for w in expected.workloads}
    return [Attached(pod, want) for pod in pods for want in wanted.get(pod.workload, ())]


@dataclass(frozen=True)
class Targets:
    """Addresses that an interface tries to reach."""

    gateways: tuple[str, ...]
    peers: tuple[str, ...]
    strangers: tuple[str, ...]
    own_mac: bool = True
    """Whether other hosts with its MAC address are looked for."""


def targets(
    expected: Expectation, held: dict[tuple[str, str], tuple[str, ...]], nodes: dict[str, str]
) -> dict[tuple[str, str], Targets]:
    """Return the targets of each interface, by (pod, interface).

    `held`: (pod, interface) → addresses, as the API lists them; `nodes`: pod → its node. Pods are named workload/pod.
    """
    wanted = {(w.name, i.interface): i for w in expected.workloads for i in w.interfaces}
    every = [
        (key, wanted[key[0].partition("/")[0], key[1]]) for key in held if (key[0].partition("/")[0], key[1]) in wanted
    ]
    gateways: dict[str, list[str]] = defaultdict(list)
    for w in expected.workloads:
        for i in filter(lambda i: i.segment_known, w.interfaces):
            gateways[i.segment] += [r.gateway for r in i.ranges if r.gateway and r.gateway not in gateways[i.segment]]
    found = {}
    for key, want in every:
        peers: dict[str, str] = {}
        strangers: dict[str, list[str]] = {
            s: g[:1] for s, g in gateways.items() if s != want.segment and s and want.segment and want.segment_known
        }
        for other, theirs in every:
            if other == key or not held[other]:
                continue
            node = nodes[other[0]]
            if theirs.network == want.network and want.segment and node != nodes[key[0]]:
                peers.setdefault(node, held[other][0])
            elif not (want.segment_known and theirs.segment_known):
                continue
            elif want.segment and theirs.segment and theirs.segment != want.segment:
                known = strangers.setdefault(theirs.segment, [])
                if len(known) < STRANGERS and held[other][0] not in known:
                    known.append(held[other][0])
        found[key] = Targets(
            gateways=tuple(r.gateway for r in want.ranges if r.gateway),
            peers=tuple(list(peers.values())[:PEERS]),
            strangers=tuple(a for known in strangers.values() for a in known),
            own_mac=want.own_mac,
        )
    return found


def judge_reach(interfaces: list[Attached]) -> Iterator[Check]:
    """Yield the checks of gateways, other pods and path MTU, interface by interface."""
    holders = {address: a.pod for a in interfaces for address in a.addresses}
    for a in interfaces:
        if a.pod.inside.error or a.want.interface not in a.pod.inside.links:
            continue
        gateways = {r.gateway for r in a.want.ranges if r.gateway}
        for gateway in sorted(gateways):
            yield from _gateway(a, gateway)
        for address, ping in a.reach.ping.items():
            if address not in gateways:
                other = holders.get(address)
                who = f"{other.name} on {other.node}" if other else "a pod that no longer holds it"
                yield a.check("pod-to-pod", bool(ping.received), f"{address} ({who}): {_echoes(ping)}")
        yield from _path(a)


def _gateway(a: Attached, gateway: str) -> Iterator[Check]:
    link = a.pod.inside.links[a.want.interface]
    macs = a.reach.arp.get(gateway, ())
    if not link.no_arp and (":" not in gateway or macs):
        by = f"{gateway} is at {', '.join(macs)}" if macs else f"nobody answers for {gateway}"
        yield a.check("gateway-arp", len(macs) == 1, by + ("; one of them is not the gateway" if len(macs) > 1 else ""))
    ping = a.reach.ping.get(gateway, Ping(sent=0, received=0, error="not tried"))
    yield a.check("gateway-ping", bool(ping.received), f"{gateway}: {_echoes(ping)}")


def _path(a: Attached) -> Iterator[Check]:
    """Check that paths carry packets of the interface's MTU; above 1500 this proves jumbo frames."""
    if not a.reach.path:
        return
    mtu = a.pod.inside.links[a.want.interface].mtu
    short = {address: size for address, size in a.reach.path.items() if size < mtu}
    jumbo = " (jumbo)" if mtu > 1500 else ""
    detail = "; ".join(f"{address}: {size or 'nothing'}" for address, size in short.items())
    detail = (
        f"{mtu} bytes{jumbo} are promised, and only these come back unfragmented: {detail}"
        if short
        else (f"{mtu} bytes{jumbo} unfragmented to {', '.join(a.reach.path)}")
    )
    yield a.check("path-mtu", not short, detail)


def _echoes(ping: Ping) -> str:
    said = f"{ping.sent} sent, {ping.received} received"
    if ping.ms:
        mean = sum(ping.ms) / len(ping.ms)
        said += f", round trip min/avg/max = {min(ping.ms):.3f}/{mean:.3f}/{max(ping.ms):.3f} ms"
    return said + (f", {ping.error}" if ping.error else "")


def unique_addresses(interfaces: list[Attached]) -> Iterator[Check]:
    """Each interface's addresses belong to no other pod of the site on that network, and to nobody else on the wire."""
    holders: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    owner = {a.mac: f"{a.pod.name} on {a.pod.node}" for a in interfaces if a.mac}
    own: dict[str, set[str]] = defaultdict(set)
    for a in interfaces:
        own[a.pod.name] |= {link.mac for link in a.pod.inside.links.values()}
        for address in a.addresses:
            holders[*_place(a), address].append(a.pod.name)
    for a in interfaces:
        if not a.addresses:
            continue
        found = []
        for address in a.addresses:
            others = [p for p in holders[*_place(a), address] if p != a.pod.name]
            if others:
                found.append(f"{address} is also held by {', '.join(others)}")
            strange = [mac for mac in a.reach.others.get(address, ()) if mac not in own[a.pod.name]]
            found += [
                f"{address} is also held by {owner.get(mac, 'a host outside the site')}, MAC {mac}"
                for mac in strange
                if not others
            ]
        link = a.pod.inside.links[a.want.interface]
        found += [f"{x.address} is {' and '.join(x.bad)}" for x in link.addresses if x.bad]
        yield a.check("unique-address", not found, "; ".join(found) or " ".join(a.addresses))


def unique_macs(interfaces: list[Attached]) -> Iterator[Check]:
    """No other interface of the site on that segment, and no other host on the wire, has an interface's MAC address."""
    judged = [a for a in interfaces if a.mac and a.want.own_mac and not a.pod.inside.links[a.want.interface].no_arp]
    holders: dict[tuple[tuple[str, str], str], list[Attached]] = defaultdict(list)
    owner = {address: f"{a.pod.name} on {a.pod.node}" for a in interfaces for address in a.addresses}
    for a in judged:
        holders[_wire(a), a.mac].append(a)
    for a in judged:
        others = [f"{o.pod.name} on {o.pod.node}" for o in holders[_wire(a), a.mac] if o is not a]
        found = [f"{a.mac} is also the MAC of {', '.join(others)}"] if others else []
        hosts = [
            f"{said} ({owner[said]})" if said in owner and said not in a.addresses else said for said in a.reach.twins
        ]
        if hosts and not others:
            found.append(f"another host has MAC {a.mac} too; from it came: {', '.join(hosts)}")
        if a.reach.twins_error:
            found.append(f"other hosts with MAC {a.mac} cannot be looked for: {a.reach.twins_error}")
        yield a.check("unique-mac", not found, "; ".join(found) or a.mac)


def _wire(a: Attached) -> tuple[str, str]:
    """Return the scope of unique MAC addresses: the segment, or the network where it is unknown, or ends at the node."""
    return (a.want.segment, "") if a.want.segment and a.want.segment_known else _place(a)


def _place(a: Attached) -> tuple[str, str]:
    """Return the scope of unique addresses: the network, or the network on the node if it ends there."""
    return a.want.network, "" if a.want.segment else a.pod.node


def isolation(interfaces: list[Attached]) -> Iterator[Check]:
    """Check that segments are isolated: no host of another segment answers on this one.

    Hosts are compared by MAC: a host on both may answer for all of its addresses on each (Linux does), with its MAC there.
    """
    macs: dict[str, set[str]] = defaultdict(set)
    comparable = [a for a in interfaces if a.want.segment_known]
    for a in comparable:
        gateways = {r.gateway for r in a.want.ranges}
        macs[a.want.segment] |= {a.mac, *(m for g, found in a.reach.arp.items() if g in gateways for m in found)}
    for a in comparable:
        if not a.want.segment:
            continue
        strangers = {m: s for s, known in macs.items() if s and s != a.want.segment for m in known if m}
        gateways = {r.gateway for r in a.want.ranges}
        asked = [address for address in a.reach.arp if address not in gateways and address not in a.reach.ping]
        if not asked:
            continue
        leaks = [
            f"{address} of {strangers[mac]} answers here, MAC {mac}"
            for address in asked
            for mac in a.reach.arp[address]
            if mac in strangers and mac not in macs[a.want.segment]
        ]
        detail = "; ".join(leaks) or f"no host of another segment answers ({', '.join(asked)})"
        yield a.check("isolation", not leaks, detail)
