"""Kubernetes objects that differ from what was applied, from `pulumi refresh --preview-only`."""

from dataclasses import dataclass
from typing import Any

from multus_site.cli.stacks import Stack
from multus_site.ssh.answers import AnswerError, json_object


class RefreshError(Exception):
    """The refresh failed; the message gives the reason."""


@dataclass(frozen=True)
class Changed:
    """An object that differs from what was applied. `paths`: the changed fields; empty if it was deleted."""

    name: str
    kind: str
    gone: bool
    paths: tuple[str, ...]

    def line(self) -> str:
        """As text."""
        what = "was deleted" if self.gone else f"was changed: {', '.join(self.paths) or 'unknown fields'}"
        return f"{self.kind} {self.name}: {what}; pulumi up --refresh restores it"

    def row(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "gone": self.gone,
            "paths": list(self.paths),
            "mendedBy": "pulumi up --refresh",
        }


def drifted(stack: Stack) -> list[Changed]:
    """The objects that drifted. Raises RefreshError."""
    done = stack.pulumi("refresh", "--preview-only", "--json")
    try:
        steps = json_object(done.stdout, "pulumi refresh")["steps"]
    except (AnswerError, KeyError):
        said = [line for line in (done.stderr + done.stdout).strip().splitlines() if line.strip()]
        msg = f"pulumi refresh --preview-only: {said[-1] if said else 'no output'}"
        raise RefreshError(msg) from None
    return [changed for step in steps if (changed := _changed(step))]


def _changed(step: dict[str, Any]) -> Changed | None:
    if step.get("op") not in {"update", "delete", "replace"}:
        return None
    kind, _, name = str(step["urn"]).rpartition("::")
    paths = tuple(sorted(step.get("detailedDiff") or step.get("diffReasons") or ()))
    return Changed(name, kind.rpartition("$")[2].rpartition(":")[2], step["op"] == "delete", paths)
