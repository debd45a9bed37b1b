"""Measure a site: every network, the pod network and the bare nodes in the same run."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from multus_site.model.daemons import Throughput
from multus_site.model.site import Site
from multus_site.throughput.bench import bench
from multus_site.throughput.figures import Kind, RefusedError, Run, rows, run_of, tcp_limit
from multus_site.throughput.plan import Path, plan, pods
from multus_site.verify.cluster import Cluster


@dataclass(frozen=True)
class Measured:
    """`rows`: the `throughput` output. `skipped`: network → why it was not measured."""

    rows: list[dict[str, Any]]
    skipped: dict[str, str]


async def measure(cluster: Cluster, site: Site, settings: Throughput, held: Iterable[str], image: str) -> Measured:
    """Measure. Raises CannotMeasure if the site does not allow it, RefusedError if nothing could be measured."""
    measured = plan(site, held)
    skipped = dict(measured.skipped)
    runs: dict[Kind, list[Run]] = {}
    latencies: dict[tuple[str, str], float | None] = {}
    limits: dict[str, float] = {}
    ways = {False: (measured.client, measured.server), True: (measured.server, measured.client)}
    async with bench(measured, pods(measured, image), cluster, settings) as table:
        paths: list[Path] = []
        for path in measured.paths:
            try:
                paths.append(table.addressed(path))
            except RefusedError as error:
                skipped[path.network] = str(error)
        for path in paths:
            for reverse, (source, _) in ways.items():
                latencies[path.network, source] = await table.latency(path, reverse=reverse)
            if link := await table.link(path):
                limits[path.network] = tcp_limit(*link)
        for reverse, protocol, streams in product(ways, settings.protocols, settings.streams):
            for path in in_rounds(paths, settings.runs):
                if path.network in skipped:
                    continue
                kind = Kind(path.network, protocol, streams, *ways[reverse])
                try:
                    output = await table.send(path, protocol, streams, reverse=reverse)
                    runs.setdefault(kind, []).append(run_of(output, protocol))
                except RefusedError as error:
                    skipped[path.network] = str(error)
                    continue
                _say(kind, runs[kind][-1])
    found = [(kind, of_kind) for kind, of_kind in runs.items() if kind.network not in skipped]
    if not found:
        raise RefusedError("; ".join(skipped.values()) or "there is nothing to measure")
    return Measured(rows(found, latencies, limits), skipped)


def in_rounds(paths: Sequence[Path], count: int) -> Iterator[Path]:
    """Yield the paths `count` times, each round starting with the next one.

    Other load on the machines changes by the minute; this spreads it over the networks and their references alike.
    """
    for number in range(count):
        first = number % len(paths) if paths else 0
        yield from (*paths[first:], *paths[:first])


def _say(kind: Kind, run: Run) -> None:
    print(
        f"throughput: {kind.network} {kind.protocol} × {kind.streams} from {kind.source}: {run.gbits:.2f} Gbit/s",
        file=sys.stderr,
    )
