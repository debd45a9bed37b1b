"""Starts the policy pack: `pulumi preview --policy-pack policy`."""

import sys
from pathlib import Path

# The language host runs this file with the policy folder as the first place for imports.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pulumi_policy import EnforcementLevel, PolicyPack

from policy.crossguard import made
from policy.organisation import SettingsError, settings
from policy.pack import POLICIES

try:
    organisation = settings(POLICIES, Path(__file__).with_name("organisation.json"))
except SettingsError as error:
    sys.exit(str(error))

PolicyPack("multus-site", [made(policy) for policy in POLICIES], EnforcementLevel.MANDATORY, organisation)
