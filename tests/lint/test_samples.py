"""Published configurations: verdict and rule of each; skipped unless they are beside the checkout."""

import json
from pathlib import Path

import pytest

from multus_site.lint.facts import parse_facts

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "nad"
EXPECTED = json.loads((SAMPLES / "expected.json").read_text()) if SAMPLES.is_dir() else []


@pytest.mark.skipif(not EXPECTED, reason=f"no samples at {SAMPLES}")
@pytest.mark.parametrize("sample", EXPECTED, ids=[sample["file"] for sample in EXPECTED])
def test_verdict_and_rule(sample, findings):
    facts = parse_facts(json.dumps(sample["context"]), source="context")
    found = findings({sample["file"]: (SAMPLES / sample["file"]).read_text()}, facts)
    errors = {finding.rule for finding in found if finding.level == "error"}
    if sample["verdict"] == "reject":
        assert sample["rule"] in errors
    else:
        assert not errors
        assert sample["verdict"] == "accept" or sample["rule"] in {finding.rule for finding in found}
