"""The secrets of a site: configuration keys of the stack, or files on this machine that the site names."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from cryptography.exceptions import UnsupportedAlgorithm

from multus_site.model.nodes import Nodes
from multus_site.render.host_keys import public_key_of
from multus_site.ssh.ssh_route import lacking, line, secrets_of


@dataclass(frozen=True)
class Secrets:
    """Secrets as outputs; never part of the site object, which is stored and shown in clear."""

    ssh: dict[str, pulumi.Output[str]]
    """Credentials of nodes and bastions: configuration key → secret, for the keys that are set (multus_site/ssh/ssh_route.py)."""
    host_key_seed: pulumi.Output[str] | None
    kubespray_variables: pulumi.Output[dict[str, Any]] | None = None


def read_secrets(config: pulumi.Config, nodes: Nodes) -> Secrets:
    """Read the site's secrets. Raises pulumi.RunError, with what to set, if one is missing."""
    ssh = secrets_of(nodes.ssh, lambda key, file: _secret(config, key, file))
    if lack := lacking(nodes.ssh, ssh):
        raise pulumi.RunError(lack)
    return Secrets(
        {key: _checked(key, value) for key, value in ssh.items()},
        _secret(config, "hostKeySeed", nodes.seed_file),
        _variables(config, "kubesprayVariables"),
    )


def _checked(key: str, value: pulumi.Output[str]) -> pulumi.Output[str]:
    return value.apply(lambda text: _private_key(key, text)) if key.endswith("PrivateKey") else value.apply(line)


def _private_key(key: str, text: str) -> str:
    """The text, if it is a private key without a passphrase. The text itself is never shown."""
    try:
        public_key_of(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        msg = (
            f"multus-site:{key} is not a private key without a passphrase. "
            "Make one with: ssh-keygen -t ed25519 -N '' -f KEY_FILE"
        )
        raise pulumi.RunError(msg) from None
    return text


def _variables(config: pulumi.Config, key: str) -> pulumi.Output[dict[str, Any]] | None:
    """Secret Kubespray variables. The values are never shown."""
    text = config.get_secret(key)
    return text.apply(_mapping) if text is not None else None


def _mapping(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict) or not all(isinstance(name, str) for name in data):
        msg = (
            "multus-site:kubesprayVariables is not a mapping in JSON. "
            "Set one with: pulumi config set --secret --path 'multus-site:kubesprayVariables.NAME' VALUE"
        )
        raise pulumi.RunError(msg)
    return data


def _secret(config: pulumi.Config, key: str, file: str | None) -> pulumi.Output[str] | None:
    """A secret of the stack's configuration, else a file's contents."""
    configured = config.get_secret(key)
    if configured is not None or file is None:
        return configured
    try:
        return pulumi.Output.secret(Path(file).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{file}, named by the site, cannot be read: {error.strerror}. Create it, or set the secret multus-site:{key}"
        raise pulumi.RunError(msg) from None
