"""Folders on this machine: the cache of all stacks, and the working folder of one stack, `.work/<site>/kubespray/`.

One run at a time uses a working folder; its secrets are there only while the run lasts.
"""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.record import Store, working_folder
from multus_site.ssh.openssh import lay_out, write_secret

LOCK_SECONDS = 60
"""How long to wait for the run before us: one that was cancelled takes a moment to end."""

LOGS_KEPT = 20

SUDO = "sudo.password"
"""sudo's password among what opens hosts."""


def cache() -> Path:
    """The folder."""
    return Path(os.environ.get("MULTUS_SITE_CACHE") or Path.home() / ".cache/multus-site")


@contextlib.contextmanager
def only_one(made: Path) -> Iterator[None]:
    """Holds a lock beside what is about to be made, so that stacks that want the same thing make it once."""
    made.parent.mkdir(parents=True, exist_ok=True)
    with made.with_name(f"{made.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Workplace:
    """Paths of one stack's runs."""

    folder: Path

    @classmethod
    def for_site(cls, site: str) -> "Workplace":
        """The folder of a site in the project, which is the current directory."""
        folder = working_folder(site)
        (folder / "log").mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o700)  # noqa: PTH101 # inventory and logs may hold what a site's variables hold
        return cls(folder)

    @property
    def store(self) -> Store:
        """The copy of the record."""
        return Store(self.folder / "record.json")

    @property
    def keys(self) -> Path:
        """Folder with what opens hosts, while a run lasts."""
        return self.folder / "keys"

    @property
    def known_hosts(self) -> Path:
        """Pinned host keys; stays, for `ssh` by hand."""
        return self.folder / "known_hosts"

    @property
    def inventory(self) -> Path:
        """The inventory of the run."""
        return self.folder / "inventory.json"

    @property
    def facts(self) -> Path:
        """Ansible's fact cache: per stack, since it is keyed by host name alone."""
        return self.folder / "facts"

    def log(self, playbook: str) -> Path:
        """A new log file; the oldest ones go."""
        logs = sorted((self.folder / "log").glob("*.log"))
        for old in logs[: max(0, len(logs) - LOGS_KEPT)]:
            old.unlink(missing_ok=True)
            old.with_suffix(".events").unlink(missing_ok=True)
        return self.folder / "log" / f"{time.strftime('%Y%m%d-%H%M%S')}-{Path(playbook).stem}.log"

    def lock(self) -> IO[str]:
        """Holds the folder for this run until closed. Raises KubesprayError if another run does not end."""
        file = (self.folder / "lock").open("a+")
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline:
                    file.close()
                    msg = f"another run of Kubespray for this stack is at work in {self.folder}. Wait for it, or cancel it there"
                    raise KubesprayError(msg) from None
                time.sleep(0.5)
            else:
                return file

    def open(self, document: Document, known_hosts: str) -> "Secrets":
        """Lays out what opens the hosts, and known_hosts."""
        self.known_hosts.write_text(known_hosts)
        lay_out(document.way, self.keys)
        if password := document.way.sudo_password:
            write_secret(self.keys / SUDO, password + "\n")
        # Unix sockets have paths of at most 104 bytes; a project folder may be longer.
        return Secrets(self.keys, Path(tempfile.mkdtemp(prefix="multus-site-")))

    def write_inventory(self, inventory: dict[str, Any]) -> None:
        """Writes the inventory, readable for its owner only: variables may be secret."""
        self.inventory.unlink(missing_ok=True)
        write_secret(self.inventory, json.dumps(inventory, indent=1))


@dataclass(frozen=True)
class Secrets:
    """What must not outlive the run."""

    keys: Path
    """Folder of what opens hosts."""
    sockets: Path
    """Folder of the sockets of shared SSH connections."""

    def remove(self) -> None:
        """Removes both."""
        shutil.rmtree(self.keys, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)
