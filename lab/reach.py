"""Probe once, at the start, which download servers this machine reaches."""

from __future__ import annotations

import concurrent.futures
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

LIMIT = 3.0
"""Seconds for one probe. All probes run at the same time."""

ADDRESSES = {
    "kubernetes": "https://dl.k8s.io/",
    "github": "https://github.com/",
    "pulumi": "https://get.pulumi.com/",
}

Prober = Callable[[str], bool]


@dataclass(frozen=True)
class Reach:
    """Which servers of official downloads answer. Package registries are not included: nothing works without them."""

    kubernetes: bool = False
    github: bool = False
    pulumi: bool = False
    asked: bool = True

    @property
    def official(self) -> bool:
        """Whether the servers of upstream releases and sources answer."""
        return self.github

    @property
    def line(self) -> str:
        """One line for the person at the terminal."""
        if not self.asked:
            return "Offline (OFFLINE=1): no official download is tried, all is built from Go modules."
        states = {name: getattr(self, name) for name in ADDRESSES}
        missing = [name for name, there in states.items() if not there]
        if not missing:
            return "Official downloads are reachable: they are used, checked by sha256."
        if len(missing) == len(states):
            return "Official downloads are not reachable: all is built from Go modules."
        there = ", ".join(name for name, reached in states.items() if reached)
        return f"Official downloads: {there} reachable, {', '.join(missing)} not: the rest is built from Go modules."


def probe(offline: bool | None = None, prober: Prober | None = None) -> Reach:
    """Probes all addresses in parallel. With `offline` (default: $OFFLINE), sends nothing and reports none as reachable."""
    if offline is None:
        offline = os.environ.get("OFFLINE", "") not in ("", "0")
    if offline:
        return Reach(asked=False)
    ask = prober or answers
    with concurrent.futures.ThreadPoolExecutor(len(ADDRESSES)) as pool:
        return Reach(**dict(zip(ADDRESSES, pool.map(ask, ADDRESSES.values()), strict=True)))


def answers(address: str) -> bool:
    """Whether anything but a refusal comes back from `address` within LIMIT."""
    request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - the addresses above, all https
    try:
        with urllib.request.urlopen(request, timeout=LIMIT):  # noqa: S310 - same
            return True
    except urllib.error.HTTPError as error:
        # 403 and 407 come from a proxy; other client errors mean that the server answers
        return error.code not in (403, 407) and error.code < 500
    except OSError:
        return False
