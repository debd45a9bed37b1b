"""One run on a lab that is up: networks, probes, the schedule's actions, quiet, the audit after the end, and the verdict."""

import contextlib
import json
import subprocess
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from lab import dhcp, files
from lab.cache import LabError
from lab.commands import Commands
from lab.history import probe
from lab.history.actions import NAMESPACE, Actions
from lab.history.audit import left
from lab.history.schedule import Action, Cluster, schedule
from lab.history.watch import Watch, writer
from lab.place import Place, enter
from lab.stack import Stack

CONTROL_PLANE, NODES = "node1", ("node1", "node2", "node3")
SEGMENTS = {"eth0": "management", "ens6": "internal", "ens7": "external"}
INTERVAL_SECONDS = 0.1
EDITED = ("hist-whereabouts", "hist-external")
"""Networks whose attachment is edited."""
READY_SECONDS = 240
SETTLE_SECONDS, QUIET_SECONDS = 40, 100
"""After the last action, and after the last pod, before what is left is counted: longer than the limits' clocks (checker.Limits)."""
SITE = "multus-site:site"


def site_file(place: Place, target: Path) -> tuple[Path, dict[str, dict[str, Any]]]:
    """The lab's stack file with the history's networks, and the history's workloads."""
    more = yaml.safe_load((Path(__file__).parent / "site.yaml").read_text(encoding="utf-8"))
    data = yaml.safe_load((place.project / "stacks" / "Pulumi.lab.yaml").read_text(encoding="utf-8"))
    site = data["config"][SITE]
    site["networks"] |= more["networks"]
    # All plugins that the networks need, rather than the lab's one.
    site["cniPlugins"].pop("plugins")
    site.pop("throughput")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return target, more["workloads"]


@contextlib.contextmanager
def networks(lab: Commands, folder: Path) -> Iterator[dict[str, dict[str, Any]]]:
    """The history's networks in the lab's site, and the workloads; the plain lab again afterwards. Raises LabError."""
    file, workloads = site_file(lab.place, folder / "Pulumi.lab.yaml")
    # A killed run leaves a lock and pending operations.
    Stack(lab.place, files.read_environment(lab.place) or {}).select()
    with dhcp.server(lab.place, folder / "dhcp"):
        try:
            _up(lab, "--config-file", str(file))
            yield workloads
        finally:
            _up(lab)


def _up(lab: Commands, *more: str) -> None:
    done = lab.pulumi("up", "--yes", "--skip-preview", *more)
    if done.status:
        _, _, said = done.output.partition("\nDiagnostics:\n")
        msg = f"pulumi up: {(said or done.errors).strip()[:3000]}"
        raise LabError(msg)


class Probes:
    """A probe on each node, begun again when the node was."""

    def __init__(self, lab: Commands, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.text = Path(probe.__file__).read_text(encoding="utf-8")
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._end_on_nodes()  # those of a killed run

    def keep(self) -> None:
        """Starts those that do not run."""
        for node in NODES:
            process = self.running.get(node)
            if process is None or process.poll() is not None:
                self.running[node] = self._start(node)

    def _start(self, node: str) -> "subprocess.Popen[bytes]":
        task = json.dumps({"node": node, "segments": SEGMENTS, "interval": INTERVAL_SECONDS})
        with (self.folder / f"{node}.jsonl").open("ab") as output, (self.folder / f"{node}.log").open("ab") as log:
            return subprocess.Popen(
                enter("podman", "exec", f"lab-{node}", "python3", "-c", self.text, task),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                env=self.lab.environment,
            )

    def stop(self) -> None:
        """Ends them, on the nodes too."""
        self._end_on_nodes()
        for process in self.running.values():
            process.terminate()
            process.wait(10)

    def _end_on_nodes(self) -> None:
        for node in NODES:
            self.lab.node(node, "pkill", "-f", "NETLINK_ROUTE = 0")


def run(place: Place, seeds: Sequence[int], minutes: float) -> Generator[Path, None, None]:
    """Runs the schedules of seeds, and gives the folder of each record. Raises LabError if the lab cannot be prepared or restored."""
    lab = Commands(place)
    home = place.folder / "history"
    with networks(lab, home) as workloads:
        for seed in seeds:
            folder = home / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{seed}"
            folder.mkdir(parents=True)
            _one(lab, folder, schedule(seed, minutes, cluster(workloads)), workloads)
            yield folder


def cluster(workloads: Iterable[str]) -> Cluster:
    """What schedules of this lab act on."""
    return Cluster(CONTROL_PLANE, NODES[1:], sorted(workloads), EDITED)


def _one(lab: Commands, folder: Path, plan: list[Action], workloads: dict[str, dict[str, Any]]) -> None:
    (folder / "schedule.json").write_text(json.dumps([a.__dict__ for a in plan], indent=1), encoding="utf-8")
    record = writer(folder / "cluster.jsonl")
    actions = Actions(lab, workloads, CONTROL_PLANE, record)
    actions.undo_all(list(NODES))
    actions.remove()
    before = {json.dumps(one, sort_keys=True) for one in left(lab, list(NODES))}
    probes, watch = Probes(lab, folder), Watch(lab, record)
    probes.keep()
    watch.start()
    try:
        actions.make()
        _await_ready(lab)
        _play(plan, actions, probes)
        actions.undo_all(list(NODES))
        _rest(probes, SETTLE_SECONDS)
        actions.remove()
        _rest(probes, QUIET_SECONDS)
        for found in left(lab, list(NODES)):
            # What an earlier run left is no violation of this one.
            if json.dumps(found, sort_keys=True) not in before:
                record("left", **found)
    finally:
        actions.undo_all(list(NODES))
        watch.stop()
        probes.stop()
        record("end")
        actions.remove()


def _await_ready(lab: Commands) -> None:
    wait = ("kubectl", "wait", "-n", NAMESPACE, "--for=condition=Available", "deployment", "--all")
    lab.must(*wait, f"--timeout={READY_SECONDS}s", seconds=READY_SECONDS + 10)


def _play(plan: list[Action], actions: Actions, probes: Probes) -> None:
    """Does each action when its time has come, and undoes the fault that lasts when it is over."""
    begun = time.monotonic()
    todo = [(action.at, 0, action) for action in plan] + [
        (action.at + action.seconds, 1, action) for action in plan if action.seconds
    ]
    for at, ends, action in sorted(todo, key=lambda one: one[:2]):
        _rest(probes, at - (time.monotonic() - begun))
        if ends:
            actions.end(action)
        else:
            actions.begin(action)


def _rest(probes: Probes, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left_over := until - time.monotonic()) > 0:
        probes.keep()
        time.sleep(min(1.0, left_over))
