"""How this machine reaches the nodes of a site: OpenSSH with the pinned host keys and the site's key, for as long as it lasts."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from kubespray.document import Jump
from kubespray.ssh import Shell
from model.nodes import Nodes


def known_hosts(nodes: Nodes, keys: Mapping[str, str]) -> str:
    """OpenSSH's known_hosts of a site. `keys`: node → its public host key."""
    ssh = nodes.ssh
    lines = [f"{_known_as(host.address, ssh.port)} {keys[name]}" for name, host in nodes.hosts.items() if name in keys]
    if ssh.bastion:
        lines.append(f"{_known_as(ssh.bastion.host, ssh.bastion.port)} {ssh.bastion.host_key}")
    return "\n".join(lines) + "\n"


def _known_as(host: str, port: int) -> str:
    return host if port == 22 else f"[{host}]:{port}"


@contextlib.contextmanager
def shell(nodes: Nodes, private_key: str, hosts: str) -> Iterator[Shell]:
    """A shell on the nodes; the key lies in a file that only its owner reads, and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="multus-site-") as name:
        folder = Path(name)
        descriptor = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(private_key.strip() + "\n")
        (folder / "known_hosts").write_text(hosts)
        bastion = nodes.ssh.bastion
        jump = Jump(bastion.host, bastion.port, bastion.user) if bastion else None
        yield Shell(folder / "key", folder / "known_hosts", jump)
