"""The pipelines of GitLab: their jobs' scripts run, and what they hand to each other fits."""

import copy
import json
import re

import pytest
import yaml

from tests.workflows.running import PROJECT, SITE
from tests.workflows.test_github import wider

COMPONENT = PROJECT / "templates" / "sites.yml"
SPEC, PIPELINE = COMPONENT.read_text().split("\n---\n")
INPUTS = {name: given["default"] for name, given in yaml.safe_load(SPEC)["spec"]["inputs"].items()}
JOBS = yaml.safe_load(re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: INPUTS[found[1]], PIPELINE))
BASE = JOBS.pop(".multus-site")


def run(checkout, job, **variables):
    """A job's script as GitLab's shell executor runs it; (exit status, all output)."""
    secrets = {name.partition(".")[2]: value for name, value in checkout.secrets.items()}
    before = BASE["before_script"] if job.get("extends") == ".multus-site" else []
    return checkout.shell("\n".join([*before, *job["script"]]), {**secrets, **variables})


def merge_request(hosting, base):
    return {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": hosting.url,
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "12",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "GITLAB_TOKEN": "the-token",
    }


def test_each_job_has_a_stage_and_says_when_it_runs():
    for name, job in JOBS.items():
        assert job["stage"] in {"test", "deploy"}, name  # those that GitLab has without `stages`
        assert job["rules"], name
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in JOBS["review"]["rules"][0]["if"]


def test_every_input_is_used_and_the_component_changes_nothing_but_its_jobs():
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", PIPELINE)) == set(INPUTS)
    assert not {"default", "variables", "stages", "workflow", "include"} & JOBS.keys()


def test_this_repository_and_the_template_include_the_component():
    assert yaml.safe_load((PROJECT / ".gitlab-ci.yml").read_text()) == {"include": [{"local": "templates/sites.yml"}]}
    (included,) = yaml.safe_load((PROJECT / "template" / ".gitlab-ci.yml").read_text())["include"]
    assert included["component"].partition("@")[0].rpartition("/")[2] == COMPONENT.stem


def test_lint_at_lines(checkout):
    wrong = copy.deepcopy(SITE)
    wrong["networks"]["signalling"]["mastre"] = "ens6"
    checkout.write(wrong)
    status, output = run(checkout, JOBS["lint"])
    assert status == 1, output
    (row,) = [
        row for row in json.loads((checkout.folder / "lint.json").read_text()) if row["check_name"] == "SITE_MODEL"
    ]
    assert row["location"]["path"] == "stacks/Pulumi.dallas.yaml"
    line = (checkout.folder / row["location"]["path"]).read_text().splitlines()[row["location"]["lines"]["begin"] - 1]
    assert "mastre" in line
    assert row["severity"] == "major"
    assert len(row["fingerprint"]) == 64
    checkout.write(SITE)
    assert run(checkout, JOBS["lint"])[0] == 0


def test_a_merge_request_is_reviewed_in_one_comment(checkout, hosting):
    checkout.git("switch", "--quiet", "--force-create", "topic", checkout.base)
    checkout.write(wider())
    checkout.commit("wider")
    status, output = run(checkout, JOBS["review"], **merge_request(hosting, checkout.base))
    assert status == 0, output
    (comment,) = hosting.comments
    assert "10.20.0.0/23" in comment["body"]
    checkout.git("switch", "--quiet", "main")


@pytest.mark.parametrize("touched", [True, False])
def test_each_site_that_a_push_touches_gets_a_job_of_its_own(checkout, touched):
    checkout.git("switch", "--quiet", "--force-create", "merged", checkout.base)
    if touched:
        checkout.write(wider())
        checkout.commit("wider")
    status, output = run(checkout, JOBS["sites"], CI_COMMIT_BEFORE_SHA=checkout.base)
    assert status == 0, output
    made = yaml.safe_load((checkout.folder / "up.yml").read_text())
    assert made.pop(".up")["when"] == "manual"
    assert made.pop("sites")["script"] == ["echo dallas" if touched else "echo "]
    assert made == (
        {
            "up dallas": {
                "extends": ".up",
                "variables": {"SITE": "dallas"},
                "environment": {"name": "dallas"},
                "resource_group": "up dallas",
            }
        }
        if touched
        else {}
    )
    assert JOBS["up"]["trigger"]["include"] == [{"artifact": "up.yml", "job": "sites"}]
    checkout.git("switch", "--quiet", "main")


def test_up_of_a_site(checkout):
    assert run(checkout, JOBS["sites"], CI_COMMIT_BEFORE_SHA="0" * 40)[0] == 0
    made = yaml.safe_load((checkout.folder / "up.yml").read_text())
    job = {**made[".up"], **made["up dallas"]}
    assert job["image"] == INPUTS["image"]
    checkout.calls.unlink(missing_ok=True)
    status, output = run(checkout, job, **job["variables"])
    assert status == 0, output
    assert "up preview --stack dallas --non-interactive --policy-pack policy" in checkout.calls.read_text()


def test_the_nightly_look_goes_over_every_site(checkout):
    status, output = run(checkout, JOBS["drift"])
    assert status == 2, output
    assert output.count("apply it first: pulumi up --stack dallas") == 2


def test_both_services_call_the_same_commands():
    def commands(text):
        return set(re.findall(r"bin/multus-site (\w+)", text))

    github = "".join(file.read_text() for file in (PROJECT / ".github" / "workflows").glob("*.yml"))
    assert (
        commands(github) == commands(PIPELINE) == {"lint", "review", "comment", "sites", "drift", "verify", "policies"}
    )
