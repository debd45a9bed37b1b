"""`python -m multus_site.kubespray apply|destroy|prepare [VERSION]`.

apply and destroy read the document from stdin; progress goes to stderr, the applied record to stdout. prepare (no stdin) puts a release's playbooks
and Ansible into the cache, where packages can still be reached: the newest that is pinned, or VERSION.
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


def _ended(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 # a signal handler's signature
    """Turns a signal into an exception, so that all is tidied up on the way out."""
    say("cancelled: ending Ansible and its children; the next `pulumi up` carries on from here")
    raise SystemExit(128 + number)


def prepare(version: str) -> None:
    """Fetches a release that is pinned, or takes the checkout or stand-in that the environment names, and builds its environment."""
    found = source.find(version, Origin())
    say(found.told)
    say(f"Ansible: {environment.ansible(found).parent.parent}")


def main() -> int:
    """The command line."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _ended)
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
