"""The lab's cache folder: what is in it, how it is published, who may write to it.

Everything there can be made again. A thing is built under a temporary name and renamed into place, and its final
name carries a stamp of all that went into it: what exists under its final name is whole and current, so a killed
build leaves nothing to repair and nothing is built twice.
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
"""Takes the step that is under way and how far it is (0..1), or None where nobody can know."""

STAMP_LENGTH = 12
LAST_LINES = 3
LINE_LENGTH = 160
"""How much of a failed command's log goes into the message."""


class LabError(Exception):
    """What went wrong, why, and what to do, in one line for the person at the terminal."""


def stamp(*inputs: str | bytes) -> str:
    """A short name for all `inputs` together; the same inputs in the same order give the same name."""
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
    """The folder tree; nothing but this class decides where in it a thing lives."""

    root: Path

    @classmethod
    def default(cls) -> Cache:
        """$MULTUS_SITE_CACHE, else ~/.cache/multus-site."""
        named = os.environ.get("MULTUS_SITE_CACHE")
        return cls(Path(named).absolute() if named else Path.home() / ".cache" / "multus-site")

    @property
    def bin(self) -> Path:
        """All executables that the lab runs on this machine, in one folder for PATH."""
        return self.root / "bin"

    @property
    def go(self) -> Path:
        """Go's own caches: go/mod and go/build."""
        return self.root / "go"

    @property
    def built(self) -> Path:
        """One folder a built tool, TOOL-STAMP."""
        return self.root / "built"

    @property
    def downloads(self) -> Path:
        """Upstream's files, SHA256-NAME."""
        return self.root / "downloads"

    @property
    def mirror(self) -> Path:
        """What the nodes are served: files-STAMP and registry-STAMP."""
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
        """Half-built things; emptied by whoever takes the lock."""
        return self.root / "temporary"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only one that builds. Raises LabError at once when somebody else does."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            file = (self.root / "lock").open("a+")
        except OSError as error:
            msg = f"cache {self.root}: {error.strerror}. Give a folder that can be written in $MULTUS_SITE_CACHE."
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
        """A temporary name on the same file system, renamed to `target` when the block ends well.

        The block makes a file or a folder of that name. `target` must not exist as a folder.
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
            msg = f"cache {self.root}: the disk is full. Free some space, or name another folder in $MULTUS_SITE_CACHE."
            raise LabError(msg) from error
        finally:
            if scratch.is_dir():
                shutil.rmtree(scratch, ignore_errors=True)
            else:
                scratch.unlink(missing_ok=True)

    def link(self, source: Path, name: str) -> Path:
        """Offer `source` as bin/`name`, replacing in one step what was there."""
        self.bin.mkdir(parents=True, exist_ok=True)
        target = self.bin / name
        if target.is_symlink() and target.readlink() == source:
            return target
        with self.publish(target) as scratch:
            scratch.symlink_to(source)
        return target

    def drop_older(self, current: Path, prefix: str) -> None:
        """Remove what earlier inputs gave: all that is named `prefix`STAMP like `current` but isn't it."""
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
        """Run `command` with its errors kept in logs/`step`.log; give its output.

        Raises LabError with the last lines when it fails or isn't there. The command dies with us, and as root all
        that it has started too: a build whose parent was killed would go on in a folder that the next run empties.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        self.temporary.mkdir(parents=True, exist_ok=True)
        # half-made files of a command that is killed go with all that is half made
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
                msg = f"{step}: {error.filename} is not there. Run `apt-get install util-linux` and try again."
                raise LabError(msg) from error
        if done.returncode:
            lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
            why = " / ".join(line[:LINE_LENGTH] for line in lines[-LAST_LINES:]) or f"exit status {done.returncode}"
            msg = f"{step} failed: {why}. All of it: {log}. Then run the same command again."
            raise LabError(msg)
        return done.stdout.decode(errors="replace")
