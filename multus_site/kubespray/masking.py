"""Mask secrets in logs and errors: values of secret variables, kubeadm's tokens and keys, private keys."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MASK = "[secret]"

SECRET_NAMES = ("password", "secret", "token", "passwd", "private", "_key", "credential", "_auth")
"""A variable whose name contains one of these has a secret value."""

SHORTEST = 6
"""Characters. Shorter values would also match parts of ordinary words."""

KNOWN_SECRETS = (
    re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b"),  # a bootstrap token of kubeadm
    re.compile(r"(?<=certificate-key )[0-9a-f]{64}\b"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.S),
)


@dataclass(frozen=True)
class Masking:
    """Replaces secrets in text."""

    secrets: tuple[str, ...]
    """Longest first: a secret may contain another."""

    @classmethod
    def for_variables(
        cls, variables: Mapping[str, Any], secret: Iterable[str] = (), more: Iterable[str] = ()
    ) -> "Masking":
        """Masks variables with a secret name, those in `secret`, and the texts in `more`."""
        named = frozenset(secret)
        secrets = {*more}
        for name, value in variables.items():
            secrets.update(_texts(value, hidden=name in named or _is_secret_name(name)))
        # Each line of a text with several lines too; and as in Ansible's JSON output.
        secrets |= {line.strip() for text in secrets for line in text.splitlines()}
        secrets |= {json.dumps(text)[1:-1] for text in secrets}
        return cls(tuple(sorted((text for text in secrets if len(text) >= SHORTEST), key=len, reverse=True)))

    def __call__(self, text: str) -> str:
        """The text with MASK instead of secrets."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        for pattern in KNOWN_SECRETS:
            text = pattern.sub(MASK, text)
        return text


def looks_secret(name: str, value: object) -> bool:
    """Whether a variable's value, or a part of it, is a text that its name or its form calls secret."""
    if isinstance(value, dict):
        return any(
            looks_secret(f"{name}.{key}" if _is_secret_name(name) else str(key), one) for key, one in value.items()
        )
    if isinstance(value, list):
        return any(looks_secret(name, one) for one in value)
    text = value if isinstance(value, str) else ""
    return bool(text and _is_secret_name(name)) or any(pattern.search(text) for pattern in KNOWN_SECRETS)


def _is_secret_name(name: str) -> bool:
    return any(part in name.lower() for part in SECRET_NAMES)


def _texts(value: Any, *, hidden: bool) -> Iterable[str]:  # noqa: ANN401 # any JSON
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, hidden=hidden or _is_secret_name(str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, hidden=hidden)
    elif hidden and isinstance(value, str):
        yield value
