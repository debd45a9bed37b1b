"""What the tests of ways share: two bastions and a node."""

import pytest

from tests.ssh import hosts


@pytest.fixture(scope="session")
def three(tmp_path_factory):
    with hosts.running(tmp_path_factory.mktemp("hosts"), ("outer", "inner", "node")) as running:
        yield running
