"""The linter where people use it in repositories that are no project of ours: pre-commit, a GitHub action, a GitLab component."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from multus_site import __version__
from tests.workflows.running import PROJECT

ACTION = PROJECT / ".github" / "actions" / "lint" / "action.yml"
SPEC, PIPELINE = (PROJECT / "templates" / "lint.yml").read_text().split("\n---\n")
INPUTS = yaml.safe_load(SPEC)["spec"]["inputs"]
NAD = """\
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: media}
spec:
  config: '{"cniVersion": "1.0.0", "type": "macvlan", "master": "ens6", "mode": "l2"}'
"""
RIGHT = NAD.replace("l2", "bridge")


def run(*command, folder, **environment):
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=600
    )
    if "No matching distribution" in done.stderr or "Connection" in done.stderr:
        pytest.skip(f"no package index: {done.stderr.strip()[-200:]}")
    return done


def must(*command, folder, **environment):
    done = run(*command, folder=folder, **environment)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def repository(tmp_path):
    """A git repository with a manifest in it, and nothing of ours."""
    folder = tmp_path / "repository"
    folder.mkdir()
    must("git", "init", "--quiet", folder=folder)
    (folder / "nad.yaml").write_text(NAD)
    (folder / "chart.yaml").write_text("{{- if .Values.on }}\nkind: [\n{{- end }}\n")
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A repository that holds this release as the work tree has it, for pre-commit to clone."""
    folder = tmp_path_factory.mktemp("source")
    files = must("git", "ls-files", "--cached", "--others", "--exclude-standard", folder=PROJECT).splitlines()
    for name in files:
        if (PROJECT / name).is_file() and not name.startswith("tests/releases/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    must("git", "init", "--quiet", folder=folder)
    must("git", "add", "--all", folder=folder)
    must("git", *who, "commit", "--quiet", "--message", "release", folder=folder)
    return folder, must("git", "rev-parse", "HEAD", folder=folder).strip()


def test_pre_commit(source, repository, tmp_path):
    folder, revision = source
    config = {"repos": [{"repo": str(folder), "rev": revision, "hooks": [{"id": "multus-site-lint"}]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    must("git", "add", "--all", folder=repository)
    pre_commit = Path(sys.prefix) / "bin" / "pre-commit"
    environment = {"PRE_COMMIT_HOME": str(tmp_path / "cache")}
    found = run(pre_commit, "run", "--all-files", folder=repository, **environment)
    assert found.returncode == 1, found.stdout + found.stderr
    assert re.search(r"^nad\.yaml:5:\d+: error: spec\.config\.mode: ", found.stdout, re.MULTILINE)
    assert "chart.yaml" not in found.stdout
    (repository / "nad.yaml").write_text(RIGHT)
    must("git", "add", "--all", folder=repository)
    assert "Passed" in must(pre_commit, "run", folder=repository, **environment)
    (repository / "notes.txt").write_text("no manifest changed")
    must("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "x", folder=repository)
    must("git", "add", "--all", folder=repository)
    assert "Skipped" in must(pre_commit, "run", folder=repository, **environment)


def steps(folder, tmp_path, **inputs):
    """The action's steps as a runner runs them: (exit status of the last, its output)."""
    action = yaml.safe_load(ACTION.read_text())
    given = {name: value["default"] for name, value in action["inputs"].items()} | inputs
    environment = {"RUNNER_TEMP": str(tmp_path / "temp"), "GITHUB_ACTION_PATH": str(ACTION.parent)}
    for step in action["runs"]["steps"]:
        assert step["shell"] == "bash"
        own = {
            key: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], value)
            for key, value in step.get("env", {}).items()
        }
        done = run("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"], folder=folder, **environment, **own)  # fmt: skip
        if done.returncode:
            break
    return done.returncode, done.stdout + done.stderr


def test_github_action(repository, tmp_path):
    status, output = steps(repository, tmp_path, sarif="findings.sarif")
    assert status == 1, output
    assert output.startswith("::error file=nad.yaml,line=5,col=")
    (result,) = json.loads((repository / "findings.sarif").read_text())["runs"][0]["results"]
    assert result["ruleId"] == "ENUM"
    (repository / "nad.yaml").write_text(RIGHT)
    (repository / "other file.yaml").write_text(NAD)
    assert steps(repository, tmp_path, paths="nad.yaml\n") == (0, "")
    assert steps(repository, tmp_path, paths="nad.yaml\nother file.yaml")[0] == 1
    status, output = steps(repository, tmp_path, paths="nad.yaml", sarif="no/such/folder.sarif")
    assert status == 1, output
    status, output = steps(repository, tmp_path, paths="none.yaml", sarif="findings.sarif")
    assert (status, "none.yaml: no such file" in output) == (1, True)


def test_gitlab_component(repository):
    given = {name: value["default"] for name, value in INPUTS.items()}
    assert given["version"] == __version__
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", PIPELINE)) == set(INPUTS)
    (job,) = yaml.safe_load(re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: given[found[1]], PIPELINE)).values()
    # The release is not published while it is tested: the tests' own environment stands for the one that pip fills.
    make, install, *script = job["script"]
    assert (make, install.split()[-1]) == ("python3 -m venv .multus-site", f"multus-site=={__version__}")
    (repository / ".multus-site").symlink_to(sys.prefix)
    done = run("bash", "-eo", "pipefail", "-c", "\n".join(script), folder=repository)
    assert done.returncode == 1, done.stderr
    assert "nad.yaml:5:" in done.stdout
    (row,) = json.loads((repository / job["artifacts"]["reports"]["codequality"]).read_text())
    assert (row["check_name"], row["location"]["path"]) == ("ENUM", "nad.yaml")
    (sarif,) = job["artifacts"]["paths"]
    assert json.loads((repository / sarif).read_text())["runs"][0]["results"]
    (repository / "nad.yaml").write_text(RIGHT)
    assert run("bash", "-eo", "pipefail", "-c", "\n".join(script), folder=repository).returncode == 0
