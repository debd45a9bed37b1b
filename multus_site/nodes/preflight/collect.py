"""Collects the facts of one host: the output of multus_site/scripts/facts.sh, and the offset of its clock."""

import math
import time
from typing import Any

from multus_site.model.printable import first_line
from multus_site.render.script import script
from multus_site.ssh.answers import AnswerError, last_object
from multus_site.ssh.connections import Connection
from multus_site.ssh.ssh_route import ReachError

CLOCK = "date +%s.%N"

KEYS = (
    "hostname", "machineId", "productUuid", "architecture", "kernel", "os", "python", "init", "memory", "swap", "disk", "cgroup",
    "synchronized", "loopback", "nics", "modules", "ports", "cluster", "multus", "hypervisor", "container", "iommu", "apt",
)  # fmt: skip
"""The facts that checks read."""


async def facts_of(host: Connection, modules: str, ports: str, seconds: int) -> dict[str, Any]:
    """The facts of a host for these MODULES and PORTS, and `offset`: its clock minus the clock of this machine, in seconds. Raises ReachError, also for unexpected output."""
    text = script("facts", {"MODULES": modules, "PORTS": ports})
    output = await host.run(f"timeout -k 5 {seconds} sh -s", text, seconds + 10)
    try:
        facts = last_object(output, "multus_site/scripts/facts.sh")
    except AnswerError as error:
        raise ReachError(str(error)) from None
    if missing := [key for key in KEYS if key not in facts]:
        msg = (
            f"multus_site/scripts/facts.sh did not print {', '.join(missing)}; its output begins: {first_line(output)}"
        )
        raise ReachError(msg)
    begun = time.time()
    clock = _clock(await host.run(CLOCK))
    # The clock was read about halfway between sending the command and the answer.
    return {**facts, "offset": clock - (begun + time.time()) / 2}


def _clock(output: str) -> float:
    try:
        clock = float(output)
    except ValueError:
        clock = math.nan
    if not math.isfinite(clock):
        msg = f"`{CLOCK}` printed {first_line(output)}, which is not a time"
        raise ReachError(msg)
    return clock
