"""Rules on networks of OVN-Kubernetes, as its controller reads their NADs. A NAD that it rejects is reported in its log only."""

from collections.abc import Iterator
from ipaddress import ip_network

from multus_site.cni.addresses import parse_cidr
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Config, Everything, Plugin

_OVN = "ovn-kubernetes go-controller/pkg/util/multi_network.go"

_ONLY = {
    "vlanID": ("localnet",),
    "physicalNetworkName": ("localnet",),
    "excludeSubnets": ("layer2", "localnet"),
    "joinSubnet": ("layer2", "layer3"),
    "reservedSubnets": ("layer2",),
    "infrastructureSubnets": ("layer2",),
    "defaultGatewayIPs": ("layer2",),
    "transitSubnet": ("layer2",),
    "allowPersistentIPs": ("layer2", "localnet"),
}
"""Key → topologies that have it."""

_IGNORED = {"vlanID", "physicalNetworkName", "excludeSubnets", "transitSubnet"}
"""Keys that other topologies ignore; they reject the rest."""


def _is_ovn(plugin: Plugin) -> bool:
    """Whether it is a network of its own: without topology, name of the NAD and subnets, it is that of the cluster."""
    own = any(plugin.has(key) for key in ("topology", "netAttachDefName", "subnets"))
    return own and plugin.reads("netAttachDefName") and plugin.config.text("name") != "default"


@rule(
    "OVN_NAD_NAME",
    "error",
    "configuration",
    "netAttachDefName is not the NAD's name",
    example='metadata: {name: vlan33, namespace: vms}, config: {"type": "ovn-k8s-cni-overlay", "netAttachDefName": "vms/vlan-33"}',
    source=f"{_OVN} ValidateNetConf: 'net-attach-def name is inconsistent with config'",
)
def ovn_nad_name(plugin: Plugin) -> Problems:
    """It is NAMESPACE/NAME of the NAD. `name` is that of the network, which several NADs can share."""
    nad = plugin.config.nad
    if not _is_ovn(plugin) or nad is None or not nad.name:
        return
    written, full = plugin.text("netAttachDefName"), nad.full_name
    metadata = nad.data.get("metadata")
    known = isinstance(metadata, dict) and metadata.get("namespace") is not None
    if not written:
        yield Problem(
            (), "no netAttachDefName", f'Set "netAttachDefName": "{full if known else f"NAMESPACE/{nad.name}"}".'
        )
    elif written != full if known else written.rpartition("/")[2] != nad.name or "/" not in written:
        hint = f'Write "netAttachDefName": "{full if known else f"NAMESPACE/{nad.name}"}".'
        yield Problem((plugin.key("netAttachDefName"),), f"netAttachDefName is {written!r}, the NAD {full}", hint)


@rule(
    "OVN_SETTINGS",
    "error",
    "configuration",
    "A setting that the topology does not have",
    example='{"type": "ovn-k8s-cni-overlay", "topology": "layer3", "allowPersistentIPs": true}',
    source=f"{_OVN} ValidateNetConf, newNetInfo; pkg/config/cni.go 'CNI plugin chaining is not supported'",
)
def ovn_settings(plugin: Plugin) -> Problems:
    """The controller ignores the NAD, and its pods stay in ContainerCreating."""
    if not _is_ovn(plugin):
        return
    topology = plugin.text("topology")
    if not plugin.has("topology") or not topology:
        hint = 'Set "topology" to "layer2", "layer3" or "localnet".'
        message = "the network has no topology: it is the cluster's own"
        yield Problem((), message, hint, "warning")
    if len(plugin.config.plugins) > 1:
        message = f"{plugin.type} does not work together with other plugins"
        yield Problem((plugin.key("type"),), message, "Take the other plugins out of the list.")
    leased = topology == "localnet" and plugin.ipam is not None and plugin.ipam.object_type.remembers == "server"
    if plugin.ipam is not None and plugin.ipam.type and not leased:
        hint = 'Remove "ipam", and set "subnets" to let OVN-Kubernetes assign addresses.'
        yield Problem((plugin.key("ipam"),), f"{plugin.type} supports no ipam", hint)
    for key, topologies in _ONLY.items():
        if plugin.get(key) in (None, "", 0, False) or topology not in {"layer2", "layer3", "localnet"}:
            continue
        if topology not in topologies:
            level = "warning" if key in _IGNORED else None
            hint = f'Remove it, or set "topology" to {" or ".join(topologies)}.'
            yield Problem((plugin.key(key),), f"a {topology} network has no {key}", hint, level)  # type: ignore[arg-type]
    if plugin.text("role") == "primary" and topology == "localnet":
        message = "a localnet network cannot be the primary network"
        yield Problem((plugin.key("role"),), message, 'Remove "role", or use layer2 or layer3.')


@rule(
    "OVN_SUBNETS",
    "error",
    "configuration",
    "Subnets that OVN-Kubernetes cannot read",
    example='{"type": "ovn-k8s-cni-overlay", "topology": "layer2", "subnets": "10.100.200.0"}',
    source=f"{_OVN} parseSubnets, parseSubnetsString",
)
def ovn_subnets(plugin: Plugin) -> Problems:
    """A list in one text, separated by commas. layer3 takes NETWORK/LENGTH/LENGTH too: the second is that of each node's part."""
    if not _is_ovn(plugin):
        return
    layer3 = plugin.text("topology") == "layer3"
    primary = plugin.text("role") == "primary" and plugin.text("topology") == "layer2"
    if (layer3 or primary) and plugin.get("subnets") in (None, ""):
        kind = "layer3" if layer3 else "primary layer2"
        yield Problem((), f"a {kind} network needs subnets", 'Set "subnets", such as "10.128.0.0/16/24".')
    own = []
    for key in ("subnets", "excludeSubnets", "reservedSubnets", "infrastructureSubnets", "joinSubnet"):
        for item in _items(plugin.text(key)):
            block = item
            if key == "subnets" and layer3 and item.count("/") == 2:
                block, _, length = item.rpartition("/")
                if (
                    not length.isdigit()
                    or not block.rpartition("/")[2].isdigit()
                    or int(length) <= int(block.rpartition("/")[2])
                ):
                    message = f"{item!r} gives each node no part of {block}"
                    hint = "Write a second length above the first, such as 10.128.0.0/16/24."
                    yield Problem((plugin.key(key),), message, hint)
                    continue
            cidr = parse_cidr(block)
            if cidr is None:
                hint = "Write a network such as 10.128.0.0/16; separate several by commas."
                yield Problem((plugin.key(key),), f"{item!r} is not a network of {key}", hint)
            elif key == "subnets":
                own.append(cidr[1])
            elif (
                key != "joinSubnet"
                and own
                and not any(
                    cidr[1].version == one.version and cidr[1].subnet_of(ip_network(str(one)))  # type: ignore[arg-type]
                    for one in own
                )
            ):
                message = f"{item} of {key} is outside {', '.join(map(str, own))}"
                yield Problem((plugin.key(key),), message, "Write a part of the network's subnets.")


def _items(text: str) -> Iterator[str]:
    yield from (item.strip() for item in text.split(",") if item.strip())


@rule(
    "OVN_NETWORK_DIFFERS",
    "error",
    "together",
    "Two configurations of one network",
    example='two NADs with "name": "tenant", one with "topology": "layer2", the other with "localnet"',
    source=f"{_OVN} AreNetworksCompatible; docs: NADs of one network must have the same configuration",
)
def ovn_network_differs(everything: Everything) -> Problems:
    """NADs with one `name` are one network in several namespaces: OVN-Kubernetes takes the first, and rejects the others."""
    first: dict[str, Plugin] = {}
    for config in everything.configs:
        for plugin in config.plugins:
            name = config.text("name")
            if not _is_ovn(plugin) or not name or config.nad is None:
                continue
            other = first.setdefault(name, plugin)
            for key in ("topology", "subnets", "excludeSubnets", "mtu", "vlanID", "physicalNetworkName", "role"):
                mine, theirs = (one.get(key) or None for one in (plugin, other))
                if mine != theirs and other.config.title != config.title:
                    message = f"{key} of network {name!r} is {mine!r} here and {theirs!r} in {other.config.title}"
                    hint = "Write the same configuration, or give one of the two networks another name."
                    path = (plugin.key(key),) if plugin.has(key) else ()
                    yield Problem(path, message, hint, subject=plugin)
                    break


@rule(
    "OVN_SELECTION",
    "error",
    "together",
    "A network that OVN-Kubernetes does not attach to the pod",
    example='networks: tenant, tenant, where tenant is of type ovn-k8s-cni-overlay; or has "role": "primary"',
    source=f"{_OVN} GetPodNADToNetworkMapping: 'more than one of the same NAD', 'unexpected primary network'",
)
def ovn_selection(everything: Everything) -> Problems:
    """A pod has each NAD once. A primary network replaces the cluster network of its namespace, and no pod asks for it."""
    ours = {
        nad.full_name: nad.config for nad in everything.nads if nad.config and any(map(_is_ovn, nad.config.plugins))
    }
    for pod in everything.pods:
        seen: set[str] = set()
        for selection in pod.selections:
            config = ours.get(selection.full_name)
            if config is None:
                continue
            if config.first.text("role") == "primary":
                message = f"{selection.full_name} is the primary network of its namespace"
                yield Problem(
                    selection.path, message, "Remove it: the pod gets it on eth0.", None, selection.offset, pod
                )
            elif selection.full_name in seen:
                message = f"{selection.full_name} is attached twice"
                hint = "Attach it once, or make a second NAD of the same network."
                yield Problem(selection.path, message, hint, None, selection.offset, pod)
            seen.add(selection.full_name)


@rule(
    "KUBE_OVN_PROVIDER",
    "error",
    "configuration",
    "A provider that is not the NAD's",
    example='metadata: {name: internal, namespace: telecom}, config: {"type": "kube-ovn", "provider": "internal.default.ovn"}',
    source="kube-ovn pkg/controller/pod.go getPodAttachmentNet: NAME.NAMESPACE.ovn, with other plugins NAME.NAMESPACE",
)
def kube_ovn_provider(config: Config) -> Problems:
    """The controller assigns addresses under the provider that it derives from the NAD's name; the plugin waits for them under the written one."""
    nad = config.nad
    for plugin in config.plugins:
        for part in (plugin, plugin.ipam):
            provider = part.text("provider") if part is not None and "provider" in part.object_type.keys else ""
            if part is None or nad is None or not nad.name or not provider or provider == "ovn":
                continue
            own = f"{nad.name}.{nad.namespace}{'.ovn' if part is plugin else ''}"
            metadata = nad.data.get("metadata")
            known = isinstance(metadata, dict) and metadata.get("namespace") is not None
            if provider.split(".")[0] != nad.name or (known and provider != own):
                path = (*part.path[len(config.path) :], part.key("provider"))
                yield Problem(
                    path, f"the provider {provider!r} is not that of {nad.full_name}", f'Write "provider": "{own}".'
                )
