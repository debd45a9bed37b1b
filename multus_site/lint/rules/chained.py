"""Rules on chained plugins: tuning, sbr, vrf, bandwidth, firewall, portmap."""

from multus_site.cni.catalogue import CHAINED, chained_plugin, interface_plugin
from multus_site.cni.go_object import Part
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Plugin


@rule(
    "CHAINED_PLUGIN_FIRST",
    "error",
    "configuration",
    "A chained plugin that comes first",
    example='{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "tuning"}]}',
    source="plugins/meta/*/: 'missing prevResult from earlier plugin'",
)
def chained_plugin_first(plugin: Plugin) -> Problems:
    """It modifies the interface of an earlier plugin, and there is none."""
    if plugin.type in CHAINED and not plugin.chained and not plugin.has("prevResult"):
        hint = f'Put it after a plugin that creates an interface: "plugins": [{{"type": "macvlan", …}}, {{"type": "{plugin.type}"}}].'
        yield Problem((plugin.key("type"),), f"{plugin.type} cannot be the first plugin", hint)


@rule(
    "BANDWIDTH_PAIR",
    "error",
    "configuration",
    "A rate without its burst",
    example='{"type": "bandwidth", "ingressRate": 1000000}',
    source="plugins/meta/bandwidth/main.go validateRateAndBurst",
)
def bandwidth_pair(plugin: Plugin) -> Problems:
    """The token bucket needs both: rate in bit/s, burst in bits, below 4 GiB."""
    if not plugin.reads("ingressRate"):
        return
    yield from unpaired_rates(plugin)
    for direction in ("ingress", "egress"):
        key = f"{direction}Burst"
        burst = plugin.integer(key) or 0
        if burst // 8 >= 2**32 - 1 and plugin.integer(f"{direction}Rate"):
            hint = "Write a number of bits below 34359738360."
            yield Problem((plugin.key(key),), f"{key} {burst} is 4 GiB or more", hint)


def unpaired_rates(limits: Part) -> Problems:
    """A rate without its burst, or a burst without its rate."""
    for direction in ("ingress", "egress"):
        rate, burst = f"{direction}Rate", f"{direction}Burst"
        for present, missing in ((rate, burst), (burst, rate)):
            if limits.integer(present) and not limits.integer(missing):
                yield Problem((limits.key(present),), f"{present} without {missing}", f'Set "{missing}" too.')


@rule(
    "BANDWIDTH_NEEDS_VETH",
    "error",
    "configuration",
    "bandwidth on an interface without a veth pair",
    example='{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "macvlan"}, {"type": "bandwidth", "ingressRate": 8000, "ingressBurst": 8000}]}',
    source="plugins/meta/bandwidth/main.go getHostInterface; containernetworking/plugins#413",
)
def bandwidth_needs_veth(plugin: Plugin) -> Problems:
    """It shapes the node's end of a veth pair; macvlan, ipvlan, vlan, host-device and sriov have none."""
    first = plugin.config.plugins[0].type if plugin.config.plugins else ""
    shapes = any(plugin.integer(key) for key in ("ingressRate", "egressRate"))
    entry = chained_plugin(plugin.type)
    if entry and entry.needs_veth and plugin.chained and shapes and not interface_plugin(first).makes_veth:
        yield Problem(
            (plugin.key("type"),),
            f"{plugin.type} cannot shape interfaces of {first}",
            "Remove it, and limit the rate at the switch or with sriov's max_tx_rate.",
        )


@rule(
    "SYSCTL_NOT_NET",
    "error",
    "configuration",
    "A sysctl outside net",
    example='{"type": "tuning", "sysctl": {"kernel.msgmax": "65536"}}',
    source="plugins/meta/tuning/tuning.go getSysctlName: 'invalid net sysctl key'",
)
def sysctl_not_net(plugin: Plugin) -> Problems:
    """tuning sets only the sysctls of the pod's network: keys that begin with net."""
    settings = plugin.get("sysctl")
    for key in settings if plugin.reads("sysctl") and isinstance(settings, dict) else ():
        if not key.replace("/", ".").startswith("net."):
            hint = "Remove it. Put other settings into the pod's securityContext.sysctls."
            yield Problem((plugin.key("sysctl"), key), f"{key!r} does not begin with net.", hint)
