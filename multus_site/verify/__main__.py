"""`python -m multus_site.verify`: read {"kubeconfig", "expectation", "stack", "site"} as JSON, print the result as JSON. Exits 1 if a check fails.

Evidence for failures goes to standard error. The stack's report is written in any case.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from multus_site.model.printable import printable
from multus_site.model.site import Site
from multus_site.verify.cluster import Cluster
from multus_site.verify.expectation import Expectation
from multus_site.verify.record import keep, write_report
from multus_site.verify.result import STARTING_SECONDS, Result, verify


async def main(document: dict[str, Any]) -> int:
    """Verify and report; return the exit status."""
    expected = Expectation.model_validate(document["expectation"])
    try:
        cluster = await Cluster.connect(yaml.safe_load(document["kubeconfig"]))
        result = await verify(cluster, expected, STARTING_SECONDS)
    except Exception as error:  # kr8s and httpx raise many kinds; each means the same here
        print(f"verification: the cluster cannot be read: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    for line in lines_of(result):
        print(line, file=sys.stderr)
    report(document["stack"], Site.model_validate(document["site"]), result)
    print(json.dumps(result.output()))
    return 1 if result.failed else 0


def report(stack: str, site: Site, result: Result) -> Path | None:
    """Store the result and write the report. A read-only folder is not a failure."""
    try:
        keep(site.name, "site", site.model_dump(mode="json", by_alias=True, exclude={"kubespray": {"variables"}}))
        keep(site.name, "verification", {**result.output(), "evidence": result.evidence})
        return write_report(stack, site.name)
    except OSError as error:
        print(f"cannot write the report: {error}", file=sys.stderr)
        return None


def lines_of(result: Result) -> list[str]:
    """Return a line for each failed check, and the evidence."""
    lines = [f"verification: {c.subject}: {c.check}: {c.detail}" for c in result.failed]
    for title, text in result.evidence.items():
        lines += [f"{title}:", *(f"  {line}" for line in text.splitlines())]
    # Events, logs and annotations are text of whoever owns the pods.
    return [printable(line) for line in lines]


if __name__ == "__main__":
    sys.exit(asyncio.run(main(json.load(sys.stdin))))
