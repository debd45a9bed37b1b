"""Compare the networks of two sites: settings, ranges, addresses."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from multus_site.cni.addresses import less, total
from multus_site.cni.uplinks import uplink_of
from multus_site.cni.versions import cni_version_of_site
from multus_site.model.ipam import Whereabouts
from multus_site.model.links import Link
from multus_site.model.networks import Raw
from multus_site.model.node_ranges import ranges_of_node
from multus_site.model.site import Site
from multus_site.render.address_plan import addresses_of
from multus_site.render.attachment import content_of
from multus_site.render.network import NetworkFacts, network_facts
from multus_site.review.data import ORDER, Difference, Level, Network
from multus_site.review.wording import NAMED, counted, listed, value

_PART = "part of "
UNPLUGS = {"type", "namespace", "uplink", "vlan", "segment"}
"""Settings whose change moves pods to another segment, or the network out of its workloads' reach."""


def differences(old: Site | None, new: Site) -> Iterator[Network]:
    """Yield the networks that change, dangers first."""
    before = dict(old.networks) if old else {}
    after = dict(new.networks)
    renamed = {name: other for name, other in _renamed(before, after)}
    found = []
    for name in dict.fromkeys((*after, *before)):
        if name in renamed.values():
            continue
        if old and name in renamed:
            found.append(_renaming(old, new, renamed[name], name))
        elif name not in before:
            found.append(_added(new, name))
        elif old and name not in after:
            found.append(_removed(old, name))
        elif old and (changed := _changed(old, new, name)):
            found.append(changed)
    yield from sorted(found, key=lambda network: ORDER[network.level])


def _renamed(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield new and old names of networks where only the name changed."""
    gone = [name for name in before if name not in after]
    for name in after:
        if name not in before:
            same = next((other for other in gone if before[other] == after[name]), None)
            if same is not None:
                gone.remove(same)
                yield name, same


def _renaming(old: Site, new: Site, before: str, after: str) -> Network:
    users = _users(old, before)
    level: Level = "danger" if users else "care"
    why = f"was called {before}; to Kubernetes it is a different network: created under the new name, deleted under the old one"
    return Network(
        after, "renamed", level, workloads=tuple(dict.fromkeys((*users, *_users(new, after)))), remade=True, why=why
    )


def _added(new: Site, name: str) -> Network:
    given = addresses_of(new, name)
    words = _few(tuple(Difference(what, "", text) for what, text in _words(new, name).items() if text))
    ranges = tuple(Difference(f"range {i}", "", text) for i, text in enumerate(_ranges(new, name), 1))
    return Network(
        name, "added", "note", words, ranges, (), tuple(map(str, given)), 0, total(given), (), _users(new, name)
    )


def _removed(old: Site, name: str) -> Network:
    lost = addresses_of(old, name)
    users = _users(old, name)
    words = _few(tuple(Difference(what, text, "") for what, text in _words(old, name).items() if text))
    ranges = tuple(Difference(f"range {i}", text, "") for i, text in enumerate(_ranges(old, name), 1))
    level: Level = "danger" if users else "care"
    return Network(name, "removed", level, words, ranges, tuple(map(str, lost)), (), total(lost), 0, (), users)


def _changed(old: Site, new: Site, name: str) -> Network | None:
    """Return the change; None if neither its pods nor its place changes."""
    before, after = _words(old, name), _words(new, name)
    keys = dict.fromkeys((*before, *after))
    words = tuple(
        Difference(key, before.get(key, ""), after.get(key, ""))
        for key in keys
        if before.get(key, "") != after.get(key, "")
    )
    ranges = tuple(_paired(_ranges(old, name), _ranges(new, name)))
    swapped = tuple(_swapped(old, new, name))
    if swapped and all(_by_node(site, name) for site in (old, new)):
        words = tuple(word for word in words if word.what != "uplink")
    had, has = addresses_of(old, name), addresses_of(new, name)
    lost, given = less(had, has), less(has, had)
    other = content_of(old, name) != content_of(new, name)
    if not (words or swapped or ranges or lost or given or other):
        return None
    users = tuple(dict.fromkeys((*_users(old, name), *_users(new, name))))
    unplugged = [w for w in words if w.what in UNPLUGS and (w.what != "uplink" or _moves(old, new, name))] or swapped
    level: Level = "danger" if users and (lost or unplugged) else "care" if lost or (users and other) else "note"
    return Network(
        name,
        "changed",
        level,
        _few(words),
        ranges,
        tuple(map(str, lost)),
        tuple(map(str, given)),
        total(lost),
        total(given),
        swapped,
        users,
        other,
        _unsaid(old, new, name) if other and not ranges else "",
    )


def _paired(before: list[str], after: list[str]) -> Iterator[Difference]:
    """Yield the ranges that only one site has, each beside its replacement."""
    gone = [text for text in before if text not in after]
    come = [text for text in after if text not in before]
    for was, now in zip_longest(gone, come, fillvalue=""):
        number = after.index(now) if now else before.index(was)
        yield Difference(f"range {number + 1}", was, now)


def _unsaid(old: Site, new: Site, name: str) -> str:
    """Return what else changed in a configuration, beyond the settings compared."""
    network = new.networks[name]
    if isinstance(network, Raw):
        config, was = network.config, getattr(old.networks[name], "config", {})
        keys = sorted({*config, *was}, key=str)
        return f"its configuration differs in {listed([k for k in keys if config.get(k) != was.get(k)])}"
    if old.asked_of(name) != new.asked_of(name):
        return f"its pods now ask for {', '.join(sorted(new.asked_of(name))) or 'an interface only'}"
    return ""


def _users(site: Site, name: str) -> tuple[str, ...]:
    return tuple(key for key, workload in site.workloads.items() if any(a.name == name for a in workload.networks))


def _words(site: Site, name: str) -> dict[str, str]:
    """Return the settings of a network by name, none of them secret: other contents of a raw configuration are not shown."""
    network = site.networks[name]
    facts = network_facts(name, network)
    on = [*network.nodes, *(f"rack {rack}" for rack in network.racks)] or ["all workers"]
    found = {
        "type": facts.type,
        "mode": facts.mode,
        "namespace": facts.namespace,
        "uplink": _uplink(site, name, facts),
        "segment": facts.segment or "",
        "vlan": value(facts.vlan),
        "mtu": value(facts.mtu),
        "IPAM": facts.ipam,
        "chained": ", ".join(facts.chained),
        "nodes": listed(on),
        "CNI version": "" if isinstance(network, Raw) else network.cni_version or cni_version_of_site(site),
    }
    ipam = getattr(network, "ipam", None)
    if ipam is not None:
        found["addresses per node"] = value(getattr(ipam, "addresses_per_node", None))
        routes = [f"{r.dst} via {r.gw}" if r.gw else r.dst for r in getattr(ipam, "routes", ())]
        found["routes"] = ", ".join(routes)
        for node, part in _parts(site, name):
            found[f"{_PART}{node}"] = part
    every = network.model_dump(mode="json", by_alias=True, exclude_none=True) if not isinstance(network, Raw) else {}
    shown = set(
        [
            "type",
            "mode",
            "namespace",
            "master",
            "segment",
            "vlanId",
            "mtu",
            "ipam",
            "nodes",
            "racks",
            "cniVersion",
            "vlan",
        ]
    )
    found |= {key: value(setting) for key, setting in every.items() if key not in shown | {"chain"}}
    found["chained settings"] = value(every.get("chain", []))
    return found


def _uplink(site: Site, name: str, facts: NetworkFacts) -> str:
    """Return the NIC of the nodes, or each NIC with its nodes."""
    network = site.networks[name]
    if not facts.uplink_by_node or not isinstance(network, Link):
        return facts.uplink
    by_nic: dict[str, list[str]] = {}
    for node in site.nodes_with(network):
        nic = uplink_of(site, node, network) or ""
        by_nic.setdefault(nic, []).append(node)
    return ", ".join(f"{nic} on {listed(nodes)}" for nic, nodes in by_nic.items())


def _by_node(site: Site, name: str) -> bool:
    return network_facts(name, site.networks[name]).uplink_by_node


def _swapped(old: Site, new: Site, name: str) -> Iterator[Difference]:
    """Yield the nodes that keep the network and get another NIC for it, if NICs differ by node; nodes with the same swap together."""
    before, after = old.networks[name], new.networks[name]
    if not isinstance(before, Link) or not isinstance(after, Link) or not (_by_node(old, name) or _by_node(new, name)):
        return
    swaps: dict[tuple[str, str], list[str]] = {}
    for node in new.nodes_with(after):
        if node in old.nodes_with(before):
            nics = (uplink_of(old, node, before) or "", uplink_of(new, node, after) or "")
            if nics[0] != nics[1]:
                swaps.setdefault(nics, []).append(node)
    for (was, now), nodes in swaps.items():
        yield Difference(listed(nodes), was, now)


def _moves(old: Site, new: Site, name: str) -> bool:
    """Return whether the network moves to another NIC on a node that keeps it."""
    before, after = old.networks[name], new.networks[name]
    if not isinstance(before, Link) or not isinstance(after, Link):
        return True
    both = [node for node in old.nodes_with(before) if node in new.nodes_with(after)]
    return any(
        before.master_on(node, old.nodes.hosts[node].groups) != after.master_on(node, new.nodes.hosts[node].groups)
        for node in both
    )


def _few(words: tuple[Difference, ...]) -> tuple[Difference, ...]:
    """Return the settings, with the parts of many nodes as a count."""
    parts = [word for word in words if word.what.startswith(_PART)]
    if len(parts) <= NAMED:
        return words
    rest = tuple(word for word in words if word not in parts)
    old, new = (sum(bool(getattr(part, side)) for part in parts) for side in ("old", "new"))
    return (
        *rest,
        Difference("parts by node", f"{old} removed or changed" if old else "", f"{new} new or changed" if new else ""),
    )


def _parts(site: Site, name: str) -> Iterator[tuple[str, str]]:
    """Yield each node and its part of ranges that are split by node."""
    network = site.networks[name]
    ipam = getattr(network, "ipam", None)
    if getattr(ipam, "addresses_per_node", None) is None:
        return
    for node in site.nodes_with(network):
        own = ranges_of_node(ipam, site.nodes.hosts[node])  # type: ignore[arg-type]  # only host-local is split
        yield node, ", ".join(f"{r.range_start}-{r.range_end}" for r in own.ranges)


def _ranges(site: Site, name: str) -> list[str]:
    """Return a description of each range: addresses, their number, subnet, gateway and exclusions."""
    network = site.networks[name]
    found = []
    for entry in network_facts(name, network).ranges:
        gateway = f", gateway {entry.gateway}" if entry.gateway else ""
        found.append(f"{entry.span} ({counted(entry.size, 'address')}) of {entry.network}{gateway}")
    ipam = getattr(network, "ipam", None)
    excluded = [", ".join(r.exclude) for r in ipam.all_ranges()] if isinstance(ipam, Whereabouts) else []
    return [f"{text}, less {holes}" if holes else text for text, holes in zip_longest(found, excluded, fillvalue="")]
