"""Stop Ansible and its children when the runner is gone for any reason: a cancelled provider kills it without a signal that it can handle.

Runs as a separate process, in its own session: `python -I watchdog.py <process group> <path>…`. Its standard input is a pipe from the runner. If the
pipe closes without a byte, the runner died: the watchdog stops the process group and deletes the paths (secrets).
It inherits the lock of the working folder, so the next run starts only after that.
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
    """Stops a process group: SIGTERM, and SIGKILL after GRACE_SECONDS."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.1)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)


def main() -> None:
    """Waits for the runner to finish or die."""
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
