"""What is reachable is asked once, together, and never when it is forced."""

import time

import pytest

from lab import reach


def never(address):
    raise AssertionError(address)


def test_offline_asks_nothing(monkeypatch):
    found = reach.probe(offline=True, prober=never)
    assert found == reach.Reach(kubernetes=False, github=False, pulumi=False, asked=False)
    assert not found.official
    assert found.line.startswith("Offline (OFFLINE=1)")
    monkeypatch.setenv("OFFLINE", "1")
    assert reach.probe(prober=never) == found


def test_all_are_asked_at_once():
    def slow(_):
        time.sleep(0.2)
        return True

    started = time.monotonic()
    found = reach.probe(offline=False, prober=slow)
    assert time.monotonic() - started < 0.2 * len(reach.ADDRESSES)
    assert found.official
    assert found.line == "Official downloads are reachable: they are used, checked by sha256."


@pytest.mark.parametrize(
    ("reached", "line"),
    [
        ((), "Official downloads are not reachable: all is built from Go modules."),
        (
            ("github",),
            "Official downloads: github reachable, kubernetes, pulumi not: the rest is built from Go modules.",
        ),
    ],
)
def test_the_line_says_what_is_missing(reached, line):
    wanted = [reach.ADDRESSES[name] for name in reached]
    assert reach.probe(offline=False, prober=lambda address: address in wanted).line == line


def test_a_port_that_refuses_is_a_no(unused_port):
    started = time.monotonic()
    assert not reach.answers(f"http://127.0.0.1:{unused_port}/")
    assert time.monotonic() - started < reach.LIMIT
