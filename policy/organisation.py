"""The organisation's settings, organisation.json: what a run has that is given no others."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pulumi_policy import EnforcementLevel

from .resources import Policy

LEVEL = "enforcementLevel"


class SettingsError(Exception):
    """A file that holds no settings; its text says what to write instead."""


def settings(policies: Iterable[Policy], file: Path) -> dict[str, EnforcementLevel | dict[str, Any]]:
    """By policy: a level, or settings. Raises SettingsError."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{file}: cannot be read as JSON: {error}. Write {{}} where there are no settings"
        raise SettingsError(msg) from None
    if not isinstance(data, dict):
        msg = f"{file}: not an object. Write {{}} where there are no settings"
        raise SettingsError(msg)
    known = {policy.name: policy for policy in policies}
    return {name: _one(name, value, known, file) for name, value in data.items()}


def _one(name: str, value: Any, policies: Mapping[str, Policy], file: Path) -> EnforcementLevel | dict[str, Any]:  # noqa: ANN401 - JSON
    if name not in policies:
        msg = f"{file}: {name}: there is no such policy; there are {', '.join(sorted(policies))}"
        raise SettingsError(msg)
    if isinstance(value, dict):
        if mistake := _mistake(policies[name], value):
            msg = f"{file}: {name}.{mistake}"
            raise SettingsError(msg)
        # Without a level, the SDK would send the lowest level.
        return {**value, LEVEL: _level(name, value.get(LEVEL, "mandatory"), file)}
    return _level(name, value, file)


def _mistake(policy: Policy, given: Mapping[str, Any]) -> str:
    """What is wrong with a policy's settings, from the key on; empty if nothing is."""
    there = (*policy.settings, LEVEL)
    odd = next((key for key in given if key not in there), None)
    if odd is not None:
        return f"{odd}: there is no such setting; there {'is' if len(there) == 1 else 'are'} {', '.join(there)}"
    return next(iter(policy.mistakes(given)), "")


def _level(name: str, value: object, file: Path) -> EnforcementLevel:
    levels = [level.value for level in EnforcementLevel]
    if value not in levels:
        msg = f"{file}: {name}: {value!r} is no level; write one of {', '.join(levels)}, or an object of settings"
        raise SettingsError(msg)
    return EnforcementLevel(value)
