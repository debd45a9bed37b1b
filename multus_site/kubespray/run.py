"""One run of ansible-playbook: its environment, its process, its end."""

import json
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from multus_site.kubespray import watchdog
from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.folders import SUDO, Secrets, Workplace
from multus_site.kubespray.masking import Masking
from multus_site.kubespray.plan import PlaybookRun, playbook_seconds
from multus_site.kubespray.progress import COLOURS, Progress, Tail, elapsed
from multus_site.kubespray.source import Source
from multus_site.render.inventory import inventory
from multus_site.ssh.openssh import Shell

NOT_OURS = ("SSH_AUTH_SOCK", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PULUMI_COMMAND_STD", "SSH_ASKPASS")
"""Variables that would give Ansible the user's SSH agent or Python packages, or Pulumi's data."""

CALLBACKS = Path(__file__).parent / "callback"

FORKS_AT_LEAST, FORKS_AT_MOST = 5, 50
"""Limits for the number of hosts that Ansible works on at a time: its default, and the maximum for a machine with two cores."""

LOG_SECONDS = 5
"""How long to wait for the rest of the output after Ansible ended."""


@dataclass(frozen=True)
class Runner:
    """Runs the playbooks of one source for one stack."""

    source: Source
    python: Path
    """Python with the source's Ansible."""
    workplace: Workplace
    secrets: Secrets
    shell: Shell
    lock: IO[str]
    say: Callable[[str], None]

    def run(self, run: PlaybookRun, document: Document, hosts: dict[str, dict[str, Any]]) -> Progress:
        """Runs one playbook. `hosts`: variables of every host that its inventory may have. Raises KubesprayError if it fails."""
        self.write_inventory(run.groups, document, {host: hosts[host] for host in run.hosts})
        log = self.workplace.log(run.playbook)
        events = log.with_suffix(".events")
        started = time.monotonic()
        mask = Masking.for_variables(document.variables, document.secret, document.route.secrets())
        progress = Progress(self.say, mask, len(run.hosts))
        self.say(f"{run.playbook}: {run.reason}")
        process = subprocess.Popen(
            self._command(run),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.source.folder,
            env=self._environment(events, len(run.hosts)),
            start_new_session=True,
        )
        copying = threading.Thread(target=_copy, args=(process.stdout, log, mask), daemon=True)
        copying.start()
        code = self._watched(process, Tail(events), progress, playbook_seconds(len(run.hosts)))
        copying.join(LOG_SECONDS)
        took = elapsed(time.monotonic() - started)
        if code:
            raise KubesprayError(self._failure(run, progress, log, took))
        self.say(f"{run.playbook}: done in {took}, {progress.summary()}")
        return progress

    def write_inventory(
        self, groups: Mapping[str, Sequence[str]], document: Document, hosts: dict[str, dict[str, Any]]
    ) -> None:
        """Writes the inventory of these hosts, with the groups that the site defines."""
        variables = self._resolved(document)
        self.workplace.write_inventory(inventory(hosts, groups, variables, document.own_groups))

    def _watched(self, process: "subprocess.Popen[bytes]", tail: Tail, progress: Progress, seconds: float) -> int:
        """Waits for the process, and stops it at the time limit or if this process ends first. Returns its exit status."""
        watcher = subprocess.Popen(
            [
                # Started as a file and isolated, so that it runs wherever the package is and whatever the environment sets.
                sys.executable,
                "-I",
                watchdog.__file__,
                str(process.pid),
                str(self.secrets.keys),
                str(self.secrets.sockets),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=[self.lock.fileno()],
        )
        deadline = time.monotonic() + seconds
        try:
            while (code := process.poll()) is None:
                if time.monotonic() > deadline:
                    progress.failures.append(
                        (
                            "every host",
                            progress.name or "(none began)",
                            f"the playbook did not finish within its time limit of {elapsed(seconds)} minutes; Ansible was stopped",
                        )
                    )
                    return 1
                for event in tail.read():
                    progress.take(event)
                progress.tick()
                time.sleep(0.2)
            for event in tail.read():
                progress.take(event)
            return code
        finally:
            watchdog.end_group(process.pid)
            process.wait()
            watcher.communicate(b".")

    def _command(self, run: PlaybookRun) -> list[str]:
        command = [str(self.python), "-m", "ansible", "playbook", "-i", str(self.workplace.inventory), run.playbook]
        if run.limit:
            command += ["--limit", ",".join(run.limit)]
        if run.tags:
            command += ["--tags", ",".join(run.tags)]
        if run.extra:
            # As JSON, because Kubespray requires booleans.
            command += ["-e", json.dumps(run.extra)]
        return command

    def _environment(self, events: Path, hosts: int) -> dict[str, str]:
        """Settings for Ansible: the source's ansible.cfg, overridden to separate stacks and to check host keys."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", *NOT_OURS))}
        folder = self.workplace.folder
        return {
            **inherited,
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "SITE_EVENTS": str(events),
            "ANSIBLE_CONFIG": str(self.source.folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "ansible/tmp"),
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.workplace.facts),
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "site_events",
            "ANSIBLE_STDOUT_CALLBACK": "default",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORKS": str(min(max(hosts, FORKS_AT_LEAST), FORKS_AT_MOST)),
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            "ANSIBLE_PRIVATE_KEY_FILE": str(self.secrets.keys),
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.secrets.sockets),
            "ANSIBLE_SSH_ARGS": shlex.join(
                ["-o", "ControlMaster=auto", "-o", "ControlPersist=60s", *self.shell.options()]
            ),
            **self.shell.environment(),
            **({"ANSIBLE_BECOME_PASSWORD_FILE": str(sudo)} if (sudo := self.secrets.keys / SUDO).exists() else {}),
        }

    def _resolved(self, document: Document) -> dict[str, Any]:
        """The variables with absolute paths, which Ansible would otherwise resolve in its roles, and with a download cache for this stack."""
        manifests = [str(Path(path).resolve()) for path in document.variables.get("custom_cni_manifests", [])]
        defaults = {"download_cache_dir": str(self.workplace.folder / "downloads")}
        return {**defaults, **document.variables, **({"custom_cni_manifests": manifests} if manifests else {})}

    def _failure(self, run: PlaybookRun, progress: Progress, log: Path, took: str) -> str:
        failures = progress.failure() or "  Ansible ended without a failed task; the end of the log has the reason."
        return (
            f"{run.playbook} failed after {took}:\n{failures}\n"
            f"The whole log: {os.path.relpath(log)}\n"
            f"Fix the cause, then type `pulumi up`: it continues from here. You do not have to undo anything."
        )


def _copy(output: IO[bytes], log: Path, mask: Masking) -> None:
    """Writes Ansible's output to the log, line by line, without secrets."""
    with log.open("w", encoding="utf-8", buffering=1) as file:
        for line in output:
            file.write(mask(COLOURS.sub("", line.decode(errors="replace"))))
