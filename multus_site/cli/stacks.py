"""The site of a command, and its Pulumi stack."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from multus_site.cli import git
from multus_site.cli.usage_error import usage_error
from multus_site.model.load import SiteError, load_stack_file, parse_stack_text, stacks_beside
from multus_site.model.site import Site
from multus_site.ssh.answers import AnswerError, json_object

if TYPE_CHECKING:
    from multus_site.model.defaults import Defaults

FOLDER = Path("stacks")


@dataclass(frozen=True)
class Stack:
    """A stack: its name, file and site."""

    name: str
    file: Path
    site: Site

    def pulumi(
        self,
        *arguments: str,
        seconds: int = 600,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Runs pulumi on this stack, here or in another folder; `environment` adds to this process's. Exits 2 if pulumi is not on PATH."""
        if shutil.which("pulumi") is None:
            usage_error(
                "pulumi is not on PATH; install it: https://www.pulumi.com/docs/install/ (in a checkout, make lab-shell has the lab's)"
            )
        command = ["pulumi", *arguments, "--stack", self.name, "--non-interactive", "--color", "never"]
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
                cwd=folder,
                env={**os.environ, **(environment or {})},
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 124, "", f"no answer within {seconds} s")

    def outputs(self) -> dict[str, Any]:
        """The outputs of the last `up`, with secrets. Exits 2 if there are none."""
        done = self.pulumi("stack", "output", "--json", "--show-secrets")
        if done.returncode:
            last = last_line(done)
            usage_error(
                f"pulumi cannot read the outputs of stack {self.name}: {last}; pulumi stack ls shows the stacks of this backend, pulumi login selects another"
            )
        try:
            outputs = json_object(done.stdout, "pulumi stack output --json")
        except AnswerError as error:
            usage_error(f"stack {self.name}: {error}")
        if "kubeconfig" not in outputs:
            usage_error(f"stack {self.name} has no outputs; apply it first: pulumi up --stack {self.name}")
        return outputs


def last_line(done: "subprocess.CompletedProcess[str]") -> str:
    """The last line that pulumi wrote to standard error: its reason."""
    return (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]


def name_and_file(site: str) -> tuple[str, Path]:
    """Name and file of a stack, from either. The file may be missing."""
    file = Path(site)
    if file.suffix not in {".yaml", ".yml"}:
        file = FOLDER / f"Pulumi.{site}.yaml"
    return file.name.removeprefix("Pulumi.").removesuffix(file.suffix), file


def own(site: str) -> tuple[str, Path]:
    """The same for commands in which pulumi reads the file by the stack's name. Exits 2 if it is another file."""
    name, file = name_and_file(site)
    read_by_pulumi = FOLDER / f"Pulumi.{name}.yaml"
    if file.resolve() != read_by_pulumi.resolve():
        usage_error(
            f"{file} is not the file of stack {name}: pulumi reads {read_by_pulumi}; move it there, or name a stack: pulumi stack ls"
        )
    return name, read_by_pulumi


def missing(file: Path) -> NoReturn:
    """Exits 2: the file of a site is missing."""
    there = ", ".join(sorted(f.name[len("Pulumi.") : -len(".yaml")] for f in FOLDER.glob("Pulumi.*.yaml")))
    usage_error(f"{file} does not exist; sites of this project: {there or 'none'}. Name one of them, or a stack file")


def read(site: str) -> Stack:
    """The stack of a site, from its name or file. Exits 2, with every mistake, if it cannot be read."""
    name, file = name_and_file(site)
    if str(file) != site and not file.exists():
        missing(file)
    try:
        return Stack(name, file, load_stack_file(file))
    except SiteError as error:
        usage_error(str(error))


def others(file: Path) -> dict[str, Site]:
    """File → site of the other stacks in the folder; unreadable ones are left out."""
    return {other: site for other, _, site, _ in stacks_beside(file)}


def others_added(file: Path, ref: str) -> dict[str, Site]:
    """Other stacks that did not exist at a commit."""
    before = git.files(ref, file.parent)
    return {other: site for other, site in others(file).items() if other not in before}


def others_removed(file: Path, ref: str, defaults: "Defaults | None") -> dict[str, Site]:
    """Stacks that existed at a commit, with the defaults of that commit, and no longer exist."""
    found = {}
    for name in git.files(ref, file.parent):
        path = Path(name)
        if path == file or path.exists() or not path.match("Pulumi.*.yaml"):
            continue
        try:
            found[name] = parse_stack_text(git.at(ref, path) or "", source=name, defaults=defaults)
        except SiteError:
            continue  # it could not be read then either
    return found
