"""The order of the runs, and what a network that fails leaves behind."""

import asyncio
import contextlib
import json

import pytest

from multus_site.model.daemons import Throughput
from multus_site.throughput import measurement
from multus_site.throughput.figures import RefusedError
from multus_site.throughput.measurement import in_rounds, measure
from tests.render.diagram.sites import lab

SETTINGS = Throughput(seconds=1, protocols=("tcp",), streams=(1, 4))


class Table:
    """A bench whose wires have a speed each; all of them slow down from one round to the next."""

    def __init__(self, speeds, refused=()):
        self.speeds, self.refused, self.sent = speeds, refused, []

    def addressed(self, path):
        return path

    async def latency(self, _, *, reverse):
        return 20.0 if reverse else 10.0

    async def link(self, path):
        return (10.0, 1500) if path.network == "macvlan-internal" else None

    async def send(self, path, protocol, streams, *, reverse):
        if path.network in self.refused:
            raise RefusedError(f"{path.network}: broken")
        kind = (protocol, streams, reverse)
        number = sum(k == kind for _, k in self.sent) // len(self.speeds)
        self.sent.append((path.network, kind))
        rate = self.speeds[path.network] * 1e9 / (number + 1)
        return json.dumps({"end": {"sum_sent": {"retransmits": 0}, "sum_received": {"bits_per_second": rate}}})


@pytest.fixture
def measured(monkeypatch):
    def whole(table):
        @contextlib.asynccontextmanager
        async def bench(*_):
            yield table

        monkeypatch.setattr(measurement, "bench", bench)
        return asyncio.run(measure(None, lab(), SETTINGS, [], "image:1"))

    return whole


SPEEDS = {"node": 10.0, "pod-network": 8.0, "macvlan-internal": 9.5, "macvlan-external": 9.0}


def test_rounds_begin_with_another_network_each():
    assert "".join(in_rounds("abc", 4)) == "abcbcacababc"
    assert list(in_rounds([], 3)) == []


def test_networks_take_turns_with_what_they_are_held_against(measured):
    table = Table(SPEEDS)
    measured(table)
    networks = [network for network, _ in table.sent]
    assert all(set(networks[i : i + 4]) == set(SPEEDS) for i in range(0, len(networks), 4))
    assert len(networks) == 4 * 3 * 2 * 2
    kinds = [kind for _, kind in table.sent]
    assert all(len(set(kinds[i : i + 12])) == 1 for i in range(0, len(kinds), 12))


def test_a_machine_that_slows_down_changes_no_ratio(measured):
    rows = measured(Table(SPEEDS)).rows
    assert len(rows) == 4 * 2 * 2
    for row in rows:
        assert row["ratioToNode"] == pytest.approx(SPEEDS[row["network"]] / 10)
        assert row["ratioToNodeRange"] == [row["ratioToNode"]] * 2
        assert row["stddev"] > 1
        assert row["latencyMicroseconds"] == (10.0 if row["from"] == "node1" else 20.0)
        assert (row["ratioToLink"] is not None) == (row["network"] == "macvlan-internal")


def test_a_network_that_fails_is_left_out_and_the_others_are_measured(measured):
    found = measured(Table({k: v for k, v in SPEEDS.items() if k != "macvlan-external"}, ["macvlan-external"]))
    assert found.skipped == {"macvlan-external": "macvlan-external: broken"}
    assert {r["network"] for r in found.rows} == {"node", "pod-network", "macvlan-internal"}
    assert all(r["runs"] == 3 for r in found.rows)


def test_where_nothing_can_be_measured_every_reason_is_told(measured):
    with pytest.raises(RefusedError, match="node: broken; pod-network: broken"):
        measured(Table(SPEEDS, SPEEDS))
