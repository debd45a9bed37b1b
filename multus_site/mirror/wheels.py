"""Python packages for the machine where Pulumi runs: Kubespray's Ansible, and this program's own; and a page of them for pip."""

import html
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from multus_site.mirror.contents import MirrorError, Wheel

PIP_SECONDS = 300


def resolved(requirements: Path, python: Path, why: str) -> list[Wheel]:
    """What `pip install -r` would install for a Python, with sums; nothing is installed. Raises MirrorError."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    command += ["--dry-run", "--ignore-installed", "--report", "-", "-r", requirements.name]
    try:
        done = subprocess.run(
            command, cwd=requirements.parent, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PIP_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        msg = f"pip took longer than {PIP_SECONDS} s to say what {requirements} needs"
        raise MirrorError(msg) from None
    if done.returncode:
        msg = f"pip cannot say what {requirements} needs: {done.stderr.strip()[-300:]}"
        raise MirrorError(msg)
    downloads = [item["download_info"] for item in json.loads(done.stdout)["install"]]
    return [Wheel(one["url"], one["archive_info"]["hashes"]["sha256"], why) for one in downloads]


def page(wheels: Iterable[Wheel]) -> str:
    """The page that pip and uv take with --find-links."""
    links = (f'<a href="{html.escape(w.name)}#sha256={w.sha256}">{html.escape(w.name)}</a><br>' for w in wheels)
    return "<!DOCTYPE html>\n<title>Python packages</title>\n" + "\n".join(sorted(set(links))) + "\n"
