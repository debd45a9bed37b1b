"""`multus-site throughput`: measures the networks of a running site."""

import asyncio
import json
import sys
from typing import Annotated

import typer

from multus_site.cli.arguments import SiteName, TextOrJson
from multus_site.cli.usage_error import usage_error


def throughput(
    site: SiteName,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="Seconds per run.")] = 5,
    output: TextOrJson = "text",
) -> None:
    """Measure the throughput of a site's networks.

    Measures every network between two workers, and for comparison the pod network and the nodes, with TCP and UDP, one and four
    streams, in both directions. Other settings come from `throughput` of the site. It loads the links, and uses the last two
    free addresses of each range while it runs. Exit status: 0, 1 if nothing could be measured, 2 for a usage error.
    """
    import yaml

    from multus_site.cli import stacks
    from multus_site.cli.tables import throughput_table
    from multus_site.model.daemons import Throughput
    from multus_site.throughput.figures import RefusedError
    from multus_site.throughput.measurement import Measured, measure
    from multus_site.throughput.plan import CannotMeasure
    from multus_site.verify.cluster import Cluster
    from multus_site.verify.record import keep, write_report

    stack = stacks.read(site)
    outputs = stack.outputs()
    kept = stack.site.throughput or Throughput()
    whole = Throughput().model_copy(
        update={"seconds": seconds, "image": kept.image, "runs": kept.runs, "gbits_per_second": kept.gbits_per_second}
    )

    async def run() -> Measured:
        cluster = await Cluster.connect(yaml.safe_load(outputs["kubeconfig"]))
        return await measure(cluster, stack.site, whole, await cluster.held(), whole.image)

    try:
        measured = asyncio.run(run())
    except (CannotMeasure, RefusedError) as error:
        print(f"throughput: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except Exception as error:  # kr8s and httpx raise many kinds; each means the same to the user
        usage_error(f"the cluster of {stack.name} cannot be reached: {str(error) or type(error).__name__}")
    page = None
    try:
        keep(stack.site.name, "throughput", measured.rows)
        page = write_report(stack.name, stack.site.name)
    except OSError as error:
        print(f"the report was not written: {error}", file=sys.stderr)
    if output == "json":
        print(json.dumps(measured.rows, indent=2))
    else:
        throughput_table(measured.rows, measured.skipped)
        if page is not None:
            print(f"report: {page}")
