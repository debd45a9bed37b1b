"""The plan in a preview, from what is known without a connection to the cluster."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.plan import PlaybookRun, plan
from multus_site.kubespray.record import Record, Store, newest
from multus_site.kubespray.refusals import refused_recreations
from multus_site.kubespray.source import at_hand
from multus_site.kubespray.variable_checks import check_names

PLAN_FILE = "MULTUS_SITE_PLAN"
"""Environment variable set by `multus-site review`: the file to which a preview writes its plan."""


def planned(
    document: Document, identities: Mapping[str, str | None], anew: Collection[str], stored: str | None
) -> list[PlaybookRun]:
    """The runs that `apply` is expected to do. Raises KubesprayError for changes that Kubespray cannot make.

    `identities`: node → machine-id; None if unknown: the machine is then assumed to be the one that joined, unless it is in `anew`.
    `anew`: nodes whose machines this update recreates.
    `stored`: the record from the stack's outputs. Without it and without a copy in the working folder, the cluster is assumed to be new.
    """
    of_stack = Record.from_json(stored or "")
    if of_stack and of_stack.applied and (refused := refused_recreations(of_stack.applied, anew)):
        raise KubesprayError("\n".join(refused))
    record = newest(document.site, [Store.for_site(document.site).read(), of_stack])
    joined = record.applied.identities if record.applied else {}
    known = {host: identity or ("" if host in anew else joined.get(host, "")) for host, identity in identities.items()}
    if document.adopted and record.applied is None:
        return []  # the cluster that runs is taken over
    runs = plan(record.applied, replace(document, identities=known), attempted=record.attempted, begun=record.begun)
    source = at_hand(document.version, document.origin)
    if source and (unknown := check_names(document.own, document.variables, source.folder)):
        raise KubesprayError("\n".join(unknown))
    return runs


def takes_over(document: Document, stored: str | None) -> bool:
    """Whether the next `apply` takes over the cluster that runs, instead of running playbooks."""
    record = newest(document.site, [Store.for_site(document.site).read(), Record.from_json(stored or "")])
    return bool(document.adopted) and record.applied is None


def row(run: PlaybookRun) -> dict[str, Any]:
    """A run as `review.data.Playbook` has it: hosts and reasons; of the variables only the name of a node that leaves."""
    leaver = str(run.extra.get("node", "")) if run.leaver else ""
    return {
        "playbook": run.playbook,
        "hosts": run.hosts,
        "limit": run.limit,
        "reason": run.reason,
        "node": leaver,
        "creates": run.creates,
    }
