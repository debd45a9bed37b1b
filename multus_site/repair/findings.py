"""Pods that lack interfaces, and what a pass tells about them: lines of its log, and Events."""

import hashlib
import time
from dataclasses import dataclass

from multus_site.cni.network_status import StatusError
from multus_site.cni.selections import Selection
from multus_site.model.printable import short
from multus_site.repair.pods import Object, Pod, UnreadableError, lack, selections


@dataclass
class Finding:
    """A pod that lacks interfaces, or cannot be judged: why, what the pass did (metrics.OUTCOMES), and that in words."""

    pod: Pod
    why: str
    asked: list[Selection]
    outcome: str = ""
    words: str = ""

    def set(self, outcome: str, words: str) -> None:
        """What the pass did."""
        self.outcome, self.words = outcome, words

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.why}; {self.words}"

    @property
    def line(self) -> str:
        """For the log."""
        return short(f"{self.pod.full_name} on {self.pod.node}: {self.text}", 500)


def judged(pod: Pod) -> Finding | None:
    """What is wrong with a running pod, None if nothing is."""
    asked: list[Selection] = []
    try:
        asked = selections(pod)
        why = lack(pod, asked)
    except UnreadableError as error:
        why = str(error)
    except StatusError as error:
        why, asked = str(error), []
    return Finding(pod, why, asked) if why else None


def event(finding: Finding, now: int, component: str) -> Object:
    """The event of a pod and an outcome: always with the same name, so that the API server keeps one for each."""
    pod = finding.pod
    key = hashlib.sha256(f"{pod.uid} {finding.outcome}".encode()).hexdigest()[:16]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    about = {"apiVersion": "v1", "kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{pod.name[:200]}.{key}", "namespace": pod.namespace},
        "involvedObject": about,
        "type": "Warning",
        "reason": "InterfacesMissing",
        "message": short(finding.text, 1000),
        "source": {"component": component},
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }
