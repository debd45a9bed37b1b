"""LocalProgram: a program of multus_site as a resource, run on the machine where Pulumi runs."""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi_command import local

DEFAULT_VIRTUALENV = ".venv"

RECORDED = ["create", "update", "delete"]
"""Inputs in which 0.1.0 and 0.2.0 recorded other module names. pulumi-command runs a command when any input changes, so the rename alone would run Kubespray and load every link. 0.3 and 0.4 ignore the difference, and `multus-site upgrade` rewrites the state; 0.5 compares these inputs again."""


@dataclass(frozen=True)
class LocalProgramArgs:
    """What to run, and what it reads."""

    module: str
    """Module of multus_site, such as "nodes.delivery"; `python -m` runs it."""
    document: pulumi.Input[Mapping[str, Any]]
    """What it reads from its standard input, as JSON. Stored as a secret as a whole."""
    create: str | None = ""
    """Its argument when the resource is created; None runs nothing."""
    update: str | None = None
    """Its argument when an input changed; None: as `create`."""
    delete: str | None = None
    """Its argument when the resource is deleted; None runs nothing."""
    time_limit: int | None = None
    """Seconds after which it is stopped; None where the program has limits of its own."""
    patience: int = 10
    """Seconds that it has for stopping."""
    logs_progress: bool = False
    """Whether its standard error goes to Pulumi's log."""
    reads_last_record: bool = False
    """Whether it reads what it printed last, from $PULUMI_COMMAND_STDOUT."""
    environment: Mapping[str, str] | None = None
    triggers: Sequence[pulumi.Input[str]] = ()
    """A change of any of these replaces the resource."""


class LocalProgram(local.Command):
    """A document in as secret standard input, and the last line of standard output as JSON."""

    def __init__(self, name: str, args: LocalProgramArgs, opts: pulumi.ResourceOptions) -> None:
        text = pulumi.Output.from_input(args.document).apply(lambda document: json.dumps(document, sort_keys=True))
        stdin: pulumi.Output[str] = pulumi.Output.secret(text)
        super().__init__(
            name,
            create=_command_line(args, args.create),
            update=_command_line(args, args.update),
            delete=_command_line(args, args.delete),
            stdin=stdin,
            environment=args.environment,
            triggers=list(args.triggers) or None,
            logging=local.Logging.STDERR if args.logs_progress else local.Logging.NONE,
            add_previous_output_in_env=args.reads_last_record,
            opts=pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(hide_diffs=["stdin"], ignore_changes=RECORDED)
            ),
        )

    @property
    def record(self) -> pulumi.Output[str]:
        """What it printed. The document makes it secret for the provider; programs print figures, digests and public keys only."""
        return pulumi.Output.unsecret(self.stdout)


def last_line(text: str) -> Any:  # noqa: ANN401 - any JSON
    """The JSON on the last line of a program's or script's output."""
    return json.loads(text.strip().splitlines()[-1])


def _command_line(args: LocalProgramArgs, argument: str | None) -> str | None:
    """The line for sh. It contains no path of this machine: on another machine it would differ, and the program would run again."""
    if argument is None:
        return None
    limit = "" if args.time_limit is None else f"timeout -k {args.patience} {args.time_limit} "
    python = f'p={shlex.quote(f"{_virtualenv()}/bin/python")}; [ -x "$p" ] || p=python3; exec {limit}"$p"'
    return f"{python} -m multus_site.{args.module} {argument}".rstrip()


@cache
def _virtualenv() -> str:
    """The virtual environment that Pulumi.yaml names, relative to the folder in which the provider runs commands."""
    root = Path(pulumi.runtime.get_root_directory() or ".")
    try:
        project = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))
        named = str(project["runtime"]["options"]["virtualenv"])
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return DEFAULT_VIRTUALENV
    return os.path.relpath(root / named)
