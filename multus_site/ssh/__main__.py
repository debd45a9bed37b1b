"""`python -m multus_site.ssh`: runs a command on one node through any number of bastions; `command:remote:Command` supports only one.

stdin: {"way", "address", "host_key"} in JSON, and either {"line", "stdin"}, a command line and its input, or {"job", "variables", "argument"}, a script
of multus_site/scripts that runs as root. Prints the output of the command, and exits with its status.
"""

import asyncio
import json
import sys
from typing import Any

from multus_site.render.script import script
from multus_site.ssh.connections import Done, connections
from multus_site.ssh.ssh_route import ReachError, SshRoute

TRY_SECONDS = 240
"""The same limit as for pulumi-command (components/ssh.py): a slow machine may be booting."""


async def run(document: dict[str, Any]) -> Done:
    """Run the command or script of the document on the node. Raises ReachError."""
    async with (
        connections(SshRoute.parse(document["way"])) as reached,
        reached.to(document["address"], document["host_key"], TRY_SECONDS) as connection,
    ):
        if "line" in document:
            # The command line has its time limit on the node, as all command lines of the components.
            return await connection.line(document["line"], (document["stdin"].encode(), None), None)
        text = script(document["job"], document["variables"])
        return Done(0, await connection.run(f"timeout -k 10 600 sh -s {document['argument']}", text, 660), "")


def main() -> int:
    """Run the command."""
    if sys.argv[1:]:
        print("usage: python -m multus_site.ssh <DOCUMENT", file=sys.stderr)
        return 2
    try:
        done = asyncio.run(run(json.loads(sys.stdin.read())))
    except (ValueError, TypeError, KeyError) as error:
        print(f"error: stdin holds no document of components/ssh.py: {error}", file=sys.stderr)
        return 2
    except ReachError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(done.stdout, end="")
    print(done.stderr, end="", file=sys.stderr)
    return done.status


if __name__ == "__main__":
    sys.exit(main())
