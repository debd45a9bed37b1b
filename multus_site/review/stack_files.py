"""Stack files that were deleted or renamed. To Pulumi, a renamed file is another stack, which owns nothing that exists."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from multus_site.model.site import Site
from multus_site.review.data import Effect, Review
from multus_site.review.wording import counted, listed


def review_deleted(stack: str, file: Path, base: str, old: Site | None, new: Mapping[str, Site]) -> Review:
    """Return the review of a stack whose file is deleted.

    `old`: the site in the file, None if it could not be read; `new`: stack files added since, with their sites.
    """
    running = (
        f"{counted(len(old.nodes.hosts), 'node')}, {counted(len(old.networks), 'network')} and {counted(len(old.workloads), 'workload')}"
        if old
        else "whatever was applied"
    )
    other = successor(old, new) if old else ""
    rename = (
        f"Stack {other} has the same site, but to Pulumi it is a different stack, which would create everything again. "
        f"To rename the stack, unless already done: `{_rename(stack, other)}`. "
        if other
        else ""
    )
    text = (
        f"{file} is deleted. This destroys nothing: {running} keep running, but are no longer managed. {rename}"
        f"To take the site down: restore the file, run `pulumi destroy --stack {stack}` and `pulumi stack rm {stack}`, then delete it"
    )
    return Review(stack, old.name if old else stack, base, dangers=(Effect("danger", f"stack {stack}", text),))


def duplicates(stack: str, site: Site, gone: Mapping[str, Site], present: Mapping[str, Site]) -> Iterator[Effect]:
    """Yield dangers of a stack that was never applied and has the site of another one.

    `gone`: stack files deleted since; `present`: the other stack files; each with its site.
    """
    for file, other in gone.items():
        if what := _identity(site, other) or _addresses(site, other):
            yield Effect("danger", f"stack {stack}", _claims(what, f"{file}, which is deleted", file, stack))
    for file, other in present.items():
        if what := _identity(site, other):
            advice = f"Give this site its own name and hosts. If you are renaming the stack, delete {file} first"
            yield Effect("danger", f"stack {stack}", f"{_claims(what, file, file, stack)}. {advice}")


def successor(old: Site, new: Mapping[str, Site]) -> str:
    """Return the stack whose new file has the site of a deleted one; empty if none."""
    return next((_stack(file) for file, site in new.items() if _identity(site, old) or _addresses(site, old)), "")


def _claims(what: str, where: str, file: str, stack: str) -> str:
    return (
        f"was never applied, and has {what} of {where}: `pulumi up` would create everything again on what stack {_stack(file)} created. "
        f"To rename the stack: `{_rename(_stack(file), stack)}`"
    )


def _rename(old: str, new: str) -> str:
    return f"pulumi stack rename {new} --stack {old}"


def _stack(file: str) -> str:
    return Path(file).name.removeprefix("Pulumi.").removesuffix(".yaml")


def _identity(site: Site, other: Site) -> str:
    """Return what two sites share that only one can have. Addresses alone do not count: networks behind bastions may overlap."""
    if site.name == other.name:
        return f"the name {site.name}"
    keys = {(host.address, host.host_key) for host in other.nodes.hosts.values()}
    return _hosts(
        [name for name, host in site.nodes.hosts.items() if host.host_key and (host.address, host.host_key) in keys]
    )


def _addresses(site: Site, other: Site) -> str:
    addresses = {host.address for host in other.nodes.hosts.values()}
    return _hosts([name for name, host in site.nodes.hosts.items() if host.address in addresses])


def _hosts(names: list[str]) -> str:
    return f"the host{'s' if len(names) > 1 else ''} {listed(names)}" if names else ""
