"""The nightly workflow calls commands that exist, and nothing without a site."""

import re

from ruamel.yaml import YAML

from cli.__main__ import app
from tests.lab.running import PROJECT

WORKFLOW = PROJECT / ".github" / "workflows" / "drift.yml"


def test_it_calls_commands_that_exist():
    commands = {c.name for c in app.registered_commands}
    called = re.findall(r"-m cli (\w+) (\S+) ", WORKFLOW.read_text().replace("\n", " \n"))
    assert [c for c, _ in called] == ["drift", "verify"]
    assert {c for c, _ in called} <= commands


def test_it_runs_nightly_and_without_rights_to_write():
    workflow = YAML(typ="safe").load(WORKFLOW.read_text())
    assert workflow["on"]["schedule"] == [{"cron": "17 3 * * *"}]
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["if"] == "vars.DRIFT_SITES != ''"
    assert [s["if"] for s in job["steps"] if "if" in s] == ["always()"] * 2
