"""Compare the virtual machines of two sites: what changes in place, and what recreates a machine."""

from collections.abc import Iterator

from multus_site.model.libvirt import Hardware, Libvirt, Nic
from multus_site.model.nodes import LibvirtNodes
from multus_site.render.libvirt.machine import makes_another
from multus_site.review.data import Effect
from multus_site.review.wording import listed, value

_UNITS = {"memory": " MiB", "disk": " GiB"}
_CALLED = {"cpu_pinning": "CPU pinning", "numa_node": "NUMA node", "cpus": "CPUs"}
_MANAGEMENT = ("network", "gateway", "dns")
IN_PLACE = "in place: the machine restarts, one at a time on each hypervisor; its pods are down meanwhile"


def differences(was: LibvirtNodes, now: LibvirtNodes) -> list[Effect]:
    """Return what happens to machines that stay, grouped by effect."""
    groups: dict[tuple[str, str], list[str]] = {}
    for node in now.hosts:
        if node in was.hosts:
            for level, text in _of(was, now, node):
                groups.setdefault((level, text), []).append(node)
    return [
        Effect("danger" if level == "danger" else "care", _about(names, now), text)
        for (level, text), names in groups.items()
    ]


def restarted(was: LibvirtNodes, now: LibvirtNodes) -> list[str]:
    """Return the nodes whose machine restarts and is not recreated."""
    return [
        node
        for node in now.hosts
        if node in was.hosts
        and makes_another(was, node) == makes_another(now, node)
        and now.libvirt.hardware(node).disk >= was.libvirt.hardware(node).disk
        and any(_in_place(was.libvirt, now.libvirt, node))
    ]


def _about(names: list[str], now: LibvirtNodes) -> str:
    if len(names) == len(now.hosts) > 1:
        return "all nodes"
    return f"{'nodes' if len(names) > 1 else 'node'} {listed(names)}"


def _of(was: LibvirtNodes, now: LibvirtNodes, node: str) -> Iterator[tuple[str, str]]:
    """Yield level and text."""
    before, after = makes_another(was, node), makes_another(now, node)
    new = [text for text in after if text not in before]
    gone = [f"no {text}" for text in before if text not in after and text.split()[0] not in {t.split()[0] for t in new}]
    # nodes.py reports a changed address.
    if other := [text for text in (*new, *gone) if not text.startswith("address ")]:
        yield "danger", f"{listed(other)}: the machine is recreated with an empty disk"
    if before != after:
        return
    old_disk, disk = was.libvirt.hardware(node).disk, now.libvirt.hardware(node).disk
    if disk < old_disk:
        text = f"disk {old_disk} → {disk} GiB: a disk cannot shrink, and `pulumi up` refuses this"
        yield "danger", text
    elif changed := list(_in_place(was.libvirt, now.libvirt, node)):
        yield "care", f"{listed(changed)}, {IN_PLACE}"


def _in_place(was: Libvirt, now: Libvirt, node: str) -> Iterator[str]:
    """Yield what changes without recreating the machine."""
    old, new = was.hardware(node), now.hardware(node)
    for key in Hardware.model_fields:
        before, after = getattr(old, key), getattr(new, key)
        if key not in {"nics", "hypervisor"} and before != after:
            what = _CALLED.get(key, key)
            yield f"{what} {value(before) or 'none'} → {value(after) or 'none'}{_UNITS.get(key, '')}"
    for name, nic in new.nics.items():
        if name in old.nics and old.nics[name] != nic:
            yield f"{name} {_plug(old.nics[name])} → {_plug(nic)}"
    for key in _MANAGEMENT:
        before, after = getattr(was.management, key), getattr(now.management, key)
        if before != after:
            yield f"{key} {value(before) or 'none'} → {value(after) or 'none'}"


def _plug(nic: Nic) -> str:
    return f"{nic.plugged_into} ({nic.mode})" if nic.kind == "macvtap" else nic.plugged_into
