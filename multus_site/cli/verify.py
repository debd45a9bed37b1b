"""`multus-site verify`: checks the networks of a running site."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from multus_site.cli.arguments import SiteName, TextOrJson
from multus_site.cli.usage_error import usage_error, write


def verify(
    site: SiteName,
    output: TextOrJson = "text",
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write the checks to FILE as JUnit XML.")
    ] = None,
) -> None:
    """Check that the networks of a running site work.

    It checks every pod and every node, prints failures and their evidence on standard error, and updates the report of the
    site. Exit status: 0 if every check passed, 1 if not, 2 for a usage error.
    """
    import yaml

    from multus_site.cli import stacks
    from multus_site.cli.tables import checks_table
    from multus_site.verify.__main__ import lines_of, report
    from multus_site.verify.cluster import Cluster
    from multus_site.verify.expectation import expected
    from multus_site.verify.junit import junit as junit_xml
    from multus_site.verify.result import Result
    from multus_site.verify.result import verify as run

    stack = stacks.read(site)
    outputs = stack.outputs()
    begun = time.monotonic()

    async def look() -> Result:
        cluster = await Cluster.connect(yaml.safe_load(outputs["kubeconfig"]))
        return await run(cluster, expected(stack.site, outputs.get("nodes")))

    try:
        result = asyncio.run(look())
    except Exception as error:  # kr8s and httpx raise many kinds; each means the same to the user
        usage_error(f"the cluster of {stack.name} cannot be reached: {str(error) or type(error).__name__}")
    seconds = time.monotonic() - begun
    found = result.output()
    if junit is not None:
        write(junit, junit_xml(stack.name, found["checks"], result.evidence, seconds))
    page = report(stack.name, stack.site, result)
    for line in lines_of(result):
        print(line, file=sys.stderr)
    if output == "json":
        print(json.dumps({**found, "evidence": result.evidence}, indent=2))
    else:
        checks_table(stack.name, found, seconds)
        if page is not None:
            print(f"report: {page}")
    raise typer.Exit(1 if result.failed else 0)
