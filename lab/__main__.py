"""`python -m lab up|down|shell|test|bench`, for the Makefile."""

import os
import signal
import sys
from collections.abc import Callable

from rich.console import Console

from lab.cache import Cache, LabError
from lab.place import PROJECT, Place


def main(arguments: list[str]) -> int:
    """Runs one command. Returns 0, 1 with the reason on standard error, or 130 after an interruption."""
    place = Place(PROJECT, Cache.default())
    # A pipe or a log has no width; the table of results needs this much.
    console = Console(width=None if sys.stdout.isatty() else 130)
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(f"usage: python -m lab {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    # Handle a killed make as an interruption: stop children and write the stage times.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return COMMANDS[arguments[0]](place, console) or 0
    except LabError as error:
        print(f"multus-site: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f"multus-site: interrupted. To continue, type: make {'lab-down' if arguments[0] == 'down' else 'lab'}",
            file=sys.stderr,
        )
        return 130


def _up(place: Place, console: Console) -> int:
    from lab.up import up

    up(place, console)
    return 0


def _down(place: Place, console: Console) -> int:
    from lab.down import down

    down(place, console)
    return 0


def _shell(place: Place, console: Console) -> int:
    from lab.shell import shell

    shell(place, console)
    return 0


def _test(place: Place, console: Console) -> int:
    from lab.testing import test

    return test(place, console)


def _bench(place: Place, console: Console) -> int:
    from lab.bench import bench

    bench(place, console)
    return 0


COMMANDS: dict[str, Callable[[Place, Console], int]] = {
    "up": _up,
    "down": _down,
    "shell": _shell,
    "test": _test,
    "bench": _bench,
}

if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(sys.argv[1:]))
