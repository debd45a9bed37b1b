"""Each workflow of GitHub: right by actionlint, pinned, of few rights, and its steps run."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lab.cache import Cache, LabError
from lab.toolchain import go, modules
from tests.graph.recording import ED25519
from tests.workflows.running import PINNED, PROJECT, SITE, WORKFLOWS

FILES = sorted(WORKFLOWS.glob("*.yml"))
REUSABLE = [
    file for file in FILES if "workflow_call" in yaml.safe_load(file.read_text())[True]
]  # YAML 1.1 reads `on` so
CALLER = PROJECT / "template" / ".github" / "workflows" / "sites.yml"


@pytest.fixture(scope="module")
def actionlint():
    if shutil.which("go") is None:
        pytest.skip("there is no Go to build actionlint with")
    cache = Cache.default()
    try:
        compiler = go.find(cache, go.needed(modules.MODULES), lambda *_: None)
        return modules.build_one(cache, compiler, modules.TOOLS["actionlint"], lambda *_: None) / "actionlint"
    except LabError as error:
        pytest.skip(f"actionlint cannot be built: {error}")


def lint(actionlint, *files, cwd=WORKFLOWS.parents[1]):
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])  # shellcheck looks at the steps
    done = subprocess.run(
        [actionlint, "-no-color", *files], cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_actionlint_finds_nothing(actionlint):
    assert lint(actionlint, *map(str, FILES), str(CALLER)) == (0, "")


def test_actionlint_finds_what_is_wrong(actionlint, tmp_path):
    text = (WORKFLOWS / "drift.yml").read_text()
    (tmp_path / "drift.yml").write_text(text.replace('drift "$SITE"', "drift $SITE").replace("needs", "neds"))
    status, output = lint(actionlint, str(tmp_path / "drift.yml"))
    assert status == 1
    assert "SC2086" in output


def test_a_caller_that_does_not_fit_is_found(actionlint, tmp_path):
    """actionlint compares what this repository's caller gives with what the called workflows take."""
    for file in FILES:
        (tmp_path / ".github" / "workflows").mkdir(parents=True, exist_ok=True)
        (tmp_path / ".github" / "workflows" / file.name).write_text(file.read_text())
    caller = tmp_path / ".github" / "workflows" / "sites.yml"
    caller.write_text(caller.read_text().replace("      sites: ${{", "      places: ${{"))
    (tmp_path / ".git").mkdir()
    status, output = lint(actionlint, str(caller), cwd=tmp_path)
    assert status == 1
    assert 'input "sites" is required by "./.github/workflows/drift.yml" reusable workflow' in output


def test_this_repository_calls_its_workflows_as_the_template_does():
    ours, theirs = (
        yaml.safe_load(file.read_text().replace("OWNER/multus-site/", "./").replace("@v0\n", "\n"))
        for file in (WORKFLOWS / "sites.yml", CALLER)
    )
    assert ours == theirs
    assert set(ours[True]) == {"pull_request", "push", "schedule", "workflow_dispatch"}
    assert [job["uses"] for job in ours["jobs"].values()] == [
        f"./.github/workflows/{name}.yml" for name in ours["jobs"]
    ]


@pytest.mark.parametrize("file", REUSABLE, ids=lambda file: file.stem)
def test_a_caller_gives_the_rights_and_secrets_that_a_workflow_uses_and_no_more(file):
    job = yaml.safe_load(CALLER.read_text())["jobs"][file.stem]
    called = yaml.safe_load(file.read_text())
    used = set(re.findall(r"secrets\.(\w+)", file.read_text()))
    assert set(job["secrets"]) == set(called[True]["workflow_call"]["secrets"]) == used
    rights = {}
    for one in called["jobs"].values():
        rights |= one["permissions"]
    assert job["permissions"] == rights


def test_workflows_that_are_not_called_are_those_of_this_repository():
    assert {file.stem for file in FILES} - {file.stem for file in REUSABLE} == {"history", "sites"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_actions_are_pinned_and_rights_few(file):
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {}
    assert file not in REUSABLE or list(workflow[True]) == ["workflow_call"]
    for job in workflow["jobs"].values():
        if "uses" in job:  # a workflow of this list
            continue
        write = {right for right, access in job["permissions"].items() if access != "read"}
        assert write <= ({"pull-requests"} if file.stem == "review" else set())
        assert job["timeout-minutes"]
        for step in job["steps"]:
            if "uses" in step:
                assert PINNED.match(step["uses"])
            if str(step.get("uses", "")).startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
    for line in file.read_text().splitlines():
        if "uses:" in line and "uses: ./" not in line:
            assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_forks_get_no_secret():
    jobs = yaml.safe_load((WORKFLOWS / "review.yml").read_text())["jobs"]
    assert "secrets." not in json.dumps(jobs["lint"])
    assert jobs["review"]["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    # Nothing of the pull request has both the secrets of the stacks and the right to comment.
    for step in jobs["review"]["steps"]:
        assert not ("secrets." in json.dumps(step) and "github.token" in json.dumps(step))


def test_up_waits_for_the_reviewers_of_the_site():
    job = yaml.safe_load((WORKFLOWS / "up.yml").read_text())["jobs"]["up"]
    assert job["environment"] == "${{ matrix.site }}"
    assert job["concurrency"] == {"group": "up-${{ matrix.site }}", "cancel-in-progress": False}


def pull_request(hosting):
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REF": "refs/pull/12/merge",
        "GITHUB_API_URL": hosting.url,
        "GITHUB_REPOSITORY": "o/r",
    }


def wider():
    site = copy.deepcopy(SITE)
    site["networks"]["signalling"]["ipam"]["range"] = "10.20.0.0/23"
    return site


def test_lint_at_lines(checkout):
    checkout.write(SITE)
    (python, status, output), (name, linted, found) = checkout.job("review.yml", "lint", {})
    assert (python, status, output) == ("Python", 0, "")
    assert (name, linted) == ("Lint", 0), found
    wrong = copy.deepcopy(SITE)
    wrong["networks"]["signalling"]["ipam"]["gateway"] = "10.99.0.1"
    wrong["networks"]["signalling"]["mastre"] = "ens6"
    checkout.write(wrong)
    _, (_, linted, found) = checkout.job("review.yml", "lint", {})
    assert linted == 1
    assert re.search(
        r"^::error file=stacks/Pulumi.dallas.yaml,line=\d+,col=\d+,title=SITE_MODEL::", found, re.MULTILINE
    )
    checkout.write(SITE)


def test_a_pull_request_is_reviewed_in_one_comment(checkout, hosting):
    expressions = {"github.event.pull_request.base.sha": checkout.base}
    checkout.git("switch", "--quiet", "--force-create", "topic", checkout.base)
    checkout.write(wider())
    checkout.commit("wider")
    steps = checkout.job("review.yml", "review", expressions, **pull_request(hosting))
    assert [(name, status) for name, status, _ in steps] == [
        ("Python", 0),
        ("Review", 0),
        ("Comment", 0),
        ("Policies", 0),
    ], steps
    (comment,) = hosting.comments
    assert "10.20.0.0/23" in comment["body"]
    assert comment["body"].startswith("<!-- multus-site review -->\n")
    assert "multus-site@v" in steps[3][2]

    # The next push takes it back: the same comment says so.
    checkout.write(SITE)
    checkout.commit("as it was")
    checkout.git("switch", "--quiet", "--force-create", "topic", checkout.base)
    (checkout.folder / "README.md").write_text("other words\n")
    checkout.commit("words")
    steps = checkout.job("review.yml", "review", expressions, **pull_request(hosting))
    assert [status for _, status, _ in steps] == [0, 0, 0, 0], steps
    assert [c["body"] for c in hosting.comments] == ["<!-- multus-site review -->\nThis no longer changes any site."]
    checkout.git("switch", "--quiet", "main")


def test_a_site_that_breaks_a_policy_fails_and_is_commented_all_the_same(checkout, hosting):
    checkout.git("switch", "--quiet", "--force-create", "topic", checkout.base)
    site = wider()
    del site["workloads"]["probe"]["resources"]
    checkout.write(site)
    checkout.commit("no limits")
    steps = checkout.job(
        "review.yml", "review", {"github.event.pull_request.base.sha": checkout.base}, **pull_request(hosting)
    )
    assert [(name, bool(status)) for name, status, _ in steps[2:]] == [("Comment", False), ("Policies", True)], steps
    assert "[mandatory]  resources-set" in steps[3][2]
    assert len(hosting.comments) == 1
    checkout.git("switch", "--quiet", "main")


def test_a_site_that_gets_another_name_and_defaults_that_are_new(checkout, hosting):
    """One file is deleted, one has no stack yet, one changes by the defaults alone: one comment on all three, and policies of those that are there."""
    checkout.git("switch", "--quiet", "--force-create", "topic", checkout.base)
    stacks = checkout.folder / "stacks"
    renamed = (stacks / "Pulumi.dallas.yaml").read_text().replace("name: dallas", "name: austin")
    houston = renamed.replace("name: austin", "name: houston").replace("192.0.2.", "198.51.100.")
    (stacks / "Pulumi.houston.yaml").write_text(houston.replace(ED25519, ED25519[:-4] + "AAAA"))
    base = checkout.commit("another site")
    checkout.git("mv", "stacks/Pulumi.dallas.yaml", "stacks/Pulumi.austin.yaml")
    (stacks / "Pulumi.austin.yaml").write_text(renamed)
    (stacks / "defaults.yaml").write_text("multus: {memoryLimit: 512Mi}\n")
    checkout.commit("austin")
    steps = checkout.job("review.yml", "review", {"github.event.pull_request.base.sha": base}, **pull_request(hosting))
    assert [(name, status) for name, status, _ in steps] == [
        ("Python", 0),
        ("Review", 0),
        ("Comment", 0),
        ("Policies", 0),
    ], steps
    (comment,) = hosting.comments
    heads = re.findall(r"^## (.+)", comment["body"], re.MULTILINE)
    assert [head.split(":")[0].split()[1] for head in heads] == ["austin", "dallas", "houston"]
    assert "stacks/Pulumi.dallas.yaml is deleted" in comment["body"].replace("\\", "")
    assert steps[3][2].count("multus-site@v") == 2
    checkout.git("switch", "--quiet", "--force", "main")


def test_what_was_merged_is_applied_site_by_site(checkout):
    checkout.git("switch", "--quiet", "--force-create", "merged", checkout.base)
    (checkout.folder / "README.md").write_text("other words\n")
    words = checkout.commit("words")
    checkout.write(wider())
    checkout.commit("wider")

    def chosen(before, site=""):
        output = checkout.folder.parent / "GITHUB_OUTPUT"
        output.unlink(missing_ok=True)
        steps = checkout.job("up.yml", "sites", {"github.event.before": before, "inputs.site": site})
        assert [status for _, status, _ in steps] == [0, 0], steps
        return output.read_text()

    assert chosen(words) == 'sites=["dallas"]\n'
    assert chosen(checkout.base) == 'sites=["dallas"]\n'
    assert chosen("0" * 40) == 'sites=["dallas"]\n'
    assert chosen("HEAD") == "sites=[]\n"
    assert chosen("HEAD", "austin") == 'sites=["austin"]\n'
    checkout.calls.unlink(missing_ok=True)
    steps = checkout.job("up.yml", "up", {"matrix.site": "dallas"})
    assert [(name, status) for name, status, _ in steps] == [("Python", 0), ("Up", 0)], steps
    assert checkout.calls.read_text().startswith("up preview --stack dallas --non-interactive --policy-pack ")
    checkout.git("switch", "--quiet", "main")


def test_the_nightly_look_calls_commands_that_are_there(checkout):
    workflow = yaml.safe_load(CALLER.read_text())
    assert workflow[True]["schedule"] == [{"cron": "17 3 * * *"}]
    assert workflow["jobs"]["drift"]["if"].startswith("vars.DRIFT_SITES != '' && ")
    steps = checkout.job("drift.yml", "drift", {"matrix.site": "dallas"})
    assert [(name, status) for name, status, _ in steps] == [("Python", 0), ("Drift", 2), ("Verify", 2)], steps
    for _, _, output in steps[1:]:  # there are no nodes here, and both commands say so
        assert "apply it first: pulumi up --stack dallas" in output
