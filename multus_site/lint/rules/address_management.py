"""Rules on IPAM plugins: the keys that each needs or ignores, and where it cannot work."""

from multus_site.cni.addresses import parse_cidr
from multus_site.cni.catalogue import IPAM, ipam_owners
from multus_site.cni.ranges import fixed_of, ranges_of
from multus_site.lint.changes import Rename
from multus_site.lint.finding import Level
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Ipam
from multus_site.model.paths import Path, value_at

_HOST_LOCAL = "plugins/ipam/host-local/backend/allocator"


@rule(
    "NO_RANGES",
    "error",
    "configuration",
    "IPAM without an address range",
    example='{"type": "host-local"}',
    source=f"{_HOST_LOCAL}/config.go 'no IP ranges specified'; whereabouts pkg/types ErrNoIPRanges",
)
def no_ranges(ipam: Ipam) -> Problems:
    """The plugin cannot assign an address, so pods do not start."""
    if ipam.type == "host-local":
        for i, members in enumerate(ipam.entries("ranges")):
            if members == []:
                yield Problem(
                    (ipam.key("ranges"), i), "an empty range set", 'Add a range: [{"subnet": "10.1.10.0/24"}].'
                )
        given = (
            ipam.has("subnet")
            or bool(ipam.entries("ranges"))
            or (ipam.has("ranges") and not isinstance(ipam.get("ranges"), list))
        )
        hint = 'Add "ranges": [[{"subnet": "10.1.10.0/24"}]].'
    elif ipam.type == "whereabouts":
        given = (
            bool(ipam.get("range"))
            or bool(ipam.entries("ipRanges"))
            or (ipam.has("ipRanges") and not isinstance(ipam.get("ipRanges"), list))
        )
        given = given or ipam.has("addresses")
        hint = 'Add "range": "10.1.10.0/24".'
    else:
        return
    if given or _foreign_keys(ipam):
        return
    if not (ipam.plugin and ipam.plugin.capability("ipRanges")):
        yield Problem((), f"{ipam.type} has no range", hint)


@rule(
    "STATIC_NO_ADDRESS",
    "error",
    "configuration",
    "Static IPAM without addresses",
    example='{"type": "static"}',
    source="plugins/ipam/static/main.go; the interface plugins' 'IPAM plugin returned missing IP config'",
)
def static_no_address(ipam: Ipam) -> Problems:
    """Set addresses in the configuration, or let pods request them (capability ips)."""
    if ipam.type != "static" or ipam.entries("addresses") or _foreign_keys(ipam):
        return
    plugin = ipam.plugin
    if plugin is None or not (plugin.capability("ips") or plugin.has("args") or plugin.has("runtimeConfig")):
        hint = 'Add "addresses": [{"address": "10.1.10.5/24"}], or "capabilities": {"ips": true} beside "type" to let pods request addresses.'
        yield Problem((), "static has no addresses", hint)


@rule(
    "IPAM_KEY_FOR_OTHER_PLUGIN",
    "error",
    "configuration",
    "A key of another IPAM plugin",
    example='{"type": "whereabouts", "subnet": "10.1.10.0/24"}',
    source=f"{_HOST_LOCAL}/config.go; whereabouts pkg/types/types.go",
)
def ipam_key_for_other_plugin(ipam: Ipam) -> Problems:
    """Each plugin has its own keys and ignores those of others: an error if no range is left, otherwise a warning."""
    for key, owner in _foreign_keys(ipam):
        nothing_left = not (ranges_of(ipam) or fixed_of(ipam)) and ipam.type != "dhcp"
        yield _ignored_key(ipam, (key,), owner, nothing_left=nothing_left)
    for pool in ranges_of(ipam) if ipam.type in IPAM else ():
        for key in pool.part.data if pool.part.path else ():
            owners = [name for name, known in _RANGE_KEYS.items() if key.lower() in known]
            if owners and ipam.type not in owners:
                yield _ignored_key(ipam, (*pool.part.path, key), owners[0], nothing_left=pool.network is None)


_RANGE_KEYS = {
    name: {key.lower() for key in keys}
    for name, entry in IPAM.items()
    for holder, keys in entry.inner.items()
    if holder in {"ranges", "ipRanges"}
}
"""Lower-case keys of one range, by IPAM plugin."""


def _ignored_key(ipam: Ipam, path: Path, owner: str, *, nothing_left: bool) -> Problem:
    key = str(path[-1])
    own = _EQUIVALENT.get((ipam.type, key.lower()), "")
    right = own.strip('"') if own.count('"') == 2 and own.endswith('"') else ""
    if right == "subnet" and parse_cidr(str(value_at(ipam.data, path))) is None:
        right = ""  # whereabouts' FIRST-LAST/LENGTH
    hint = f"Use {own} instead." if own else f"Remove it, or set type: {owner}."
    level: Level = "error" if nothing_left else "warning"
    changes = (Rename(path, right),) if right else ()
    return Problem(path, f"{ipam.type} ignores {key!r}, a key of {owner}", hint, level, changes=changes)


_EQUIVALENT = {
    ("whereabouts", "subnet"): '"range"',
    ("whereabouts", "rangestart"): '"range_start"',
    ("whereabouts", "rangeend"): '"range_end"',
    ("whereabouts", "ranges"): '"ipRanges": [{"range": …}]',
    ("whereabouts", "gateway"): '"gateway" beside "type"',
    ("host-local", "range"): '"subnet"',
    ("host-local", "range_start"): '"rangeStart"',
    ("host-local", "range_end"): '"rangeEnd"',
    ("host-local", "ipranges"): '"ranges": [[{"subnet": …}]]',
    ("static", "subnet"): '"addresses": [{"address": …}]',
    ("static", "range"): '"addresses": [{"address": …}]',
    ("static", "ranges"): '"addresses": [{"address": …}]',
    ("host-local", "addresses"): '"ranges": [[{"subnet": …}]]',
}


def _foreign_keys(ipam: Ipam) -> list[tuple[str, str]]:
    """Keys that this plugin ignores, each with a plugin that reads it."""
    if ipam.type not in IPAM:
        return []
    owners = [(key, ipam_owners(key)) for key in ipam.data]
    return [(key, others[0]) for key, others in owners if others and ipam.type not in others]


@rule(
    "WHEREABOUTS_REMOVED_DATASTORE",
    "warning",
    "configuration",
    "An etcd setting that whereabouts no longer reads",
    example='{"type": "whereabouts", "range": "10.1.10.0/24", "etcd_host": "etcd:2379"}',
    source="whereabouts pkg/config/config.go storageError: Kubernetes is the only store",
)
def whereabouts_removed_datastore(ipam: Ipam) -> Problems:
    """whereabouts ignores the keys: it stores addresses in the Kubernetes API."""
    keys = [
        key
        for key in ipam.data
        if key.lower().startswith("etcd_") or (key.lower(), ipam.data[key]) == ("datastore", "etcd")
    ]
    if ipam.type == "whereabouts" and keys:
        hint = f"Remove {'them' if len(keys) > 1 else 'it'}: whereabouts needs its CRDs in the cluster, but no etcd."
        yield Problem((keys[0],), f"whereabouts ignores {', '.join(keys)}", hint)


@rule(
    "IPVLAN_DHCP",
    "error",
    "configuration",
    "DHCP on ipvlan",
    example='{"type": "ipvlan", "master": "eth1", "ipam": {"type": "dhcp"}}',
    source="cni.dev plugins/main/ipvlan: all children share the master's MAC address",
)
def ipvlan_dhcp(ipam: Ipam) -> Problems:
    """A DHCP server identifies clients by their MAC address, which all ipvlan pods of a node share."""
    if ipam.object_type.remembers == "server" and ipam.interface.nic and ipam.interface.nic.macs == "shared":
        yield Problem(
            (ipam.key("type"),),
            f"{ipam.type} cannot distinguish the pods of {ipam.interface.name}",
            "Use macvlan, or another IPAM plugin.",
        )
