"""`make lab-shell`: a shell inside the lab's network, with pulumi, kubectl and podman pointing at the lab."""

import os
from pathlib import Path

from rich.console import Console

from lab import files, segments
from lab.cache import LabError
from lab.place import Place, enter
from lab.stack import Stack

WELCOME = """kubectl, pulumi and podman point at the lab. Try:
  kubectl get pods -A -o wide
  kubectl exec deploy/samplepod -- ip addr
  kubectl exec deploy/samplepod -- ping -c 3 10.1.20.1
  pulumi preview
  ssh root@10.1.1.5
Leave with exit."""


def environment(place: Place) -> dict[str, str]:
    """What a shell of the lab has in its environment. Raises LabError where there is no lab."""
    variables = files.read_environment(place)
    if variables is None or not segments.exists():
        msg = "the lab is not up. Type: make lab"
        raise LabError(msg)
    return {**Stack(place, variables).environment, "KUBECONFIG": str(place.folder / "kubeconfig")}


def write_kubeconfig(place: Place) -> None:
    """The lab's kubeconfig, as a file that only its owner reads."""
    text = Stack(place, files.read_environment(place) or {}).kubeconfig()
    path = place.folder / "kubeconfig"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def shell(place: Place, console: Console) -> None:
    """Replaces this process by the shell."""
    variables = environment(place)
    write_kubeconfig(place)
    variables["PATH"] = f"{_ssh_wrapper(place)}:{variables['PATH']}"
    console.print(WELCOME, highlight=False)
    program = os.environ.get("SHELL", "/bin/sh")
    os.chdir(place.project)
    os.execvpe("nsenter", enter(program), {**variables, "PS1": "(lab) \\w # "})  # noqa: S606 - the point of it


def _ssh_wrapper(place: Place) -> Path:
    """A folder for PATH whose `ssh` knows the lab's key and pinned host keys; nothing of ~/.ssh is touched."""
    folder = place.folder / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    key = place.folder / "ssh" / "id_ed25519"
    known = place.project / ".work" / "lab" / "kubespray" / "known_hosts"
    wrapper = folder / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -i {key} -o UserKnownHostsFile={known} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    return folder
