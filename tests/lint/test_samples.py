"""Published and reported configurations: each has its verdict, by its rule, and nothing else is accused."""

import pytest

from multus_site.lint.registry import RULES
from tests.lint.verdicts import SAMPLES, Sample, judged, samples

ALL = list(samples())

UNMET: dict[str, str] = {}
"""Samples that the linter still judges wrongly; one that it judges rightly fails here until its line is gone."""


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(
            sample,
            id=sample.name,
            marks=[pytest.mark.xfail(reason=UNMET[sample.name], strict=True)] if sample.name in UNMET else [],
        )
        for sample in ALL
    ],
)
def test_verdict_and_rule(sample: Sample):
    verdict = judged(sample)
    assert verdict.right, [f"{finding.level} {finding.rule}: {finding.message}" for finding in verdict.found]


def test_every_file_has_its_verdict_and_every_rule_exists():
    assert {file.name for file in SAMPLES.iterdir()} == {sample.name for sample in ALL[:58]} | {"expected.json"}
    assert {rule for sample in ALL for rule in sample.rules | sample.silent} <= {*RULES, "?", "*"}


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        ("accept", '{"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "mode": "l2"}'),
        ("reject", '{"cniVersion": "1.0.0", "name": "n", "type": "macvlan"}'),
        ("warn", '{"cniVersion": "1.0.0", "name": "n", "type": "macvlan"}'),
    ],
)
def test_a_wrong_verdict_is_seen(verdict, text):
    sample = ALL[0]._replace(text=text, verdict=verdict, rules=frozenset({"VLAN_ID"}))
    assert not judged(sample).right
