"""What is done on one node, over one connection: the binaries that it lacks are sent, then multus_site/scripts/cni-plugins.sh runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from multus_site.render.script import script
from multus_site.ssh.answers import AnswerError, last_object
from multus_site.ssh.connections import Connection
from multus_site.ssh.ssh_route import ReachError

STORE = "/opt/cni/.multus-site"
"""As in multus_site/scripts/cni-plugins.sh, which takes them from there."""

_LACKING = """\
set -eu; [ -d {store} ] || mkdir -p -m 0755 {store}; cd {store}
for sum in {sums}; do [ "$(sha256sum "$sum" 2>/dev/null | cut -d ' ' -f 1)" = "$sum" ] || echo "$sum"; done
"""
# The name until it is whole is this connection's own: a run that was cut off leaves no half of it behind under the right one.
_TAKE = """\
set -eu; cd {store}; new=$(mktemp -d new-XXXXXX); trap 'rm -rf "$new"' EXIT
cat >"$new/binary"; [ "$(sha256sum "$new/binary" | cut -d ' ' -f 1)" = {sum} ] || {{ echo 'it arrived damaged' >&2; exit 1; }}
chmod 0755 "$new/binary"; sync "$new/binary"; mv -f "$new/binary" {sum}
"""
# The limit on the node itself: a connection that is cut off ends nothing there.
_SCRIPT = "timeout -k 10 600 sh -s {argument}"
_SECONDS = 660


async def send(connection: Connection, files: Mapping[str, Path]) -> int:
    """Gives the node's store the files that it lacks, which are named by their sha256; how many these were. Raises ReachError."""
    if not files:
        return 0
    lacking = (await connection.run("sh -s", _LACKING.format(store=STORE, sums=" ".join(sorted(files))))).split()
    for sum_ in lacking:
        await connection.run(f"sh -c '{_quoted(_TAKE.format(store=STORE, sum=sum_))}'", files[sum_])
    return len(lacking)


async def install(connection: Connection, plugins: str) -> dict[str, Any]:
    """Plugins are in /opt/cni/bin; `plugins` are the script's PLUGINS. What each is, as the script says. Raises ReachError."""
    said = await connection.run(
        _SCRIPT.format(argument="install"), script("cni-plugins", {"PLUGINS": plugins}), _SECONDS
    )
    try:
        return last_object(said, "multus_site/scripts/cni-plugins.sh")
    except AnswerError as error:
        raise ReachError(str(error)) from None


async def remove(connection: Connection) -> None:
    """Takes away what is ours. Raises ReachError."""
    await connection.run(_SCRIPT.format(argument="remove"), script("cni-plugins", {"PLUGINS": ""}), _SECONDS)


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")
