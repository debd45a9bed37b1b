"""Starts the policy pack: `pulumi preview --policy-pack policy`."""

import sys
from pathlib import Path

# The language host runs this file with the policy folder as the first place for imports.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policy.pack import run

run(Path(__file__).with_name("organisation.json"))
