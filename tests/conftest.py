"""What all tests share: the lab that some of them need, and its end when it was brought up for them."""

import os

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.lab.running import Lab, no_lab

# A machine that does other work is no failure of an example.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def lab():
    """The running lab. Skips, saying why, where there is none."""
    reason = no_lab()
    if reason:
        pytest.skip(reason)
    return Lab()


class ByModule(LoadScopeScheduling):
    """Each module whole in one process, and all of the lab's in the same. (loadgroup does nothing with this pytest.)"""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return "lab" if file.startswith("tests/lab/") else file


def pytest_xdist_make_scheduler(config, log):
    return ByModule(config, log)


def pytest_collection_modifyitems(config, items):
    """Where several processes share the tests: the lab's first."""
    if in_a_worker(config):
        items.sort(key=lambda item: not item.nodeid.startswith("tests/lab/"))


def in_a_worker(config):
    """Whether this process runs a part of the tests for another (pytest-xdist)."""
    return hasattr(config, "workerinput")


def pytest_sessionfinish(session):
    """Takes the lab down where `make test` brought it up; before the summary, which stays the last thing printed."""
    from lab.testing import MADE

    if os.environ.get(MADE) and not session.config.option.collectonly and not in_a_worker(session.config):
        Lab().make("down")
