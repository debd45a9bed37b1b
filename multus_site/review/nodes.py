"""Compare the nodes of two sites."""

from collections.abc import Iterator

from multus_site.model.nodes import ContainerNodes, Host, LibvirtNodes
from multus_site.model.site import Site
from multus_site.review import racks
from multus_site.review.data import Effect
from multus_site.review.machines import differences as of_machines
from multus_site.review.wording import listed, value


def differences(old: Site | None, new: Site) -> list[Effect]:
    """Return what happens to nodes by their settings; `interruption` and `effects` report playbooks and machines."""
    before = dict(old.nodes.hosts) if old else {}
    after = dict(new.nodes.hosts)
    found: list[Effect] = []
    for name in dict.fromkeys((*after, *before)):
        about = f"node {name}"
        if name not in before:
            found.append(Effect("note", about, f"joins: {after[name].address}, {', '.join(after[name].roles)}"))
        elif name not in after:
            text = (
                f"is removed ({before[name].address}, {', '.join(before[name].roles)}): "
                "it is drained, taken out of the cluster and reset"
            )
            found.append(Effect("danger", about, text))
        else:
            found += _host(about, before[name], after[name])
            found += _limits(about, old, new, name) if old else ()
    found += _renamed(before, after)
    if old:
        found += racks.differences(old, new)
        found += _reached(old, new)
    return found


def _host(about: str, old: Host, new: Host) -> Iterator[Effect]:
    """Yield what changes of a node that stays."""
    if old.address != new.address:
        text = f"address {old.address} → {new.address}: a different machine to Kubernetes, so the node is removed and joins again"
        yield Effect("danger", about, text)
    if set(old.roles) != set(new.roles):
        gained = set(new.roles) - set(old.roles)
        stays = gained == {"worker"} and set(old.roles) < set(new.roles)
        after = "" if stays else ": the node is removed from the cluster and joins again"
        roles = f"roles {', '.join(old.roles)} → {', '.join(new.roles)}"
        yield Effect("care" if stays else "danger", about, roles + after)
    if old.host_key != new.host_key:
        text = "its pinned SSH host key changes: connections fail unless the node presents the new key"
        yield Effect("care", about, text)
    if old.architecture != new.architecture:
        text = f"architecture {old.architecture} → {new.architecture}: it gets binaries for that architecture"
        yield Effect("danger", about, text)
    for what, was, now in (
        ("groups", old.groups, new.groups),
        ("slice", old.slice, new.slice),
    ):
        if was != now:
            yield Effect("care", about, f"{what} {value(was) or 'none'} → {value(now) or 'none'}")


def _limits(about: str, old: Site, new: Site, name: str) -> Iterator[Effect]:
    """Yield changed limits of a container that is not recreated."""
    was, now = old.nodes.made_of(name), new.nodes.made_of(name)
    alike = isinstance(old.nodes, ContainerNodes) and isinstance(new.nodes, ContainerNodes)
    if alike and was != now:
        yield Effect("note", about, f"{was} → {now}: changed in place, nothing restarts")


def _renamed(before: dict[str, Host], after: dict[str, Host]) -> Iterator[Effect]:
    """Yield the nodes where only the name changed."""
    for name, host in after.items():
        if name in before:
            continue
        for other, was in before.items():
            if other not in after and was.address == host.address:
                text = f"was called {other}: a different node to Kubernetes, so {other} is removed and {name} joins"
                yield Effect("danger", f"node {name}", text)


def _reached(old: Site, new: Site) -> Iterator[Effect]:
    """Yield changes of how nodes are created and connected to."""
    was, now = old.nodes, new.nodes
    if was.backend != now.backend:
        text = f"backend {was.backend} → {now.backend}: machines are created, or no longer managed"
        yield Effect("danger", "all nodes", text)
    elif isinstance(was, ContainerNodes) and isinstance(now, ContainerNodes):
        keys = [key for key in ("image", "networks", "interface") if _of(was, key) != _of(now, key)]
        if keys:
            text = f"{listed(keys)} of the containers changed: every machine must be recreated, and with it the cluster and everything in it"
            yield Effect("danger", "all nodes", text)
    elif isinstance(was, LibvirtNodes) and isinstance(now, LibvirtNodes):
        yield from of_machines(was, now)
    ssh = [key for key in ("user", "port", "agent", "bastion") if getattr(was.ssh, key) != getattr(now.ssh, key)]
    if ssh:
        text = f"SSH {listed(ssh)} changed: connections use the new settings"
        yield Effect("care", "all nodes", text)


def _of(nodes: ContainerNodes, key: str) -> object:
    return getattr(nodes.container, key)
