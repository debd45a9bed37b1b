"""`python -m delivery`: reads the document from stdin; prints a line of JSON, architecture → plugin → sha256 of its binary."""

import json
import os
import sys
import tempfile
from pathlib import Path

from delivery.binaries import binaries
from delivery.document import DeliveryError, Document
from delivery.sending import send
from kubespray.ssh import Shell


def deliver(document: Document) -> dict[str, dict[str, str]]:
    """Every node has the binaries of its architecture in its store. Raises DeliveryError."""
    ready = {architecture: binaries(origins, architecture) for architecture, origins in document.origins.items()}
    wanted = {node: ready[architecture].values() for node, architecture in document.architectures.items()}
    with tempfile.TemporaryDirectory(prefix="multus-site-") as folder:
        key, known_hosts = Path(folder) / "key", Path(folder) / "known_hosts"
        descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(document.private_key.strip() + "\n")
        known_hosts.write_text(document.known_hosts)
        sent = send(Shell(key, known_hosts, document.bastion), document.hosts, wanted)
    print(
        f"sent {sum(sent.values())} binaries to {sum(map(bool, sent.values()))} of {len(sent)} nodes", file=sys.stderr
    )
    return {arch: {name: path.name for name, path in sorted(plugins.items())} for arch, plugins in ready.items()}


def main() -> int:
    """The command line."""
    try:
        print(json.dumps(deliver(Document.parse(sys.stdin.read())), sort_keys=True))
    except DeliveryError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
