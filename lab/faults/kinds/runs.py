"""Faults of a run: `pulumi up` killed at five moments, tools taken away."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from lab.cache import LabError
from lab.faults.bench import Bench
from lab.faults.registry import UP, Fault, Provoke, add, fault
from lab.place import enter

MOMENTS = {
    "beginning": ("as it begins", "preludeEvent"),
    "plugins": ("while plugins are installed", "lab-cni-plugins-install"),
    "attachment": ("at an attachment", "macvlan-external"),
    "workload": ("at a workload", "samplepod"),
    "verification": ("during verification", "lab-verification"),
}
KILL_SECONDS = 300


def changed_site(lab: Bench) -> Path:
    """A stack file that changes plugins, an attachment and the workload on it."""
    data = yaml.safe_load((lab.place.project / "stacks" / "Pulumi.lab.yaml").read_text(encoding="utf-8"))
    site = data["config"]["multus-site:site"]
    site["cniPlugins"]["plugins"] = ["macvlan", "vlan"]
    site["networks"]["macvlan-external"]["mtu"] = 1400
    site.pop("throughput")
    file = lab.place.folder / "faults" / "Pulumi.lab.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return file


def _killed(moment: str) -> Provoke:
    def provoke(lab: Bench) -> Iterator[None]:
        events = lab.place.folder / "faults" / f"killed-{moment}.events"
        file = changed_site(lab)
        events.unlink(missing_ok=True)
        command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--event-log", str(events)]
        process = subprocess.Popen(
            enter(*command, "--config-file", str(file)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=lab.environment,
            cwd=lab.place.project,
            start_new_session=True,
        )
        try:
            _await_moment(events, moment, process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        yield
        lab.pulumi("cancel", "--yes")

    return provoke


def _await_moment(events: Path, moment: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + KILL_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for line in events.read_text(encoding="utf-8").splitlines() if events.exists() else ():
            with contextlib.suppress(ValueError):
                if _reached(json.loads(line), moment):
                    time.sleep(0.3)
                    return
        time.sleep(0.1)
    msg = f"pulumi up ended before its moment {moment!r} had come"
    raise LabError(msg)


def _reached(event: dict[str, object], moment: str) -> bool:
    """Whether an engine event is the moment's: the step of its resource, if it changes anything."""
    mark = MOMENTS[moment][1]
    if mark in event:
        return True
    step = event.get("resourcePreEvent")
    data = step.get("metadata", {}) if isinstance(step, dict) else {}
    return str(data.get("urn", "")).endswith(mark) and data.get("op") not in {"same", "read", None}


for _moment, (_when, _) in MOMENTS.items():
    add(
        Fault(
            f"up-killed-{_moment}",
            f"`pulumi up` of a changed site killed with -9 {_when}",
            _killed(_moment),
            {},
            UP,
            why_silent="the next `up` goes on where it was",
            after_undo=True,
        )
    )


@fault("ssh-missing", "no `ssh` on PATH", restored_by=UP, drift="ssh")
def ssh_missing(lab: Bench) -> Iterator[None]:
    before = lab.hidden
    lab.hidden = ("ssh",)
    yield
    lab.hidden = before


@fault("pulumi-missing", "no `pulumi` on PATH", restored_by=UP, drift="pulumi", verify="pulumi")
def pulumi_missing(lab: Bench) -> Iterator[None]:
    before = lab.hidden
    lab.hidden = ("pulumi",)
    yield
    lab.hidden = before
