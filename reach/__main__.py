"""`python -m reach create|delete`: runs a command on one node, as `command:remote:Command` would, through any number of bastions.

stdin: {"way", "address", "host_key", "create", "delete", "stdin"} in JSON. What the command prints is what this prints; its status too.
"""

import asyncio
import json
import sys
from typing import Any

from reach.connections import Done, connections
from reach.way import ReachError, Way

TRY_SECONDS = 240
"""As long as the components let pulumi-command try (components/ssh.py): a slow machine may be booting."""


async def run(document: dict[str, Any], verb: str) -> Done:
    """The command of `verb` on the node. Raises ReachError where it is not reached."""
    async with (
        connections(Way.parse(document["way"])) as reached,
        reached.to(document["address"], document["host_key"], TRY_SECONDS) as connection,
    ):
        # Its time limit is on the node, as in every command line of the components.
        return await connection.line(document[verb], (document["stdin"].encode(), None), None)


def main() -> int:
    """The command line."""
    verb = sys.argv[1:]
    if verb not in (["create"], ["delete"]):
        print("usage: python -m reach create|delete", file=sys.stderr)
        return 2
    try:
        document = json.loads(sys.stdin.read())
        done = asyncio.run(run(document, verb[0]))
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
