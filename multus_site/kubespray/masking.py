"""What nobody may read in a log or an error: values of secret variables, and what kubeadm and SSH let in with."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MASK = "[secret]"

SECRET_NAMES = ("password", "secret", "token", "passwd", "private", "_key", "credential", "_auth")
"""A variable with one of these in its name has a secret value."""

SHORTEST = 6
"""Characters. Shorter values would be masked in words that happen to hold them."""

KNOWN_SECRETS = (
    re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b"),  # a bootstrap token of kubeadm
    re.compile(r"(?<=certificate-key )[0-9a-f]{64}\b"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.S),
)


@dataclass(frozen=True)
class Masking:
    """Replaces secrets in texts."""

    secrets: tuple[str, ...]
    """Longest first: one may hold another."""

    @classmethod
    def for_variables(
        cls, variables: Mapping[str, Any], secret: Iterable[str] = (), more: Iterable[str] = ()
    ) -> "Masking":
        """For variables whose names say that they are secret, those that are named in `secret`, and other texts."""
        named = frozenset(secret)
        found = {*more}
        for name, value in variables.items():
            found.update(_texts(value, hidden=name in named or _says_secret(name)))
        # As they stand, and as they stand in Ansible's JSON; of several lines, each.
        lines = {line.strip() for text in found for line in text.splitlines()}
        both = {form for text in found | lines for form in (text, json.dumps(text)[1:-1])}
        return cls(tuple(sorted((t for t in both if len(t) >= SHORTEST), key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """The text without its secrets."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        for pattern in KNOWN_SECRETS:
            text = pattern.sub(MASK, text)
        return text


def _says_secret(name: str) -> bool:
    return any(part in name.lower() for part in SECRET_NAMES)


def _texts(value: Any, *, hidden: bool) -> Iterable[str]:  # noqa: ANN401 # any JSON
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, hidden=hidden or _says_secret(str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, hidden=hidden)
    elif hidden and isinstance(value, str):
        yield value
