"""Reads git: earlier versions of files, and changed lines."""

import re
import shutil
import subprocess
from pathlib import Path

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_DEFAULT = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


class GitError(Exception):
    """Git cannot answer; the message gives the next command."""


def is_there() -> bool:
    """Whether git is on PATH."""
    return shutil.which("git") is not None


def merge_base() -> str | None:
    """The commit at which this branch left the default branch; None if unknown."""
    for branch in _DEFAULT if is_there() else ():
        done = _git("merge-base", "HEAD", branch)
        if done.returncode == 0:
            return done.stdout.strip()
    return None


def commit(ref: str) -> str:
    """The commit of a name. Raises GitError."""
    if not is_there():
        msg = f"git is not on PATH, so {ref} cannot be read; install it: apt-get install git"
        raise GitError(msg)
    done = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if done.returncode:
        msg = f"git has no commit {ref}; name a local branch, tag or commit, or run git fetch first"
        raise GitError(msg)
    return done.stdout.strip()


def at(ref: str, path: Path) -> str | None:
    """The text of a file at a commit; None if it did not exist."""
    done = _git("show", f"{ref}:./{path}")
    return done.stdout if done.returncode == 0 else None


def files(ref: str, folder: Path) -> list[str]:
    """Paths of the files of a folder at a commit."""
    return [*filter(None, _git("ls-tree", "--name-only", "-z", ref, f"{folder}/").stdout.split("\0"))]


def changed_lines(ref: str, path: Path) -> set[int] | None:
    """Lines of the file, from 1, that changed since a commit; None if all are new."""
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
        errors="replace",  # a file can have any encoding
        check=False,
        timeout=60,
    )
