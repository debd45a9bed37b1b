"""`multus-site sites`: which sites there are, and which a change touches."""

import json
import subprocess

import pytest
import yaml
from typer.testing import CliRunner

from multus_site.__main__ import app


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project of three sites, one of them the lab's, all committed as `base`."""
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "t@example.invalid")
    (tmp_path / "stacks").mkdir()
    for name, backend in (("dallas", "existing"), ("austin", "existing"), ("lab", "container")):
        site(tmp_path, name, backend)
    (tmp_path / "README.md").write_text("words")
    git("init", "--quiet", "--initial-branch", "main")
    git("add", ".")
    git("commit", "--quiet", "-m", "begin")
    git("tag", "base")
    return tmp_path


def site(folder, name, backend="existing", **more):
    data = {"config": {"multus-site:site": {"name": name, "nodes": {"backend": backend}, **more}}}
    (folder / "stacks" / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(data))


def git(*arguments):
    subprocess.run(["git", "-c", "commit.gpgsign=false", *arguments], check=True, capture_output=True)


def names(*arguments):
    result = CliRunner().invoke(app, ["sites", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout.split()


def test_all_but_those_of_containers(folder):
    assert names() == ["austin", "dallas"]
    assert json.loads("".join(names("--format", "json"))) == ["austin", "dallas"]
    (folder / "stacks" / "Pulumi.broken.yaml").write_text("config: {")
    (folder / "stacks" / "Pulumi.latin.yaml").write_bytes(b"# caf\xe9\n")
    assert names() == ["austin", "broken", "dallas", "latin"]


def test_those_that_a_change_touches(folder):
    assert names("--since", "base") == []
    site(folder, "dallas", protect=True)
    site(folder, "lab", "container", protect=True)
    assert names("--since", "base") == ["dallas"]
    git("commit", "--quiet", "-am", "dallas")
    assert names("--since", "base") == ["dallas"]
    assert names("--since", "main") == []
    site(folder, "houston")
    assert names("--since", "base") == ["dallas", "houston"]


def test_what_others_did_meanwhile_is_not_of_this_change(folder):
    git("switch", "--quiet", "-c", "topic")
    site(folder, "dallas", protect=True)
    git("commit", "--quiet", "-am", "dallas")
    git("switch", "--quiet", "main")
    site(folder, "austin", protect=True)
    git("commit", "--quiet", "-am", "austin")
    git("switch", "--quiet", "topic")
    assert names("--since", "main") == ["dallas"]


@pytest.mark.parametrize(
    ("file", "every"),
    [("README.md", False), ("docs/x.md", False), ("tests/x.py", False), (".github/workflows/x.yml", False), ("lab/x.py", False),
     ("stacks/site.schema.json", False), ("stacks/defaults.yaml", True), ("render/x.py", True), ("requirements.txt", True), ("artifacts.yaml", True)],
)  # fmt: skip
def test_the_program_touches_every_site_and_words_none(folder, file, every):
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text("other")
    assert names("--since", "base") == (["austin", "dallas"] if every else [])


def test_a_site_that_is_gone_is_told_when_asked_for(folder):
    (folder / "stacks" / "Pulumi.dallas.yaml").unlink()
    assert names("--since", "base") == []
    assert names("--since", "base", "--removed") == ["dallas"]


@pytest.mark.usefixtures("folder")
def test_a_first_push_touches_all():
    assert names("--since", "0" * 40) == ["austin", "dallas"]


@pytest.mark.usefixtures("folder")
def test_without_git(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert names() == ["austin", "dallas"]
    result = CliRunner().invoke(app, ["sites", "--since", "base"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "git is not on PATH" in result.stderr


def test_usage_errors(folder):
    result = CliRunner().invoke(app, ["sites", "--since", "no-such-branch"])
    assert result.exit_code == 2
    assert "--since origin/main" in result.stderr
    (folder / "stacks" / "Pulumi.a b.yaml").write_text("")
    assert CliRunner().invoke(app, ["sites"]).exit_code == 2
