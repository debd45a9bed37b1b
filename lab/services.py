"""Start, find and stop the mirror's servers in the lab's network, by process id."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from lab.cache import LabError
from lab.place import Place, enter

READY_SECONDS = 30


def start(place: Place, name: str, command: list[str], environment: dict[str, str], port: int, address: str) -> None:
    """Starts a server unless it runs, and waits until it listens. Raises LabError with its last log line."""
    wanted = "\0".join(command)
    pid = running(place, name)
    if pid and (place.folder / "run" / f"{name}.command").read_text() == wanted:
        return
    stop(place, name)
    place.logs.mkdir(parents=True, exist_ok=True)
    log = place.logs / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            enter(*command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **environment},
            start_new_session=True,
            cwd=place.project,
        )
    (place.folder / "run").mkdir(parents=True, exist_ok=True)
    (place.folder / "run" / f"{name}.command").write_text(wanted)
    _pid_file(place, name).write_text(f"{process.pid} {_birth(process.pid)}")
    _await(process, address, port, name, log)


def running(place: Place, name: str) -> int | None:
    """Process id of a running server. Compares the start time, because process ids are reused."""
    with contextlib.suppress(OSError, ValueError):
        pid, birth = _pid_file(place, name).read_text().split()
        if _birth(int(pid)) == birth:
            return int(pid)
    return None


def stop(place: Place, name: str) -> None:
    """Stops a server if it runs."""
    pid = running(place, name)
    if pid:
        end(pid)
    _pid_file(place, name).unlink(missing_ok=True)


def end(pid: int) -> None:
    """Stops a process: SIGTERM, and SIGKILL after five seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        for _ in range(50):
            time.sleep(0.1)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            if not _birth(pid):
                return
        os.kill(pid, signal.SIGKILL)


def _await(process: subprocess.Popen[bytes], address: str, port: int, name: str, log: Path) -> None:
    for _ in range(READY_SECONDS * 10):
        probe = [sys.executable, "-c", f"import socket; socket.create_connection(({address!r}, {port}), 1)"]
        if subprocess.run(enter(*probe), check=False, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0:
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    last = (log.read_text(errors="replace").strip().splitlines() or ["no output"])[-1]
    msg = f"the lab's {name} does not answer on {socket.inet_ntoa(socket.inet_aton(address))}:{port}: {last}. Its log: {log}"
    raise LabError(msg)


def _pid_file(place: Place, name: str) -> Path:
    return place.folder / "run" / f"{name}.pid"


def _birth(pid: int) -> str:
    """Start time of a process in clock ticks; empty for none and for a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
