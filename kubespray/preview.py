"""What a run would do, told before it: the same plan, from the copy of the record in the working folder."""

from pathlib import Path

from kubespray.document import Document
from kubespray.plan import PlaybookRun, plan
from kubespray.record import Store, newest


def planned(document: Document) -> list[PlaybookRun]:
    """The runs that `apply` would do as far as this machine knows. Raises KubesprayError for what can't be done.

    A machine without the stack's working folder, such as one that only reviews, takes the cluster for new.
    """
    record = newest(document.site, [Store(Path(".work") / document.site / "kubespray" / "record.json").read()])
    return plan(record.applied, document, attempted=record.attempted)
