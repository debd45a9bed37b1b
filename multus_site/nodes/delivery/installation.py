"""Installation on one node over one connection: sends the missing binaries, then runs multus_site/scripts/cni-plugins.sh."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from multus_site.render.script import script
from multus_site.ssh.answers import AnswerError, last_object
from multus_site.ssh.connections import Connection
from multus_site.ssh.ssh_route import ReachError

STORE = "/opt/cni/.multus-site"
"""The same path as in multus_site/scripts/cni-plugins.sh."""

_LACKING = """\
set -eu; [ -d {store} ] || mkdir -p -m 0755 {store}; cd {store}
for sum in {sums}; do [ "$(sha256sum "$sum" 2>/dev/null | cut -d ' ' -f 1)" = "$sum" ] || echo "$sum"; done
"""
# Each connection writes to a temporary name of its own, so an interrupted run leaves no partial file under the final name.
_TAKE = """\
set -eu; cd {store}; new=$(mktemp -d new-XXXXXX); trap 'rm -rf "$new"' EXIT
cat >"$new/binary"; [ "$(sha256sum "$new/binary" | cut -d ' ' -f 1)" = {sum} ] || {{ echo 'it arrived damaged' >&2; exit 1; }}
chmod 0755 "$new/binary"; sync "$new/binary"; mv -f "$new/binary" {sum}
"""
# The time limit is on the node: a lost connection ends no process there.
_SCRIPT = "timeout -k 10 600 sh -s {argument}"
_SECONDS = 660


async def send(connection: Connection, files: Mapping[str, Path]) -> int:
    """Send the files (named by their sha256) that the node's store lacks, and return their number. Raises ReachError."""
    if not files:
        return 0
    lacking = (await connection.run("sh -s", _LACKING.format(store=STORE, sums=" ".join(sorted(files))))).split()
    for sum_ in lacking:
        await connection.run(f"sh -c '{_quoted(_TAKE.format(store=STORE, sum=sum_))}'", files[sum_])
    return len(lacking)


async def install(connection: Connection, plugins: str) -> dict[str, Any]:
    """Install plugins into /opt/cni/bin, and return the script's result. `plugins`: PLUGINS of the script. Raises ReachError."""
    output = await connection.run(
        _SCRIPT.format(argument="install"), script("cni-plugins", {"PLUGINS": plugins}), _SECONDS
    )
    try:
        return last_object(output, "multus_site/scripts/cni-plugins.sh")
    except AnswerError as error:
        raise ReachError(str(error)) from None


async def remove(connection: Connection) -> None:
    """Remove the installed plugins. Raises ReachError."""
    await connection.run(_SCRIPT.format(argument="remove"), script("cni-plugins", {"PLUGINS": ""}), _SECONDS)


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")
