"""What a preview takes: 3, 30, 100 and 300 nodes, each with 20 networks. `make bench` runs it.

Prints a row a size: seconds, of the processor and by the clock, and the memory of `pulumi preview` with one node more than was
applied, of all its processes together at their peak; the same of a review; the state's size. Sizes are not tenfold: each row has
its ratio to the row before. The state is that of an `up` without nodes (tests/engine/pretending); the previews run with the
providers that there are, and reach nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

SIZES = (3, 30, 100, 300)
NETWORKS = 20
REQUIRED_NODES, REQUIRED_SECONDS, REQUIRED_BYTES = 100, 60, 5_000_000


def site(nodes):
    """A site of so many nodes and 20 networks, with a workload on each."""
    from tests.engine.applied import dallas

    data = dallas()
    host = {"hostKey": data["nodes"]["hosts"]["node2"]["hostKey"]}
    hosts = {f"node{i}": {**host, "address": f"198.18.{i // 200}.{1 + i % 200}"} for i in range(1, nodes + 1)}
    hosts["node1"]["roles"] = ["control-plane", "etcd", "worker"]
    networks, workloads = {}, {}
    for n in range(NETWORKS):
        ipam = {"type": "whereabouts", "range": f"10.{40 + n}.0.0/24", "gateway": f"10.{40 + n}.0.1"}
        networks[f"net-{n}"] = {"type": "macvlan", "master": "ens6", "ipam": ipam}
        workloads[f"pod-{n}"] = {"image": "docker.io/library/busybox:1.36", "replicas": 2, "networks": [f"net-{n}"]}
    kubespray = {"version": "v2.31.0", "networkPlugin": "calico", "podCidr": "10.192.0.0/12"}
    return {**data, "nodes": {**data["nodes"], "hosts": hosts}, "networks": networks, "workloads": workloads, "kubespray": kubespray}  # fmt: skip


class Peak:
    """Memory of a process and all below it, in megabytes, looked at ten times a second."""

    def __init__(self, pid):
        self.megabytes, self._pid, self._ends = 0.0, pid, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()

    def _watch(self):
        while not self._ends.wait(0.1):
            self.megabytes = max(self.megabytes, sum(map(_resident, _below(self._pid))) / 1e6)


def _below(pid):
    """A process and all that it started."""
    found, ahead = [], [pid]
    while ahead:
        one = ahead.pop()
        found.append(one)
        try:
            ahead += [int(child) for child in Path(f"/proc/{one}/task/{one}/children").read_text().split()]
        except OSError:
            continue
    return found


def _resident(pid):
    """Bytes; pages that several processes share are counted in each of them."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def timed(place, *command):
    """Seconds by the clock, seconds of the processor, megabytes."""
    from tests.engine.applied import without_network

    before, begun = os.times(), time.monotonic()
    with subprocess.Popen(
        [*without_network(), *command],
        cwd=place.folder / "project",
        env=place.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        with Peak(process.pid) as peak:
            said, _ = process.communicate()
        assert process.returncode == 0, said[-3000:]
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return time.monotonic() - begun, processor, peak.megabytes


def measure(nodes, folder):
    """One size."""
    from tests.engine.applied import applied

    place = applied(folder, site(nodes))
    size = (place.folder / "state" / ".pulumi" / "stacks" / "multus-site" / "dallas.json").stat().st_size
    place.write(site(nodes + 1))
    preview = timed(place, "pulumi", "preview", "--json", "--stack", "dallas", "--non-interactive")
    review = timed(place, sys.executable, "-m", "multus_site", "review", "dallas")
    return {"nodes": nodes, "preview": preview, "review": review, "state": size}


def main():
    """Measures the sizes that are named, or all, and prints the table; fails where what is required is not met."""
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    table = Table(title=f"Preview of one node more, {NETWORKS} networks (ratio to the row before)")
    for head in (
        "nodes",
        "preview, s",
        "processor, s",
        "memory, MB",
        "review, s",
        "processor, s",
        "memory, MB",
        "state, KB",
    ):
        table.add_column(head, justify="right")
    before, missed = None, []
    for nodes in sizes:
        with tempfile.TemporaryDirectory() as name:
            seen = measure(nodes, Path(name) / "place")
        figures = [*seen["preview"], *seen["review"], seen["state"] / 1000]
        cells = [f"{value:.1f}" if i in {0, 1, 3, 4} else f"{value:.0f}" for i, value in enumerate(figures)]
        if before:
            cells = [f"{cell}  ×{value / was:.1f}" for cell, value, was in zip(cells, figures, before, strict=True)]
        table.add_row(str(nodes), *cells)
        print(json.dumps(seen), file=sys.stderr)
        before = figures
        if nodes == REQUIRED_NODES and (seen["preview"][0] > REQUIRED_SECONDS or seen["state"] > REQUIRED_BYTES):
            missed.append(f"{nodes} nodes: {seen['preview'][0]:.0f} s and {seen['state']} bytes of state")
    Console(width=None if sys.stdout.isatty() else 130).print(table)
    for sentence in missed:
        print(f"required is less than {REQUIRED_SECONDS} s and {REQUIRED_BYTES} bytes; {sentence}")


if __name__ == "__main__":
    try:
        main()
    except pytest.skip.Exception as reason:
        print(f"preview: {reason}")
