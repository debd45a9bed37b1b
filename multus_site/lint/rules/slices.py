"""Rules on whereabouts slices: with `node_slice_size`, each node assigns addresses of its own part of the range."""

from multus_site.cni.ranges import ranges_of, slice_length
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Ipam

_DIVIDE = "whereabouts pkg/iphelpers/iphelpers.go DivideRangeBySize"


@rule(
    "NODE_SLICE_LARGER_THAN_RANGE",
    "error",
    "configuration",
    "A node slice larger than the range",
    example='{"type": "whereabouts", "range": "192.168.2.0/24", "node_slice_size": "/22"}',
    source=_DIVIDE,
)
def node_slice_larger_than_range(ipam: Ipam) -> Problems:
    """whereabouts divides the range into one slice per node; a shorter prefix is a larger slice."""
    length = slice_length(ipam)
    if length is None:
        return
    for pool in ranges_of(ipam):
        if pool.network and length < pool.network.prefixlen:
            hint = f"Write a prefix length from /{pool.network.prefixlen} to /{pool.network.max_prefixlen - 2}."
            yield Problem(
                (ipam.key("node_slice_size"),), f"a slice of /{length} is larger than the range {pool.network}", hint
            )
            return


@rule(
    "NODE_SLICE_IMPOSSIBLE",
    "error",
    "configuration",
    "A range that cannot be divided into slices",
    example='{"type": "whereabouts", "range": "fd00::/64", "node_slice_size": "/80"}',
    source=_DIVIDE,
)
def node_slice_impossible(ipam: Ipam) -> Problems:
    """The controller divides one IPv4 network, written with its network address. Otherwise no node gets a slice, and no pod an address."""
    text = ipam.text("node_slice_size")
    if ipam.type != "whereabouts" or not text:
        return
    path = (ipam.key("node_slice_size"),)
    length = slice_length(ipam)
    if length is None:
        yield Problem(path, f"{text!r} is not a prefix length", "Write one such as /26.")
        return
    for pool in ranges_of(ipam):
        if pool.network is None:
            continue
        if pool.network.version == 6:
            yield Problem(path, f"{pool.network} is IPv6, which cannot be divided", "Remove node_slice_size.")
        elif length > 30:
            yield Problem(path, f"a slice of /{length} has no assignable address", "Write /30 or a smaller number.")
        elif "-" in pool.text or pool.base != pool.network.network_address:
            message = f"{pool.text} is not a network address, and only those can be divided"
            hint = f'Write "{pool.key}": "{pool.network}", and the bounds as range_start and range_end.'
            yield Problem(pool.key_path(pool.key), message, hint)
