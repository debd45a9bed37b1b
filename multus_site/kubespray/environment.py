"""Build a virtual environment for each requirements.txt of Kubespray, in the cache folder: once, for all stacks."""

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
    """The Python of the environment with the source's Ansible, built if necessary. Raises KubesprayError."""
    requirements = source.folder / "requirements.txt"
    python = _python(requirements)
    digest = hashlib.sha256(requirements.read_bytes() + python.encode()).hexdigest()[:16]
    folder = cache() / "ansible" / digest
    with only_one(folder):
        # The mark is written last: a folder without it is an incomplete build. Its Python may also have been removed since.
        mark = folder / "complete"
        if not (mark.exists() and (folder / "bin/python").exists()):
            shutil.rmtree(folder, ignore_errors=True)
            _build(folder, python, requirements)
            mark.touch()
    _check(folder / "bin/python", source)
    return folder / "bin/python"


def _python(requirements: Path) -> str:
    """A Python that the required Ansible supports: this one, else one on PATH."""
    try:
        first, last = _range(requirements.read_text())
    except ValueError as error:
        msg = f"{requirements}: {error}"
        raise KubesprayError(msg) from None
    if first <= sys.version_info[:2] <= last:
        # Not that of this project's environment: all projects share what is built with one Python.
        return str(Path(sys.executable).resolve())
    for minor in range(last[1], first[1] - 1, -1):
        if found := shutil.which(f"python3.{minor}"):
            return found
    msg = (
        f"{requirements}: its Ansible requires Python 3.{first[1]} to 3.{last[1]}. This is {sys.version.split()[0]}, "
        f"and PATH has no other Python that fits. Install python3.{last[1]}"
    )
    raise KubesprayError(msg)


def _range(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last Python for the Ansible that requirements pin, as ansible-core or as ansible. Raises ValueError if they pin neither or an unknown version."""
    if core := re.search(r"^ansible-core\s*==\s*(\d+)\.(\d+)", text, re.M):
        version = (int(core[1]), int(core[2]))
    elif package := re.search(r"^ansible\s*==\s*(\d+)\.", text, re.M):
        version = (2, int(package[1]) + 7)  # ansible 10 is core 2.17, 11 is 2.18
    else:
        msg = "it pins neither ansible nor ansible-core; a Kubespray release has a line such as ansible==11.13.0"
        raise ValueError(msg)
    if version not in ANSIBLE:
        known = ", ".join(f"{a}.{b}" for a, b in ANSIBLE)
        msg = f"it pins ansible-core {version[0]}.{version[1]}, but only {known} are known; choose a Kubespray release that uses one of them"
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
                f"While packages are reachable, type: python -m multus_site.kubespray prepare"
            )
            raise KubesprayError(msg)


def _check(python: Path, source: Source) -> None:
    """Makes the assertion of playbooks/ansible_version.yml before the first play runs."""
    asserts = source.folder / "playbooks/ansible_version.yml"
    text = asserts.read_text() if asserts.exists() else ""
    bounds = dict(re.findall(r"(minimal|maximal)_ansible_version:\s*([\d.]+)", text))
    if len(bounds) < 2:
        return
    code = "import importlib.metadata as m; print(m.version('ansible-core'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    version = done.stdout.strip() or "none"
    if not _key(bounds["minimal"]) <= _key(version) < _key(bounds["maximal"]):
        msg = (
            f"{source.folder / 'requirements.txt'} installed ansible-core {version}; this Kubespray requires "
            f"{bounds['minimal']} or later, before {bounds['maximal']}. Fix that file, or use the release as published"
        )
        raise KubesprayError(msg)


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
