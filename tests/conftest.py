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


def pytest_sessionfinish(session):
    """Takes the lab down where `make test` brought it up; before the summary, which stays the last thing printed."""
    from lab.testing import MADE

    if os.environ.get(MADE) and not session.config.option.collectonly:
        Lab().make("down")
