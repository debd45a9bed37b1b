"""The files that the stack `lab` refers to: an SSH key, the seed of the host keys, the catalogue of the mirror."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from ruamel.yaml import YAML

from lab.place import Place


def write_keys(place: Place) -> None:
    """Writes the lab's SSH key and host key seed, unless they exist."""
    folder = place.folder / "ssh"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    _once(folder / "id_ed25519", key.decode())
    _once(folder / "host-key-seed", secrets.token_hex(32) + "\n")


def write_catalog(place: Place, catalog: dict[str, Any]) -> None:
    """Replaces the catalogue atomically."""
    path = place.catalog
    scratch = path.with_suffix(".new")
    with scratch.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(catalog, file)
    scratch.replace(path)


def write_environment(place: Place, variables: Mapping[str, str]) -> None:
    """Stores the environment of the lab's pulumi for `down` and `shell`, which build nothing."""
    path = place.folder / "environment.json"
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(dict(variables), indent=2, sort_keys=True), encoding="utf-8")
    scratch.replace(path)


def read_environment(place: Place) -> dict[str, str] | None:
    """The environment from `write_environment`; None if no lab was ever up."""
    path = place.folder / "environment.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def _once(path: Path, text: str) -> None:
    if path.exists() and path.stat().st_size:
        return
    scratch = path.with_suffix(".new")
    scratch.touch(mode=0o600)
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
