"""Python packages for the machine that runs Pulumi: Kubespray's Ansible, and this program; and an index page of them for pip."""

import html
import importlib.metadata
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from multus_site.mirror.contents import MirrorError, Wheel

PIP_SECONDS = 300

PROGRAM = "multus-site"


def of_file(requirements: Path, python: Path, why: str) -> list[Wheel]:
    """The wheels that `pip install -r` would install for a Python. Raises MirrorError."""
    return _resolved(["-r", str(requirements)], python, why)


def of_this_program(why: str) -> list[Wheel]:
    """This program with its dependencies, in the installed versions. For a checkout: its build requirements instead of the program. Raises MirrorError."""
    program = importlib.metadata.distribution(PROGRAM)
    requirements = {line.partition(";")[0] for line in program.requires or ()}
    # Where pip installed it from; empty for an index.
    origin = json.loads(program.read_text("direct_url.json") or "{}")
    if checkout := "dir_info" in origin:
        project = Path(url2pathname(urlsplit(origin["url"]).path), "pyproject.toml")
        requirements |= set(tomllib.loads(project.read_text(encoding="utf-8"))["build-system"]["requires"])
    else:
        requirements.add(f"{PROGRAM} @ {origin['url']}" if origin else PROGRAM)
    installed = {
        f"{found.name}=={found.version}\n"
        for found in importlib.metadata.distributions()
        if not (checkout and found.name == PROGRAM)
    }
    with tempfile.NamedTemporaryFile("w", prefix="multus-site-", suffix=".txt") as constraints:
        constraints.writelines(sorted(installed))
        constraints.flush()
        return _resolved([*sorted(requirements), "-c", constraints.name], Path(sys.executable), why)


def _resolved(requirements: list[str], python: Path, why: str) -> list[Wheel]:
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
    command += ["--dry-run", "--ignore-installed", "--report", "-", *requirements]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PIP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        msg = f"pip took longer than {PIP_SECONDS} s to list the wheels of {why}"
        raise MirrorError(msg) from None
    if done.returncode:
        msg = f"pip cannot list the wheels of {why}: {done.stderr.strip()[-300:]}"
        raise MirrorError(msg)
    downloads = [item["download_info"] for item in json.loads(done.stdout)["install"]]
    return [Wheel(one["url"], one["archive_info"]["hashes"]["sha256"], why) for one in downloads]


def page(wheels: Iterable[Wheel]) -> str:
    """The page for --find-links of pip and uv."""
    links = (f'<a href="{html.escape(w.name)}#sha256={w.sha256}">{html.escape(w.name)}</a><br>' for w in wheels)
    return "<!DOCTYPE html>\n<title>Python packages</title>\n" + "\n".join(sorted(set(links))) + "\n"
