"""Debian root file systems, made by mmdebstrap from the package sources that this machine is set up with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.cache import Cache

SUITE = "bookworm"
EPOCH = "1735689600"
"""Every file's time, so that the same packages give the same image byte for byte. (2025-01-01)"""

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# How this machine reaches its package sources. The rest of its APT settings is its own business.
REACHING = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date")

# Nobody reads manuals on a node; without them the image is a third smaller and unpacks faster.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")


def sources(index_targets: str, suite: str = SUITE) -> list[str]:
    """APT lines for `suite`, its updates and its security fixes, out of what `apt-get indextargets` prints.

    One line a target, "URI RELEASE COMPONENT". Empty when this machine has no sources for the suite: mmdebstrap
    then uses Debian's own.
    """
    wanted = (suite, f"{suite}-updates", f"{suite}-security")
    lines: dict[str, None] = {}
    for target in index_targets.splitlines():
        match target.split():
            case [uri, release, "main"] if release in wanted:
                lines[f"deb [signed-by={KEYRING}] {uri} {release} main"] = None
            case _:
                continue
    releases = {line.split()[3] for line in lines}
    return list(lines) if suite in releases else []


def reaching(config_dump: str) -> list[str]:
    """The settings of `apt-config dump` that say how to reach the sources."""
    return [
        line for line in config_dump.splitlines() if line.startswith(REACHING) and not line.rstrip().endswith('"";')
    ]


def make(
    cache: Cache, step: str, target: Path, packages: Sequence[str], hooks: Sequence[str], keep: Sequence[str] = ()
) -> None:
    """Make the smallest root file system with `packages` as a tar file at `target`.

    `hooks` are mmdebstrap customize hooks: shell commands that get the root folder as $1. `keep` are paths (with *) that
    are wanted though they are under LEFT_OUT.
    """
    targets = _ask("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    settings = reaching(_ask("apt-config", "dump"))
    cache.run(
        step,
        [
            "mmdebstrap",
            "--variant=minbase",
            f"--include={','.join(packages)}",
            *(f"--aptopt={setting}" for setting in settings),
            *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
            *(f"--dpkgopt=path-include={path}" for path in keep),
            *(f"--customize-hook={hook}" for hook in hooks),
            # the finished system has no network, and must not carry this machine's way to the sources
            '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"',
            '--customize-hook=: > "$1/etc/apt/sources.list"',
            "--format=tar",
            SUITE,
            str(target),
            *sources(targets),
        ],
        environment={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
    )


def _ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
