"""What earlier releases applied, previewed by today's program: nothing is replaced, nothing goes.

`VERSION/state.json` is `pulumi stack export` after an `up` by that release's program, and `VERSION/Pulumi.dallas.yaml` its site, whose
passphrase is empty: the state of a release to come is added when it is made (docs/releasing.md), and those that are there stay.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.contract.tools import search_path, tool
from tests.graph.recording import PRIVATE_KEY
from tests.releases.recording import current, record, releases

pytestmark = pytest.mark.engine

PROJECT = Path(__file__).parents[2]
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@pytest.fixture(params=releases(), ids=lambda folder: folder.name)
def applied(request, tmp_path):
    """Runs pulumi on a stack that a release applied."""
    return imported(request.param, tmp_path)


def imported(release, tmp_path):
    """`pulumi …` on a stack in which a release's state is."""
    tool("pulumi")
    tool("pulumi-language-python")
    project = tmp_path / "project"
    (project / "stacks").mkdir(parents=True)
    (tmp_path / "state").mkdir()
    for entry in PROJECT.iterdir():
        if entry.name not in {"stacks", ".git", ".lab", ".work"}:
            (project / entry.name).symlink_to(entry)
    shutil.copy(release / "Pulumi.dallas.yaml", project / "stacks")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
        "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), search_path()]),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "KUBECONFIG": "",
    }

    def pulumi(*arguments, given=""):
        done = subprocess.run(
            ["pulumi", *arguments, "--stack", "dallas", "--non-interactive"],
            cwd=project, env=environment, input=given, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    file = project / "stacks" / "Pulumi.dallas.yaml"
    before = file.read_text()
    subprocess.run(
        ["pulumi", "stack", "init", "dallas", "--non-interactive"],
        cwd=project,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert file.read_text() == before
    pulumi("stack", "import", "--file", str(release / "state.json"))
    return pulumi


def test_nothing_is_replaced_and_nothing_goes(applied):
    steps = json.loads(applied("preview", "--json", "--show-sames"))["steps"]
    there = json.loads(applied("stack", "export"))["deployment"]["resources"]
    operations = Counter(step["op"] for step in steps)
    assert set(operations) <= {"same", "update", "create", "refresh", "read"}, [
        (step["op"], step["urn"], step.get("replaceReasons")) for step in steps if step["op"] not in {"same", "update"}
    ]
    # The engine lists everything: a name or a type that changed would be a create here and a delete there.
    assert operations["same"] + operations["update"] >= len([r for r in there if not r["type"].startswith("pulumi:")])


def test_a_rename_would_be_seen(applied):
    """The program of today on a state whose resources had other names."""
    exported = json.loads(applied("stack", "export"))
    renamed = json.loads(json.dumps(exported).replace("dallas-signalling", "dallas-signaling"))
    applied("stack", "import", given=json.dumps(renamed))
    operations = {step["op"] for step in json.loads(applied("preview", "--json"))["steps"]}
    assert "delete" in operations


def test_one_version_everywhere_and_the_state_of_the_last_release():
    """What pyproject.toml says; the newest heading of CHANGELOG.md, behind what is not released yet; the policy pack; the folder here."""
    headings = HEADING.findall((PROJECT / "CHANGELOG.md").read_text())
    released = [heading for heading in headings if heading != "Unreleased"]
    assert "Unreleased" not in headings[1:]
    assert released[0] == current()
    numbers = [tuple(map(int, heading.split("."))) for heading in released]
    assert numbers == sorted(numbers, reverse=True)
    assert [folder.name for folder in releases()] == released[::-1]
    assert yaml.safe_load((PROJECT / "policy" / "PulumiPolicy.yaml").read_text())["version"] == current()
    done = subprocess.run(
        [sys.executable, "-m", "multus_site", "--version"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"multus-site {current()}\n"


def test_a_release_is_recorded_and_held_against_at_once(tmp_path):
    """What `python -m tests.releases.recording` will write for the next one: today's program finds nothing to do."""
    record(tmp_path / "9.9.9", tmp_path / "place")
    text = (tmp_path / "9.9.9" / "state.json").read_text()
    assert PRIVATE_KEY.splitlines()[1] not in text
    pulumi = imported(tmp_path / "9.9.9", tmp_path / "again")
    pulumi("preview", "--expect-no-changes")
