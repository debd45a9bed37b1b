"""The running lab, as tests use it: kubectl, pulumi and nodes."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from lab import segments, shell
from lab.cache import Cache, LabError
from lab.place import PROJECT, Place, enter


def no_lab():
    """Why there is no lab to test; empty if there is one."""
    if reason := os.environ.get("MULTUS_SITE_NO_LAB"):
        return f"no lab: {reason}"
    if os.geteuid() != 0 or not segments.exists():
        return "the lab is not up (make lab)"
    return ""


class Lab:
    """Commands in the lab, each with a time limit."""

    def __init__(self):
        self.place = Place(PROJECT, Cache.default())

    @property
    def environment(self):
        """The environment of `make lab-shell`."""
        return shell.environment(self.place)

    def run(self, *command, given=None, check=True, seconds=300, **variables):
        """A command inside the lab's network, as in its shell."""
        done = subprocess.run(
            enter(*command),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            env={**self.environment, **variables},
            cwd=PROJECT,
            timeout=seconds,
            check=False,
        )
        if check and done.returncode:
            msg = f"{' '.join(command)} gave {done.returncode}:\n{told(done.stdout)}\n{done.stderr[-3000:]}"
            raise AssertionError(msg)
        return done

    def kubectl(self, *arguments, given=None, check=True):
        """kubectl's output."""
        if not (self.place.folder / "kubeconfig").exists():
            shell.write_kubeconfig(self.place)
        return self.run("kubectl", *arguments, given=given, check=check).stdout

    def get(self, *arguments):
        """Objects, as data."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def pulumi(self, *arguments, check=True, seconds=600, **variables):
        """pulumi in the stack `lab`."""
        return self.run(
            "pulumi", *arguments, "--non-interactive", "--color", "never", check=check, seconds=seconds, **variables
        )

    def resources(self):
        """The stack's resources, as its state has them."""
        return json.loads(self.pulumi("stack", "export").stdout)["deployment"]["resources"]

    def urn(self, name):
        """The URN of the custom resource of a name."""
        return next(r["urn"] for r in self.resources() if r["urn"].endswith(f"::{name}") and r["custom"])

    def node(self, name, *command, check=True):
        """A command on a node."""
        return self.run("podman", "exec", f"lab-{name}", *command, check=check)

    def pods(self):
        """The sample workload's pods that stay."""
        found = self.get("pods", "-l", "app.kubernetes.io/name=samplepod")["items"]
        return [p for p in found if "deletionTimestamp" not in p["metadata"]]

    def make(self, verb, **more):
        """`python -m lab VERB`, as the Makefile runs it."""
        return subprocess.run(
            [sys.executable, "-m", "lab", verb],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **more,
        )


GROUPS = Path("/sys/fs/cgroup")


def kept_of(containers):
    """What the machine has of containers (ids) that are gone: control groups, the runtime's records, processes."""
    runtimes = [folder for name in ("runc", "crun") if (folder := Path("/run") / name).is_dir()]
    # On cgroup v1 each hierarchy is a folder of its own.
    folders = [path for root in (GROUPS, *runtimes) for name in containers for path in root.rglob(f"*{name}*")]
    return {
        "folders": [str(path) for path in folders],
        "processes": [p for p in _processes() if p[1] & set(containers)],
    }


def _processes():
    """Number of each process, and the containers that its control groups or its arguments name."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            texts = [(folder / name).read_text(errors="replace") for name in ("cgroup", "cmdline", "stat")]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended
        # One that has ended and waits for init to take note of it (Z) is no process of anybody any more.
        if texts.pop().rpartition(")")[2].split()[0] != "Z":
            yield int(folder.name), set(re.findall("[0-9a-f]{64}", " ".join(texts)))


def told(output):
    """The part of an output that says what was wrong: Pulumi prints the outputs, which can be long, behind it."""
    _, found, diagnostics = output.partition("\nDiagnostics:\n")
    return diagnostics.partition("\nOutputs:\n")[0][:6000] if found else output[-3000:]


def eventually(look, seconds=120, pause=1.0):
    """What `look` gives, as soon as that is true; fails with its last answer after so many seconds."""
    until = time.monotonic() + seconds
    while True:
        seen = look()
        if seen or time.monotonic() > until:
            assert seen, f"not within {seconds} s: {look.__name__}"
            return seen
        time.sleep(pause)


__all__ = ["PROJECT", "Lab", "LabError", "eventually", "kept_of", "no_lab"]
