"""What a run would do, in a preview: the same plan, from what is known without reaching the cluster."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.plan import PlaybookRun, plan
from multus_site.kubespray.record import Record, Store, newest
from multus_site.kubespray.refusals import refused_recreations
from multus_site.kubespray.source import at_hand
from multus_site.kubespray.variable_checks import check_names

PLAN_FILE = "MULTUS_SITE_PLAN"
"""Environment variable that `multus-site review` sets: the file that a preview writes its plan to."""


def planned(
    document: Document, identities: Mapping[str, str | None], anew: Collection[str], stored: str | None
) -> list[PlaybookRun]:
    """The runs that `apply` would do, as far as is known. Raises KubesprayError for what can't be done.

    `identities`: node → machine-id, None where it is not known yet: a machine that is in the cluster is then taken for the same, unless it is
    among those that are made `anew`.
    `stored`: the record as the stack's outputs have it. Where there is none, nor a copy in the working folder, the cluster is taken for new.
    """
    of_stack = Record.from_json(stored or "")
    if of_stack and of_stack.applied and (refused := refused_recreations(of_stack.applied, anew)):
        raise KubesprayError("\n".join(refused))
    record = newest(document.site, [Store.for_site(document.site).read(), of_stack])
    joined = record.applied.identities if record.applied else {}
    known = {host: identity or ("" if host in anew else joined.get(host, "")) for host, identity in identities.items()}
    runs = plan(record.applied, replace(document, identities=known), attempted=record.attempted, begun=record.begun)
    source = at_hand(document.version, document.origin)
    if source and (found := check_names(document.own, document.variables, source.folder)):
        raise KubesprayError("\n".join(found))
    return runs
