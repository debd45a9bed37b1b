"""A look at one host: what multus_site/scripts/facts.sh says of it, and how far its clock is from ours."""

import json
import math
import time
from typing import Any

from multus_site.render.script import script
from multus_site.ssh.connections import Connection
from multus_site.ssh.ssh_route import ReachError

CLOCK = "date +%s.%N"


async def facts_of(host: Connection, modules: str, ports: str, seconds: int) -> dict[str, Any]:
    """Its facts for these MODULES and PORTS, and `offset`: its clock minus ours in seconds. Raises ReachError, where it prints something else too."""
    given = script("facts", {"MODULES": modules, "PORTS": ports})
    facts = _facts(await host.run(f"timeout -k 5 {seconds} sh -s", given, seconds + 10))
    begun = time.time()
    clock = _clock(await host.run(CLOCK))
    # Half of the way there and back.
    return {**facts, "offset": clock - (begun + time.time()) / 2}


def _facts(said: str) -> dict[str, Any]:
    try:
        facts = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        facts = None
    if not isinstance(facts, dict):
        msg = f"multus_site/scripts/facts.sh did not end in facts there; {_end(said)}"
        raise ReachError(msg)
    return facts


def _clock(said: str) -> float:
    try:
        clock = float(said)
    except ValueError:
        clock = math.nan
    if not math.isfinite(clock):
        msg = f"`{CLOCK}` tells no time there; {_end(said)}"
        raise ReachError(msg)
    return clock


def _end(said: str) -> str:
    return f"the end of what it printed: {said.strip()[-300:]!r}" if said.strip() else "it printed nothing"
