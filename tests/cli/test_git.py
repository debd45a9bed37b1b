"""What git knows of a stack's file."""

import subprocess

import pytest

from multus_site.cli import git


def sh(*command):
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose project is in a folder of it; main, and a branch that left it."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.org")
    folder = tmp_path / "sites"
    (folder / "stacks").mkdir(parents=True)
    monkeypatch.chdir(folder)
    file = folder / "stacks" / "Pulumi.a.yaml"
    file.write_text("one\ntwo\nthree\nfour\n")
    sh("git", "init", "-q", "-b", "main", str(tmp_path))
    sh("git", "add", ".")
    sh("git", "commit", "-q", "-m", "first")
    sh("git", "checkout", "-q", "-b", "change")
    return file


def relative(file):
    return file.relative_to(file.parents[1])


def test_the_base_is_where_the_branch_left(repository):
    first = git.commit("HEAD")
    repository.write_text("one\n2\nthree\nfour\nfive\n")
    sh("git", "commit", "-q", "-a", "-m", "second")
    sh("git", "checkout", "-q", "main")
    sh("git", "commit", "-q", "--allow-empty", "-m", "meanwhile")
    sh("git", "checkout", "-q", "change")
    assert git.merge_base() == first
    assert git.at(first, relative(repository)) == "one\ntwo\nthree\nfour\n"
    assert git.changed_lines(first, relative(repository)) == {2, 5}


def test_work_that_is_not_committed_counts(repository):
    repository.write_text("zero\none\ntwo\nfour\n")
    assert git.changed_lines("HEAD", relative(repository)) == {1}


def test_a_file_that_was_no_utf8(repository):
    repository.write_bytes(b"caf\xe9\ntwo\n")
    sh("git", "commit", "-q", "-a", "-m", "second")
    repository.write_text("café\ntwo\n")
    assert git.at("HEAD", relative(repository)) == "caf\ufffd\ntwo\n"
    assert git.changed_lines("HEAD", relative(repository)) == {1}


def test_the_files_of_a_folder_as_they_were(repository):
    repository.rename(repository.with_name("Pulumi.b.yaml"))
    assert git.files("HEAD", relative(repository).parent) == ["stacks/Pulumi.a.yaml"]


def test_a_file_that_was_not_there(repository):
    other = repository.with_name("Pulumi.b.yaml")
    other.write_text("one\n")
    assert git.at("HEAD", relative(other)) is None
    assert git.changed_lines("HEAD", relative(other)) is None


def test_a_name_that_is_none(repository):  # noqa: ARG001 # a repository to be in
    for name in ("nowhere", "--help", "-1"):
        with pytest.raises(git.GitError, match="git has no commit"):
            git.commit(name)


@pytest.mark.usefixtures("repository")
def test_no_git_at_all(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git.merge_base() is None
    with pytest.raises(git.GitError, match="git is not on PATH, so main cannot be read; install it"):
        git.commit("main")


def test_no_repository_at_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git.merge_base() is None
