"""Connections to nodes: only to a machine that shows the key which it is known by."""

import re
from collections.abc import Iterator, Mapping

from .resources import LATER, Policy, Resource, Settings

_KEY = re.compile(r"^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*( .*)?\Z")


def unpinned(resource: Resource, settings: Settings) -> Iterator[str]:
    """Connections, and hops on the way, that would take any machine."""
    del settings
    if not resource.type.startswith("command:remote:"):
        return
    for hop, written in (("connection", "nodes.hosts.NODE.hostKey"), ("proxy", "nodes.ssh.bastion.hostKey")):
        connection = resource.at("connection") if hop == "connection" else resource.at("connection", "proxy")
        if not isinstance(connection, Mapping):
            continue
        key, host = connection.get("hostKey"), connection.get("host")
        where = f"{'connection' if hop == 'connection' else 'connection.proxy'}.hostKey"
        if key is None or key == "":
            yield f"{where}: missing, and any machine at {host} would be taken for the node; write {written}, printed by: ssh-keyscan -t ed25519 {host}"
        elif key is not LATER and not _KEY.match(str(key)):
            yield f"{where}: {str(key)[:40]!r} is not a public host key; write {written}, printed by: ssh-keyscan -t ed25519 {host}"


HOST_KEYS_PINNED = Policy("host-keys-pinned", "Every SSH connection and every hop has a host key.", of_one=unpinned)
