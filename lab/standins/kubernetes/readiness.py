"""When an object counts as ready, by its kind's status or by the annotation `pulumi.com/waitFor`.

Workloads by the rules of kstatus (sigs.k8s.io/cli-utils, `pkg/kstatus/status/core.go`), which the real provider uses or
equals; kinds outside KINDS are ready as soon as they exist.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from ..plugin import StandInError
from .identity import Object, annotation

WAIT_FOR = "pulumi.com/waitFor"
SKIP = "pulumi.com/skipAwait"
Check = Callable[[Object], str | None]


class GaveUp(StandInError):
    """The object will not become ready any more, whatever the patience."""


def condition(item: Object, kind: str) -> Object:
    """The status condition of that type, or an empty one."""
    for found in (item.get("status") or {}).get("conditions") or []:
        if str(found.get("type", "")).lower() == kind.lower():
            return dict(found)
    return {}


def _observed(item: Object) -> bool:
    return int((item.get("status") or {}).get("observedGeneration") or 0) >= int(
        item["metadata"].get("generation") or 0
    )


def _deployment(item: Object) -> str | None:
    status, wanted = item.get("status") or {}, int(item["spec"].get("replicas", 1))
    if not _observed(item):
        return "the deployment controller has not seen it yet"
    if int(status.get("updatedReplicas") or 0) < wanted:
        return f"{status.get('updatedReplicas') or 0}/{wanted} Pods updated"
    if int(status.get("replicas") or 0) > int(status.get("updatedReplicas") or 0):
        return "Pods of the previous version are still there"
    if int(status.get("availableReplicas") or 0) < wanted:
        return f"{status.get('availableReplicas') or 0}/{wanted} Pods available"
    if wanted and condition(item, "Available").get("status") != "True":
        return "not Available yet"
    return None


def _daemon_set(item: Object) -> str | None:
    status = item.get("status") or {}
    if not _observed(item):
        return "the daemon set controller has not seen it yet"
    wanted = int(status.get("desiredNumberScheduled") or 0)
    for field, words in (
        ("currentNumberScheduled", "scheduled"),
        ("updatedNumberScheduled", "updated"),
        ("numberAvailable", "available"),
        ("numberReady", "ready"),
    ):
        if int(status.get(field) or 0) < wanted:
            return f"{status.get(field) or 0}/{wanted} Pods {words}"
    return None


def _stateful_set(item: Object) -> str | None:
    status, wanted = item.get("status") or {}, int(item["spec"].get("replicas", 1))
    if not _observed(item):
        return "the stateful set controller has not seen it yet"
    for field in ("replicas", "readyReplicas", "updatedReplicas"):
        if int(status.get(field) or 0) < wanted:
            return f"{status.get(field) or 0}/{wanted} {field}"
    return None if status.get("currentRevision") == status.get("updateRevision") else "still rolling out"


def _job(item: Object) -> str | None:
    failed = condition(item, "Failed")
    if failed.get("status") == "True":
        msg = f"the Job failed: {failed.get('reason')}: {failed.get('message')}"
        raise GaveUp(msg)
    return None if condition(item, "Complete").get("status") == "True" else "the Job is not complete"


def _pod(item: Object) -> str | None:
    phase = (item.get("status") or {}).get("phase")
    if phase == "Succeeded" or condition(item, "Ready").get("status") == "True":
        return None
    return f"the Pod is {phase or 'not scheduled'}, not Ready"


KINDS: dict[tuple[str, str], Check] = {
    ("apps/v1", "Deployment"): _deployment,
    ("apps/v1", "DaemonSet"): _daemon_set,
    ("apps/v1", "StatefulSet"): _stateful_set,
    ("batch/v1", "Job"): _job,
    ("v1", "Pod"): _pod,
}


def check_for(item: Object) -> Check | None:
    """What to ask of the object until it answers None; None where nothing is to be waited for."""
    if annotation(item, SKIP) == "true":
        return None
    wait_for = annotation(item, WAIT_FOR)
    if wait_for:
        return _custom(wait_for)
    return KINDS.get((str(item.get("apiVersion")), str(item.get("kind"))))


def _custom(text: str) -> Check:
    try:
        given = json.loads(text)
    except ValueError:
        given = text
    expressions = [str(entry) for entry in given] if isinstance(given, list) else [text]
    if not expressions:
        msg = f"{WAIT_FOR}: at least one condition must be specified"
        raise StandInError(msg)
    checks = [_expression(expression) for expression in expressions]

    def check(item: Object) -> str | None:
        return next((why for why in (one(item) for one in checks) if why), None)

    return check


def _expression(text: str) -> Check:
    form, _, rest = text.partition("=")
    if form == "condition":
        kind, _, status = rest.partition("=")
        wanted = status or "True"

        def check(item: Object) -> str | None:
            # A condition that is older than the object's last change says nothing about it.
            found = condition(item, kind)
            seen = int(found.get("observedGeneration") or item["metadata"].get("generation") or 0)
            current = seen >= int(item["metadata"].get("generation") or 0)
            return None if current and str(found.get("status")).lower() == wanted.lower() else f"waiting for {text}"

        return check
    if form == "jsonpath":
        return _jsonpath(text, rest)
    msg = f'{WAIT_FOR}: expected a "jsonpath=" or "condition=" prefix, got {text!r}'
    raise StandInError(msg)


def _jsonpath(text: str, rest: str) -> Check:
    import jsonpath  # takes a tenth of a second to load, and few objects ask for it

    body, closed, tail = rest.strip("'\"").rpartition("}")
    if not closed or not body.startswith("{"):
        msg = f"{WAIT_FOR}: {text!r} is not of the form jsonpath={{.status.phase}} or jsonpath={{.status.phase}}=Active"
        raise StandInError(msg)
    try:
        # kubectl escapes the dots in a quoted key; RFC 9535 knows no such escape.
        query = jsonpath.compile("$" + body[1:].replace("\\.", "."))
    except jsonpath.JSONPathError as error:
        msg = f"{WAIT_FOR}: {text!r}: {error}"
        raise StandInError(msg) from error
    compared, wanted = tail.startswith("="), tail.removeprefix("=")

    def check(item: Object) -> str | None:
        found = [str(value).lower() if isinstance(value, bool) else str(value) for value in query.findall(item)]
        satisfied = bool(found) and (not compared or all(value == wanted for value in found))
        return None if satisfied else f"waiting for {text}"

    return check
