"""Collects the facts of one host: what multus_site/scripts/facts.sh prints there, and how far its clock is from ours."""

import math
import time
from typing import Any

from multus_site.render.script import script
from multus_site.ssh.answers import AnswerError, first_line, last_object
from multus_site.ssh.connections import Connection
from multus_site.ssh.ssh_route import ReachError

CLOCK = "date +%s.%N"

KEYS = (
    "hostname", "machineId", "productUuid", "architecture", "kernel", "os", "python", "init", "memory", "swap", "disk", "cgroup",
    "synchronized", "loopback", "nics", "modules", "ports", "cluster", "hypervisor", "container", "iommu", "apt",
)  # fmt: skip
"""The facts that checks read."""


async def facts_of(host: Connection, modules: str, ports: str, seconds: int) -> dict[str, Any]:
    """Its facts for these MODULES and PORTS, and `offset`: its clock minus ours in seconds. Raises ReachError, where it prints something else too."""
    given = script("facts", {"MODULES": modules, "PORTS": ports})
    said = await host.run(f"timeout -k 5 {seconds} sh -s", given, seconds + 10)
    try:
        facts = last_object(said, "multus_site/scripts/facts.sh")
    except AnswerError as error:
        raise ReachError(str(error)) from None
    if missing := [key for key in KEYS if key not in facts]:
        msg = f"multus_site/scripts/facts.sh printed no {', '.join(missing)}; its output begins: {first_line(said)}"
        raise ReachError(msg)
    begun = time.time()
    clock = _clock(await host.run(CLOCK))
    # Half of the way there and back.
    return {**facts, "offset": clock - (begun + time.time()) / 2}


def _clock(said: str) -> float:
    try:
        clock = float(said)
    except ValueError:
        clock = math.nan
    if not math.isfinite(clock):
        msg = f"`{CLOCK}` printed {first_line(said)} instead of a time"
        raise ReachError(msg)
    return clock
