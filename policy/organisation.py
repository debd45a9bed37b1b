"""The organisation's settings, organisation.json: what a run has that is given no others."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pulumi_policy import EnforcementLevel


class SettingsError(Exception):
    """A file that holds no settings; its text says what to write instead."""


def settings(policies: Collection[str], file: Path) -> dict[str, EnforcementLevel | dict[str, Any]]:
    """By policy: a level, or settings. Raises SettingsError."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{file}: cannot be read as JSON: {error}. Write {{}} where there are no settings"
        raise SettingsError(msg) from None
    if not isinstance(data, dict):
        msg = f"{file}: not an object. Write {{}} where there are no settings"
        raise SettingsError(msg)
    return {name: _one(name, value, policies, file) for name, value in data.items()}


def _one(name: str, value: Any, policies: Collection[str], file: Path) -> EnforcementLevel | dict[str, Any]:  # noqa: ANN401 - JSON
    if name not in policies:
        msg = f"{file}: {name}: there is no such policy; there are {', '.join(sorted(policies))}"
        raise SettingsError(msg)
    if isinstance(value, dict):
        # Without a level, the SDK would send the lowest one that there is.
        return {**value, "enforcementLevel": _level(name, value.get("enforcementLevel", "mandatory"), file)}
    return _level(name, value, file)


def _level(name: str, value: object, file: Path) -> EnforcementLevel:
    levels = [level.value for level in EnforcementLevel]
    if value not in levels:
        msg = f"{file}: {name}: {value!r} is no level; write one of {', '.join(levels)}, or an object of settings"
        raise SettingsError(msg)
    return EnforcementLevel(value)
