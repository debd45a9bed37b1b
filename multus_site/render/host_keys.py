"""SSH host keys of the machines that a site creates, derived from its secret seed.

A host key must be pinned before its machine exists, stay the same when the machine is recreated, and be known at preview.
Deriving it (HKDF-SHA256 of the seed, bound to site and node) achieves this without another resource or file.
"""

import base64
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)


class HostKeyPair(NamedTuple):
    """An ed25519 host key: `private` in OpenSSH's PEM, `public` as in authorized_keys without a comment."""

    private: str
    public: str


def derive_host_key(seed: str, site: str, node: str) -> HostKeyPair:
    """The host key of one node of a site. The seed is any secret text of 16 characters or more.

    Raises ValueError if the seed is shorter.
    """
    if len(seed.strip()) < 16:
        msg = "the seed of the host keys is shorter than 16 characters; make one with: openssl rand -hex 32"
        raise ValueError(msg)
    info = f"multus-site host key v1 {site}/{node}".encode()
    raw = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(seed.strip().encode())
    key = Ed25519PrivateKey.from_private_bytes(raw)
    return HostKeyPair(
        private=_openssh_private(key),
        public=key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
    )


def public_key_of(private_key: str) -> str:
    """The public half of an SSH private key in OpenSSH's or PEM form, as a line of authorized_keys.

    Raises ValueError if the text is not a private key or has a passphrase.
    """
    key = load_ssh_private_key(private_key.encode(), password=None)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _openssh_private(key: Ed25519PrivateKey) -> str:
    """OpenSSH's own private key format, with its two random check words made constant.

    The library draws random check words at each call, so every preview would show a change.
    """
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kind = b"ssh-ed25519"
    blob = _field(kind) + _field(public)
    check = public[:4]
    section = check + check + blob + _field(raw + public) + _field(b"")
    section += bytes(range(1, 1 + -len(section) % 8))
    body = b"openssh-key-v1\0" + _field(b"none") + _field(b"none") + _field(b"") + (1).to_bytes(4, "big")
    return _armour(body + _field(blob) + _field(section))


def _field(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _armour(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[i : i + 70] for i in range(0, len(text), 70)]
    return "\n".join(["-----BEGIN OPENSSH PRIVATE KEY-----", *lines, "-----END OPENSSH PRIVATE KEY-----", ""])
