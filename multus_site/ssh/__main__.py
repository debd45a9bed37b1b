"""`python -m multus_site.ssh`: runs a command on one node, through any number of bastions, as `command:remote:Command` does through one at most.

stdin: {"way", "address", "host_key"} in JSON, and either {"line", "stdin"}, a command line and what it reads, or {"job", "variables", "argument"}, a script
of node/ that is run as root. What the command prints is what this prints; its status too.
"""

import asyncio
import json
import sys
from typing import Any

from multus_site.render.script import script
from multus_site.ssh.connections import Done, connections
from multus_site.ssh.ssh_route import ReachError, Way

TRY_SECONDS = 240
"""As long as the components let pulumi-command try (components/ssh.py): a slow machine may be booting."""


async def run(document: dict[str, Any]) -> Done:
    """What is asked for, on the node. Raises ReachError where it is not reached, or the script fails."""
    async with (
        connections(Way.parse(document["way"])) as reached,
        reached.to(document["address"], document["host_key"], TRY_SECONDS) as connection,
    ):
        if "line" in document:
            # Its time limit is on the node, as in every command line of the components.
            return await connection.line(document["line"], (document["stdin"].encode(), None), None)
        text = script(document["job"], document["variables"])
        return Done(0, await connection.run(f"timeout -k 10 600 sh -s {document['argument']}", text, 660), "")


def main() -> int:
    """The command line."""
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
