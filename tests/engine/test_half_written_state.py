"""A state that is half written while the program reads it: provoked by the program itself, which truncates the file first."""

import json
import re

import pytest
import yaml

from components import pulumi_state
from tests.engine.applied import PROJECT, Place

pytestmark = pytest.mark.engine

PROGRAM = """
import os, threading, time
from pathlib import Path
import pulumi
from components import pulumi_state

half, whole, waits = (os.environ.get(f"HALF_{name}", "") for name in ("FILE", "LENGTH", "SECONDS"))
if half:
    file = Path(half)
    text = file.read_bytes()
    # What the engine does: it opens the file, which empties it, and then writes.
    file.write_bytes(text[: int(whole)])
    def restore():
        time.sleep(float(waits))
        file.write_bytes(text)
    threading.Thread(target=restore).start()
last = pulumi_state.last_update()
pulumi.export("before", last.outputs.get("number", "none"))
pulumi.export("number", 7)
"""
ONLY = ("components", "multus_site", ".venv")
STATE = "state/.pulumi/stacks/half/dallas.json"


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """A stack with an output and a state that any reader needs whole."""
    place = Place(tmp_path_factory.mktemp("half"), ours=ONLY)
    project = place.folder / "project"
    runtime = {"name": "python", "options": {"virtualenv": ".venv"}}
    (project / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": "half", "runtime": runtime, "stackConfigDir": "stacks"})
    )
    (project / "__main__.py").write_text(PROGRAM)
    place.write({})
    place.initialise()
    first = up(place)
    assert isinstance(first, dict), first
    assert first["before"] == "none"
    return place


def up(place, **half):
    settings = [f"HALF_{name}={value}" for name, value in half.items()]
    done = place.run(
        "env", *settings, "pulumi", "up", "--stack", "dallas", "--yes", "--skip-preview", "--non-interactive"
    )
    if done.returncode:
        return done.stdout + done.stderr
    return json.loads(place.must("pulumi", "stack", "output", "--json", "--stack", "dallas"))


@pytest.mark.parametrize("length", [0, 1, 200])
@pytest.mark.parametrize("suffix", ["", ".attrs"])
def test_a_state_that_is_being_written_is_read_once_it_is_whole(applied, suffix, length):
    file = applied.folder / f"{STATE}{suffix}"
    assert file.stat().st_size > length or length == 200
    assert up(applied, FILE=file, LENGTH=length, SECONDS=1.2)["before"] == 7


def test_a_state_that_stays_damaged_is_named_with_the_way_out(applied):
    file = applied.folder / STATE
    text = file.read_bytes()
    try:
        said = up(applied, FILE=file, LENGTH=0, SECONDS=sum(pulumi_state.WAITS) + 30)
    finally:
        file.write_bytes(text)
    assert "the state of stack dallas cannot be read" in said
    assert "docs/stacks.md" in said
    assert "Traceback" not in said


PAGE = (PROJECT / "docs" / "stacks.md").read_text()


def typed_in(heading):
    """The commands that the page shows in a paragraph, for this stack and project."""
    block = re.search(r"(?:^    .+\n)+", PAGE.split(f"**{heading}**")[1], re.MULTILINE)
    return [line.strip().replace("multus-site/", "half/") for line in block[0].splitlines()]


def test_a_damaged_state_is_restored_as_the_page_says(applied):
    file = applied.folder / STATE
    file.write_bytes(file.read_bytes()[:100])
    failed = applied.run("pulumi", "preview", "--stack", "dallas", "--non-interactive")
    assert failed.returncode != 0
    lines = [line.replace("/srv/pulumi", str(applied.folder / "state")) for line in typed_in("A damaged state.")]
    assert any(".bak" in line for line in lines)
    project = applied.folder / "project"
    script = "\n".join(["set -e", *lines]).replace("pulumi preview", f"cd {project}; pulumi preview --non-interactive")
    script = script.replace("../damaged.json", str(applied.folder / "damaged.json"))
    applied.must("sh", "-c", script)
    # The last write of an update are its outputs: they are missing until the next one.
    assert up(applied)["number"] == 7
    # The way for a damaged .bak.
    newest = max((applied.folder / "state/.pulumi/backups/half/dallas").glob("dallas.*.json"))
    file.write_bytes(newest.read_bytes())
    (applied.folder / f"{STATE}.attrs").unlink()
    assert up(applied)["before"] == 7


def test_operations_of_a_killed_run_go_as_the_page_says(applied):
    file = applied.folder / STATE
    state = json.loads(file.read_text())
    urn = "urn:pulumi:dallas::half::command:local:Command::install"
    resource = {"urn": urn, "custom": True, "type": "command:local:Command", "inputs": {}}
    latest = state["checkpoint"]["latest"]
    latest["pending_operations"] = [{"type": "creating", "resource": resource}]
    file.write_text(json.dumps(state))

    def warned():
        done = applied.run("pulumi", "up", "--stack", "dallas", "--yes", "--skip-preview", "--non-interactive")
        assert done.returncode == 0, done.stderr
        return "pending operation" in done.stdout + done.stderr

    assert warned()
    assert warned()
    for line in typed_in("Operations of a killed run."):
        applied.must("sh", "-c", line)
    assert not warned()
    assert up(applied)["before"] == 7
