"""A virtual environment per requirements.txt of a Kubespray release, in the cache folder: built once, used by all stacks."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from multus_site.kubespray.document import KubesprayError
from multus_site.kubespray.folders import cache, only_one
from multus_site.kubespray.source import Source
from multus_site.model.kubespray_releases import ANSIBLE

INSTALL_SECONDS = 900


def ansible(source: Source) -> Path:
    """The Python whose environment holds the source's Ansible. Builds it if need be. Raises KubesprayError if that fails."""
    requirements = source.folder / "requirements.txt"
    python = _python(requirements)
    digest = hashlib.sha256(requirements.read_bytes() + python.encode()).hexdigest()[:16]
    folder = cache() / "ansible" / digest
    with only_one(folder):
        # The mark is made last: without it the folder is the rest of a build that was killed. And the Python under it may have gone since.
        mark = folder / "complete"
        if not (mark.exists() and (folder / "bin/python").exists()):
            shutil.rmtree(folder, ignore_errors=True)
            _build(folder, python, requirements)
            mark.touch()
    _check(folder / "bin/python", source)
    return folder / "bin/python"


def _python(requirements: Path) -> str:
    """A Python that the Ansible of the requirements runs on: ours, else one on PATH."""
    try:
        first, last = _range(requirements.read_text())
    except ValueError as error:
        msg = f"{requirements}: {error}"
        raise KubesprayError(msg) from None
    if first <= sys.version_info[:2] <= last:
        return sys.executable
    for minor in range(last[1], first[1] - 1, -1):
        if found := shutil.which(f"python3.{minor}"):
            return found
    msg = (
        f"{requirements}: its Ansible runs on Python 3.{first[1]} to 3.{last[1]}; this is {sys.version.split()[0]}, "
        f"and PATH has no other. Install python3.{last[1]}"
    )
    raise KubesprayError(msg)


def _range(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last Python for requirements that pin ansible-core, or the package ansible, whose major version goes with it.

    Raises ValueError where they pin neither, or one that is not known here.
    """
    if core := re.search(r"^ansible-core\s*==\s*(\d+)\.(\d+)", text, re.M):
        version = (int(core[1]), int(core[2]))
    elif package := re.search(r"^ansible\s*==\s*(\d+)\.", text, re.M):
        version = (2, int(package[1]) + 7)  # ansible 10 is core 2.17, 11 is 2.18
    else:
        msg = "it pins neither ansible nor ansible-core; a release of Kubespray has a line such as ansible==11.13.0"
        raise ValueError(msg)
    if version not in ANSIBLE:
        known = ", ".join(f"{a}.{b}" for a, b in ANSIBLE)
        msg = f"it pins ansible-core {version[0]}.{version[1]}; known here are {known}: take a release of Kubespray that uses one of them"
        raise ValueError(msg)
    return ANSIBLE[version].first, ANSIBLE[version].last


def _build(folder: Path, python: str, requirements: Path) -> None:
    if uv := shutil.which("uv"):
        steps = [
            [uv, "venv", "--quiet", "--python", python, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python"), "-r", str(requirements)],
        ]
    else:
        steps = [
            [python, "-m", "venv", str(folder)],
            [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--no-input", "-r", str(requirements)],
        ]
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            msg = f"installing {requirements} took longer than {INSTALL_SECONDS} s: {' '.join(step)}"
            raise KubesprayError(msg) from None
        if done.returncode:
            msg = (
                f"Ansible could not be installed from {requirements}: {done.stderr.strip()[-600:]}\n"
                f"Where packages can be reached, run: python -m multus_site.kubespray prepare"
            )
            raise KubesprayError(msg)


def _check(python: Path, source: Source) -> None:
    """What is installed is what the release asserts (playbooks/ansible_version.yml): better said now than after the first play."""
    asserts = source.folder / "playbooks/ansible_version.yml"
    text = asserts.read_text() if asserts.exists() else ""
    bounds = dict(re.findall(r"(minimal|maximal)_ansible_version:\s*([\d.]+)", text))
    if len(bounds) < 2:
        return
    code = "import importlib.metadata as m; print(m.version('ansible-core'))"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    version = found.stdout.strip() or "none"
    if not _key(bounds["minimal"]) <= _key(version) < _key(bounds["maximal"]):
        msg = (
            f"{source.folder / 'requirements.txt'} brought ansible-core {version}; this Kubespray wants "
            f"{bounds['minimal']} or later, before {bounds['maximal']}. Mend that file, or take the release as it was published"
        )
        raise KubesprayError(msg)


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
