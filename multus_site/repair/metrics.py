"""What passes found and did, as OpenMetrics text. Labels are names of namespaces and words of ours, so there are few."""

from collections import Counter
from collections.abc import Iterator, Mapping

from multus_site.repair.record import MOST_NAMESPACES, Record

PREFIX = "multus_site_interface_repair"
OUTCOMES = ("evicted", "refused", "waiting", "backed-off", "over-the-limit", "not-touched")
"""What a pass did with a pod that lacks interfaces."""


def metrics(record: Record, outcomes: Mapping[tuple[str, str], int], finished: int, *, complete: bool) -> str:
    """The text. `outcomes`: (namespace, outcome) → pods of this pass; `finished`: seconds since 1970."""
    return "\n".join(_lines(record, outcomes, finished, complete)) + "\n"


def _lines(record: Record, outcomes: Mapping[tuple[str, str], int], finished: int, complete: bool) -> Iterator[str]:
    for name, counts, what in (
        ("evictions", record.evictions, "Pods that were evicted because they lacked interfaces."),
        ("refusals", record.refusals, "Evictions that the API server refused, mostly for a PodDisruptionBudget."),
    ):
        yield from (f"# TYPE {PREFIX}_{name} counter", f"# HELP {PREFIX}_{name} {what}")
        yield from (f'{PREFIX}_{name}_total{{namespace="{n}"}} {count}' for n, count in sorted(counts.items()))
    yield f"# TYPE {PREFIX}_pods gauge"
    yield f"# HELP {PREFIX}_pods Pods that lacked interfaces in the last pass."
    for (namespace, outcome), count in sorted(Counter(outcomes).most_common(MOST_NAMESPACES)):
        yield f'{PREFIX}_pods{{namespace="{namespace}",outcome="{outcome}"}} {count}'
    yield f"# TYPE {PREFIX}_last_pass_complete gauge"
    yield f"# HELP {PREFIX}_last_pass_complete Whether the last pass could do all of its work."
    yield f"{PREFIX}_last_pass_complete {int(complete)}"
    yield f"# TYPE {PREFIX}_last_pass_timestamp_seconds gauge"
    yield f"# UNIT {PREFIX}_last_pass_timestamp_seconds seconds"
    yield f"# HELP {PREFIX}_last_pass_timestamp_seconds When the last pass ended."
    yield f"{PREFIX}_last_pass_timestamp_seconds {finished}"
    yield "# EOF"
