"""How plan time, resources and state grow with the site: 3, 30 and 300 nodes. `make bench` runs it.

Prints a row a size: seconds to read and check the site, to render its inventory, attachments and scripts, to plan Kubespray's
runs for one more node, to build its graph; resources and memory; and each as a ratio to the row before. Sizes grow tenfold: a
ratio near 10 is linear growth. What puts plugins on so many nodes takes is measured in tests/bench/distribution.py.
"""

import json
import resource
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

SIZES = (3, 30, 300)
MEASURED = ("check", "render", "plan", "graph", "resources", "megabytes")


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
    from multus_site.lint import check_site
    from multus_site.model.load import parse_site
    from tests.graph.recording import record

    data = site(nodes)
    begun = time.perf_counter()
    parsed = parse_site(data, source="bench")
    check_site(parsed, file="bench")
    checked = time.perf_counter()
    rendered = everything(parsed)
    done = time.perf_counter()
    playbooks = one_more(rendered)
    planned = time.perf_counter()
    assert [run.playbook for run in playbooks] == ["playbooks/facts.yml", "scale.yml"], playbooks
    graph = record(data)
    built = time.perf_counter()
    return {
        "nodes": nodes,
        "check": checked - begun,
        "render": done - checked,
        "plan": planned - done,
        "graph": built - planned,
        "resources": len(graph),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def everything(parsed):
    """All that a site is rendered to, as Kubespray's runner is asked for it."""
    from multus_site.kubespray.document import Document
    from multus_site.render import cni_plugins, inventory
    from multus_site.render.attachment import nad_manifest
    from multus_site.render.script import script
    from multus_site.ssh.ssh_route import Login, SshRoute
    from tests.graph.recording import CATALOG

    hosts = {name: inventory.host_variables(parsed, name, host) for name, host in parsed.nodes.hosts.items()}
    for name, network in parsed.networks.items():
        nad_manifest(name, network)
    script("cni-plugins", {"PLUGINS": cni_plugins.lines(cni_plugins.origins(parsed, CATALOG, "amd64"), {})})
    return Document(
        site=parsed.name,
        version=parsed.kubespray.version,
        hosts=hosts,
        groups={group: tuple(names) for group, names in inventory.groups(parsed).items()},
        variables=inventory.variables(parsed, parsed.kubespray.all_variables()),
        identities={name: f"machine {name}" for name in hosts},
        route=SshRoute(Login("root", "KEY")),
        known_hosts="".join(f"{host['ansible_host']} ssh-ed25519 KEY\n" for host in hosts.values()),
    )


def one_more(document):
    """Kubespray's runs once the last node has joined the others."""
    from dataclasses import replace

    from multus_site.kubespray.plan import as_applied, plan

    last = list(document.hosts)[-1]
    before = replace(
        document,
        hosts={name: its for name, its in document.hosts.items() if name != last},
        groups={group: tuple(n for n in names if n != last) for group, names in document.groups.items()},
        identities={name: its for name, its in document.identities.items() if name != last},
    )
    return plan(as_applied(before, None), document)


def main():
    """Measures all sizes and prints the table."""
    table = Table(title="Growth with the number of nodes (ratio to the row before)")
    for column in ("nodes", "check, s", "render, s", "plan, s", "graph, s", "resources", "memory, MB"):
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
        cells = [f"{seen[k]:.3f}" if k in {"check", "render", "plan", "graph"} else f"{seen[k]:.0f}" for k in MEASURED]
        if before:
            cells = [f"{cell}  ×{seen[k] / before[k]:.1f}" for cell, k in zip(cells, MEASURED, strict=True)]
        table.add_row(str(nodes), *cells)
        before = seen
    Console(width=None if sys.stdout.isatty() else 110).print(table)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        main()
