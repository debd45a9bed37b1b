"""Rules on plugins that work behind another one: tuning, sbr, vrf, bandwidth, firewall, portmap."""

from multus_site.cni.catalogue import CHAINED, chained_plugin, interface_plugin
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Plugin


@rule(
    "CHAINED_PLUGIN_FIRST",
    "error",
    "configuration",
    "A plugin that needs another one before it",
    example='{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "tuning"}]}',
    source="plugins/meta/*/: 'missing prevResult from earlier plugin'",
)
def chained_plugin_first(plugin: Plugin) -> Problems:
    """It changes what an earlier plugin made, and there is none."""
    if plugin.type in CHAINED and not plugin.chained and not plugin.has("prevResult"):
        hint = f'Put it behind one that makes an interface: "plugins": [{{"type": "macvlan", …}}, {{"type": "{plugin.type}"}}].'
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
    for way in ("ingress", "egress") if plugin.reads("ingressRate") else ():
        rate, burst = plugin.integer(f"{way}Rate") or 0, plugin.integer(f"{way}Burst") or 0
        if bool(rate) != bool(burst):
            there, missing = (f"{way}Rate", f"{way}Burst") if rate else (f"{way}Burst", f"{way}Rate")
            yield Problem((plugin.key(there),), f"{there} without {missing}", f'Give "{missing}" too.')
        elif burst // 8 >= 2**32 - 1:
            yield Problem(
                (plugin.key(f"{way}Burst"),), f"{way}Burst {burst} is 4 GiB or more", "Write bits, below 34359738360."
            )


@rule(
    "BANDWIDTH_NEEDS_VETH",
    "error",
    "configuration",
    "bandwidth behind a plugin that makes no veth",
    example='{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "macvlan"}, {"type": "bandwidth", "ingressRate": 8000, "ingressBurst": 8000}]}',
    source="plugins/meta/bandwidth/main.go getHostInterface; containernetworking/plugins#413",
)
def bandwidth_needs_veth(plugin: Plugin) -> Problems:
    """It shapes the node's end of a veth pair, and macvlan, ipvlan, vlan, host-device and sriov have none."""
    first = plugin.config.plugins[0].type if plugin.config.plugins else ""
    shapes = any(plugin.integer(f"{way}Rate") for way in ("ingress", "egress"))
    entry = chained_plugin(plugin.type)
    if entry and entry.needs_veth and plugin.chained and shapes and not interface_plugin(first).makes_veth:
        yield Problem(
            (plugin.key("type"),),
            f"{plugin.type} cannot shape what {first} makes",
            "Take it out; limit the rate at the switch, or with sriov's max_tx_rate.",
        )


@rule(
    "SYSCTL_NOT_NET",
    "error",
    "configuration",
    "A kernel setting that is not the network's",
    example='{"type": "tuning", "sysctl": {"kernel.msgmax": "65536"}}',
    source="plugins/meta/tuning/tuning.go getSysctlName: 'invalid net sysctl key'",
)
def sysctl_not_net(plugin: Plugin) -> Problems:
    """tuning changes what belongs to the pod's network alone: keys that begin with net."""
    settings = plugin.get("sysctl")
    for key in settings if plugin.reads("sysctl") and isinstance(settings, dict) else ():
        if not key.replace("/", ".").startswith("net."):
            hint = "Take it out; other settings go into the pod's securityContext.sysctls."
            yield Problem((plugin.key("sysctl"), key), f"{key!r} does not begin with net.", hint)
