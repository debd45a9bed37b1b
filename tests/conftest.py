"""What all tests share: the lab that some of them need, and its end when it was brought up for them."""

import os

import pytest

from tests.lab.running import Lab, no_lab


@pytest.fixture(scope="session")
def lab():
    """The running lab. Skips, saying why, where there is none."""
    reason = no_lab()
    if reason:
        pytest.skip(reason)
    return Lab()


@pytest.hookimpl(tryfirst=True)  # xdist names groups by markers that are there before it looks
def pytest_collection_modifyitems(config, items):
    """Where several processes share the tests: the lab's in one of them and first, any other module whole in one."""
    if not in_a_worker(config):
        return
    for item in items:
        lab_s = item.get_closest_marker("lab")
        item.add_marker(pytest.mark.xdist_group("lab" if lab_s else str(item.path)))
    items.sort(key=lambda item: item.get_closest_marker("lab") is None)


def in_a_worker(config):
    """Whether this process runs a part of the tests for another (pytest-xdist)."""
    return hasattr(config, "workerinput")


def pytest_sessionfinish(session):
    """Takes the lab down where `make test` brought it up; before the summary, which stays the last thing printed."""
    from lab.testing import MADE

    if os.environ.get(MADE) and not session.config.option.collectonly and not in_a_worker(session.config):
        Lab().make("down")
