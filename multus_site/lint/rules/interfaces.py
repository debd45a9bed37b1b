"""Rules on single plugins: required keys, allowed values, keys that exclude each other."""

from multus_site.cni.catalogue import PLUGINS
from multus_site.lint.changes import Replace
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Ipam, Nad, Operator, Plugin

_MAIN = "containernetworking/plugins plugins/main"

MAX_NAME_BYTES = 15
"""Length of an interface name: the kernel's IFNAMSIZ less the terminating zero."""


@rule(
    "MASTER_REQUIRED",
    "error",
    "configuration",
    "No interface of the node",
    example='{"cniVersion": "1.0.0", "name": "n", "type": "vlan", "vlanId": 110}',
    source=f"{_MAIN}/vlan/vlan.go loadConf; macvlan.go and ipvlan.go take the default route's interface",
)
def master_required(plugin: Plugin) -> Problems:
    """vlan always needs a master. macvlan and ipvlan default to the interface of the default route, if the node has one."""
    entry, nad = plugin.object_type, plugin.config.nad
    device = plugin.text("deviceID") or plugin.capability("deviceID") or (nad is not None and nad.resource)
    for needed in entry.needed:
        if plugin.get(needed.key) in (None, "") and not (needed.or_device and device):
            yield Problem((), f"{plugin.type} needs a {needed.key}", needed.hint)
    nic = plugin.traits.nic
    if nic and nic.default_route and plugin.master == "" and plugin.facts.default_route == "":
        yield Problem((), f"{plugin.type} has no master, and the nodes have no default route", 'Set "master".')


@rule(
    "IPAM_REQUIRED",
    "error",
    "configuration",
    "A plugin that needs IPAM",
    example='{"cniVersion": "1.0.0", "name": "n", "type": "vlan", "master": "eth0", "vlanId": 5}',
    source=f"{_MAIN}/vlan, ipvlan, ptp, dummy: cmdAdd calls the IPAM plugin always",
)
def ipam_required(plugin: Plugin) -> Problems:
    """macvlan, bridge and host-device work without addresses; vlan, ipvlan, ptp and dummy do not."""
    if (
        plugin.traits.addresses == "required"
        and not plugin.works_on_earlier
        and (plugin.ipam is None or plugin.ipam.get("type") in (None, ""))
        and not isinstance(plugin.get("ipam"), (str, list))
    ):
        path = (plugin.key("ipam"),) if plugin.ipam is not None else ()
        hint = 'Add "ipam": {"type": "static" | "host-local" | "whereabouts" | …}.'
        yield Problem(path, f"{plugin.type} needs an ipam", hint)


@rule(
    "ENUM",
    "error",
    "configuration",
    "A value that the plugin does not accept",
    example='{"type": "macvlan", "master": "eth0", "mode": "l2"}',
    source="macvlan.go and ipvlan.go modeFromString; sriov-cni pkg/config; bridge, portmap, firewall",
)
def enum(part: Plugin | Ipam | Operator) -> Problems:
    """The plugin compares the exact text and rejects anything else."""
    kind = part.object_type.name
    for key, values in part.object_type.values.items():
        value = part.get(key)
        if not isinstance(value, type(values[0])) or isinstance(value, bool) or value == "":
            continue
        if (value.lower() if key == "vlanProto" and isinstance(value, str) else value) in values or value in values:
            continue
        shown = f"{values[0]} to {values[-1]}" if isinstance(values[0], int) else ", ".join(str(v) for v in values)
        other = next((name for name, o in PLUGINS.items() if name != kind and value in o.values.get(key, ())), "")
        belongs = f", a value of {other}" if other else ""
        path = (part.key(key),)
        meant = [one for one in values if isinstance(value, str) and str(one).lower() == value.strip().lower()]
        changes = (Replace(path, (meant[0],)),) if len(meant) == 1 else ()
        message = f"{kind} does not accept {key} {value!r}{belongs}"
        yield Problem(path, message, f"Write one of: {shown}.", changes=changes)
    kernelpath = part.text("kernelpath") if "kernelpath" in part.object_type.keys else ""
    if kernelpath and not kernelpath.startswith("/sys/devices/"):
        hint = "Write the device's path below /sys/devices, as printed by: readlink -f /sys/class/net/NAME"
        yield Problem((part.key("kernelpath"),), f"kernelpath {kernelpath!r} does not begin with /sys/devices/", hint)
    nic = part.traits.nic if isinstance(part, Plugin) else None
    if nic and nic.checks_mtu and (part.integer("mtu") or 0) < 0:
        yield Problem(
            (part.key("mtu"),),
            f"mtu {part.integer('mtu')} is negative",
            "Write the MTU in bytes, or remove it to use the master's.",
        )


@rule(
    "EXCLUSIVE",
    "error",
    "configuration",
    "Keys that exclude each other, or a missing choice",
    example='{"type": "bridge", "hairpinMode": true, "promiscMode": true}',
    source=f"{_MAIN}/bridge/bridge.go cmdAdd; host-device.go loadConf; meta/portmap/main.go parseConfig",
)
def exclusive(plugin: Plugin) -> Problems:
    """The plugin rejects both together, or cannot tell which one is meant."""
    for first, second in plugin.object_type.exclusive:
        if plugin.object_type.keys[first] == "bool":
            if plugin.get(first) is True and plugin.get(second) is True:
                yield Problem((plugin.key(second),), f"{first} and {second} are both true", "Keep one of them.")
        elif plugin.has(first) and plugin.has(second):
            yield Problem((plugin.key(first),), f"{first} and {second} are both set", "Keep one of them.")
    ipam = plugin.ipam is not None and plugin.ipam.type != ""
    key = "disableContainerInterface"
    if plugin.reads(key) and plugin.get(key) is True and ipam:
        yield Problem((plugin.key(key),), f"{key} with an ipam: an address without an interface", "Keep one of them.")
    if plugin.traits.nic and plugin.traits.nic.moves:
        yield from _one_device(plugin, list(plugin.traits.nic.keys))


def _one_device(plugin: Plugin, keys: list[str]) -> Problems:
    devices = [plugin.key(key) for key in keys if plugin.text(key)]
    if len(devices) > 1:
        message = f"{', '.join(devices)} each name a device; the plugin uses {devices[0]}"
        yield Problem((devices[1],), message, "Keep one of them.", "warning")
    nad = plugin.config.nad
    injected = (nad is not None and nad.resource) or plugin.capability("deviceID") or plugin.has("runtimeConfig")
    if not devices and not injected and not any(plugin.has(key) for key in keys):
        hint = f"Set exactly one of {', '.join(keys)}, or the annotation k8s.v1.cni.cncf.io/resourceName for a device of a device plugin."
        yield Problem((), f"{plugin.type} names no device", hint)


@rule(
    "VLAN_ID",
    "error",
    "configuration",
    "An invalid VLAN id",
    example='{"type": "vlan", "master": "eth0", "vlanId": 4095}',
    source=f"{_MAIN}/vlan/vlan.go loadConf, bridge.go collectVlanTrunk; sriov-cni pkg/config (IEEE 802.1Q reserves 4095)",
)
def vlan_id(part: Plugin | Operator) -> Problems:
    """An id has 12 bits; 4095 is reserved, and 0 means no VLAN. Some messages and documents allow 4095 by mistake."""
    key = part.object_type.vlan_key
    value = part.integer(key) if key else None
    if value is not None and not 0 <= value <= 4094:
        yield Problem(
            (part.key(key),), f"{key} {value} is not a VLAN id", "Write a number from 1 to 4094, or 0 for none."
        )
    elif isinstance(part, Plugin) and part.traits.tags and not part.has(key):
        message = f"{part.type} has no {key}: the default 0 means no VLAN"
        yield Problem((), message, f'Set "{key}", 1 to 4094.', "warning")
    for trunk in (key for key, kind in part.object_type.keys.items() if kind == "trunk"):
        for i, item in enumerate(part.entries(trunk)):
            if isinstance(item, dict):
                yield from _trunk((part.key(trunk), i), {k.lower(): v for k, v in item.items()})


def _trunk(path: tuple[str, int], item: dict[str, object]) -> Problems:
    numbers = {name: item.get(name.lower()) for name in ("id", "minID", "maxID")}
    for name, value in numbers.items():
        if isinstance(value, int) and not isinstance(value, bool) and not 1 <= value <= 4094:
            yield Problem(
                (*path, name), f"{name} {value} is not a VLAN id of a trunk", "Write a number from 1 to 4094."
            )
    low, high = numbers["minID"], numbers["maxID"]
    if (low is None) != (high is None):
        missing = "minID" if low is None else "maxID"
        yield Problem(path, f"a trunk range without {missing}", "Set minID and maxID, or id alone.")
    elif isinstance(low, int) and isinstance(high, int) and low > high:
        yield Problem(path, f"minID {low} is above maxID {high}", f"Write minID {high} and maxID {low}.")


@rule(
    "VLANQOS_NEEDS_VLAN",
    "error",
    "configuration",
    "VLAN settings without a VLAN",
    example='{"type": "sriov", "vlanQoS": 4}',
    source="sriov-cni pkg/config/config.go LoadConf",
)
def vlanqos_needs_vlan(part: Plugin | Operator) -> Problems:
    """Priority and protocol are fields of the VLAN tag, so they need one."""
    vlan = part.object_type.vlan_key
    strict = isinstance(part, Plugin) and not part.has(vlan)
    if part.integer(vlan):
        return
    for key, empty in (("vlanQoS", 0), ("vlanProto", "802.1q")):
        value = part.get(key) if part.reads(key) else None
        plain = value.lower() if isinstance(value, str) else value
        if (
            isinstance(value, (int, float, str))
            and not isinstance(value, bool)
            and (strict or plain not in {empty, ""})
        ):
            hint = f'Set "{vlan}", 1 to 4094, or remove "{key}".'
            yield Problem((part.key(key),), f"{key} {value!r} without a VLAN", hint)


@rule(
    "RATE_REVERSED",
    "error",
    "configuration",
    "A minimum above the maximum",
    example='{"type": "sriov", "min_tx_rate": 200, "max_tx_rate": 100}',
    source="sriov-cni docs/configuration-reference.md",
)
def rate_reversed(part: Plugin | Operator) -> Problems:
    """The driver rejects it; 0 means no limit."""
    for least, most in (("minTxRate", "maxTxRate"), ("min_tx_rate", "max_tx_rate")):
        low, high = (part.integer(key) if part.reads(key) else None for key in (least, most))
        if low and high and low > high:
            yield Problem((part.key(least),), f"{least} {low} is above {most} {high}", "Swap them (Mbit/s).")


@rule(
    "INTERFACE_NAME",
    "error",
    "configuration",
    "An invalid interface name",
    example='{"type": "macvlan", "master": "enp129s0f0np0.1234"}',
    source="linux/if.h IFNAMSIZ; cni pkg/utils ValidateInterfaceName",
)
def interface_name(plugin: Plugin) -> Problems:
    """At most 15 bytes, also for VLAN interfaces such as ens19.1234."""
    for key, kind in plugin.object_type.keys.items():
        value = plugin.text(key) if kind == "interface" else ""
        if len(value.encode()) > MAX_NAME_BYTES:
            yield Problem(
                (plugin.key(key),),
                f"{value!r} has {len(value.encode())} bytes, and an interface name has at most {MAX_NAME_BYTES}",
                "List the names with: ip link",
            )
        elif value in {".", ".."} or any(c in "/:" or c.isspace() for c in value):
            yield Problem(
                (plugin.key(key),),
                f"{value!r} is not a valid interface name",
                "Use a name without white space, '/' and ':'.",
            )


@rule(
    "SRIOV_RESOURCENAME_MISSING",
    "error",
    "configuration",
    "An SR-IOV network without its resource",
    example="metadata: {name: sriov-net}, config: {type: sriov, …}",
    source="sriov-cni pkg/config/config.go 'VF pci addr is required'; multus-cni pkg/k8sclient getKubernetesDelegate",
)
def sriov_resourcename_missing(nad: Nad) -> Problems:
    """Multus passes a VF only for the resource that the NAD names in an annotation."""
    for plugin in nad.config.plugins if nad.config else ():
        if plugin.traits.device == "required" and not plugin.text("deviceID") and not nad.resource:
            hint = "Add metadata.annotations: k8s.v1.cni.cncf.io/resourceName: RESOURCE, with a resource of the SR-IOV device plugin."
            device = "VF" if plugin.traits.needs_pf else "device"
            yield Problem(("metadata",), f"{plugin.type} gets no {device}: the NAD names no resource", hint)
            return
