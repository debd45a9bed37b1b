"""Rules on NICs that one pod uses exclusively: host-device moves them into the pod, macvlan's passthru mode shares them with nobody."""

from collections.abc import Iterator

from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Config, Everything, Plugin, Pod


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
    for config in everything.configs:
        for plugin in config.plugins:
            nic = _exclusive_nic(plugin)
            if not nic:
                continue
            own = pods.get(config.title, [])
            yield from _other_networks(everything, plugin, nic, pods)
            yield from _several_pods(plugin, nic, own)


def _other_networks(everything: Everything, plugin: Plugin, nic: str, pods: dict[str, list[Pod]]) -> Problems:
    for other, used in _uses(everything):
        if used != nic or other.title == plugin.config.title:
            continue
        own_nodes, other_nodes = _nodes(pods.get(plugin.config.title, [])), _nodes(pods.get(other.title, []))
        # Where pods or their nodes are unknown, the two may or may not share a node: a warning.
        shared = own_nodes & other_nodes
        if not shared and own_nodes and other_nodes:
            continue
        where = f" on {', '.join(sorted(shared))}" if shared else ""
        message = f"one pod takes {nic} exclusively, and {other.title} uses it too{where}"
        hint = "Use another NIC for one of the two, or run them on different nodes."
        yield Problem(_path(plugin), message, hint, None if shared else "warning", subject=plugin)


def _several_pods(plugin: Plugin, nic: str, pods: list[Pod]) -> Problems:
    nodes = _nodes(pods)
    together = max((_most_on(node, pods) for node in nodes), default=_most_on("", pods))
    if together < 2:
        return
    attachments = sum(pod.many for pod in pods)
    certain = 0 < len(nodes) < attachments or len({pod.title for pod in pods}) < len(pods)
    names = ", ".join(f"{pod.title} ({pod.many})" for pod in dict.fromkeys(pods))
    verb = "run" if certain else "may run"
    message = f"each node has one {nic}, and {together} attachments {verb} on one node: {names}"
    hint = "Make it a DaemonSet, or pin each pod to its own node."
    yield Problem(_path(plugin), message, hint, None if certain else "warning", subject=plugin)


def _most_on(node: str, pods: list[Pod]) -> int:
    """The most attachments that the node can have."""
    return sum(1 if pod.kind == "DaemonSet" else pod.many for pod in pods if node in pod.nodes or not pod.nodes)


def _exclusive_nic(plugin: Plugin) -> str:
    """Name of the NIC that a pod uses exclusively; empty if there is none, or a device plugin assigns it."""
    nic = plugin.traits.nic
    if nic and plugin.text("mode") in nic.whole_modes:
        return plugin.known_master
    return plugin.moved_nic


def _path(plugin: Plugin) -> tuple[str]:
    return (plugin.key(plugin.nic_key),)


def _uses(everything: Everything) -> Iterator[tuple[Config, str]]:
    """Each network with the names of the NICs that it uses."""
    seen: set[tuple[str, str]] = set()
    for config in everything.configs:
        for plugin in config.plugins:
            nic = _exclusive_nic(plugin) or plugin.known_master
            if nic and (config.title, nic) not in seen:
                seen.add((config.title, nic))
                yield config, nic


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
