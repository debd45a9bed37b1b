"""`multus-site.toml`: how `multus-site lint` runs in a repository."""

import difflib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from multus_site.lint.finding import Finding
from multus_site.lint.registry import RULES

FILE = "multus-site.toml"


class SettingsError(ValueError):
    """Invalid settings; the message names the file and each mistake."""


class RuleSetting(BaseModel):
    """What a repository changes about a rule."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    level: Literal["off", "warning", "error"]
    """`off` leaves its findings out."""
    reason: str = ""
    """Why; required for `off`."""

    @model_validator(mode="after")
    def _off_has_a_reason(self) -> "RuleSetting":
        if self.level == "off" and not self.reason.strip():
            message = 'a rule that is off needs a reason; write {level = "off", reason = "…"}'
            raise ValueError(message)
        return self


def _rule_code(code: str) -> str:
    if code not in RULES:
        near = difflib.get_close_matches(code, RULES, 1, 0.6)
        message = f"unknown rule {code!r}; " + (
            f"did you mean {near[0]}?" if near else "list the rules with: multus-site lint --explain all"
        )
        raise ValueError(message)
    return code


class Settings(BaseModel):
    """The keys of multus-site.toml. Paths are relative to its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    paths: list[Annotated[str, Field(min_length=1)]] = []
    """Files and folders that are checked when none are typed."""
    facts: str | None = None
    """File of facts, as for `--facts`."""
    rules: dict[Annotated[str, AfterValidator(_rule_code)], RuleSetting] = {}
    """Rule → its level here, and the reason."""

    def applied(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """The findings at the levels of this repository, without those of rules that are off."""
        for finding in findings:
            setting = self.rules.get(finding.rule)
            if setting is None:
                yield finding
            elif setting.level != "off":
                yield replace(finding, level=setting.level)


def parse_settings(text: str, *, source: str = FILE) -> Settings:
    """Settings from TOML. Raises SettingsError."""
    try:
        return Settings.model_validate(tomllib.loads(text), strict=True)
    except tomllib.TOMLDecodeError as error:
        message = f"{source}: not TOML: {error}"
        raise SettingsError(message) from None
    except ValidationError as error:
        lines = [f"{source}: {_place(one['loc'])}: {_what(one)}" for one in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def _place(path: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in path if part != "[key]") or "(file)"


def _what(error: Any) -> str:  # noqa: ANN401  # pydantic_core.ErrorDetails
    if error["type"] == "extra_forbidden":
        fields = RuleSetting.model_fields if len(error["loc"]) > 1 else Settings.model_fields
        return f"unknown key; the keys are {', '.join(fields)}"
    if error["type"] == "missing":
        return 'missing; write {level = "off", "warning" or "error", reason = "…"}'
    return str(error["msg"]).removeprefix("Value error, ")
