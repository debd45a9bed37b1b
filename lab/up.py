"""`make lab`: from a bare machine to a pod with net1 and net2, stage by stage; run again it continues."""

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
    """A lab whose parts are there: what a stack needs to be updated."""

    stack: Stack
    toolchain: toolchain.Toolchain


def up(place: Place, console: Console) -> None:
    """Everything. Raises LabError in one line where something is wrong with the machine, or pulumi's own lines."""
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
    """Says, before anything starts, why the lab cannot run here. Raises LabError."""
    problems = machine.check(place.cache.root)
    if problems:
        raise LabError("\n".join(problems))


def prepare(place: Place, stages: Stages, console: Console) -> Ready:
    """All that a data centre would already have, and the tools: ready for `pulumi up`."""
    with stages.stage("what can be reached"):
        reached = reach.probe(offline=os.environ.get("OFFLINE", "") not in {"", "0"})
    console.print(reached.line, highlight=False)
    # Debian's packages wait for the network and the disk, the compiler for the cores: side by side.
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
        # Here, where packages can be reached: inside the lab's network nothing can.
        run = [sys.executable, "-m", "multus_site.kubespray", "prepare"]
        place.cache.run("ansible", run, environment={**os.environ, **environment}, folder=place.project)
    files.write_environment(place, environment)
    stack = Stack(place, environment)
    with stages.stage("pulumi"):
        stack.select()
    return Ready(stack, tools)


def _serve(place: Place, mirrored: mirror.Mirror) -> None:
    """The mirror's two servers, on the management segment."""
    for name, command, environment, port in mirrored.servers(segments.SERVICES, FILES_PORT, REGISTRY_PORT):
        services.start(place, name, command, environment, port, segments.SERVICES)


def _catalog(mirrored: mirror.Mirror) -> dict[str, object]:
    """The mirror's catalogue, with the variables that this machine's kernel and limits ask for."""
    catalog = mirrored.catalog()
    variables = {**catalog["kubespray"]["variables"], **machine.kubespray_variables()}
    return {**catalog, "kubespray": {"variables": variables}}


def _kubespray(place: Place, reached: reach.Reach) -> dict[str, str]:
    """Which Kubespray runs: the person's own, the release's tag where git reaches it, else the stand-in."""
    if os.environ.get("KUBESPRAY_SOURCE") or reached.official:
        return {}
    return {"KUBESPRAY_STANDIN": str(place.project / KUBESPRAY_STANDIN)}
