"""What it takes to put a plugin on 3, 10, 30, 100 and 300 nodes: real pulumi, real sshd. `make bench` runs it.

Each node is an sshd on a loopback address of its own with an /opt/cni of its own (tests/fleet.py); all share this machine's cores,
as real nodes do not. A row a size: seconds of `pulumi up --parallel 64` on new nodes, of the same with another version, of one that
changes nothing; the processor's seconds for the first two, of pulumi and all that it starts, and of the nodes; size of the state;
largest process of pulumi and what it starts. Ratios are to the 10 nodes' row.
"""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

SIZES = (3, 10, 30, 100, 300)
PARALLEL = 64
COLUMNS = (
    "new nodes, s",
    "another version, s",
    "no change, s",
    "ours: new, CPU s",
    "ours: another, CPU s",
    "nodes: new, CPU s",
    "nodes: another, CPU s",
    "state, KB",
    "memory, MB",
)
TIMES = 7
"""How many of the columns are times."""
PROJECT = Path(__file__).parents[2]


def measure(nodes):
    """One size, in a process of its own: a value a column."""
    from tests import fleet
    from tests.contract.project import Project, graves
    from tests.contract.ssh_server import free_port
    from tests.contract.tools import search_path
    from tests.engine.plugins_program import program

    # The delivery is run as in a checkout: with its packages at hand.
    os.environ["PATH"] = os.pathsep.join([str(PROJECT / ".venv" / "bin"), search_path()])
    os.environ["PYTHONPATH"] = str(PROJECT)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("fleet", "project", "served"):
            (folder / name).mkdir()
        port = free_port()
        binaries = [served(folder / "served", mark, port) for mark in ("one", "two")]
        command = [
            sys.executable,
            "-m",
            "multus_site.mirror.serve",
            "files",
            str(folder / "served"),
            "127.0.0.1",
            str(port),
        ]
        server = subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.DEVNULL)
        try:
            with fleet.fleet(folder / "fleet", nodes) as running, graves():
                project = Project(folder / "project")
                seconds, processor, of_nodes = [], [], []
                for binary in (*binaries, binaries[1]):
                    begun, before, nodes_before = time.perf_counter(), _processor(), running.processor_seconds()
                    outcome = project.up(program(running, {"binaries": [binary]}), parallel=PARALLEL)
                    seconds.append(time.perf_counter() - begun)
                    processor.append(_processor() - before)
                    time.sleep(0.5)  # the last connections end
                    of_nodes.append(running.processor_seconds() - nodes_before)
                    assert outcome.ok, outcome.text
                for node in running.nodes.values():
                    assert hashlib.sha256((node.bin / "macvlan").read_bytes()).hexdigest() == binaries[1]["sha256"]
                state = len(project.state().encode()) / 1024
        finally:
            server.terminate()
            server.wait()
    return [
        *seconds,
        *processor[:2],
        *of_nodes[:2],
        state,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    ]


def _processor():
    """Seconds of the processor of all children that have ended: pulumi and what it started, not the nodes, which still run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def served(folder, mark, port):
    """A plugin of the size that they have: the lab's own macvlan, which more bytes behind it make another file."""
    from tests.contract.tools import cache

    built = sorted(cache().glob("built/cni-plugins-*/macvlan"))
    if not built:
        sys.exit(f"there is no plugin in {cache()}. Type: make lab")
    (folder / mark).write_bytes(built[0].read_bytes() + mark.encode())
    digest = hashlib.sha256((folder / mark).read_bytes()).hexdigest()
    return {"name": "macvlan", "url": f"http://127.0.0.1:{port}/{mark}", "sha256": digest}


def main():
    """Measures all sizes and prints the table."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        sys.exit("needs root, mount and UTS namespaces")
    table = Table(title=f"One plugin on many nodes, --parallel {PARALLEL} (ratio to 10 nodes)")
    for column in ("nodes", *COLUMNS):
        table.add_column(column, justify="right")
    rows = {}
    for nodes in SIZES:
        command = [sys.executable, "-W", "ignore", "-m", "tests.bench.distribution", str(nodes)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        rows[nodes] = json.loads(done.stdout.splitlines()[-1])
    for nodes, values in rows.items():
        ratios = [value / ten for value, ten in zip(values, rows[10], strict=True)]
        cells = [f"{value:.1f}" if i < TIMES else f"{value:.0f}" for i, value in enumerate(values)]
        table.add_row(str(nodes), *(f"{cell}  ×{ratio:.1f}" for cell, ratio in zip(cells, ratios, strict=True)))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        main()
