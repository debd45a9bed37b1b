"""`python -m multus_site.nodes.leaks free`: reads {"route", "known_hosts", "hosts": node → {"address", "port", "user"}, "control_plane", "configs"} as JSON, and gives back what pods left behind.

Reports a line for each thing on standard error, and prints the numbers of those given back and left as JSON. A node that cannot be checked is reported; it
does not fail, because the commands of the node itself do.
"""

import json
import sys
from typing import Any

from multus_site.nodes.leaks.audit import Audit, Host, audit
from multus_site.ssh.openssh import shell
from multus_site.ssh.ssh_route import SshRoute


def run(document: dict[str, Any]) -> Audit:
    """Give back what is left on these nodes."""
    hosts = {name: Host(**host) for name, host in document["hosts"].items()}
    with shell(SshRoute.parse(document["route"]), document["known_hosts"]) as reached:
        return audit(reached, hosts, document["control_plane"], document["configs"], free=True)


def main() -> int:
    """Run the command, and return its exit status."""
    if sys.argv[1:] != ["free"]:
        print("usage: python -m multus_site.nodes.leaks free", file=sys.stderr)
        return 2
    found = run(json.load(sys.stdin))
    for leak in found.leaks:
        print(f"leaks: {leak.line()}", file=sys.stderr)
    for where, why in found.unknown.items():
        print(f"leaks: {where} cannot be checked: {why}", file=sys.stderr)
    freed = sum(leak.freed for leak in found.leaks)
    print(json.dumps({"freed": freed, "left": len(found.leaks) - freed}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
