"""The lab's cache folder: its layout, its lock, and how files are published to it.

Everything in it can be rebuilt. A build uses a temporary name and is renamed when it is complete. The final name
contains a stamp of all inputs. So whatever has its final name is complete and current: a killed build needs no
repair, and nothing is built twice.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Report = Callable[[str, float | None], None]
"""Called with the current step and its progress (0..1), or None if unknown."""

STAMP_LENGTH = 12
LAST_LINES = 3
LINE_LENGTH = 160
"""How much of a failed command's log the message quotes."""


class LabError(Exception):
    """A failure; the message says in one line what failed, why, and what to do."""


def stamp(*inputs: str | bytes) -> str:
    """A short digest of `inputs` in their order."""
    digest = hashlib.sha256()
    for part in inputs:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:STAMP_LENGTH]


def sha256(path: Path) -> str:
    """The file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Cache:
    """The layout of the cache folder."""

    root: Path

    @classmethod
    def default(cls) -> Cache:
        """$MULTUS_SITE_CACHE, else ~/.cache/multus-site."""
        named = os.environ.get("MULTUS_SITE_CACHE")
        return cls(Path(named).absolute() if named else Path.home() / ".cache" / "multus-site")

    @property
    def bin(self) -> Path:
        """Executables that the lab runs on this machine, for PATH."""
        return self.root / "bin"

    @property
    def go(self) -> Path:
        """Go's own caches: go/mod and go/build."""
        return self.root / "go"

    @property
    def built(self) -> Path:
        """One folder per built tool, TOOL-STAMP."""
        return self.root / "built"

    @property
    def downloads(self) -> Path:
        """Downloaded files, SHA256-NAME."""
        return self.root / "downloads"

    @property
    def mirror(self) -> Path:
        """What the mirror serves to nodes: files-STAMP and registry-STAMP."""
        return self.root / "mirror"

    @property
    def image(self) -> Path:
        """Root file systems: node-STAMP.tar, base-STAMP.tar."""
        return self.root / "image"

    @property
    def logs(self) -> Path:
        """The last output of each build step."""
        return self.root / "logs"

    @property
    def temporary(self) -> Path:
        """Incomplete builds; emptied by the next holder of the lock."""
        return self.root / "temporary"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the lock for builds. Raises LabError at once if another process holds it."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            file = (self.root / "lock").open("a+")
        except OSError as error:
            msg = f"cache {self.root}: {error.strerror}. Set $MULTUS_SITE_CACHE to a writable folder."
            raise LabError(msg) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                msg = (
                    f"cache {self.root}: process {file.read().strip() or 'unknown'} is building the lab there. "
                    "Wait for it, or stop it, then run the same command again."
                )
                raise LabError(msg) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            shutil.rmtree(self.temporary, ignore_errors=True)
            yield

    @contextlib.contextmanager
    def publish(self, target: Path) -> Iterator[Path]:
        """A temporary name on the same file system, renamed to `target` if the block succeeds.

        The block creates a file or a folder with that name. `target` must not exist as a folder.
        """
        scratch = self.temporary / f"{os.getpid()}-{target.name}"
        try:
            self.temporary.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            yield scratch
            scratch.rename(target)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            msg = f"cache {self.root}: the disk is full. Free some space, or set $MULTUS_SITE_CACHE to another folder."
            raise LabError(msg) from error
        finally:
            if scratch.is_dir():
                shutil.rmtree(scratch, ignore_errors=True)
            else:
                scratch.unlink(missing_ok=True)

    def link(self, source: Path, name: str) -> Path:
        """Links bin/`name` to `source`, replacing an existing link atomically."""
        self.bin.mkdir(parents=True, exist_ok=True)
        target = self.bin / name
        if target.is_symlink() and target.readlink() == source:
            return target
        with self.publish(target) as scratch:
            scratch.symlink_to(source)
        return target

    def drop_older(self, current: Path, prefix: str) -> None:
        """Removes results of earlier inputs: everything named `prefix`STAMP except `current`."""
        for path in current.parent.glob(f"{prefix}*"):
            rest = path.name.removeprefix(prefix)
            if path == current or len(rest.split(".")[0]) != STAMP_LENGTH:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def run(
        self,
        step: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> str:
        """Runs `command` with its errors in logs/`step`.log, and returns its output.

        Raises LabError with the last lines if it fails or does not exist. The command ends with this process, and as
        root its children too: otherwise they would continue in a folder that the next run empties.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        self.temporary.mkdir(parents=True, exist_ok=True)
        # the next run also removes temporary files of a killed command
        variables = {**(os.environ if environment is None else environment), "TMPDIR": str(self.temporary)}
        log = self.logs / f"{step}.log"
        guard = ["setpriv", "--pdeathsig", "KILL", "--"]
        if os.geteuid() == 0:
            guard += ["unshare", "--pid", "--fork", "--kill-child", "--"]
        with log.open("wb") as errors:
            try:
                done = subprocess.run(
                    [*guard, *map(str, command)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=variables,
                    cwd=folder,
                    check=False,
                )
            except FileNotFoundError as error:
                msg = f"{step}: {error.filename} is not installed. Run `apt-get install util-linux` and try again."
                raise LabError(msg) from error
        if done.returncode:
            lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
            why = " / ".join(line[:LINE_LENGTH] for line in lines[-LAST_LINES:]) or f"exit status {done.returncode}"
            msg = f"{step} failed: {why}. The whole log: {log}. Fix the cause, then run the same command again."
            raise LabError(msg)
        return done.stdout.decode(errors="replace")
