"""A user's own repository, outside of any checkout: multus-site comes from its wheel, into an environment that was empty.

The wheel's dependencies come from the package index that pip is configured for.
"""

import json
import re
import shutil

import pytest
import yaml

from multus_site import __version__
from multus_site.cli.init import contents
from tests.engine.applied import PROJECT, Place, dallas
from tests.engine.wheel import install
from tests.graph.recording import PRIVATE_KEY

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A place whose project was written by the wheel's `multus-site init`, with the stack `dallas`, which was not applied yet."""
    folder = tmp_path_factory.mktemp("own")
    place = Place(folder / "place", ours=())
    install(folder / "place" / "project" / ".venv")
    place.must("multus-site", "init", ".")
    # The one pinned number is the release that is there: nothing is left to install, so no index is asked.
    place.must(".venv/bin/python", "-m", "pip", "install", "--no-index", "-r", "requirements.txt")
    place.write(dallas())
    place.initialise()
    place.secret("multus-site:sshPrivateKey", PRIVATE_KEY)
    place.commit()
    return place


@pytest.fixture(scope="module")
def applied(repository):
    """The same, applied by providers that pretend that nodes are there."""
    repository.up()
    return repository


def test_it_runs_the_wheel_and_nothing_of_a_checkout(repository):
    asked = "import multus_site, multus_site.components as c, multus_site.policy as p; print(multus_site.__file__, c.__file__, p.__file__)"
    files = repository.must(".venv/bin/python", "-c", asked).split()
    assert all("/.venv/lib/" in file for file in files), files
    assert repository.must("multus-site", "--version").split()[-1] == __version__


def test_pulumi_new_writes_the_same(tmp_path):
    place = Place(tmp_path, ours=())
    place.must(
        "pulumi",
        "new",
        PROJECT / "template",
        "--generate-only",
        "--yes",
        "--offline",
        "--non-interactive",
        "--dir",
        "new",
    )
    new = place.folder / "project" / "new"
    written = {str(file.relative_to(new)): file.read_bytes() for file in new.rglob("*") if file.is_file()}
    project = yaml.safe_load(written.pop("Pulumi.yaml"))
    del project["config"]  # where the template came from
    ours = dict(contents())
    assert project == yaml.safe_load(ours.pop("Pulumi.yaml"))
    assert written == ours


def test_a_site_is_checked_reviewed_and_previewed(repository):
    assert "dallas" in repository.must("multus-site", "sites")
    repository.must("multus-site", "lint", "stacks/")
    status, text, said = repository.review()
    assert status == 0, text + said
    assert "dallas" in text
    assert said == ""
    seen = json.loads(repository.must("pulumi", "preview", "--stack", "dallas", "--json"))
    assert seen["changeSummary"].keys() == {"create"}
    assert seen["changeSummary"]["create"] > 30


def test_its_policies_are_the_wheels(repository):
    done = repository.run("multus-site", "policies", "dallas")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "[mandatory]  resources-set" in done.stdout  # as in any run of this site: it sets no limits
    (repository.folder / "project" / "policy" / "organisation.json").write_text('{"resources-set": "disabled"}')
    done = repository.run("multus-site", "policies", "dallas")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_applied_stays(applied):
    seen = json.loads(applied.must("pulumi", "preview", "--stack", "dallas", "--json", "--expect-no-changes"))
    assert seen["changeSummary"].keys() <= {"same", "read"}


def test_what_a_checkout_applied_stays(once, repository, tmp_path):
    """A stack moves from a fork into a repository of its own: the same site, the same state, and nothing to change."""
    moved = Place(tmp_path, backend=once.backend, ours=())
    for name, content in contents():
        (moved.folder / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (moved.folder / "project" / name).write_bytes(content)
    (moved.folder / "project" / ".venv").symlink_to(repository.folder / "project" / ".venv")
    shutil.copy(once.file, moved.file)
    seen = json.loads(moved.must("pulumi", "preview", "--stack", "dallas", "--json", "--expect-no-changes"))
    assert seen["changeSummary"].keys() <= {"same", "read"}


def test_recorded_commands_start_where_the_project_is(applied):
    """A command that the state has recorded finds its module in the repository's environment, and says itself what it lacks."""
    state = json.loads(applied.must("pulumi", "stack", "export", "--stack", "dallas", "--show-secrets"))
    recorded = [r for r in state["deployment"]["resources"] if r["type"] == "command:local:Command"]
    lines = {line for r in recorded for key in ("create", "update", "delete") if (line := r["inputs"].get(key))}
    ours = {line for line in lines if " -m " in line}
    assert {re.search(r" -m (multus_site[\w.]*)", line)[1] for line in ours} >= {
        "multus_site.kubespray",
        "multus_site.ssh",
    }
    for line in ours:
        done = applied.run("sh", "-c", line)
        assert "No module named" not in done.stderr, line
        assert str(PROJECT) not in line


def test_an_applied_stack_asks_for_nothing_more_and_an_older_one_says_what(applied):
    assert "Nothing to do." in applied.must("multus-site", "upgrade", "--check")
    state = json.loads(applied.must("pulumi", "stack", "export", "--stack", "dallas"))
    older = json.dumps(state).replace("-m multus_site.kubespray", "-m kubespray")
    applied.must("pulumi", "stack", "import", "--stack", "dallas", input=older)
    done = applied.run("multus-site", "upgrade", "--check")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "recorded command lines are from an earlier release; type: multus-site upgrade dallas" in done.stdout
    applied.must("multus-site", "upgrade", "dallas")
    assert "Nothing to do." in applied.must("multus-site", "upgrade", "--check")
