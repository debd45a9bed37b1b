"""`pulumi preview` of a stack as data, with the plan of Kubespray's runs. A stack that does not exist yet is previewed as a new one."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multus_site.cli.stacks import FOLDER, Stack, last_line
from multus_site.cli.usage_error import usage_error
from multus_site.kubespray.preview import PLAN_FILE
from multus_site.model.load import SiteError, parse_site
from multus_site.model.site import Site
from multus_site.ssh.answers import AnswerError, json_object

SECONDS = 3600
_NOT_THERE = "no stack named"


@dataclass(frozen=True)
class Known:
    """The state of a stack in the backend."""

    there: bool
    applied: Site | None = None
    """The site as the last successful `up` applied it."""
    older: bool = False
    """Something was applied, by a release that did not record the site."""


@dataclass(frozen=True)
class Seen:
    """A preview: pulumi's JSON, the runs of Kubespray, and the secrets to hide."""

    data: dict[str, Any]
    plan: tuple[dict[str, Any], ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)


def known(stack: Stack) -> Known:
    """Reads the state. Exits 2 if the backend does not answer, or the secrets cannot be read."""
    done = stack.pulumi("stack", "output", "--json", "--show-secrets")
    if done.returncode:
        if _NOT_THERE in done.stderr:
            return Known(there=False)
        last = last_line(done)
        usage_error(f"pulumi cannot read what was applied to stack {stack.name}: {last}")
    try:
        outputs = json_object(done.stdout, "pulumi stack output --json")
    except AnswerError as error:
        usage_error(f"stack {stack.name}: {error}")
    try:
        applied = parse_site(json.loads(outputs["site"]), source="what was applied")
    except (KeyError, TypeError, ValueError, SiteError):
        return Known(there=True, older="kubeconfig" in outputs)
    return Known(there=True, applied=applied)


def preview(stack: Stack, *, there: bool) -> Seen:
    """Runs the preview. If it fails, its errors are in the data; exits 2 if pulumi prints no JSON."""
    with tempfile.TemporaryDirectory(prefix="multus-site-") as name, place(stack, Path(name), there=there) as where:
        folder, environment = where
        plan = Path(name) / "plan.json"
        done = stack.pulumi(
            "preview", "--json", seconds=SECONDS, folder=folder, environment={**environment, PLAN_FILE: str(plan)}
        )
        try:
            data = json_object(done.stdout, "pulumi preview --json")
        except AnswerError:
            last = last_line(done)
            usage_error(f"pulumi cannot preview stack {stack.name}: {last}")
        if done.returncode and not any(one.get("severity") == "error" for one in data.get("diagnostics") or []):
            said = done.stderr.strip() or "pulumi preview failed without a reason"
            data.setdefault("diagnostics", []).append({"severity": "error", "message": said})
        runs = json.loads(plan.read_text(encoding="utf-8")) if plan.exists() else []
        return Seen(data, tuple(runs), tuple(_secrets(stack, folder, environment)))


@contextmanager
def place(stack: Stack, scratch: Path, *, there: bool) -> Iterator[tuple[Path | None, Mapping[str, str]]]:
    """Folder and environment for pulumi: this one; for a stack that does not exist, a copy with a temporary backend."""
    if there:
        yield None, {}
        return
    project, backend = scratch / "project", scratch / "backend"
    for folder in (project, backend):
        folder.mkdir()
    for entry in Path.cwd().iterdir():
        if entry.name != FOLDER.name:
            (project / entry.name).symlink_to(entry)
    shutil.copytree(FOLDER, project / FOLDER)
    environment = {"PULUMI_BACKEND_URL": f"file://{backend}"}
    environment.setdefault("PULUMI_CONFIG_PASSPHRASE", os.environ.get("PULUMI_CONFIG_PASSPHRASE", ""))
    made = stack.pulumi("stack", "init", "--no-select", folder=project, environment=environment)
    if made.returncode:
        last = last_line(made)
        usage_error(f"stack {stack.name} does not exist, and creating a temporary one to preview it failed: {last}")
    if "encryptionsalt" in stack.file.read_text(encoding="utf-8"):
        # `stack init` rewrites the file; findings name the lines of the original.
        shutil.copyfile(stack.file, project / stack.file)
    yield project, environment


def _secrets(stack: Stack, folder: Path | None, environment: Mapping[str, str]) -> Iterator[str]:
    """Texts of the secret configuration, to hide in the output."""
    done = stack.pulumi("config", "--json", "--show-secrets", folder=folder, environment=environment)
    try:
        entries = json.loads(done.stdout)
    except ValueError:
        return
    for entry in entries.values():
        if entry.get("secret"):
            yield from _texts(entry.get("objectValue", entry.get("value")))


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401  # any JSON
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
