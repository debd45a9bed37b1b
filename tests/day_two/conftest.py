"""What the day-two runs share: a lab that is up, a ping all the while, and the table at the end."""

import contextlib
import json
import time
from datetime import UTC, datetime

import pytest

from lab import segments
from tests.day_two.sites import Ping


@pytest.fixture(scope="session", autouse=True)
def lab_is_up():
    assert segments.exists(), "day two needs a lab that is up: make lab"


@pytest.fixture(scope="session")
def results(lab):
    """Rows of the table: what was done, seconds, tasks changed by host, packets sent and lost. Printed and kept at the end."""
    rows = []
    yield rows
    path = lab.place.runs / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-day-two.json"
    path.write_text(json.dumps(rows, indent=1) + "\n")
    print()
    for row in rows:
        print(f"{row['what']:<58} {row['seconds']:6.1f} s  {row['ran']}  ping: {row['ping']}")


@pytest.fixture
def step(lab, results):
    """A step with a ping all the while on node2, which none of them concerns: at most one packet of it is lost."""

    @contextlib.contextmanager
    def run(what, cluster):
        ping = Ping(lab, "node2")
        begun = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - begun
            sent, lost = ping.stop()
        results.append(
            {"what": what, "seconds": seconds, "ran": cluster.ran(), "ping": f"{sent - lost} of {sent} answered"}
        )
        assert ping.same_pod()
        assert sent > seconds
        assert lost <= 1

    return run
