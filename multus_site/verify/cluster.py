"""What is asked of the cluster: pods, looks into nodes and pods, and the evidence an engineer would want when a check fails."""

import asyncio
import base64
import contextlib
import json
import sys
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import httpx
import kr8s
from httpx_ws import HTTPXWSException, WebSocketUpgradeError
from kr8s.asyncio.objects import Pod, new_class
from pydantic import ValidationError

from multus_site.render.attachment import API_VERSION, KIND
from multus_site.render.multus import LABELS as MULTUS_LABELS
from multus_site.render.multus import NAMESPACE as MULTUS_NAMESPACE
from multus_site.ssh.answers import AnswerError, first_line, last_object
from multus_site.verify.connection import connected
from multus_site.verify.expectation import Expectation, ExpectedNode
from multus_site.verify.network_status import StatusError, annotation, network_status
from multus_site.verify.observed import Inside, NodeSeen, PodSeen
from multus_site.verify.reach import Targets, targets

LOOK_SECONDS = 90
"""For one node with all of its pods."""

LOG_SECONDS = 15
"""For a log, which the API server asks of a kubelet that may be gone."""

EXEC_ERRORS = (
    kr8s.ExecError,
    kr8s.APITimeoutError,
    kr8s.ServerError,
    kr8s.NotFoundError,
    httpx.HTTPError,
    HTTPXWSException,
    TimeoutError,
)
"""All that a command in a pod can end with when its node, its kubelet or the pod itself is gone."""

DNS_NAME = "kubernetes.default"

_FOLDER = Path(__file__).parents[2]
"""Where modules are found by their dotted names."""
# The scripts come as an argument: the API's exec has no way to end standard input in the protocol that kr8s speaks.
_LOADER = (
    "import sys,json,zlib,base64,types\n"
    "for name, text in json.loads(zlib.decompress(base64.b64decode(sys.argv[1]))):\n"
    "    module = sys.modules[name] = types.ModuleType(name)\n"
    "    exec(text, module.__dict__)\n"
    "module.main(json.loads(sys.argv[2]))"
)


_Attachment = new_class(KIND, API_VERSION, namespaced=True, plural="network-attachment-definitions")


class AnyPod(Pod):
    """A pod that is asked whether it is ready or not: kr8s would wait for a daemon that has lost its configuration."""

    async def async_ready(self) -> bool:
        """Never waits."""
        return True


class Cluster:
    """One cluster, by its kubeconfig."""

    def __init__(self, api: Any) -> None:  # noqa: ANN401 - kr8s.asyncio.Api is built by a factory without a public type
        self._api = api

    @property
    def api(self) -> Any:  # noqa: ANN401 - as above
        """kr8s' own."""
        return self._api

    @classmethod
    async def connect(cls, kubeconfig: dict[str, Any]) -> "Cluster":
        """Connects. Raises kr8s' errors and httpx' where the API server does not answer."""
        return cls(await connected(kubeconfig))

    async def look(self, expected: Expectation, *, evidence: bool = False) -> tuple[dict[str, NodeSeen], list[PodSeen]]:
        """Everything that the checks need to know; one look a node, all nodes at once."""
        pods = [
            p
            for found in await asyncio.gather(
                *(self._pods(w.name, w.namespace, w.selector) for w in expected.workloads)
            )
            for p in found
        ]
        daemons = await self.daemons()
        where = {f"{workload}/{p.name}": str(p.raw["spec"].get("nodeName", "")) for workload, p in pods}
        asked = targets(expected, addresses_asked_for(pods), where)
        looks = await asyncio.gather(
            *(
                self._node(
                    node,
                    daemons.get(node.name),
                    [(w, p) for w, p in pods if where[f"{w}/{p.name}"] == node.name],
                    asked,
                    evidence,
                )
                for node in expected.nodes
            )
        )
        nodes = {node.name: seen for node, (seen, _) in zip(expected.nodes, looks, strict=True)}
        inside = {uid: pod for _, found in looks for uid, pod in found.items()}
        return nodes, [
            PodSeen(
                workload=workload,
                name=p.name,
                node=where[f"{workload}/{p.name}"],
                uid=p.raw["metadata"]["uid"],
                network_status=annotation(p.raw),
                inside=inside.get(p.raw["metadata"]["uid"], Inside(error="its node is none of the site's")),
            )
            for workload, p in pods
        ]

    async def attachments(self, namespaces: Iterable[str]) -> dict[str, str]:
        """Namespace and name of the NetworkAttachmentDefinitions that are there → their configuration."""
        found = {}
        for namespace in namespaces:
            with contextlib.suppress(kr8s.ServerError, kr8s.NotFoundError):
                async for nad in self._api.get(_Attachment, namespace=namespace):
                    found[f"{namespace}/{nad.name}"] = str(nad.raw.get("spec", {}).get("config", ""))
        return found

    async def daemons(self) -> dict[str, Pod]:
        """The Multus daemon's running pod of each node."""
        found = self._api.get("pods", namespace=MULTUS_NAMESPACE, label_selector={"name": MULTUS_LABELS["name"]})
        return {
            p.raw["spec"].get("nodeName", ""): p
            async for p in found
            if p.raw["status"].get("phase") == "Running" and "deletionTimestamp" not in p.raw["metadata"]
        }

    async def _pods(self, workload: str, namespace: str, selector: dict[str, str]) -> list[tuple[str, Pod]]:
        """The workload's pods that run and are not on their way out."""
        found = self._api.get("pods", namespace=namespace, label_selector=selector)
        return [
            (workload, p)
            async for p in found
            if "deletionTimestamp" not in p.raw["metadata"] and p.raw["status"].get("phase") == "Running"
        ]

    async def _node(
        self,
        node: ExpectedNode,
        daemon: Pod | None,
        pods: Sequence[tuple[str, Pod]],
        asked: dict[tuple[str, str], Targets],
        evidence: bool,
    ) -> tuple[NodeSeen, dict[str, Inside]]:
        """One node and its pods, by the eyes of its Multus daemon: that may see the host and every pod's network."""
        if daemon is None:
            blind = Inside(error=f"{node.name} has no running Multus daemon to look through")
            return NodeSeen(), {p.raw["metadata"]["uid"]: blind for _, p in pods}
        task = {
            "binaries": sorted(node.plugins),
            "uplinks": sorted(node.uplinks),
            "name": DNS_NAME,
            "evidence": evidence,
            "pods": [
                {
                    "uid": p.raw["metadata"]["uid"],
                    "interfaces": [
                        {"name": interface, "gateways": t.gateways, "peers": t.peers, "strangers": t.strangers}
                        for (pod, interface), t in asked.items()
                        if pod == f"{workload}/{p.name}"
                    ],
                }
                for workload, p in pods
            ],
        }
        ready = any(
            c.get("type") == "Ready" and c.get("status") == "True" for c in daemon.raw["status"].get("conditions", [])
        )
        uids = [p.raw["metadata"]["uid"] for _, p in pods]
        try:
            seen, inside = look_of(node.name, await self.on_node(daemon, task, "multus_site.verify.probe"), uids)
        except LookError as error:
            seen, inside = _blind(node.name, str(error), uids)
        return seen.model_copy(update={"daemon": daemon.name, "daemon_ready": ready}), inside

    async def on_node(self, daemon: Pod, task: dict[str, Any], *scripts: str) -> str:
        """What a script prints on a node, given a task. `scripts`: modules, each with those before it. Raises LookError."""
        command = [
            "chroot",
            "/hostroot",
            "python3",
            "-c",
            _LOADER,
            _packed(scripts),
            json.dumps(task, separators=(",", ":")),
        ]
        pod = await AnyPod(daemon.raw, api=self._api)
        try:
            done = await asyncio.wait_for(pod.exec(command, check=False), LOOK_SECONDS)
        except WebSocketUpgradeError as error:
            # What stood in the answer's body is gone by now.
            msg = (
                f"the API server cannot reach its kubelet ({error.response.status_code} {error.response.reason_phrase})"
            )
            raise LookError(msg) from None
        except EXEC_ERRORS as error:
            raise LookError(str(error) or f"no answer within {LOOK_SECONDS} s") from None
        if done.returncode:
            last = (done.stderr.decode(errors="replace").strip().splitlines() or ["no output"])[-1]
            raise LookError(last)
        return str(done.stdout.decode(errors="replace"))

    async def held(self) -> set[str]:
        """Addresses that pods of any namespace hold on networks of Multus."""
        found: set[str] = set()
        async for pod in self._api.get("pods", namespace=kr8s.ALL):
            try:
                found |= {address for entry in network_status(annotation(pod.raw)) for address in entry.addresses}
            except StatusError as error:
                print(f"{pod.namespace}/{pod.name}: {error}", file=sys.stderr)
        return found

    async def inventory(self) -> dict[str, dict[str, Any]]:
        """Node → its versions as the kubelet tells them, and the digest of each image that runs there."""
        found: dict[str, dict[str, Any]] = {}
        wanted = ("osImage", "kernelVersion", "kubeletVersion", "containerRuntimeVersion")
        async for node in self._api.get("nodes"):
            info = node.raw["status"].get("nodeInfo", {})
            found[node.name] = {"versions": {key: str(info.get(key, "")) for key in wanted}, "images": {}}
        async for pod in self._api.get("pods", namespace=kr8s.ALL):
            there = found.get(pod.raw["spec"].get("nodeName", ""), {"images": {}})
            for status in pod.raw["status"].get("containerStatuses", []):
                if digest := str(status.get("imageID", "")).rpartition("@")[2]:
                    there["images"][status["image"]] = digest
        return found

    async def events(self, namespace: str, selector: dict[str, str]) -> dict[str, tuple[str, list[str]]]:
        """Pod → its node and its last events; of pods that do not run too."""
        found: dict[str, tuple[str, list[str]]] = {}
        async for pod in self._api.get("pods", namespace=namespace, label_selector=selector):
            selected = self._api.get("events", namespace=namespace, field_selector={"involvedObject.name": pod.name})
            events = [e.raw async for e in selected]
            lines = [f"{e.get('type')} {e.get('reason')}: {e.get('message')}" for e in events[-10:]]
            found[pod.name] = (
                pod.raw["spec"].get("nodeName", ""),
                [*lines, f"network-status: {annotation(pod.raw) or 'none'}"],
            )
        return found

    async def multus_log(self, daemon: Pod, pods: Iterable[str]) -> list[str]:
        """What the daemon said last, of these pods if it said anything of them."""
        lines: list[str] = []
        with contextlib.suppress(*EXEC_ERRORS):
            async with asyncio.timeout(LOG_SECONDS):
                lines = [line[:400] async for line in daemon.logs(tail_lines=200)]
        mine = [line for line in lines if any(pod in line for pod in pods)]
        return (mine or lines)[-12:]


class LookError(Exception):
    """A node that cannot be looked at; the text says why."""


def _packed(scripts: Sequence[str]) -> str:
    """Modules of ours for a machine that has none of them."""
    above = (script.split(".")[:depth] for script in scripts for depth in range(1, script.count(".") + 1))
    packages = [(name, "") for name in dict.fromkeys(map(".".join, above))]
    texts = [(script, (_FOLDER / f"{script.replace('.', '/')}.py").read_text(encoding="utf-8")) for script in scripts]
    return base64.b64encode(zlib.compress(json.dumps([*packages, *texts]).encode(), 9)).decode()


def addresses_asked_for(pods: Iterable[tuple[str, Pod]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """(workload/pod, interface) → the addresses that others ask for, from network-status. The pods themselves show which they hold.

    A pod with a malformed annotation fails its own check, and is asked for by nobody.
    """
    found = {}
    for workload, pod in pods:
        with contextlib.suppress(StatusError):
            for entry in network_status(annotation(pod.raw)):
                found[f"{workload}/{pod.name}", entry.interface] = entry.addresses
    return found


def look_of(node: str, said: str, uids: Sequence[str]) -> tuple[NodeSeen, dict[str, Inside]]:
    """What the probe printed on a node: the node, and its pods by uid. What cannot be read is an `error` of the node or of that pod."""
    try:
        answer = last_object(said, "the probe")
        seen = NodeSeen.model_validate(answer["node"])
        pods = {**answer["pods"]}
    except (ValueError, KeyError, TypeError) as error:
        why = str(error) if isinstance(error, AnswerError) else f"the probe printed {first_line(said)}: {_short(error)}"
        return _blind(node, why, uids)
    return seen, {uid: _inside(node, pods.get(uid)) for uid in uids}


def _inside(node: str, found: object) -> Inside:
    try:
        return Inside.model_validate(found)
    except ValidationError as error:
        return Inside(
            error=f"the probe's answer on {node} is malformed: {_short(error)}; it begins: {first_line(str(found))}"
        )


def _short(error: Exception) -> str:
    """What a malformed answer lacks, in one line."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'all of it'}: {first['msg']}"
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _blind(node: str, why: str, uids: Iterable[str]) -> tuple[NodeSeen, dict[str, Inside]]:
    """A node that nothing is known of, and its pods."""
    error = f"{node} cannot be looked at: {why}"
    return NodeSeen(error=error), {uid: Inside(error=error) for uid in uids}
