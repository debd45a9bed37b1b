"""What is asked of the cluster: pods, commands in them, and the evidence an engineer would want when a check fails."""

import asyncio
import re
from typing import Any, cast

import kr8s
from kr8s.asyncio.objects import Pod

from render.multus import NAMESPACE as MULTUS_NAMESPACE
from render.workload import LABEL, NETWORK_STATUS
from verification.checks import Answer, SeenPod
from verification.expectation import ExpectedWorkload
from verification.interface import parse_interface

COMMAND_SECONDS = 30
_DNS_NAME = "kubernetes.default.svc"


class Cluster:
    """One cluster, by its kubeconfig."""

    def __init__(self, api: Any) -> None:  # noqa: ANN401 - kr8s.asyncio.Api is built by a factory without a public type
        self._api = api

    @classmethod
    async def connect(cls, kubeconfig: dict[str, Any]) -> "Cluster":
        """Connects. Raises kr8s' errors and httpx' where the API server does not answer."""
        # A dictionary is taken too; the annotation knows of file names only.
        return cls(await kr8s.asyncio.api(kubeconfig=cast(str, kubeconfig)))

    async def pods_of(self, workload: ExpectedWorkload) -> list[Pod]:
        """The workload's pods that are not on their way out."""
        selector = {LABEL: workload.name}
        pods = [p async for p in self._api.get("pods", namespace=workload.namespace, label_selector=selector)]
        return [
            p
            for p in pods
            if "deletionTimestamp" not in p.raw["metadata"] and p.raw["status"].get("phase") == "Running"
        ]

    async def look_at(self, workload: ExpectedWorkload, pod: Pod) -> SeenPod:
        """Everything that the checks need to know of one pod."""
        names = [i.interface for i in workload.interfaces]
        interfaces = await asyncio.gather(*(self._interface(pod, name) for name in names))
        gateways = [(i.interface, r.gateway) for i in workload.interfaces for r in i.ranges if r.gateway]
        pings = await asyncio.gather(*(run(pod, _ping(name, gateway)) for name, gateway in gateways))
        return SeenPod(
            workload=workload.name,
            name=pod.name,
            node=pod.raw["spec"].get("nodeName", ""),
            network_status=pod.raw["metadata"].get("annotations", {}).get(NETWORK_STATUS, ""),
            interfaces=dict(zip(names, interfaces, strict=True)),
            pings=dict(zip(gateways, pings, strict=True)),
            dns=await self._dns(pod),
        )

    async def _interface(self, pod: Pod, name: str) -> Any:  # noqa: ANN401 - Interface or None, as parse_interface says
        answer = await run(pod, ["ip", "-j", "addr", "show", "dev", name])
        if answer.status != 0 or not answer.text.lstrip().startswith("["):
            answer = await run(pod, ["ip", "addr", "show", "dev", name])
        return parse_interface(answer.text) if answer.status == 0 else None

    async def _dns(self, pod: Pod) -> Answer:
        """The address of the API server's service, by the cluster's DNS."""
        search = await run(pod, ["cat", "/etc/resolv.conf"])
        domain = re.search(r"^search .*\bsvc\.(\S+)", search.text, re.MULTILINE)
        name = f"{_DNS_NAME}.{domain[1]}" if domain else _DNS_NAME
        answer = await run(pod, ["nslookup", name])
        if answer.status == 127 or "not found" in answer.text.splitlines()[:1]:
            answer = await run(pod, ["getent", "hosts", name])
        addresses = re.findall(r"^Address(?: \d+)?:\s+(\S+)$", answer.text, re.MULTILINE)
        return Answer(answer.status, f"{name} is {addresses[-1]}" if answer.status == 0 and addresses else answer.text)

    async def evidence(self, workload: ExpectedWorkload) -> str:
        """Events of the workload's pods, and what Multus says of them on their nodes."""
        selector = {LABEL: workload.name}
        pods = [p async for p in self._api.get("pods", namespace=workload.namespace, label_selector=selector)]
        parts = []
        for pod in pods:
            events = [
                e
                async for e in self._api.get(
                    "events", namespace=workload.namespace, field_selector={"involvedObject.name": pod.name}
                )
            ]
            lines = [f"  {e.raw.get('type')} {e.raw.get('reason')}: {e.raw.get('message')}" for e in events[-10:]]
            parts.append(f"events of pod {pod.name}:\n" + ("\n".join(lines) or "  none"))
            node = pod.raw["spec"].get("nodeName")
            if node:
                parts.append(await self._multus_log(node, pod.name))
        return "\n".join(parts) or f"workload {workload.name} has no pods"

    async def _multus_log(self, node: str, pod: str) -> str:
        daemons = [
            p
            async for p in self._api.get(
                "pods",
                namespace=MULTUS_NAMESPACE,
                label_selector={"name": "multus"},
                field_selector={"spec.nodeName": node},
            )
        ]
        if not daemons:
            return f"node {node} has no Multus daemon"
        lines = [line async for line in daemons[0].logs(tail_lines=200)]
        mine = [f"  {line[:400]}" for line in lines if pod in line] or [f"  {line[:400]}" for line in lines]
        return f"Multus on {node}:\n" + "\n".join(mine[-12:])


async def run(pod: Pod, command: list[str]) -> Answer:
    """A command in a pod's first container; status 127 where the image has no such program or the exec itself fails."""
    try:
        done = await asyncio.wait_for(pod.exec(command, check=False), COMMAND_SECONDS)
    except (kr8s.ExecError, kr8s.APITimeoutError, kr8s.ServerError, TimeoutError) as error:
        return Answer(127, f"{command[0]}: {error}")
    return Answer(int(done.returncode), (done.stdout + done.stderr).decode(errors="replace"))


def _ping(interface: str, gateway: str) -> list[str]:
    return ["ping", "-c", "3", "-W", "2", "-I", interface, gateway]
