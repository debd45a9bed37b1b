"""Sending binaries to the store of each node: only those that it lacks, to many nodes at a time."""

import shlex
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from delivery.document import DeliveryError
from kubespray.ssh import Shell, explained

STORE = "/opt/cni/.multus-site"
"""As in node/cni-plugins.sh, which takes them from there."""

AT_A_TIME = 64
FILE_SECONDS = 600

_LACKING = """\
set -eu; mkdir -p {store}; cd {store}
for sum in {sums}; do [ "$(sha256sum "$sum" 2>/dev/null | cut -d ' ' -f 1)" = "$sum" ] || echo "$sum"; done
"""
# The name until it is whole is this connection's own: a run that was cut off leaves no half of it behind under the right one.
_TAKE = """\
set -eu; cd {store}; new=$(mktemp -d new-XXXXXX); trap 'rm -rf "$new"' EXIT
cat >"$new/binary"; [ "$(sha256sum "$new/binary" | cut -d ' ' -f 1)" = {sum} ] || {{ echo 'it arrived damaged' >&2; exit 1; }}
chmod 0755 "$new/binary"; sync "$new/binary"; mv -f "$new/binary" {sum}
"""


def send(shell: Shell, hosts: Mapping[str, dict[str, Any]], wanted: Mapping[str, Iterable[Path]]) -> dict[str, int]:
    """Gives each node the files that it lacks; `wanted`: node → files, named by their sha256. Node → how many were sent.

    Raises DeliveryError with a line for each node that could not be served.
    """

    def one(node: str) -> int | str:
        try:
            return _send_to(shell, hosts[node], {path.name: path for path in wanted[node]})
        except DeliveryError as error:
            return f"{node} ({hosts[node]['ansible_host']}): {error}"

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        results = dict(zip(wanted, pool.map(one, wanted), strict=True))
    if failures := [result for result in results.values() if isinstance(result, str)]:
        raise DeliveryError("\n".join(failures))
    return {node: count for node, count in results.items() if isinstance(count, int)}


def _send_to(shell: Shell, host: dict[str, Any], files: Mapping[str, Path]) -> int:
    lacking = _run(shell, host, _LACKING.format(store=STORE, sums=" ".join(sorted(files)))).split()
    for sum_ in lacking:
        with files[sum_].open("rb") as content:
            _run(shell, host, _TAKE.format(store=STORE, sum=sum_), content.fileno())
    return len(lacking)


def _run(shell: Shell, host: dict[str, Any], command: str, given: int = subprocess.DEVNULL) -> str:
    """A command as root on a host. `given` is a file descriptor. Raises DeliveryError."""
    sudo = "" if host["ansible_user"] == "root" else "sudo -n "
    target = ["-p", str(host["ansible_port"]), f"{host['ansible_user']}@{host['ansible_host']}"]
    try:
        done = subprocess.run(
            ["ssh", *shell.options(), *target, f"{sudo}sh -c {shlex.quote(command)}"],
            stdin=given, capture_output=True, text=True, timeout=FILE_SECONDS, start_new_session=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        msg = f"no answer within {FILE_SECONDS} s"
        raise DeliveryError(msg) from None
    if done.returncode:
        said = explained(done.stderr.strip())[-600:]
        raise DeliveryError(said or f"ended with status {done.returncode}")
    return done.stdout
