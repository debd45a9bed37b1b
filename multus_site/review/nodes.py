"""Nodes of two sites held against each other."""

from collections.abc import Iterator

from multus_site.model.nodes import ContainerNodes, Host, LibvirtNodes
from multus_site.model.site import Site
from multus_site.review import racks
from multus_site.review.data import Saying
from multus_site.review.machines import differences as of_machines
from multus_site.review.wording import listed, value

_LEAVES = "its pods move, it is drained, taken out of the cluster and reset"


def differences(old: Site | None, new: Site) -> list[Saying]:
    """What happens to nodes, by what the site says of them; playbooks and machines are told elsewhere."""
    before = dict(old.nodes.hosts) if old else {}
    after = dict(new.nodes.hosts)
    found: list[Saying] = []
    for name in dict.fromkeys((*after, *before)):
        about = f"node {name}"
        if name not in before:
            found.append(Saying("note", about, f"joins: {after[name].address}, {', '.join(after[name].roles)}"))
        elif name not in after:
            text = f"leaves ({before[name].address}, {', '.join(before[name].roles)}): {_LEAVES}"
            found.append(Saying("danger", about, text))
        else:
            found += _host(about, before[name], after[name])
            found += _limits(about, old, new, name) if old else ()
    found += _renamed(before, after)
    if old:
        found += racks.differences(old, new)
        found += _reached(old, new)
    return found


def _host(about: str, old: Host, new: Host) -> Iterator[Saying]:
    """What is not as it was of a node that stays."""
    if old.address != new.address:
        text = (
            f"address {old.address} → {new.address}: to Kubernetes another machine, so the node leaves and joins anew"
        )
        yield Saying("danger", about, text)
    if set(old.roles) != set(new.roles):
        gained = set(new.roles) - set(old.roles)
        stays = gained == {"worker"} and set(old.roles) < set(new.roles)
        after = "" if stays else ": the node leaves the cluster and joins anew"
        roles = f"roles {', '.join(old.roles)} → {', '.join(new.roles)}"
        yield Saying("care" if stays else "danger", about, roles + after)
    if old.host_key != new.host_key:
        text = "another SSH host key is pinned: nothing reaches the node unless it shows that one"
        yield Saying("care", about, text)
    if old.architecture != new.architecture:
        text = f"architecture {old.architecture} → {new.architecture}: it gets other binaries"
        yield Saying("danger", about, text)
    for what, was, now in (
        ("groups", old.groups, new.groups),
        ("slice", old.slice, new.slice),
    ):
        if was != now:
            yield Saying("care", about, f"{what} {value(was) or 'none'} → {value(now) or 'none'}")


def _limits(about: str, old: Site, new: Site, name: str) -> Iterator[Saying]:
    """What a container may take; that of one that is made anew for other reasons is told there."""
    was, now = old.nodes.made_of(name), new.nodes.made_of(name)
    alike = isinstance(old.nodes, ContainerNodes) and isinstance(new.nodes, ContainerNodes)
    if alike and was != now:
        yield Saying("note", about, f"{was} → {now}: changed in place, nothing restarts")


def _renamed(before: dict[str, Host], after: dict[str, Host]) -> Iterator[Saying]:
    """A name that changed while the machine is the same."""
    for name, host in after.items():
        if name in before:
            continue
        for other, was in before.items():
            if other not in after and was.address == host.address:
                text = f"was called {other}: to Kubernetes it is another node, so {other} leaves and {name} joins"
                yield Saying("danger", f"node {name}", text)


def _reached(old: Site, new: Site) -> Iterator[Saying]:
    """How nodes are made and logged in to."""
    was, now = old.nodes, new.nodes
    if was.backend != now.backend:
        text = f"backend {was.backend} → {now.backend}: machines are made or forgotten"
        yield Saying("danger", "all nodes", text)
    elif isinstance(was, ContainerNodes) and isinstance(now, ContainerNodes):
        keys = [key for key in ("image", "networks", "interface") if _of(was, key) != _of(now, key)]
        if keys:
            text = f"{listed(keys)} of the containers changed: every machine is to be made anew, and with it the cluster and all that runs in it"
            yield Saying("danger", "all nodes", text)
    elif isinstance(was, LibvirtNodes) and isinstance(now, LibvirtNodes):
        yield from of_machines(was, now)
    ssh = [key for key in ("user", "port", "agent", "bastion") if getattr(was.ssh, key) != getattr(now.ssh, key)]
    if ssh:
        text = f"{listed(ssh)} of SSH changes: nodes are reached in another way from now on"
        yield Saying("care", "all nodes", text)


def _of(nodes: ContainerNodes, key: str) -> object:
    return getattr(nodes.container, key)
