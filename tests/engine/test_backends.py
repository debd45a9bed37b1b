"""Where state is kept: a folder, and S3. Two people at once, a run that was killed, a stack that moves."""

import json
import subprocess
import time

import pytest

from tests.engine.applied import PRETENDING
from tests.engine.s3 import BUCKET, CREDENTIALS, Server
from tests.graph.recording import PRIVATE_KEY

pytestmark = pytest.mark.engine

UP = ("pulumi", "up", "--stack", "dallas", "--yes", "--skip-preview", "--non-interactive", "--color", "never")

WAITING = """#!/bin/sh
# A provider that is there once the file `go` is: until then the stack is being updated.
set -eu
here=$(dirname "$0")
touch "$here/started"
until [ -e "$here/go" ]; do sleep 0.1; done
exec @PRETENDING@/pulumi-resource-command "$@"
"""


@pytest.fixture
def s3(tmp_path, monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = Server(tmp_path / "s3")
    yield server
    server.stop()


def no_changes(place):
    """A preview that finds nothing to do."""
    place.must("pulumi", "preview", "--stack", "dallas", "--non-interactive", "--expect-no-changes")


def moved(place, to):
    """The stack in another backend, as docs/stacks.md has it."""
    state = place.folder / "state.json"
    state.write_text(place.must("pulumi", "stack", "export", "--stack", "dallas"))
    before = place.file.read_text()
    place.backend, place.before = to, []
    place.initialise()
    assert place.file.read_text() == before
    place.must("pulumi", "stack", "import", "--stack", "dallas", "--file", state)


def wait_for(file, process):
    deadline = time.monotonic() + 120
    while not file.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"{file} never came"
        time.sleep(0.1)


def two_people(place, slow):
    """One applies and is killed half way; the other one waits, looks, and goes on."""
    slow.mkdir()
    provider = slow / "pulumi-resource-command"
    provider.write_text(WAITING.replace("@PRETENDING@", str(PRETENDING)))
    provider.chmod(0o755)
    place.edit(lambda site: site["workloads"]["core"].update(replicas=3))
    first = subprocess.Popen(
        [*place.before, *UP], cwd=place.folder / "project", env=place.environment(slow, PRETENDING),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_for(slow / "started", first)
    second = place.run(*UP, first=[PRETENDING])
    assert second.returncode != 0
    assert "the stack is currently locked by 1 lock(s)" in second.stderr
    assert "pulumi cancel" in second.stderr
    place.must("pulumi", "preview", "--stack", "dallas", "--non-interactive")  # looking is for everybody
    first.kill()
    (slow / "go").touch()  # what it had started ends by itself
    first.communicate(timeout=60)
    assert "currently locked" in place.run(*UP, first=[PRETENDING]).stderr
    place.must("pulumi", "cancel", "--stack", "dallas", "--yes")
    place.must(*UP, first=[PRETENDING])
    place.must(*UP, "--expect-no-changes", first=[PRETENDING])


def test_a_folder_and_two_people(place, tmp_path):
    two_people(place, tmp_path / "slow")


def test_s3_from_a_folder_and_back(place, tmp_path, s3):
    moved(place, s3.url)
    no_changes(place)
    two_people(place, tmp_path / "slow")
    state = (s3.buckets / BUCKET / ".pulumi" / "stacks" / "multus-site" / "dallas.json").read_text()
    assert json.loads(state)["checkpoint"]["latest"]["resources"]
    assert PRIVATE_KEY.splitlines()[1] not in state
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved(place, f"file://{elsewhere}")
    no_changes(place)
