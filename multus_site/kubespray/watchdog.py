"""Ends Ansible and all its children when the runner is gone, however it went: a cancelled provider kills us without a word.

Run as its own process, in its own session: `python -I watchdog.py <process group> <path>…`. Its standard input is a pipe that the runner holds;
one byte says that all is well, its end without one that the runner died. Then the process group is ended and the paths (secrets) removed.
It inherits the lock of the working folder, so the next run starts after that and not before.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

GRACE_SECONDS = 10


def end_group(group: int) -> None:
    """Ends a process group: asked first, then killed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.1)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)


def main() -> None:
    """Waits for the runner."""
    if sys.stdin.buffer.read(1):
        return
    end_group(int(sys.argv[1]))
    for path in map(Path, sys.argv[2:]):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
