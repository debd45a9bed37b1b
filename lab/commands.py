"""Commands in a lab that is up, each with a time limit: kubectl, pulumi, and what runs on a node."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lab import shell
from lab.cache import LabError
from lab.place import Place, enter


@contextlib.contextmanager
def exclusive(place: Place) -> Iterator[None]:
    """The lab for one program that breaks things on it. A killed one (SIGTERM) undoes them too. Raises LabError if another is at work."""
    place.folder.mkdir(exist_ok=True)
    with (place.folder / "breaking.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            msg = f"{file.read().strip() or 'another process'} is breaking things on this lab. Wait for it, or stop it."
            raise LabError(msg) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        for number in (signal.SIGTERM, signal.SIGINT):
            # A program that a shell started in the background has SIGINT ignored.
            signal.signal(number, signal.default_int_handler)
        yield


@dataclass(frozen=True)
class Done:
    """A command that ended. `status`: its exit status; 124 if its time limit ended it."""

    status: int
    output: str
    errors: str

    @property
    def last(self) -> str:
        """The last line that it wrote, errors first."""
        said = self.errors.strip() or self.output.strip()
        return said.splitlines()[-1] if said else "no output"


@dataclass
class Commands:
    """Commands of one lab, with the environment of `make lab-shell`. Raises LabError where there is no lab."""

    place: Place
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = shell.environment(self.place)
        shell.write_kubeconfig(self.place)

    def run(self, *command: str, given: str | None = None, seconds: float = 60) -> Done:
        """A command in the lab's network; never raises for what the command does."""
        try:
            done = subprocess.run(
                enter(*command),
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                capture_output=True,
                text=True,
                env=self.environment,
                cwd=self.place.project,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            output = late.stdout or b""
            return Done(
                124,
                output.decode(errors="replace") if isinstance(output, bytes) else output,
                f"not within {seconds:.0f} s",
            )
        return Done(done.returncode, done.stdout, done.stderr)

    def must(self, *command: str, given: str | None = None, seconds: float = 60) -> str:
        """The output of a command. Raises LabError if it fails."""
        done = self.run(*command, given=given, seconds=seconds)
        if done.status:
            msg = f"{' '.join(command)[:200]}: {done.last}"
            raise LabError(msg)
        return done.output

    def node(self, name: str, *command: str, given: str | None = None, seconds: float = 60) -> Done:
        """A command on a node."""
        options = () if given is None else ("--interactive",)
        return self.run("podman", "exec", *options, f"lab-{name}", *command, given=given, seconds=seconds)

    def kubectl(self, *arguments: str, given: str | None = None, seconds: float = 60) -> Done:
        """kubectl; with a request limit, so that an API server that hangs is an error."""
        limit = f"--request-timeout={max(1, int(seconds) - 1)}s"
        return self.run("kubectl", limit, *arguments, given=given, seconds=seconds)

    def get(self, *arguments: str, seconds: float = 60) -> Any:  # noqa: ANN401 - objects of the API
        """Objects, as data. Raises LabError."""
        done = self.kubectl("get", *arguments, "-o", "json", seconds=seconds)
        if done.status:
            msg = f"kubectl get {' '.join(arguments)}: {done.last}"
            raise LabError(msg)
        return json.loads(done.output)

    def pulumi(self, *arguments: str, seconds: float = 900) -> Done:
        """pulumi in the stack `lab`."""
        return self.run("pulumi", *arguments, "--non-interactive", "--color", "never", seconds=seconds)

    def product(self, *arguments: str, seconds: float = 240, **variables: str) -> Done:
        """`multus-site`, of this checkout."""
        settings = [f"{name}={value}" for name, value in variables.items()]
        python = str(self.place.project / ".venv" / "bin" / "python")
        return self.run("env", *settings, python, "-m", "multus_site", *arguments, seconds=seconds)
