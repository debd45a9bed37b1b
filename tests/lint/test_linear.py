"""Ten times the objects take about ten times the steps, whatever they share."""

import sys

import pytest

from multus_site.lint.facts import Facts
from multus_site.lint.files import Linter
from tests.bench.lint import SHAPES, one_list


def steps(shape: str, count: int) -> int:
    """Calls of functions, comparisons included, that the rules and the places of findings take; not those that read the text."""
    linter = Linter(Facts(nodes=3))
    linter.add(one_list(shape, count), "x.json")
    calls = 0

    def count_call(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count_call)
    try:
        linter.findings()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("shape", SHAPES)
def test_steps_grow_with_the_number_of_objects(shape):
    few, many = steps(shape, 1000), steps(shape, 10_000)
    assert many < 14 * few
