"""`python -m multus_site.kubespray apply|destroy|prepare [VERSION]`.

apply and destroy read the document from stdin, report progress on stderr, and print the applied record on stdout. prepare reads no stdin: while
packages are still reachable, it puts the playbooks and Ansible of a release into the cache: VERSION, or the newest in the table of releases.
"""

import signal
import sys
from contextlib import ExitStack
from types import FrameType

from multus_site.kubespray import environment, source
from multus_site.kubespray.cluster import Cluster
from multus_site.kubespray.document import Document, KubesprayError, Origin
from multus_site.kubespray.progress import say
from multus_site.model.kubespray_releases import newest


def _cancel(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 # a signal handler's signature
    """Turns a signal into an exception, so that cleanup runs."""
    say("cancelled: stopping Ansible; the next `pulumi up` continues from here")
    raise SystemExit(128 + number)


def prepare(version: str) -> None:
    """Finds or fetches a release, and builds its environment."""
    kubespray = source.find(version, Origin())
    say(kubespray.description)
    say(f"Ansible: {environment.ansible(kubespray).parent.parent}")


def main() -> int:
    """The command line."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _cancel)
    verb, *more = sys.argv[1:] or [""]
    if verb not in {"apply", "destroy", "prepare"} or len(more) > (verb == "prepare"):
        say("usage: python -m multus_site.kubespray apply|destroy|prepare [VERSION]")
        return 2
    try:
        if verb == "prepare":
            prepare(more[0] if more else newest())
            return 0
        document = Document.parse(sys.stdin.read())
        with ExitStack() as stack:
            cluster = Cluster(document, stack)
            cluster.apply() if verb == "apply" else cluster.destroy()
    except KubesprayError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
