"""What the tests of pipelines share."""

import pytest

from tests.workflows.running import Checkout, Hosting


@pytest.fixture
def hosting():
    made = Hosting()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return Checkout(tmp_path_factory.mktemp("pipeline"))
