"""One pass: list pods, compare each with its network-status, evict some of those that lack interfaces, and remember that."""

import http
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from multus_site.model.printable import short
from multus_site.repair.api import NAMES_ONLY, Api, ApiError
from multus_site.repair.findings import Finding, event, judged
from multus_site.repair.metrics import metrics
from multus_site.repair.pods import Object, Pod, untouched
from multus_site.repair.record import Group, Record
from multus_site.repair.scope import Scope

ATTACHMENTS = ("apis", "k8s.cni.cncf.io", "v1")
PLURAL = "network-attachment-definitions"

MOST_EVENTS = 50
"""Events that a pass creates for pods that it does not evict. One that exists already is not created again."""
MOST_LINES = 200
"""Pods that the log of a pass names."""


@dataclass
class Pass:
    """One pass over the pods in scope."""

    api: Api
    scope: Scope
    failures: list[str] = field(default_factory=list)
    """What could not be done."""
    findings: list[Finding] = field(default_factory=list)
    _unsettled: dict[str, list[Pod]] = field(default_factory=dict)
    _record: Record = field(default_factory=Record)
    _stored: Object = field(default_factory=dict)

    def run(self) -> None:
        """Do all of it. Raises ApiError before anything was evicted, if what every decision needs cannot be read or written."""
        self._read_record()
        daemons = self._nodes_with_multus()
        attachments = self._attachments()
        self._look()
        chosen = self._choose(daemons, attachments)
        if chosen:
            # Before the first eviction: a pass that is killed in between must not lose its memory, and two must not work at once.
            before = {group: self._remember(group) for group in {f.pod.group for f in chosen}}
            self._write()
            for finding in chosen:
                self._evict(finding, before)
        self._tell(chosen)
        self._write(Counter((f.pod.namespace, f.outcome) for f in self.findings))

    def _read_record(self) -> None:
        self._stored = self.api.request(
            "GET", "api", "v1", "namespaces", self.scope.system, "configmaps", self.scope.record
        )
        try:
            self._record = Record.parse((self._stored.get("data") or {}).get("record", ""))
        except ValueError as error:
            self.failures.append(
                f"the record in ConfigMap {self.scope.record} is damaged ({short(str(error), 80)}): it starts again"
            )
        self._record.forget(self.api.now)

    def _write(self, outcomes: Counter[tuple[str, str]] | None = None) -> None:
        """Write the record, and the metrics at the end of a pass. Raises ApiError if another pass has written it meanwhile."""
        data = {**(self._stored.get("data") or {}), "record": self._record.text()}
        if outcomes is not None:
            data["metrics"] = metrics(self._record, outcomes, self.api.now, complete=not self.failures)
        path = ("api", "v1", "namespaces", self.scope.system, "configmaps", self.scope.record)
        self._stored = self.api.request("PUT", *path, body={**self._stored, "data": data})

    def _nodes_with_multus(self) -> set[str]:
        """Nodes whose Multus daemon is ready: elsewhere a new pod would come back the same."""
        listed = self.api.list("api", "v1", "namespaces", self.scope.system, "pods", labelSelector="name=multus")
        daemons = [Pod.parse(raw) for raw in listed]
        return {pod.node for pod in daemons if pod.ready and not pod.deleted}

    def _attachments(self) -> dict[str, set[str]]:
        """Namespace → names of its NetworkAttachmentDefinitions, of the namespaces that may be read."""
        found: dict[str, set[str]] = {}
        if self.scope.namespaces is None:
            for raw in self.api.list(*ATTACHMENTS, PLURAL, accept=NAMES_ONLY):
                found.setdefault(raw["metadata"]["namespace"], set()).add(raw["metadata"]["name"])
            return found
        for namespace in sorted({*self.scope.namespaces, *self.scope.attachments}):
            try:
                listed = list(self.api.list(*ATTACHMENTS, "namespaces", namespace, PLURAL, accept=NAMES_ONLY))
            except ApiError as error:
                self.failures.append(str(error))
            else:
                found[namespace] = {raw["metadata"]["name"] for raw in listed}
        return found

    def _look(self) -> None:
        """Find the pods that lack interfaces. A namespace that cannot be listed is a failure, and the others are looked at."""
        places = (
            [("pods",)] if self.scope.namespaces is None else [("namespaces", n, "pods") for n in self.scope.namespaces]
        )
        for place in places:
            try:
                for raw in self.api.list("api", "v1", *place):
                    self._look_at(Pod.parse(raw))
            except ApiError as error:
                self.failures.append(str(error))

    def _look_at(self, pod: Pod) -> None:
        if pod.ended or not self.scope.has(pod):
            return
        finding = judged(pod) if pod.running else None
        if finding is not None:
            self.findings.append(finding)
        if pod.deleted or (finding is None and not pod.ready):
            self._unsettled.setdefault(pod.group, []).append(pod)

    def _choose(self, daemons: set[str], attachments: dict[str, set[str]]) -> list[Finding]:
        """The pods to evict now; the others get their outcome."""
        again = {f.pod.group for f in self.findings if self._came_back(f.pod)}
        possible: list[Finding] = []
        for finding in self.findings:
            pod = finding.pod
            group = self._record.groups.get(pod.group)
            if reason := untouched(pod) or self._unstartable(finding, attachments):
                finding.set("not-touched", reason)
            elif pod.node not in daemons:
                finding.set("waiting", f"waits: Multus is not ready on {pod.node}")
            elif waits := self._awaited(pod, group):
                finding.set("waiting", waits)
            elif group and pod.group in again and (left := group.evicted + group.wait() - self.api.now) > 0:
                finding.set(
                    "backed-off", f"its group came back the same; the next attempt is in {-(-left // 60)} minutes"
                )
            else:
                possible.append(finding)
        chosen = self._fair(possible)[: self.scope.pods_per_pass]
        for finding in possible:
            if finding not in chosen:
                finding.set("over-the-limit", f"a pass evicts at most {self.scope.pods_per_pass} pods")
        return chosen

    def _came_back(self, pod: Pod) -> bool:
        group = self._record.groups.get(pod.group)
        return group is not None and pod.created >= group.evicted

    def _unstartable(self, finding: Finding, attachments: dict[str, set[str]]) -> str:
        """Why a new pod might not start, so that the one that runs is better than none."""
        if not finding.asked:
            return "a new pod would not start, or could not be judged: correct the annotation"
        for selection in finding.asked:
            if selection.namespace not in attachments and self.scope.namespaces is not None:
                return f"its network {selection.full_name} is in a namespace that this may not read"
            if selection.name not in attachments.get(selection.namespace, ()):
                return f"there is no NetworkAttachmentDefinition {selection.full_name}, so a new pod would not start"
        return ""

    def _awaited(self, pod: Pod, group: Group | None) -> str:
        """A pod that has to start or end before the next one of its group is evicted."""
        for other in self._unsettled.get(pod.group, ()):
            if other.uid != pod.uid and (other.deleted or (group and other.created >= group.evicted)):
                return f"waits: {other.name} {'is being deleted' if other.deleted else 'is not ready yet'}"
        return ""

    def _fair(self, possible: list[Finding]) -> list[Finding]:
        """One pod of each namespace in turn, beginning with the namespace that has waited longest: nobody's pods can use up every pass."""
        queues: dict[str, list[Finding]] = {}
        for finding in sorted(possible, key=lambda f: (f.pod.created, f.pod.name)):
            queues.setdefault(finding.pod.namespace, []).append(finding)
        turns = sorted(queues, key=lambda namespace: (self._record.last_in(namespace), namespace))
        return list(_in_turn([queues[namespace] for namespace in turns]))

    def _remember(self, group: str) -> Group | None:
        """Note an eviction, and return what was known of the group before."""
        before = self._record.groups.get(group)
        again = before.again if before else 0
        if any(self._came_back(f.pod) for f in self.findings if f.pod.group == group):
            again += 1
        self._record.groups[group] = Group(self.api.now, again)
        return before

    def _evict(self, finding: Finding, before: dict[str, Group | None]) -> None:
        pod, record = finding.pod, self._record
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
            # Exactly the pod that was judged: Multus may have attached its interfaces meanwhile.
            "deleteOptions": {"preconditions": {"uid": pod.uid, "resourceVersion": pod.version}},
        }
        try:
            self.api.request("POST", "api", "v1", "namespaces", pod.namespace, "pods", pod.name, "eviction", body=body)
        except ApiError as error:
            self._not_evicted(finding, error)
            if all(f.outcome != "evicted" for f in self.findings if f.pod.group == pod.group):
                self._restore(pod.group, before[pod.group])
        else:
            finding.set("evicted", f"evicted from {pod.node}")
            record.groups.setdefault(pod.group, Group(self.api.now))
            record.evictions[pod.namespace] = record.evictions.get(pod.namespace, 0) + 1

    def _restore(self, group: str, before: Group | None) -> None:
        if before is None:
            self._record.groups.pop(group, None)
        else:
            self._record.groups[group] = before

    def _not_evicted(self, finding: Finding, error: ApiError) -> None:
        pod = finding.pod
        if error.status in {http.HTTPStatus.NOT_FOUND, http.HTTPStatus.CONFLICT}:
            finding.set("waiting", "it has changed meanwhile")
            return
        finding.set("refused", f"the API server refuses its eviction: {short(str(error))}")
        self._record.refusals[pod.namespace] = self._record.refusals.get(pod.namespace, 0) + 1
        # A budget, or several for one pod: its owner's decision, not a failure of the pass.
        if error.status not in {http.HTTPStatus.TOO_MANY_REQUESTS, http.HTTPStatus.INTERNAL_SERVER_ERROR}:
            self.failures.append(str(error))

    def _tell(self, chosen: list[Finding]) -> None:
        """Create Events for the pods of this pass, so that their owners see what happened and why."""
        others = [
            f
            for f in self.findings
            if f not in chosen and f.outcome in {"not-touched", "backed-off"} and not f.pod.deleted
        ]
        for finding in [*chosen, *random.sample(others, min(len(others), MOST_EVENTS))]:
            try:
                self.api.request(
                    "POST",
                    "api",
                    "v1",
                    "namespaces",
                    finding.pod.namespace,
                    "events",
                    body=event(finding, self.api.now, self.scope.record),
                )
            except ApiError as error:
                if error.status != http.HTTPStatus.CONFLICT:
                    self.failures.append(str(error))

    def lines(self) -> Iterator[str]:
        """One line for each pod that lacks interfaces, and one for the pass."""
        for finding in self.findings[:MOST_LINES]:
            yield finding.line
        if len(self.findings) > MOST_LINES:
            yield f"and {len(self.findings) - MOST_LINES} more"
        counts = Counter(f.outcome for f in self.findings)
        yield "pods without their interfaces: " + (", ".join(f"{n} {o}" for o, n in sorted(counts.items())) or "none")


def _in_turn(queues: list[list[Finding]]) -> Iterator[Finding]:
    """The first of each queue, then the second, until all are empty."""
    for i in range(max(map(len, queues), default=0)):
        yield from (queue[i] for queue in queues if i < len(queue))
