"""The project's cache folder, shared by all stacks of this machine."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


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
