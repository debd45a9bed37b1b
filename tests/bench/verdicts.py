"""How right the linter is: precision and recall over all samples; prints JSON.

    python -m tests.bench.verdicts

Precision: of the samples with an error, those that deserve one. Recall: of the samples that deserve an error or a warning,
those with it. A verdict is right if both the level and the rule are.
"""

import json

from tests.lint.verdicts import Verdict, judged, samples


def measured(verdicts: list[Verdict]) -> dict[str, float | int | list[str]]:
    """Counts and ratios of the verdicts, and the names of the wrong ones."""
    accused = [verdict for verdict in verdicts if verdict.accused]
    deserving = [verdict for verdict in verdicts if verdict.sample.verdict != "accept"]
    rightly = sum(verdict.sample.verdict == "reject" for verdict in accused)
    wrong = [verdict.sample.name for verdict in verdicts if not verdict.right]
    return {
        "samples": len(verdicts),
        "right": len(verdicts) - len(wrong),
        "precision": round(rightly / len(accused), 3),
        "recall": round(sum(verdict.right for verdict in deserving) / len(deserving), 3),
        "wrong": wrong,
    }


if __name__ == "__main__":
    print(json.dumps(measured([judged(sample) for sample in samples()]), indent=2, ensure_ascii=False))
