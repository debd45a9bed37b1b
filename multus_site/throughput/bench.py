"""The two pairs of pods that measure: create, check, run, and always remove them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import kr8s
from kr8s.asyncio.objects import Namespace, Pod, new_class

from multus_site.cni.network_status import StatusError, annotation, network_status
from multus_site.model.daemons import Throughput
from multus_site.model.printable import first_line
from multus_site.render.attachment import API_VERSION, KIND
from multus_site.ssh.answers import AnswerError, last_object
from multus_site.throughput.figures import RefusedError
from multus_site.throughput.plan import NAMESPACE, NODE, Path, Plan
from multus_site.verify.cluster import Cluster
from multus_site.verify.on_node import EXEC_ERRORS, PROBE, LookError, run_on_node

READY_SECONDS = 120
GONE_SECONDS = 120
LATENCY_SECONDS = 0.5
LATENCY_PORT = 52100
_Attachment = new_class(KIND, API_VERSION, namespaced=True, plural="network-attachment-definitions")


class Bench:
    """The pods of one measurement, by name."""

    def __init__(self, cluster: Cluster, measured: Plan, settings: Throughput, pods: dict[str, Pod]) -> None:
        self._cluster, self._plan, self._settings = cluster, measured, settings
        self._pods = pods

    def ends(self, path: Path) -> tuple[Pod, Pod]:
        """Return the pods of a path: client and server."""
        kind = "node-" if path.network == NODE else ""
        return self._pods[f"{kind}client"], self._pods[f"{kind}server"]

    def addressed(self, path: Path) -> Path:
        """Return the path with its addresses. Raises RefusedError if a pod lacks its address."""
        client, server = self.ends(path)
        if path.network == NODE:
            return path
        if not path.prefix:
            address = {pod.name: str(pod.raw["status"]["podIP"]) for pod in (client, server)}
            return replace(path, client=address[client.name], server=address[server.name])
        for pod, given in ((client, path.client), (server, path.server)):
            node = pod.raw["spec"]["nodeName"]
            try:
                entries = network_status(annotation(pod.raw))
            except StatusError as error:
                msg = f"{path.network}: pod {pod.name} on {node}: {error}"
                raise RefusedError(msg) from None
            held = [address for e in entries if e.interface == path.interface for address in e.addresses]
            if given not in held:
                msg = f"{path.network}: {path.interface} of the pod on {node} has {', '.join(held) or 'no address'}; expected: {given}"
                raise RefusedError(msg)
        return path

    async def send(self, path: Path, protocol: str, streams: int, *, reverse: bool) -> str:
        """Run iperf3 once and return its output. Raises RefusedError if the traffic takes another interface."""
        client, _ = self.ends(path)
        seconds = self._settings.seconds
        limit = self._settings.gbits_per_second or (1.0 if protocol == "udp" else None)
        rate = f"-b {limit / streams * 1000:.3f}M" if limit else ""
        kind = {"tcp": "", "udp": "-u"}[protocol]
        device = path.interface
        bound = f"--bind-dev {device}" if device else ""
        counter = f"/sys/class/net/{device}/statistics/{'rx' if reverse else 'tx'}_bytes"
        count = f"cat {counter}" if device else "echo 0"
        script = (
            f"ip -j route get {path.server} from {path.client} | tr -d '\\n'; echo; {count}; "
            f"iperf3 -J -c {path.server} -B {path.client} {bound} -p {path.port} -t {seconds} -P {streams} {kind} {rate} "
            f"--connect-timeout 3000 {'-R' if reverse else ''} | tr -d '\\n'; echo; {count}"
        )
        try:
            done = await asyncio.wait_for(client.exec(["sh", "-c", script], check=False), seconds + 20)
        except EXEC_ERRORS as error:
            msg = f"{path.network}: cannot run iperf3: {error or 'no answer'}"
            raise RefusedError(msg) from None
        lines = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
        if len(lines) != 4:
            last = (done.stderr.decode(errors="replace").strip().splitlines() or lines or ["no output"])[-1]
            msg = f"{path.network}: {last}"
            raise RefusedError(msg)
        if device:
            refuse_other_ways(path, lines)
        return lines[2]

    async def link(self, path: Path) -> tuple[float, int] | None:
        """Return speed in Gbit/s and MTU of the client node's NIC; None for a virtual device, which has no speed."""
        asked = f"$(ip -o route get {self._pods['node-server'].raw['status']['hostIP']} | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p')"
        nic = path.uplink or asked
        script = f"n={nic}; cd /sys/class/net/${{n%%.*}} && test -e device && cat speed mtu"
        try:
            done = await self._pods["node-client"].exec(["sh", "-c", script], check=False)
        except EXEC_ERRORS:
            return None
        numbers = done.stdout.decode(errors="replace").split()
        # A link that is down has the speed -1.
        if done.returncode or len(numbers) != 2 or not all(map(str.isdecimal, numbers)) or numbers[0] == "0":
            return None
        return int(numbers[0]) / 1000, int(numbers[1])

    async def latency(self, path: Path, *, reverse: bool) -> float | None:
        """Return the round trip in microseconds between the two pods of a path; None without a response."""
        asking, answering = reversed(self.ends(path)) if reverse else self.ends(path)
        own, other = (path.server, path.client) if reverse else (path.client, path.server)
        port = LATENCY_PORT + path.port % 50 * 2 + reverse
        common = {"device": path.interface, "port": port}
        serve = self._script(answering, {**common, "role": "serve", "own": other, "seconds": 10})
        ask = self._script(
            asking, {**common, "role": "ask", "own": own, "other": other, "seconds": LATENCY_SECONDS}, wait=1.0
        )
        found = (await asyncio.gather(serve, ask))[1]
        return found.get("microseconds")

    async def _script(self, pod: Pod, task: dict[str, Any], wait: float = 0) -> dict[str, Any]:
        """Run multus_site/throughput/latency.py in a pod's network."""
        await asyncio.sleep(wait)
        daemon = (await self._cluster.daemons()).get(pod.raw["spec"]["nodeName"])
        if daemon is None:
            return {}
        scripts = (*PROBE, "multus_site.throughput.latency")
        try:
            text = await run_on_node(self._cluster.api, daemon, {**task, "uid": pod.raw["metadata"]["uid"]}, *scripts)
            return last_object(text, "the latency probe")
        except (LookError, AnswerError):
            return {}


def refuse_other_ways(path: Path, lines: Sequence[str]) -> None:
    """Raise RefusedError unless route and counters show that the traffic used the path's interface.

    `lines`: output of `ip -j route get`, the interface's counter of bytes before, iperf3's result, the counter after.
    """
    try:
        way = json.loads(lines[0])[0].get("dev", "")
    except (ValueError, LookupError, TypeError, AttributeError):
        way = lines[0]
    if way != path.interface:
        msg = f"{path.network}: the traffic would leave by {way}, not by {path.interface}"
        raise RefusedError(msg)
    try:
        moved = int(lines[3]) - int(lines[1])
        end = json.loads(lines[2]).get("end", {})
        total = end.get("sum_received") or end.get("sum") or {}
        # For UDP iperf3 counts what was sent, including lost packets.
        sent = int(total.get("bytes", 0) * (1 - float(total.get("lost_percent", 0)) / 100))
    except (ValueError, TypeError, AttributeError):
        output = ", ".join(map(first_line, lines[1:]))
        msg = f"{path.network}: expected a byte counter, iperf3's result and the counter again; found: {output}"
        raise RefusedError(msg) from None
    if sent and moved < sent:
        msg = f"{path.network}: iperf3 measured {sent} bytes, but only {moved} passed {path.interface}"
        raise RefusedError(msg)


@contextlib.asynccontextmanager
async def bench(
    measured: Plan, manifests: list[dict[str, Any]], cluster: Cluster, settings: Throughput
) -> AsyncIterator[Bench]:
    """Create the pods and wait until they are ready; remove them and their namespace afterwards."""
    api = cluster.api
    await _remove(api)
    try:
        await (await Namespace({"metadata": {"name": NAMESPACE}}, api=api)).create()
        for attachment in measured.attachments:
            await (await _Attachment(attachment, api=api)).create()
        await _service_account(api)
        pods = {}
        for manifest in manifests:
            pod = await Pod(manifest, api=api)
            await pod.create()
            pods[pod.name] = pod
        await asyncio.gather(*(_ready(pod) for pod in pods.values()))
        yield Bench(cluster, measured, settings, pods)
    finally:
        await _remove(api)


async def _service_account(api: Any) -> None:  # noqa: ANN401 - kr8s' Api has no public type
    """Wait for the namespace's service account, without which the API server rejects pods."""
    for _ in range(READY_SECONDS * 5):
        if [a async for a in api.get("serviceaccounts", namespace=NAMESPACE) if a.name == "default"]:
            return
        await asyncio.sleep(0.2)


async def _ready(pod: Pod) -> None:
    try:
        await asyncio.wait_for(pod.wait("condition=Ready"), READY_SECONDS)
    except TimeoutError:
        why = [c.get("message", "") for c in pod.raw["status"].get("conditions", []) if c.get("status") != "True"]
        msg = f"the pod {pod.name} on {pod.raw['spec']['nodeName']} was not ready after {READY_SECONDS} s: {'; '.join(filter(None, why))}"
        raise RefusedError(msg) from None
    await pod.refresh()


async def _remove(api: Any) -> None:  # noqa: ANN401 - kr8s' Api has no public type
    """Remove the pods first, because CNI DEL needs their attachments."""
    with contextlib.suppress(kr8s.NotFoundError, kr8s.ServerError):
        found = [p async for p in api.get("pods", namespace=NAMESPACE)]
        for pod in found:
            await pod.delete(grace_period=0)
        for _ in range(GONE_SECONDS * 5):
            if not [p async for p in api.get("pods", namespace=NAMESPACE)]:
                break
            await asyncio.sleep(0.2)
    with contextlib.suppress(kr8s.NotFoundError, kr8s.ServerError):
        namespace = await Namespace.get(NAMESPACE, api=api)
        await namespace.delete()
        for _ in range(GONE_SECONDS * 5):
            if not await namespace.exists():
                return
            await asyncio.sleep(0.2)
