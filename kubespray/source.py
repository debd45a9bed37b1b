"""Where Kubespray comes from: a checkout that is named, a stand-in that is offered, else the release's tag by git, its commit pinned."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kubespray.document import KubesprayError

REPOSITORY = "https://github.com/kubernetes-sigs/kubespray"
COMMITS = {
    "v2.29.1": "0c6a29553f90c55cba5e0e359470321dc7cf7d29",
    "v2.30.0": "f4ccdb5e72395eaf9f3444056ebd1a6625ddb89a",
    "v2.31.0": "1c9add48975060f45396b34d8e022c30d7f80dab",
}
"""Release → the commit that its tag named when it was pinned here."""

CLONE_SECONDS = 300


@dataclass(frozen=True)
class Source:
    """A folder with Kubespray's playbooks."""

    folder: Path
    told: str
    """One line: which, and why."""


def cache() -> Path:
    """The project's cache folder."""
    return Path(os.environ.get("MULTUS_SITE_CACHE") or Path.home() / ".cache/multus-site")


def find(version: str, path: str | None) -> Source:
    """The source for a release. Raises KubesprayError where there is none, or what is there is no Kubespray."""
    if given := os.environ.get("KUBESPRAY_SOURCE"):
        return _checked(Path(given), f"Kubespray in {given} ($KUBESPRAY_SOURCE)")
    if path is not None:
        return _checked(Path(path), f"Kubespray in {path} (kubespray.path of the site)")
    if stand_in := os.environ.get("KUBESPRAY_STANDIN"):
        return _checked(Path(stand_in), f"a stand-in for Kubespray {version}, which can't be had here: {stand_in}")
    if version not in COMMITS:
        msg = (
            f"kubespray.version: {version} has no pinned commit here; known are {', '.join(sorted(COMMITS))}. "
            f"Take one of them, or name a checkout of yours: kubespray.path"
        )
        raise KubesprayError(msg)
    kept = cache() / "kubespray" / version
    if not kept.is_dir() and (why := "OFFLINE is set" if os.environ.get("OFFLINE") == "1" else _clone(version, kept)):
        msg = (
            f"Kubespray {version} can't be had from {REPOSITORY}: {why}. "
            f"Name a checkout: KUBESPRAY_SOURCE=/path, or kubespray.path in the site"
        )
        raise KubesprayError(msg)
    return _checked(kept, f"Kubespray {version}, commit {COMMITS[version][:12]}")


def _checked(folder: Path, told: str) -> Source:
    folder = folder.expanduser().resolve()
    for name in ("cluster.yml", "requirements.txt", "ansible.cfg"):
        if not (folder / name).is_file():
            msg = f"{folder} is no Kubespray: it has no {name}. Check $KUBESPRAY_SOURCE and kubespray.path"
            raise KubesprayError(msg)
    return Source(folder, told)


def _clone(version: str, kept: Path) -> str:
    """Puts a release into the cache. Returns why it could not."""
    new = kept.with_name(f".{version}.{os.getpid()}")
    command = ["git", "-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=10", "-c", "advice.detachedHead=false"]
    command += ["clone", "--quiet", "--depth", "1", "--branch", version, REPOSITORY, str(new)]
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=CLONE_SECONDS,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            check=False,
        )
        if done.returncode:
            return re.sub(r"\s+", " ", done.stderr.strip())[-200:]
        head = subprocess.run(
            ["git", "-C", str(new), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=True
        )
        if head.stdout.strip() != COMMITS[version]:
            msg = (
                f"{REPOSITORY}: the tag {version} is commit {head.stdout.strip()}, pinned is {COMMITS[version]}. "
                f"Someone moved the tag: find out who, before anything runs"
            )
            raise KubesprayError(msg)
        new.rename(kept)
    except subprocess.TimeoutExpired:
        return f"git took longer than {CLONE_SECONDS} s"
    except OSError as error:
        return str(error)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return ""
