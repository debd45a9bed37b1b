"""`make lab-down`: destroy the stack, then remove nodes, servers and segments. Only the cache stays."""

import shutil
import subprocess

from rich.console import Console

from lab import files, podman, segments, services
from lab.cache import LabError
from lab.place import NAMESPACE, RUN, Place
from lab.stack import Stack
from lab.stages import Stages

SERVERS = ("files", "registry")


def down(place: Place, console: Console) -> None:
    """Takes the lab down from any state. Raises LabError if something could not be removed."""
    stages = Stages(console, "down")
    with place.cache.lock():
        try:
            with stages.running():
                _destroy(place, stages, console)
                _clear(place, stages)
        finally:
            stages.write(place.runs)
    left = leftovers(place)
    if left:
        raise LabError("still there:\n" + "\n".join(left))
    console.print("The lab is gone; its cache stays in " + str(place.cache.root), highlight=False)


def _destroy(place: Place, stages: Stages, console: Console) -> None:
    """Runs `pulumi destroy` if there are resources, and the tools to destroy them."""
    variables = files.read_environment(place)
    if variables is None or not segments.exists() or not place.state.is_dir():
        return
    stack = Stack(place, variables)
    try:
        stack.select()
        if not stack.is_empty():
            stack.destroy(stages)
    except LabError as error:
        # A broken lab can be removed too: _clear removes what pulumi could not destroy, and pulumi's state.
        stages.end(well=False)
        console.print(f"{error}\nContinuing without pulumi: nodes and networks are removed directly.", markup=False)


def _clear(place: Place, stages: Stages) -> None:
    with stages.stage("nodes"):
        if (place.folder / "podman").is_dir():
            podman.remove_containers(place)
    with stages.stage("segments"):
        for name in SERVERS:
            services.stop(place, name)
        for pid in segments.processes():
            services.end(pid)
        segments.remove_segments(place)
        _unmount(place)
        shutil.rmtree(RUN, ignore_errors=True)
        shutil.rmtree(place.state, ignore_errors=True)
        place.catalog.unlink(missing_ok=True)
        (place.folder / "kubeconfig").unlink(missing_ok=True)  # its cluster is gone


def leftovers(place: Place) -> list[str]:
    """One line for each part of the lab that is still on this machine."""
    left = [f"process {pid}" for pid in segments.processes()]
    if segments.exists():
        left.append(f"network namespace {NAMESPACE}")
    if (place.folder / "podman").is_dir() and RUN.exists():
        left += [f"container {c['Names'][0]}" for c in podman.containers(place)]
    left += [f"mount {m}" for m in _mounts(place)]
    return left


def _mounts(place: Place) -> list[str]:
    text = subprocess.run(["findmnt", "-rno", "TARGET"], check=False, capture_output=True, text=True).stdout
    ours = (str(RUN), str(place.storage))
    return [line for line in text.splitlines() if line.startswith(ours)]


def _unmount(place: Place) -> None:
    for mount in reversed(_mounts(place)):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
