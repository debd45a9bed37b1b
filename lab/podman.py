"""Run podman with separate storage, networks and run-time state for the lab."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.cache import LabError
from lab.place import NAMESPACE_FILE, RUN, Place, enter

NODE_IMAGE = "localhost/multus-site-node:bookworm"


def write_configuration(place: Place) -> None:
    """Writes the two files of `Place.podman_environment`."""
    folder = place.folder / "podman"
    networks = folder / "networks"
    networks.mkdir(parents=True, exist_ok=True)
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{place.storage}"\nrunroot = "{RUN}/storage"\n',
        encoding="utf-8",
    )
    # File locks and tmp_dir, because podman would otherwise use /dev/shm and /run/libpod.
    (folder / "containers.conf").write_text(
        f'[network]\nnetwork_config_dir = "{networks}"\n'
        f'[engine]\ntmp_dir = "{RUN}/libpod"\nlock_type = "file"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n',
        encoding="utf-8",
    )
    RUN.mkdir(parents=True, exist_ok=True)


def podman(place: Place, *arguments: str, check: bool = True) -> str:
    """Runs podman, and returns its output. Raises LabError with its last line."""
    command = ["podman", *arguments]
    done = subprocess.run(
        # podman must see the bridges that it connects nodes to.
        enter(*command) if NAMESPACE_FILE.exists() else command,
        env={**os.environ, **place.podman_environment()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and check:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        msg = f"podman {arguments[0]}: {last}. Take the lab down and try again: make lab-down, then make lab."
        raise LabError(msg)
    return done.stdout


def import_node_image(place: Place, rootfs: Path, digest: str, changes: Sequence[str]) -> None:
    """Imports the node image from its root file system, unless the existing image has the same digest."""
    label = f"multus-site.rootfs={digest}"
    there = podman(place, "image", "ls", "--quiet", "--filter", f"label={label}", "--filter", f"reference={NODE_IMAGE}")
    if there.strip():
        return
    options = [word for change in [*changes, f"LABEL {label}"] for word in ("--change", change)]
    podman(place, "import", "--quiet", *options, str(rootfs), NODE_IMAGE)
    # Removes the previous image, unless nodes still use it.
    podman(place, "image", "prune", "--force", check=False)


def containers(place: Place) -> list[dict[str, Any]]:
    """The lab's containers, running or not."""
    text = podman(place, "ps", "--all", "--filter", "label=multus-site.node", "--format", "json", check=False)
    return list(json.loads(text or "[]") or [])


def remove_containers(place: Place) -> None:
    """Removes every container of the lab with its volumes."""
    for container in containers(place):
        runtime = podman(place, "inspect", "--format", "{{.OCIRuntime}}", container["Id"]).strip()
        removal = ("rm", "--force", "--time", "2", "--volumes", "--ignore", container["Id"])
        # If podman's monitor was killed with the container, the first removal fails but records that, and the runtime's
        # state and the control groups stay.
        podman(place, *removal, check=False)
        podman(place, *removal)
        subprocess.run([runtime, "delete", "--force", container["Id"]], check=False, capture_output=True)
    podman(place, "volume", "prune", "--force", check=False)


def start_containers(place: Place) -> None:
    """Starts stopped nodes, such as after a reboot of this machine. Raises LabError for one that podman cannot start."""
    for container in containers(place):
        if container["State"] == "running" and not Path(f"/proc/{container['Pid']}/ns/mnt").exists():
            # podman only learns from its monitor that a container ended.
            msg = f"{container['Names'][0]} and podman's monitor have ended, but podman considers it running. Type: make lab-down, then make lab."
            raise LabError(msg)
        if container["State"] not in {"running", "initialized", "created"}:
            podman(place, "start", container["Id"])
