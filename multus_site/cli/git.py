"""What git knows of a file: how it was, which of its lines changed. Read only."""

import re
import shutil
import subprocess
from pathlib import Path

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_DEFAULT = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


class GitError(Exception):
    """Git does not give what was asked for; the text says what to type instead."""


def is_there() -> bool:
    """Whether git can be asked at all."""
    return shutil.which("git") is not None


def merge_base() -> str | None:
    """The commit at which the work here left the default branch; None where that cannot be known."""
    for branch in _DEFAULT if is_there() else ():
        done = _git("merge-base", "HEAD", branch)
        if done.returncode == 0:
            return done.stdout.strip()
    return None


def commit(ref: str) -> str:
    """The commit that a name stands for. Raises GitError."""
    if not is_there():
        msg = f"git is not on PATH, which is asked for {ref}; install it: apt-get install git"
        raise GitError(msg)
    done = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if done.returncode:
        msg = f"git knows no commit {ref}; name a branch, tag or commit that is here (git fetch brings others)"
        raise GitError(msg)
    return done.stdout.strip()


def at(ref: str, path: Path) -> str | None:
    """The text of a file of this folder at a commit; None where it was not there."""
    done = _git("show", f"{ref}:./{path}")
    return done.stdout if done.returncode == 0 else None


def files(ref: str, folder: Path) -> list[str]:
    """The files of a folder of this one at a commit, with the folder's name before each."""
    return [*filter(None, _git("ls-tree", "--name-only", "-z", ref, f"{folder}/").stdout.split("\0"))]


def changed_lines(ref: str, path: Path) -> set[int] | None:
    """Lines of the file, from 1, that are not as they were at a commit; None where all of them are new."""
    if at(ref, path) is None:
        return None
    done = _git("diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", ref, "--", str(path))
    found: set[int] = set()
    for first, count in _HUNK.findall(done.stdout):
        found.update(range(int(first), int(first) + int(count or 1)))
    return found


def _git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["git", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # a file may have been anything
        check=False,
        timeout=60,
    )
