"""Folders on this machine: the cache that all stacks share, and the working folder of one stack, `.work/<site>/kubespray/`.

One run at a time uses a working folder. Secrets are in it only during the run.
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
"""How long to wait for the previous run: after a cancellation it needs a moment to end."""

LOGS_KEPT = 20

SUDO = "sudo.password"
"""File with the sudo password, in the folder of credentials."""


def cache() -> Path:
    """The cache folder: $MULTUS_SITE_CACHE, else ~/.cache/multus-site."""
    return Path(os.environ.get("MULTUS_SITE_CACHE") or Path.home() / ".cache/multus-site")


@contextlib.contextmanager
def only_one(target: Path) -> Iterator[None]:
    """Holds a lock next to a file or folder to create, so that only one stack creates it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Workplace:
    """The paths that the runs of one stack use."""

    folder: Path

    @classmethod
    def for_site(cls, site: str) -> "Workplace":
        """The folder of a site in the current directory, the project."""
        folder = working_folder(site)
        (folder / "log").mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o700)  # noqa: PTH101 # inventory and logs may contain values of variables
        return cls(folder)

    @property
    def store(self) -> Store:
        """The copy of the record."""
        return Store(self.folder / "record.json")

    @property
    def keys(self) -> Path:
        """Folder of credentials; exists only during a run."""
        return self.folder / "keys"

    @property
    def known_hosts(self) -> Path:
        """Pinned host keys; kept after a run, for manual `ssh`."""
        return self.folder / "known_hosts"

    @property
    def inventory(self) -> Path:
        """The inventory of the last run."""
        return self.folder / "inventory.json"

    @property
    def facts(self) -> Path:
        """Ansible's fact cache: one per stack, because its only key is the host name."""
        return self.folder / "facts"

    def log(self, playbook: str) -> Path:
        """The path of a new log file. Deletes the oldest logs."""
        logs = sorted((self.folder / "log").glob("*.log"))
        for old in logs[: max(0, len(logs) - LOGS_KEPT)]:
            old.unlink(missing_ok=True)
            old.with_suffix(".events").unlink(missing_ok=True)
        return self.folder / "log" / f"{time.strftime('%Y%m%d-%H%M%S')}-{Path(playbook).stem}.log"

    def lock(self) -> IO[str]:
        """Locks the folder until the returned file is closed. Raises KubesprayError if another run does not end."""
        file = (self.folder / "lock").open("a+")
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline:
                    file.close()
                    msg = f"another run of Kubespray for this stack is at work in {self.folder}. Wait for it, or cancel it where it was started"
                    raise KubesprayError(msg) from None
                time.sleep(0.5)
            else:
                return file

    def open(self, document: Document, known_hosts: str) -> "Secrets":
        """Writes the credentials and known_hosts."""
        self.known_hosts.write_text(known_hosts)
        lay_out(document.route, self.keys)
        if password := document.route.sudo_password:
            write_secret(self.keys / SUDO, password + "\n")
        # Unix sockets have paths of at most 104 bytes; a project folder may be longer.
        return Secrets(self.keys, Path(tempfile.mkdtemp(prefix="multus-site-")))

    def write_inventory(self, inventory: dict[str, Any]) -> None:
        """Writes the inventory, readable only by its owner: variables may be secret."""
        self.inventory.unlink(missing_ok=True)
        write_secret(self.inventory, json.dumps(inventory, indent=1))


@dataclass(frozen=True)
class Secrets:
    """Folders that must not outlive the run."""

    keys: Path
    """Folder of credentials."""
    sockets: Path
    """Folder of sockets for shared SSH connections."""

    def remove(self) -> None:
        """Deletes both folders."""
        shutil.rmtree(self.keys, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)
