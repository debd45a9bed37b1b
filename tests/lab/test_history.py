"""Churn and faults on the lab with a fixed seed, and the history of every address and MAC checked."""

import json
import subprocess
import sys

import pytest

from tests.lab.running import PROJECT

pytestmark = [pytest.mark.lab, pytest.mark.history]

SEED, MINUTES = 3, 2


def test_no_address_twice_none_lost_and_no_pod_without_its_interfaces(lab):
    done = subprocess.run(
        [sys.executable, "-m", "lab.history", "--seed", str(SEED), "--minutes", str(MINUTES)],
        cwd=PROJECT,
        env=lab.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
    folder = PROJECT / done.stdout.splitlines()[0].removeprefix("record in ")
    plan = json.loads((folder / "schedule.json").read_text())
    assert {"delete", "force-delete"} <= {action["what"] for action in plan}
    assert sum(action["seconds"] > 0 for action in plan)
