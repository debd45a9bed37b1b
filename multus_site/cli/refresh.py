"""Kubernetes objects that differ from what was applied, as `pulumi refresh --preview-only` finds them."""

from dataclasses import dataclass
from typing import Any

from multus_site.cli.stacks import Stack
from multus_site.ssh.answers import AnswerError, json_object


class RefreshError(Exception):
    """Pulumi could not read back; the text says why."""


@dataclass(frozen=True)
class Changed:
    """An object that is not as it was applied. `paths`: what of it; empty: it is gone."""

    name: str
    kind: str
    gone: bool
    paths: tuple[str, ...]

    def line(self) -> str:
        """For a person."""
        what = "is gone" if self.gone else f"was changed: {', '.join(self.paths) or 'something of it'}"
        return f"{self.kind} {self.name}: {what}; pulumi up --refresh restores it"

    def row(self) -> dict[str, Any]:
        """For machines."""
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
