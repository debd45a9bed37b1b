"""`python -m verification`: reads {"kubeconfig", "expectation"} as JSON, prints the result as JSON; exit 1 if a check fails.

A failure's evidence goes to standard error.
"""

import asyncio
import json
import sys
from typing import Any

import yaml

from verification.cluster import Cluster
from verification.expectation import Expectation
from verification.result import Result, verify


async def main(document: dict[str, Any]) -> int:
    """Verifies, reports, and says whether all is well (0) or not (1)."""
    expected = Expectation.model_validate(document["expectation"])
    cluster = await Cluster.connect(yaml.safe_load(document["kubeconfig"]))
    result = await verify(cluster, expected)
    for line in lines_of(result):
        print(line, file=sys.stderr)
    print(json.dumps(result.output()))
    return 1 if result.failed else 0


def lines_of(result: Result) -> list[str]:
    """What failed, a line each, and the evidence."""
    lines = [f"verification: {c.subject}: {c.check}: {c.detail}" for c in result.failed]
    for title, text in result.evidence.items():
        lines += [f"{title}:", *(f"  {line}" for line in text.splitlines())]
    return lines


if __name__ == "__main__":
    sys.exit(asyncio.run(main(json.load(sys.stdin))))
