"""How plan time, resources and state grow with the site: 3, 30 and 300 nodes. `make bench` runs it.

Prints a row a size: seconds to read and check the site, seconds to build its graph, resources, and each as a ratio to the
row before. Sizes grow tenfold: a ratio near 10 is linear growth.
"""

import json
import resource
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

SIZES = (3, 30, 300)


def site(nodes):
    """A site of so many nodes, ten networks, and a workload a network."""
    from tests.graph.recording import lab_site

    hosts = {f"node{i}": {"address": f"10.1.{1 + i // 200}.{5 + i % 200}"} for i in range(1, nodes + 1)}
    hosts["node1"] |= {"roles": ["control-plane", "etcd", "worker"]}
    networks = {
        f"net-{n}": {
            "type": "macvlan",
            "master": "ens6",
            "ipam": {
                "type": "host-local",
                "ranges": [{"subnet": f"10.{40 + n}.0.0/24", "gateway": f"10.{40 + n}.0.1"}],
            },
        }
        for n in range(10)
    }
    image = "docker.io/library/busybox:1.36"
    workloads = {
        f"pod-{n}": {"image": image, "networks": [f"net-{n}"], "nodes": [f"node{1 + n % nodes}"]} for n in range(10)
    }
    variables = {"kube_pods_subnet": "10.192.0.0/12"}  # Kubespray's own has room for 64 nodes
    data = lab_site(networks=networks, workloads=workloads, kubespray={"variables": variables})
    data["nodes"] = {**data["nodes"], "hosts": hosts}
    return data


def measure(nodes):
    """One size, in a process of its own: {"nodes", "check", "graph", "resources", "megabytes"}."""
    from model.load import parse_site
    from rules import check_site
    from tests.graph.recording import record

    data = site(nodes)
    begun = time.perf_counter()
    check_site(parse_site(data, source="bench"), file="bench")
    checked = time.perf_counter()
    graph = record(data)
    built = time.perf_counter()
    return {
        "nodes": nodes,
        "check": checked - begun,
        "graph": built - checked,
        "resources": len(graph),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main():
    """Measures all sizes and prints the table."""
    table = Table(title="Growth with the number of nodes (ratio to the row before)")
    for column in ("nodes", "check the site, s", "build the graph, s", "resources", "memory, MB"):
        table.add_column(column, justify="right")
    before = None
    for nodes in SIZES:
        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.bench.growth", str(nodes)],
            capture_output=True,
            text=True,
            check=True,
        )
        seen = json.loads(run.stdout.splitlines()[-1])
        cells = [
            f"{seen[k]:.2f}" if k in {"check", "graph"} else f"{seen[k]:.0f}"
            for k in ("check", "graph", "resources", "megabytes")
        ]
        if before:
            keys = ("check", "graph", "resources", "megabytes")
            cells = [f"{cell}  ×{seen[k] / before[k]:.1f}" for cell, k in zip(cells, keys, strict=True)]
        table.add_row(str(nodes), *cells)
        before = seen
    Console(width=None if sys.stdout.isatty() else 110).print(table)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        main()
