"""What the engine's tests share."""

import pytest

from tests.engine.applied import applied


@pytest.fixture(scope="package")
def once(tmp_path_factory):
    """A place whose stack was applied, made once."""
    return applied(tmp_path_factory.mktemp("applied") / "place")


@pytest.fixture
def place(once, tmp_path):
    """A copy of it for one test."""
    return once.copy(tmp_path / "place")
