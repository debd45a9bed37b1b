"""Find Kubespray: a checkout, a tarball with a sha256, a stand-in that the environment names, else the release's tag at a pinned commit."""

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
"""How long a download may receive nothing."""


@dataclass(frozen=True)
class Source:
    """A folder with Kubespray's playbooks."""

    folder: Path
    description: str
    """One line: what it is, and which setting chose it."""
    real: bool = True
    """False for a stand-in."""


def check_origin(version: str, origin: Origin) -> list[str]:
    """One message if the release is not pinned. Fetches nothing."""
    if origin.path or origin.archive or origin.commit or version in RELEASES:
        return []
    return [
        f"kubespray.version: {version} is not pinned; pinned are {', '.join(sorted(RELEASES))}. Choose one of them, or pin {version}: "
        f"set kubespray.commit to the output of `git ls-remote {REPOSITORY} 'refs/tags/{version}^{{}}'`"
    ]


def find(version: str, origin: Origin) -> Source:
    """The source for a release. Raises KubesprayError if there is none, or if it is not Kubespray or another release."""
    if given := os.environ.get("KUBESPRAY_SOURCE"):
        folder = _checked(Path(given), "$KUBESPRAY_SOURCE")
        release = _release(folder)
        other = f"; it is {release}, but the site sets {version}" if release not in {None, version} else ""
        return Source(folder, f"Kubespray in {given} ($KUBESPRAY_SOURCE{other})")
    if origin.path is not None:
        folder = _checked(Path(origin.path), "kubespray.path")
        return Source(_of_release(folder, version, "kubespray.path"), f"Kubespray in {origin.path} (kubespray.path)")
    if origin.archive is not None:
        folder = _checked(_unpacked(origin.archive, origin.sha256), "kubespray.archive")
        description = f"Kubespray {version} from {origin.archive}, sha256 {origin.sha256[:12]}…"
        return Source(_of_release(folder, version, "kubespray.archive"), description)
    if stand_in := os.environ.get("KUBESPRAY_STANDIN"):
        description = f"a stand-in for Kubespray {version}, which is not reachable here: {stand_in}"
        return Source(_checked(Path(stand_in), "$KUBESPRAY_STANDIN"), description, real=False)
    if unpinned := check_origin(version, origin):
        raise KubesprayError(unpinned[0])
    commit = origin.commit or RELEASES[version].commit
    folder = _checked(_cloned(version, commit), f"the tag {version}")
    return Source(folder, f"Kubespray {version}, commit {commit[:12]}")


def at_hand(version: str, origin: Origin) -> Source | None:
    """The source, if it is on this machine and not a stand-in. Raises KubesprayError as `find` does."""
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
            msg = f"{named_by}: {folder} is not Kubespray: it has no {name}. Give the folder of a `git clone {REPOSITORY}`"
            raise KubesprayError(msg)
    return folder


def _release(folder: Path) -> str | None:
    """The release in a folder's galaxy.yml, if it has one."""
    galaxy = folder / "galaxy.yml"
    version = re.search(r"^version:\s*(\S+)", galaxy.read_text(), re.M) if galaxy.is_file() else None
    return f"v{version[1]}" if version else None


def _of_release(folder: Path, version: str, named_by: str) -> Path:
    """The folder, if it has the release: plans, such as an upgrade, depend on kubespray.version."""
    if (release := _release(folder)) not in {None, version}:
        msg = (
            f"{named_by}: {folder} is Kubespray {release}, but kubespray.version is {version}. "
            f"Check out the tag {version}, or write version: {release}"
        )
        raise KubesprayError(msg)
    return folder


def _unpacked(archive: str, sha256: str) -> Path:
    """The folder of an unpacked archive, in the cache."""
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
                    f"kubespray.archive: {archive} has sha256 {found}, but the site sets {sha256}. "
                    f"If it is the right file, write its sha256; if not, find out who changed it"
                )
                raise KubesprayError(msg)
            with tarfile.open(file) as tar:
                # extractall of Debian 12's Python 3.11.2 has no parameter `filter`; newer versions reject members outside of the folder.
                tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
                tar.extractall(new / "tree")  # noqa: S202 # sha256 checked, and filtered
            # Tarballs of a repository have a single top folder.
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
    """Downloads or copies an archive. Raises OSError, also for errors of urllib."""
    if "://" not in archive:
        shutil.copyfile(Path(archive).expanduser(), target)
        return
    with urllib.request.urlopen(archive, timeout=DOWNLOAD_SECONDS) as answer, target.open("wb") as file:  # noqa: S310 # the model takes http(s) only
        shutil.copyfileobj(answer, file)


def _cloned(version: str, commit: str) -> Path:
    """The folder of a tag at a commit, in the cache."""
    kept = _tag_folder(version, commit)
    with only_one(kept):
        if not kept.is_dir() and (
            why := "OFFLINE is set" if os.environ.get("OFFLINE") == "1" else _clone(version, commit, kept)
        ):
            msg = (
                f"Kubespray {version} cannot be cloned from {REPOSITORY}: {why}. Give a checkout (kubespray.path, or KUBESPRAY_SOURCE=/path) "
                f"or a reachable tarball (kubespray.archive)"
            )
            raise KubesprayError(msg)
    return kept


def _archive_folder(sha256: str) -> Path:
    return cache() / "kubespray" / f"archive-{sha256[:16]}"


def _tag_folder(version: str, commit: str) -> Path:
    return cache() / "kubespray" / f"{version}-{commit[:12]}"


def _clone(version: str, commit: str, kept: Path) -> str:
    """Clones a release into the cache. Returns the reason for a failure, or an empty string. Raises KubesprayError if the tag is another commit."""
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
                f"{REPOSITORY}: the tag {version} is commit {head.stdout.strip()}, but {commit} is pinned. "
                f"Someone moved the tag: find out who before you run it"
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
