"""`make lab`: from a bare machine to a pod with net1 and net2, in stages. A repeated run continues."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console

from lab import files, image, machine, mirror, podman, reach, segments, services, toolchain
from lab.cache import LabError
from lab.place import Place
from lab.stack import Stack
from lab.stages import Stages
from lab.table import show

KUBESPRAY_STANDIN = "lab/kubespray-standin"
FILES_PORT, REGISTRY_PORT = 8080, 5000


@dataclass(frozen=True)
class Ready:
    """A prepared lab: what `pulumi up` needs."""

    stack: Stack
    toolchain: toolchain.Toolchain


def up(place: Place, console: Console) -> None:
    """Brings the lab up and prints the results. Raises LabError with the problems of the machine, or with pulumi's errors."""
    refuse(place)
    stages = Stages(console, "up")
    with place.cache.lock():
        changes: dict[str, int] = {}
        try:
            with stages.running():
                ready = prepare(place, stages, console)
                changes = ready.stack.up(stages)
                verification = ready.stack.output("verification")
        finally:
            stages.write(place.runs, changes=changes)
        show(console, verification, changes, stages.times)


def refuse(place: Place) -> None:
    """Raises LabError if the lab cannot run on this machine."""
    problems = machine.check(place.cache.root)
    if problems:
        raise LabError("\n".join(problems))


def prepare(place: Place, stages: Stages, console: Console) -> Ready:
    """Prepares the tools and what a data centre has, so that `pulumi up` can run."""
    with stages.stage("what can be reached"):
        reached = reach.probe(offline=os.environ.get("OFFLINE", "") not in {"", "0"})
    console.print(reached.line, highlight=False)
    # In parallel: Debian's packages wait for network and disk, the compiler for cores.
    with ThreadPoolExecutor(1) as pool, stages.stage("toolchain"):
        making = pool.submit(image.build, place.cache, lambda *_: None)
        tools = toolchain.build(place.cache, reached, stages.report)
    for line in tools.lines():
        console.print(line, highlight=False)
    with stages.stage("node image"):
        rootfs = making.result()
    with stages.stage("mirror"):
        mirrored = mirror.build(place.cache, tools, reached, stages.report)
    with stages.stage("segments"):
        podman.write_configuration(place)
        podman.import_node_image(place, rootfs.path, rootfs.digest, rootfs.changes)
        segments.make_segments(place)
        podman.start_containers(place)
        _serve(place, mirrored)
        files.write_keys(place)
        files.write_catalog(place, _catalog(mirrored))
    environment = {**tools.environment(), **_kubespray(place, reached)}
    with stages.stage("Ansible"):
        # Outside of the lab's network, in which no packages are reachable.
        run = [sys.executable, "-m", "multus_site.kubespray", "prepare"]
        place.cache.run("ansible", run, environment={**os.environ, **environment}, folder=place.project)
    files.write_environment(place, environment)
    stack = Stack(place, environment)
    with stages.stage("pulumi"):
        stack.select()
    return Ready(stack, tools)


def _serve(place: Place, mirrored: mirror.Mirror) -> None:
    """Starts the mirror's servers on the management segment."""
    for name, command, environment, port in mirrored.servers(segments.SERVICES, FILES_PORT, REGISTRY_PORT):
        services.start(place, name, command, environment, port, segments.SERVICES)


def _catalog(mirrored: mirror.Mirror) -> dict[str, object]:
    """The mirror's catalogue, with Kubespray's variables for this machine."""
    catalog = mirrored.catalog()
    variables = {**catalog["kubespray"]["variables"], **machine.kubespray_variables()}
    return {**catalog, "kubespray": {"variables": variables}}


def _kubespray(place: Place, reached: reach.Reach) -> dict[str, str]:
    """Selects Kubespray: $KUBESPRAY_SOURCE, else the release's tag if it is reachable, else the stand-in."""
    if os.environ.get("KUBESPRAY_SOURCE") or reached.official:
        return {}
    return {"KUBESPRAY_STANDIN": str(place.project / KUBESPRAY_STANDIN)}
