"""A stack file of another name: to Pulumi that is another stack, which has made nothing of what is there."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from multus_site.model.site import Site
from multus_site.review.data import Saying
from multus_site.review.wording import listed


def dangers(stack: str, site: Site, gone: Mapping[str, Site], there: Mapping[str, Site]) -> Iterator[Saying]:
    """What is said of a stack that was never applied; `gone`: stack files since deleted, `there`: those beside it, each with its site."""
    for file, other in gone.items():
        if what := _same(site, other) or _at(site, other):
            text = (
                f"was never applied, and {what} of {file}, which is gone: all would be made anew on what stack {_stack(file)} has made there. "
                f"To rename the stack: `{rename(_stack(file), stack)}`"
            )
            yield Saying("danger", f"stack {stack}", text)
    for file, other in there.items():
        if what := _same(site, other):
            text = (
                f"was never applied, and {what} of {file}: all would be made anew on what stack {_stack(file)} has made there. "
                f"Give this site a name and hosts of its own; to rename the stack: delete {file}, `{rename(_stack(file), stack)}`"
            )
            yield Saying("danger", f"stack {stack}", text)


def successor(old: Site, new: Mapping[str, Site]) -> str:
    """The stack whose file, new as it is, has the site of a deleted one; empty where there is none."""
    return next((_stack(file) for file, site in new.items() if _same(site, old) or _at(site, old)), "")


def rename(old: str, new: str) -> str:
    """What to type for a stack to go on under another name."""
    return f"pulumi stack rename {new} --stack {old}"


def _stack(file: str) -> str:
    return Path(file).name.removeprefix("Pulumi.").removesuffix(".yaml")


def _same(site: Site, other: Site) -> str:
    """What two sites have in common that only one can have; an address alone may be there behind many a bastion."""
    if site.name == other.name:
        return f"its name {site.name} is that"
    keys = {(host.address, host.host_key) for host in other.nodes.hosts.values()}
    return _hosts(
        [name for name, host in site.nodes.hosts.items() if host.host_key and (host.address, host.host_key) in keys]
    )


def _at(site: Site, other: Site) -> str:
    addresses = {host.address for host in other.nodes.hosts.values()}
    return _hosts([name for name, host in site.nodes.hosts.items() if host.address in addresses])


def _hosts(names: list[str]) -> str:
    return (
        f"its host{'s' if len(names) > 1 else ''} {listed(names)} {'are those' if len(names) > 1 else 'is that'}"
        if names
        else ""
    )
