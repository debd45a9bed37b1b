"""Where Kubespray comes from: a checkout, a tarball with its sha256, a stand-in that is offered, else the release's tag by git with its commit pinned."""

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from multus_site.kubespray.document import KubesprayError, Origin
from multus_site.kubespray.folders import cache, only_one
from multus_site.model.kubespray_releases import RELEASES

REPOSITORY = "https://github.com/kubernetes-sigs/kubespray"

CLONE_SECONDS = 300
DOWNLOAD_SECONDS = 60
"""How long a download may be silent."""


@dataclass(frozen=True)
class Source:
    """A folder with Kubespray's playbooks."""

    folder: Path
    told: str
    """One line: which, and why."""
    real: bool = True
    """Whether it is Kubespray, and no stand-in for it."""


def check_origin(version: str, origin: Origin) -> list[str]:
    """What can be said before anything is fetched: a release whose tag nothing pins."""
    if origin.path or origin.archive or origin.commit or version in RELEASES:
        return []
    return [
        f"kubespray.version: {version} is not pinned here; pinned are {', '.join(sorted(RELEASES))}. Take one of them, or pin it: "
        f"kubespray.commit, as `git ls-remote {REPOSITORY} 'refs/tags/{version}^{{}}'` prints it"
    ]


def find(version: str, origin: Origin) -> Source:
    """The source for a release. Raises KubesprayError where there is none, or what is there is no Kubespray or another release."""
    if given := os.environ.get("KUBESPRAY_SOURCE"):
        folder = _checked(Path(given), "$KUBESPRAY_SOURCE")
        found = _release(folder)
        other = f"; it calls itself {found}, the site says {version}" if found not in {None, version} else ""
        return Source(folder, f"Kubespray in {given} ($KUBESPRAY_SOURCE{other})")
    if origin.path is not None:
        folder = _checked(Path(origin.path), "kubespray.path")
        return Source(_of_release(folder, version, "kubespray.path"), f"Kubespray in {origin.path} (kubespray.path)")
    if origin.archive is not None:
        folder = _checked(_unpacked(origin.archive, origin.sha256), "kubespray.archive")
        told = f"Kubespray {version} out of {origin.archive}, sha256 {origin.sha256[:12]}…"
        return Source(_of_release(folder, version, "kubespray.archive"), told)
    if stand_in := os.environ.get("KUBESPRAY_STANDIN"):
        told = f"a stand-in for Kubespray {version}, which can't be had here: {stand_in}"
        return Source(_checked(Path(stand_in), "$KUBESPRAY_STANDIN"), told, real=False)
    if unpinned := check_origin(version, origin):
        raise KubesprayError(unpinned[0])
    commit = origin.commit or RELEASES[version].commit
    folder = _checked(_cloned(version, commit), f"the tag {version}")
    return Source(folder, f"Kubespray {version}, commit {commit[:12]}")


def at_hand(version: str, origin: Origin) -> Source | None:
    """The source, if it is here without being fetched and is no stand-in. Raises KubesprayError as `find` does."""
    fetched = None
    if os.environ.get("KUBESPRAY_SOURCE") or origin.path is not None:
        pass
    elif origin.archive is not None:
        fetched = _archive_folder(origin.sha256)
    elif os.environ.get("KUBESPRAY_STANDIN") or check_origin(version, origin):
        return None
    else:
        fetched = _tag_folder(version, origin.commit or RELEASES[version].commit)
    return find(version, origin) if fetched is None or fetched.is_dir() else None


def _checked(folder: Path, named_by: str) -> Path:
    folder = folder.expanduser().resolve()
    for name in ("cluster.yml", "requirements.txt", "ansible.cfg"):
        if not (folder / name).is_file():
            msg = f"{named_by}: {folder} is no Kubespray, it has no {name}. Name the folder that `git clone {REPOSITORY}` makes"
            raise KubesprayError(msg)
    return folder


def _release(folder: Path) -> str | None:
    """The release that a folder calls itself (galaxy.yml), if it does."""
    galaxy = folder / "galaxy.yml"
    found = re.search(r"^version:\s*(\S+)", galaxy.read_text(), re.M) if galaxy.is_file() else None
    return f"v{found[1]}" if found else None


def _of_release(folder: Path, version: str, named_by: str) -> Path:
    """The folder, if it is of the release. What is planned, an upgrade say, rests on the version that the site says."""
    if (found := _release(folder)) not in {None, version}:
        msg = f"{named_by}: {folder} is Kubespray {found}, kubespray.version says {version}. Check out the tag {version}, or write version: {found}"
        raise KubesprayError(msg)
    return folder


def _unpacked(archive: str, sha256: str) -> Path:
    """The folder that an archive holds, in the cache."""
    kept = _archive_folder(sha256)
    with only_one(kept):
        if kept.is_dir():
            return kept
        new = kept.with_name(f".{kept.name}.{os.getpid()}")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        try:
            file = new / "archive"
            _fetch(archive, file)
            found = hashlib.sha256(file.read_bytes()).hexdigest()
            if found != sha256:
                msg = (
                    f"kubespray.archive: {archive} has sha256 {found}, the site says {sha256}. "
                    f"If it is the file that you mean, write its sum; if not, find out who changed it"
                )
                raise KubesprayError(msg)
            with tarfile.open(file) as tar:
                # Debian 12's Python 3.11.2 takes no `filter`; this has newer ones refuse what leaves the folder.
                tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
                tar.extractall(new / "tree")  # noqa: S202 # sha256 checked, and filtered
            # Tarballs of a repository hold one folder that holds everything.
            inside = list((new / "tree").iterdir())
            top = inside[0] if len(inside) == 1 and inside[0].is_dir() else new / "tree"
            top.rename(kept)
        except (tarfile.TarError, OSError) as error:
            why = error.reason if type(error) is urllib.error.URLError else error
            msg = f"kubespray.archive: {archive}: {why}"
            raise KubesprayError(msg) from None
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return kept


def _fetch(archive: str, target: Path) -> None:
    """Puts an archive's bytes into a file. Raises OSError (urllib's errors are such)."""
    if "://" not in archive:
        shutil.copyfile(Path(archive).expanduser(), target)
        return
    with urllib.request.urlopen(archive, timeout=DOWNLOAD_SECONDS) as answer, target.open("wb") as file:  # noqa: S310 # the model takes http(s) only
        shutil.copyfileobj(answer, file)


def _cloned(version: str, commit: str) -> Path:
    """The tag's tree at the commit, in the cache."""
    kept = _tag_folder(version, commit)
    with only_one(kept):
        if not kept.is_dir() and (
            why := "OFFLINE is set" if os.environ.get("OFFLINE") == "1" else _clone(version, commit, kept)
        ):
            msg = (
                f"Kubespray {version} can't be had from {REPOSITORY}: {why}. Name a checkout (kubespray.path, or KUBESPRAY_SOURCE=/path) "
                f"or a tarball that can be reached (kubespray.archive)"
            )
            raise KubesprayError(msg)
    return kept


def _archive_folder(sha256: str) -> Path:
    return cache() / "kubespray" / f"archive-{sha256[:16]}"


def _tag_folder(version: str, commit: str) -> Path:
    return cache() / "kubespray" / f"{version}-{commit[:12]}"


def _clone(version: str, commit: str, kept: Path) -> str:
    """Puts a release into the cache. Returns why it could not. Raises KubesprayError where the tag is another commit."""
    new = kept.with_name(f".{version}.{os.getpid()}")
    command = ["git", "-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=10", "-c", "advice.detachedHead=false"]
    command += ["clone", "--quiet", "--depth", "1", "--branch", version, REPOSITORY, str(new)]
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
        if head.stdout.strip() != commit:
            msg = (
                f"{REPOSITORY}: the tag {version} is commit {head.stdout.strip()}, pinned is {commit}. "
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
