"""`multus-site sites`: the sites of this project, or those that a change affects, for pipelines."""

import json
import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import typer

from multus_site.cli import git
from multus_site.cli.arguments import TextOrJson
from multus_site.cli.usage_error import usage_error
from multus_site.model.load import SiteError, read_text, site_data
from multus_site.model.paths import value_at
from multus_site.model.yaml_documents import YamlMistakeError, documents

FOLDER = Path("stacks")

_NO_SITE = ("docs/*", "tests/*", "lab/*", "template/*", "templates/*", ".github/*", ".gitlab*", ".ci/*", "*.md", "Makefile", ".gitignore", "requirements-dev.txt", "stacks/site.schema.json")  # fmt: skip
"""Files that affect no site."""


_NAME = re.compile(r"[A-Za-z0-9._-]+")
"""Valid stack names: pipelines put them into scripts."""


def sites(
    since: Annotated[
        str | None, typer.Option(metavar="REF", help="Only those that the changes since REF affect.")
    ] = None,
    removed: Annotated[
        bool, typer.Option("--removed", help="With --since: also those whose file was removed.")
    ] = False,
    output: TextOrJson = "text",
) -> None:
    """Print the names of the sites, or of those that a change affects.

    Text is one name per line. It leaves out sites whose nodes are containers on this machine, such as the lab.
    A change of the program, its dependencies or the defaults affects every site. Exit status: 0, 2 for a usage error.
    """
    there = {name_of(file.name): file for file in sorted(FOLDER.glob("Pulumi.*.yaml"))}
    chosen = {name for name, file in there.items() if not _of_containers(file)}
    if since is not None and since.strip("0"):
        changed = _changed(since)
        if not any(_of_every_site(file) for file in changed):
            chosen &= {name_of(Path(file).name) for file in changed}
        if removed:
            chosen |= {name_of(Path(file).name) for file in changed if _is_stack(file) and not Path(file).exists()}
    names = sorted(chosen)
    if odd := [name for name in names if not _NAME.fullmatch(name)]:
        usage_error(
            f"{odd[0]!r} is not a valid stack name; name its file Pulumi.SITE.yaml, where SITE has only letters, digits, '-', '_' and '.'"
        )
    print(json.dumps(names) if output == "json" else "".join(f"{name}\n" for name in names), end="")


def name_of(file: str) -> str:
    """The stack of a file."""
    return file.removeprefix("Pulumi.").removesuffix(".yaml")


def _is_stack(file: str) -> bool:
    return fnmatchcase(file, f"{FOLDER}/Pulumi.*.yaml")


def _of_every_site(file: str) -> bool:
    return not _is_stack(file) and not any(fnmatchcase(file, pattern) for pattern in _NO_SITE)


def _of_containers(file: Path) -> bool:
    """Whether the nodes of the site are containers. Lint and review report files that cannot be read."""
    try:
        document = next(documents(read_text(file)), None)
        data = document.data() if document else None
    except (SiteError, YamlMistakeError):
        return False
    return value_at(site_data(data), ("nodes", "backend")) == "container"


def _changed(since: str) -> list[str]:
    """Files that changed since this branch left `since`, also uncommitted ones."""
    if not git.is_there():
        usage_error("git is not on PATH, and --since needs it; install it: apt-get install git")
    base = _git("merge-base", "HEAD", since)
    changed = _git("diff", "--name-only", "--no-renames", "--relative", "-z", base.strip())
    return [*filter(None, changed.split("\0")), *_git("ls-files", "--others", "--exclude-standard").splitlines()]


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no output"])[-1]
        usage_error(
            f"git {arguments[0]}: {said}. Name a local commit, such as --since origin/main, or run git fetch first"
        )
    return done.stdout
