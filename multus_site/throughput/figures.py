"""Figures from iperf3's output: mean and spread over runs, ratios to the bare nodes and to the link's limit."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from multus_site.model.printable import first_line
from multus_site.throughput.plan import NODE


class RefusedError(Exception):
    """A measurement that would not be valid; the message says why."""


@dataclass(frozen=True)
class Run:
    """One run of iperf3. TCP has retransmits, UDP has loss and jitter."""

    gbits: float
    retransmits: int | None
    loss_percent: float | None
    jitter_milliseconds: float | None


@dataclass(frozen=True)
class Kind:
    """What the runs of one figure share; `source` and `target` are nodes."""

    network: str
    protocol: str
    streams: int
    source: str
    target: str


def run_of(text: str, protocol: str) -> Run:
    """Parse the output of `iperf3 -J`. Raises RefusedError if iperf3 failed."""
    try:
        data = json.loads(text)
        if error := data.get("error"):
            msg = f"iperf3: {error}"
            raise RefusedError(msg)
        return _run(data["end"], protocol)
    except (ValueError, TypeError, KeyError, AttributeError):
        msg = f"iperf3 gave no result; its output begins: {first_line(text)}"
        raise RefusedError(msg) from None


def _run(end: dict[str, Any], protocol: str) -> Run:
    if protocol == "udp":
        # `sum` counts what the receiver got; before 3.14 its rate is the sender's
        total = end["sum"]
        loss = float(total.get("lost_percent", 0))
        received = end.get("sum_received", {}).get("bits_per_second") or total["bits_per_second"] * (1 - loss / 100)
        return Run(received / 1e9, None, round(loss, 3), round(float(total.get("jitter_ms", 0)), 4))
    return Run(end["sum_received"]["bits_per_second"] / 1e9, int(end["sum_sent"].get("retransmits", 0)), None, None)


def tcp_limit(link_gbits: float, mtu: int) -> float:
    """Return the limit of TCP over Ethernet in Gbit/s: 52 bytes of headers in a packet, 38 around it (IEEE 802.3, RFC 7323)."""
    return link_gbits * (mtu - 52) / (mtu + 38)


def rows(
    measured: Sequence[tuple[Kind, Sequence[Run]]],
    latencies: dict[tuple[str, str], float | None],
    limits: dict[str, float],
) -> list[dict[str, Any]]:
    """Return the `throughput` output. Runs at the same index belong to one round.

    `latencies`: (network, source) → microseconds; `limits`: network → tcp_limit, if known.
    """
    node = {(k.protocol, k.streams, k.source): runs for k, runs in measured if k.network == NODE}
    return [
        _row(kind, runs, node.get((kind.protocol, kind.streams, kind.source), ()), latencies, limits)
        for kind, runs in measured
    ]


def _row(
    kind: Kind,
    runs: Sequence[Run],
    node: Sequence[Run],
    latencies: dict[tuple[str, str], float | None],
    limits: dict[str, float],
) -> dict[str, Any]:
    gbits = [r.gbits for r in runs]
    mean = statistics.mean(gbits)
    # Compared within each round, so that a slow round does not count against the network.
    ratios = [r.gbits / n.gbits for r, n in zip(runs, node, strict=False) if n.gbits]
    row: dict[str, Any] = {
        "network": kind.network,
        "protocol": kind.protocol,
        "streams": kind.streams,
        "from": kind.source,
        "to": kind.target,
        "runs": len(runs),
        "gbitsPerSecond": round(mean, 3),
        "stddev": round(statistics.stdev(gbits), 3) if len(gbits) > 1 else 0.0,
        "retransmits": sum(r.retransmits or 0 for r in runs) if kind.protocol == "tcp" else None,
        "ratioToNode": round(statistics.median(ratios), 3) if ratios else None,
        "ratioToNodeRange": [round(min(ratios), 3), round(max(ratios), 3)] if ratios else None,
        "ratioToLink": round(mean / limits[kind.network], 3) if limits.get(kind.network) else None,
        "latencyMicroseconds": latencies.get((kind.network, kind.source)),
    }
    if kind.protocol == "udp":
        row["lossPercent"] = round(statistics.mean(r.loss_percent or 0 for r in runs), 3)
        row["jitterMilliseconds"] = round(statistics.mean(r.jitter_milliseconds or 0 for r in runs), 4)
    return row
