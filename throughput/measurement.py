"""One measurement of a site: every network, and the pod network and the bare nodes beside it in the same run."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from model.site import Site
from model.throughput import Throughput
from throughput.bench import Bench, bench
from throughput.figures import Kind, RefusedError, Run, rows, run_of, tcp_limit
from throughput.plan import Path, plan, pods
from verification.cluster import Cluster


@dataclass(frozen=True)
class Measured:
    """`rows`: the `throughput` output. `skipped`: network → why it was not measured."""

    rows: list[dict[str, Any]]
    skipped: dict[str, str]


async def measure(cluster: Cluster, site: Site, settings: Throughput, held: Iterable[str], image: str) -> Measured:
    """Measures. Raises CannotMeasure where the site is not made for it, RefusedError where nothing could be measured."""
    measured = plan(site, held)
    skipped = dict(measured.skipped)
    found: list[tuple[Kind, list[Run]]] = []
    latencies: dict[tuple[str, str], float | None] = {}
    limits: dict[str, float] = {}
    manifests = pods(measured, image)
    async with bench(measured, manifests, cluster, settings) as table:
        for path in measured.paths:
            try:
                whole = table.addressed(path)
                for reverse in (False, True):
                    source, target = (
                        (measured.server, measured.client) if reverse else (measured.client, measured.server)
                    )
                    latencies[path.network, source] = await table.latency(whole, reverse=reverse)
                    for protocol in settings.protocols:
                        for streams in settings.streams:
                            kind = Kind(path.network, protocol, streams, source, target)
                            runs = await _runs(table, whole, kind, settings.runs, reverse=reverse)
                            found.append((kind, runs))
                            _say(kind, runs)
                link = await table.link(whole)
                if link:
                    limits[path.network] = tcp_limit(*link)
            except RefusedError as error:
                found = [(kind, runs) for kind, runs in found if kind.network != path.network]
                skipped[path.network] = str(error)
    if not found:
        raise RefusedError("; ".join(skipped.values()) or "there is nothing to measure")
    return Measured(rows(found, latencies, limits), skipped)


def _say(kind: Kind, runs: list[Run]) -> None:
    rates = " ".join(f"{run.gbits:.2f}" for run in runs)
    print(
        f"throughput: {kind.network} {kind.protocol} × {kind.streams} from {kind.source}: {rates} Gbit/s",
        file=sys.stderr,
    )


async def _runs(table: Bench, path: Path, kind: Kind, count: int, *, reverse: bool) -> list[Run]:
    return [
        run_of(await table.send(path, kind.protocol, kind.streams, reverse=reverse), kind.protocol)
        for _ in range(count)
    ]
