"""How long whereabouts takes to give 200 addresses out under churn, and what it leaks: `make bench`.

The real plugin against a real API server with etcd, without a cluster around it: each ADD and DEL is a call as the kubelet's
runtime makes one for a pod, eight at a time, as eight nodes would. Prints a row a phase.
"""

import contextlib
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from multus_site.render.whereabouts import GROUP, PLURALS, TUNING, crd
from tests.contract import control_plane

PODS, ROUNDS, CHANGED, AT_ONCE = 200, 20, 20, 8
NAMESPACE = "kube-system"


def plugin():
    """The plugin that the lab has built; None if it has not."""
    cache = Path(os.environ.get("MULTUS_SITE_CACHE") or Path.home() / ".cache" / "multus-site")
    named = os.environ.get("WHEREABOUTS")
    found = [Path(named)] if named else sorted(cache.glob("built/whereabouts-*/whereabouts"))
    return found[-1] if found else None


class Pool:
    """One range, asked for by the plugin itself."""

    def __init__(self, cluster, program, folder, netns):
        self.cluster, self.program, self.netns = cluster, program, netns
        config = folder / "kubeconfig"
        text = cluster.kubeconfig.replace("    cluster: test\n", f"    cluster: test\n    namespace: {NAMESPACE}\n")
        config.write_text(text)
        flat = folder / "whereabouts.conf"
        flat.write_text(json.dumps({"datastore": "kubernetes", "kubernetes": {"kubeconfig": str(config)}, **TUNING}))
        ipam = {"type": "whereabouts", "range": "10.9.0.0/23", "configuration_path": str(flat), "log_level": "error"}
        self.config = json.dumps({"cniVersion": "1.1.0", "name": "n", "type": "macvlan", "ipam": ipam})

    def call(self, command, pod):
        """Seconds that a call took, and its answer."""
        variables = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": f"id-{pod}",
            "CNI_NETNS": self.netns,
            "CNI_IFNAME": "net1",
            "CNI_PATH": str(self.program.parent),
            "CNI_ARGS": f"IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod}",
        }
        begun = time.monotonic()
        done = subprocess.run(
            [str(self.program)], input=self.config, capture_output=True, text=True, env=variables, check=False
        )
        took = time.monotonic() - begun
        if done.returncode:
            return took, None
        return took, json.loads(done.stdout)["ips"][0]["address"] if command == "ADD" else ""

    def held(self):
        """Pods by offset, as the pools have them."""
        pools = self.cluster.get(f"/apis/{GROUP}/v1alpha1/namespaces/{NAMESPACE}/ippools")["items"]
        return [held["podref"] for pool in pools for held in pool["spec"]["allocations"].values()]


def main():
    """Prints the table; fails where an address is given out twice."""
    console, program = Console(), plugin()
    if program is None:
        console.print("addresses: there is no whereabouts plugin yet; type make lab, or name one with $WHEREABOUTS")
        return
    with tempfile.TemporaryDirectory() as name:
        try:
            # A plugin refuses to work on the network namespace that it runs in itself.
            with control_plane.running(Path(name)) as cluster, pod_namespace() as netns:
                run(console, Pool(cluster, program, Path(name), netns))
        except pytest.skip.Exception as reason:
            console.print(f"addresses: {reason}")


@contextlib.contextmanager
def pod_namespace():
    """The path of another network namespace, which nothing is done in."""
    holder = subprocess.Popen(["unshare", "--net", "sleep", "3600"])
    try:
        time.sleep(0.5)
        yield f"/proc/{holder.pid}/ns/net"
    finally:
        holder.kill()
        holder.wait()


def run(console, pool):
    """All phases, and the table."""
    for plural in PLURALS:
        kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
        pool.cluster.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {**kind, **crd(plural)})
    time.sleep(3)  # the API server answers 404, then 429, until it has the new kinds
    live, table = {}, Table(title=f"whereabouts: {PODS} addresses, {AT_ONCE} calls at once")
    for head in ("phase", "calls", "failed", "seconds", "median ms", "95 % ms"):
        table.add_column(head, justify="right" if head != "phase" else "left")
    chance = random.Random(6)  # noqa: S311 - the same pods go in each run

    def phase(title, calls):
        begun = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as hands:
            answers = list(hands.map(lambda c: (c, pool.call(*c)), calls))
        seconds = time.monotonic() - begun
        failed = 0
        for (command, pod), (_, answer) in answers:
            failed += answer is None
            if command == "ADD" and answer:
                live[pod] = answer
            elif command == "DEL" and answer is not None:
                live.pop(pod, None)
        twice = len(live) - len(set(live.values()))
        if twice:
            msg = f"{title}: {twice} addresses were given out twice"
            raise AssertionError(msg)
        times = sorted(took * 1000 for _, (took, _) in answers)
        row = (
            len(calls),
            failed,
            f"{seconds:.1f}",
            f"{statistics.median(times):.0f}",
            f"{times[int(len(times) * 0.95)]:.0f}",
        )
        table.add_row(title, *map(str, row))

    phase("first pods", [("ADD", f"pod-{i}") for i in range(PODS)])
    for number in range(ROUNDS):
        gone = [("DEL", pod) for pod in chance.sample(sorted(live), CHANGED)]
        come = [("ADD", f"pod-{PODS + number * CHANGED + i}") for i in range(CHANGED)]
        calls = gone + come
        chance.shuffle(calls)
        phase(f"round {number + 1}: {CHANGED} go, {CHANGED} come", calls)
    left = [ref for ref in pool.held() if ref.removeprefix("default/") not in live]
    console.print(table)
    console.print(
        f"{len(live)} live pods, no address twice; held for nobody: {len(left)}; live but not held: {len(live) - (len(pool.held()) - len(left))}"
    )


if __name__ == "__main__":
    main()
