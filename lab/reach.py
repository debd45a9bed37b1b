"""What of the internet this machine reaches: asked once, at the start, and never waited for again."""

from __future__ import annotations

import concurrent.futures
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

LIMIT = 3.0
"""Seconds that one question may take. All of them are asked at the same time."""

ADDRESSES = {
    "kubernetes": "https://dl.k8s.io/",
    "github": "https://github.com/",
    "pulumi": "https://get.pulumi.com/",
}

Prober = Callable[[str], bool]


@dataclass(frozen=True)
class Reach:
    """Which places for official downloads answer. Package registries are not among them: nothing works without."""

    kubernetes: bool = False
    github: bool = False
    pulumi: bool = False
    asked: bool = True

    @property
    def official(self) -> bool:
        """Whether releases and their sources can be had from where they are published."""
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
    """Ask every address at once. `offline` (by default $OFFLINE) says no to all without a packet sent."""
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
        # a proxy that refuses is a no; a server that only dislikes HEAD / is there
        return error.code not in (403, 407) and error.code < 500
    except OSError:
        return False
