"""`python -m multus_site.throughput`: read {"kubeconfig", "stack", "site", "image"} as JSON, print the `throughput` output as JSON.

Exits 1 if nothing could be measured. Progress, and why networks were skipped, go to standard error.
"""

import asyncio
import json
import sys
from typing import Any

import yaml

from multus_site.model.site import Site
from multus_site.throughput.figures import RefusedError
from multus_site.throughput.measurement import measure
from multus_site.throughput.plan import CannotMeasure
from multus_site.verify.cluster import Cluster
from multus_site.verify.record import keep, write_report


async def main(document: dict[str, Any]) -> int:
    """Measure and report; return the exit status."""
    site = Site.model_validate(document["site"])
    if site.throughput is None:
        print("[]")
        return 0
    try:
        cluster = await Cluster.connect(yaml.safe_load(document["kubeconfig"]))
        measured = await measure(cluster, site, site.throughput, await cluster.held(), document["image"])
    except (CannotMeasure, RefusedError) as error:
        print(f"throughput: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # kr8s and httpx raise many kinds; each means the same here
        print(f"throughput: the cluster cannot be read: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    for network, why in measured.skipped.items():
        print(f"throughput: {network} is skipped: {why}", file=sys.stderr)
    try:
        keep(site.name, "throughput", measured.rows)
        write_report(document["stack"], site.name)
    except OSError as error:
        print(f"cannot write the report: {error}", file=sys.stderr)
    print(json.dumps(measured.rows))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(json.load(sys.stdin))))
