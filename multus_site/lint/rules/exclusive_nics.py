"""Rules on NICs that go to one pod whole: host-device takes them off the node, macvlan's passthru lets nothing else on them."""

from collections.abc import Iterator

from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Config, Everything, Plugin, Pod


@rule(
    "WHOLE_NIC_SHARED",
    "error",
    "together",
    "A NIC for one pod, and others use it",
    example="one NAD {type: host-device, device: eth1}, another {type: macvlan, master: eth1}",
    source="plugins/main/host-device/host-device.go moveLinkIn; kernel drivers/net/macvlan.c macvlan_common_newlink",
)
def whole_nic_shared(everything: Everything) -> Problems:
    """On one node the second to come finds the NIC gone, or is refused by it."""
    pods = _pods(everything)
    for config in everything.configs:
        for plugin in config.plugins:
            nic = _whole(plugin)
            if not nic:
                continue
            own = pods.get(config.title, [])
            yield from _of_other_networks(everything, plugin, nic, pods)
            yield from _of_its_pods(plugin, nic, own)


def _of_other_networks(everything: Everything, plugin: Plugin, nic: str, pods: dict[str, list[Pod]]) -> Problems:
    for other, used in _uses(everything):
        if used != nic or other.title == plugin.config.title:
            continue
        here, there = _nodes(pods.get(plugin.config.title, [])), _nodes(pods.get(other.title, []))
        # Without pods in sight, or without their nodes, nobody can tell whether the two meet.
        met = here & there
        if not met and here and there:
            continue
        where = f" on {', '.join(sorted(met))}" if met else ""
        message = f"{nic} goes to one pod whole, and {other.title} uses it too{where}"
        hint = "Take another NIC for one of the two, or other nodes."
        yield Problem(_path(plugin), message, hint, None if met else "warning", subject=plugin)


def _of_its_pods(plugin: Plugin, nic: str, pods: list[Pod]) -> Problems:
    nodes = _nodes(pods)
    together = max((_most_on(node, pods) for node in nodes), default=_most_on("", pods))
    if together < 2:
        return
    attachments = sum(pod.many for pod in pods)
    certain = 0 < len(nodes) < attachments or len({pod.title for pod in pods}) < len(pods)
    names = ", ".join(f"{pod.title} ({pod.many})" for pod in dict.fromkeys(pods))
    asked = "come together" if certain else "may come together"
    message = f"a node has one {nic}, and {together} attachments {asked} on it: {names}"
    hint = "Make it a DaemonSet, or give each pod a node of its own."
    yield Problem(_path(plugin), message, hint, None if certain else "warning", subject=plugin)


def _most_on(node: str, pods: list[Pod]) -> int:
    """How many attachments one node can have at most."""
    return sum(1 if pod.kind == "DaemonSet" else pod.many for pod in pods if node in pod.nodes or not pod.nodes)


def _whole(plugin: Plugin) -> str:
    """The NIC that a pod gets whole, by name; empty where there is none, or a device plugin counts them."""
    nic = plugin.traits.nic
    if nic and plugin.text("mode") in nic.whole_modes:
        return plugin.known_master
    return plugin.moved_nic


def _path(plugin: Plugin) -> tuple[str]:
    return (plugin.key(plugin.nic_key),)


def _uses(everything: Everything) -> Iterator[tuple[Config, str]]:
    """Networks and the NICs that they use, by name; each network once for a NIC."""
    seen: set[tuple[str, str]] = set()
    for config in everything.configs:
        for plugin in config.plugins:
            nic = _whole(plugin) or plugin.known_master
            if nic and (config.title, nic) not in seen:
                seen.add((config.title, nic))
                yield config, nic


def _nodes(pods: list[Pod]) -> set[str]:
    return {node for pod in pods for node in pod.nodes}


def _pods(everything: Everything) -> dict[str, list[Pod]]:
    """Pods by network; one that is attached twice stands there twice."""
    found: dict[str, list[Pod]] = {}
    titles: dict[str, Pod] = {}
    for pod in everything.pods:
        if titles.setdefault(pod.title, pod) is pod:
            for selection in pod.selections:
                found.setdefault(selection.full_name, []).append(pod)
    return found
