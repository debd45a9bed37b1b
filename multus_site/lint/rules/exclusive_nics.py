"""Rules on NICs that one pod uses exclusively: host-device moves them into the pod, macvlan's passthru mode shares them with nobody."""

from collections import Counter
from itertools import islice

from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Config, Everything, Plugin, Pod

Use = tuple[Config, set[str]]
"""A network, and the nodes of its pods."""

_MOST = 8
"""Networks and pods that are named."""


@rule(
    "WHOLE_NIC_SHARED",
    "error",
    "together",
    "An exclusive NIC that others use too",
    example="one NAD {type: host-device, device: eth1}, another {type: macvlan, master: eth1}",
    source="plugins/main/host-device/host-device.go moveLinkIn; kernel drivers/net/macvlan.c macvlan_common_newlink",
)
def whole_nic_shared(everything: Everything) -> Problems:
    """On one node, the second pod finds the NIC gone, or the kernel rejects it."""
    pods = _pods(everything)
    uses = _uses(everything, pods)
    for config in everything.configs:
        for plugin in config.plugins:
            nic = _exclusive_nic(plugin)
            if plugin.traits.has_children and plugin.traits.tags and plugin.known_master and plugin.vlan:
                # kernel net/8021q/vlan.c vlan_check_real_dev: an id once for each NIC, whatever the network namespace
                yield from _several_pods(
                    plugin, f"VLAN {plugin.vlan} of {plugin.known_master}", pods.get(config.title, [])
                )
            if not nic:
                continue
            own = pods.get(config.title, [])
            yield from islice(_other_networks(uses, plugin, nic, _nodes(own)), 3)
            yield from _several_pods(plugin, nic, own)


def _other_networks(uses: dict[tuple[str, str], list[Use]], plugin: Plugin, nic: str, own_nodes: set[str]) -> Problems:
    title, told = plugin.config.title, set[str]()
    places = sorted({"", *own_nodes}) if own_nodes else ["*"]
    for place in places:
        for other, other_nodes in uses.get((nic, place), ()):
            if other.title == title or other.title in told:
                continue
            told.add(other.title)
            # Where pods or their nodes are unknown, the two may or may not share a node: a warning.
            shared = own_nodes & other_nodes
            where = f" on {', '.join(sorted(shared))}" if shared else ""
            message = f"one pod takes {nic} exclusively, and {other.title} uses it too{where}"
            hint = "Use another NIC for one of the two, or run them on different nodes."
            yield Problem(_path(plugin), message, hint, None if shared else "warning", subject=plugin)


def _several_pods(plugin: Plugin, nic: str, pods: list[Pod]) -> Problems:
    nodes = _nodes(pods)
    together = _most_together(pods)
    if together < 2:
        return
    attachments = sum(pod.many for pod in pods)
    certain = 0 < len(nodes) < attachments or len({pod.title for pod in pods}) < len(pods)
    listed = [f"{pod.title} ({pod.many})" for pod in dict.fromkeys(pods)]
    names = ", ".join(listed[:_MOST]) + (f" and {len(listed) - _MOST} more" if len(listed) > _MOST else "")
    verb = "run" if certain else "may run"
    message = f"each node has one {nic}, and {together} attachments {verb} on one node: {names}"
    hint = "Make it a DaemonSet, or pin each pod to its own node."
    yield Problem(_path(plugin), message, hint, None if certain else "warning", subject=plugin)


def _most_together(pods: list[Pod]) -> int:
    """The most attachments that a node can have."""
    on: Counter[str] = Counter()
    for pod in pods:
        for node in pod.nodes or ("",):
            on[node] += 1 if pod.kind == "DaemonSet" else pod.many
    anywhere = on.pop("", 0)
    return anywhere + max(on.values(), default=0)


def _exclusive_nic(plugin: Plugin) -> str:
    """Name of the NIC that a pod uses exclusively; empty if there is none, or a device plugin assigns it."""
    nic = plugin.traits.nic
    if nic and plugin.text("mode") in nic.whole_modes:
        return plugin.known_master
    return plugin.moved_nic


def _path(plugin: Plugin) -> tuple[str]:
    return (plugin.key(plugin.nic_key),)


def _uses(everything: Everything, pods: dict[str, list[Pod]]) -> dict[tuple[str, str], list[Use]]:
    """NIC and node → the networks that use it there; node "" where their nodes are unknown, "*" for any."""
    found: dict[tuple[str, str], list[Use]] = {}
    seen: set[tuple[str, str]] = set()
    for config in everything.configs:
        for plugin in config.plugins:
            nic = _exclusive_nic(plugin) or plugin.known_master
            if nic and (config.title, nic) not in seen:
                seen.add((config.title, nic))
                nodes = _nodes(pods.get(config.title, []))
                for place in ("*", *(nodes or {""})):
                    found.setdefault((nic, place), []).append((config, nodes))
    return found


def _nodes(pods: list[Pod]) -> set[str]:
    return {node for pod in pods for node in pod.nodes}


def _pods(everything: Everything) -> dict[str, list[Pod]]:
    """Pods by network; a pod with two attachments is listed twice."""
    found: dict[str, list[Pod]] = {}
    titles: dict[str, Pod] = {}
    for pod in everything.pods:
        if titles.setdefault(pod.title, pod) is pod:
            for selection in pod.selections:
                found.setdefault(selection.full_name, []).append(pod)
    return found
