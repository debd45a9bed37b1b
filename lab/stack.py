"""Run the pulumi CLI for the stack `lab`, in the lab's network, and show its engine events as stages."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab import segments
from lab.cache import LabError
from lab.place import Place, enter
from lab.stages import Stages
from multus_site.render.timeline import STAGES

STACK = "lab"
OTHERS_SECONDS = 120
"""How long to wait for a pulumi that is stopping: it finishes its current steps."""


class Stack:
    """The stack `lab` of a checkout. `toolchain`: environment with pulumi and its plugins."""

    def __init__(self, place: Place, toolchain: Mapping[str, str]) -> None:
        self._place = place
        self.environment = {
            **os.environ,
            **toolchain,
            **place.podman_environment(),
            "PULUMI_BACKEND_URL": f"file://{place.state}",
            # The state only describes the lab, in a folder that only its owner can read.
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_STACK": STACK,
            # Enables --event-log.
            "PULUMI_DEBUG_COMMANDS": "true",
            "MULTUS_SITE_CACHE": str(place.cache.root),
        }

    def select(self) -> None:
        """Creates the stack if necessary, and cleans up after a killed run."""
        self._place.state.mkdir(parents=True, exist_ok=True)
        os.chmod(self._place.folder, 0o700)  # noqa: PTH101 - it holds the lab's keys and state
        self._pulumi("login", f"file://{self._place.state}")
        stacks = json.loads(self._pulumi("stack", "ls", "--json"))
        if not any(s["name"].split("/")[-1] == STACK for s in stacks):
            self._pulumi("stack", "init", STACK)
        self._wait_for_others()
        # A killed run leaves its lock; no other pulumi runs now.
        self._pulumi("cancel", "--yes", check=False)
        self._forget_pending()

    @staticmethod
    def _wait_for_others() -> None:
        """Waits for a pulumi whose `make lab` was killed to stop. Raises LabError if one keeps running, such as a person's."""
        until = time.monotonic() + OTHERS_SECONDS
        while others := segments.programs("pulumi"):
            if time.monotonic() > until:
                msg = f"pulumi is at work in this lab (process {others[0]}). Wait for it, or stop it, then run the same command again."
                raise LabError(msg)
            time.sleep(0.5)

    def _forget_pending(self) -> None:
        """Drops pending operations of a killed run: every step can be repeated."""
        state = json.loads(self._pulumi("stack", "export"))
        if not state["deployment"].get("pending_operations"):
            return
        del state["deployment"]["pending_operations"]
        self._pulumi("stack", "import", given=json.dumps(state))

    def up(self, stages: Stages, *arguments: str) -> dict[str, int]:
        """Runs `pulumi up`. Returns the number of steps by operation, such as {"create": 40}. Raises LabError with pulumi's errors."""
        return self._update(stages, "up", "--skip-preview", *arguments)

    def destroy(self, stages: Stages) -> None:
        """Runs `pulumi destroy`. Raises LabError."""
        self._update(stages, "destroy", "--skip-preview")

    def output(self, name: str) -> Any:  # noqa: ANN401 - an output is any JSON
        """One output of the stack, secrets included."""
        return json.loads(self._pulumi("stack", "output", name, "--json", "--show-secrets"))

    def kubeconfig(self) -> str:
        """The cluster's kubeconfig, even if a later step failed. Raises LabError if there is no cluster."""
        state = json.loads(self._pulumi("stack", "export", "--show-secrets"))
        for resource in state["deployment"].get("resources") or []:
            if resource["type"] == "pulumi:providers:kubernetes":
                return str(json.loads(resource["inputs"]["kubeconfig"]["plaintext"]))
        msg = "the lab has no cluster yet. Type: make lab"
        raise LabError(msg)

    def is_empty(self) -> bool:
        """Whether the stack has no resources or does not exist."""
        if not self._place.state.is_dir():
            return True
        text = self._pulumi("stack", "export", check=False)
        return not text or not json.loads(text)["deployment"].get("resources")

    def _update(self, stages: Stages, verb: str, *arguments: str) -> dict[str, int]:
        self._place.logs.mkdir(parents=True, exist_ok=True)
        events = self._place.logs / f"pulumi-{verb}.events"
        log = self._place.logs / f"pulumi-{verb}.log"
        events.unlink(missing_ok=True)
        command = ["pulumi", verb, "--yes", "--non-interactive", "--color", "never", "--event-log", str(events)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                # If this process is killed, pulumi gets SIGINT: a second pulumi must not run at the same time.
                ["setpriv", "--pdeathsig", "INT", "--", *enter(*command, *arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                cwd=self._place.project,
            )
            try:
                stages.begin("comparing" if verb == "up" else "pulumi")
                watched = Watched(stages)
                for event in _follow(events, process):
                    watched.take(event)
                watched.close()
            except BaseException:
                # pulumi then cancels: its children end, and its state is complete.
                process.terminate()
                process.wait(60)
                raise
        if process.wait():
            raise LabError(_why(log, watched.errors, verb))
        return watched.changes

    def _pulumi(self, *arguments: str, check: bool = True, given: str | None = None) -> str:
        done = subprocess.run(
            enter("pulumi", *arguments, "--non-interactive", "--color", "never"),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
            cwd=self._place.project,
        )
        if done.returncode and check:
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            msg = f"pulumi {arguments[0]}: {last}"
            raise LabError(msg)
        return done.stdout


class Watched:
    """Turns engine events into stages: a stage starts with its first resource and ends when the next starts."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._stage = ""
        self.errors: list[str] = []
        self.changes: dict[str, int] = {}

    def take(self, event: Mapping[str, Any]) -> None:
        """Processes one engine event (pulumi sdk/go/common/apitype/events.go)."""
        if pre := event.get("resourcePreEvent"):
            self._step(pre["metadata"])
        elif said := event.get("diagnosticEvent"):
            self._say(said)
        elif summary := event.get("summaryEvent"):
            self.changes = {k: v for k, v in summary["resourceChanges"].items() if v}

    def close(self) -> None:
        """Ends the last stage."""
        self._stages.end()

    def _step(self, metadata: Mapping[str, Any]) -> None:
        types, _, name = str(metadata["urn"]).split("::", 2)[2].rpartition("::")
        if metadata["op"] in {"same", "read"} or metadata.get("logical") is None:
            return
        component = next((c for c in STAGES if f":{c}$" in f"{types}$"), None)
        is_component = types.endswith(tuple(f":{c}" for c in STAGES))
        if component is None or is_component:
            return
        stage = STAGES[component]
        if stage != self._stage:
            self._stages.end()
            self._stages.begin(stage)
            self._stage = stage
        self._stages.report(name)

    def _say(self, said: Mapping[str, Any]) -> None:
        message = str(said.get("message", "")).strip()
        if said.get("severity") == "error":
            self.errors.append(message)
        elif said.get("severity") in {"info", "info#err"} and message:
            self._stages.report(message.splitlines()[-1])


def _follow(path: Path, process: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any]]:
    """The events in a growing file, until the process ended and everything is read."""
    rest = ""
    position = 0
    ended = False
    while True:
        ended = ended or process.poll() is not None
        if path.exists():
            with path.open(encoding="utf-8", errors="replace") as file:
                file.seek(position)
                rest += file.read()
                position = file.tell()
            *lines, rest = rest.split("\n")
            for line in lines:
                yield json.loads(line)
        if ended:
            return
        time.sleep(0.2)


def _why(log: Path, errors: list[str], verb: str) -> str:
    """Pulumi's distinct errors, and the path of the log."""
    unique = list(dict.fromkeys(e for e in errors if e and "update failed" not in e and "destroy failed" not in e))
    if not unique:
        unique = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
    return "\n".join([f"pulumi {verb} did not finish:", *unique, f"The whole log: {log}"])
