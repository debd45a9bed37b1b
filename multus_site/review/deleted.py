"""A stack whose file is deleted: nothing runs, and that is the danger."""

from collections.abc import Mapping
from pathlib import Path

from multus_site.model.site import Site
from multus_site.review import renamed
from multus_site.review.data import Review, Saying
from multus_site.review.wording import counted


def review(stack: str, file: Path, base: str, old: Site | None, new: Mapping[str, Site]) -> Review:
    """The review. `old`: the site as the file said, None where it could not be read; `new`: stack files that came meanwhile, with their sites."""
    there = (
        f"{counted(len(old.nodes.hosts), 'node')}, {counted(len(old.networks), 'network')} and {counted(len(old.workloads), 'workload')}"
        if old
        else "what was applied"
    )
    other = renamed.successor(old, new) if old else ""
    goes_on = (
        f"Stack {other} has the same site, and is another one to Pulumi, which would make all of it anew. "
        f"To rename the stack, unless that was done: `{renamed.rename(stack, other)}`. "
        if other
        else ""
    )
    text = (
        f"{file} is deleted. Nothing is destroyed by that: {there} go on, and nobody looks after them any more. {goes_on}"
        f"To take the site down: put the file back, `pulumi destroy --stack {stack}`, `pulumi stack rm {stack}`, then delete it"
    )
    return Review(stack, old.name if old else stack, base, dangers=(Saying("danger", f"stack {stack}", text),))
