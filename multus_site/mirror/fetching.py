"""Filling a mirror's folder. What is whole in it is not fetched again, so a run that was cut off is simply run again.

contents.json     what the site needs
sums.json         path under files/ → sha256, of what is there
files/            HOST/PATH for https://HOST/PATH; kubespray/, wheels/, packages/
registry/         images, as an OCI image layout
"""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from multus_site.mirror import packages, registry, wheels
from multus_site.mirror.contents import Contents, Image, MirrorError
from multus_site.mirror.upstream import Upstream
from multus_site.render.air_gap import PACKAGES, WHEELS, path_of

AT_A_TIME = 8
CONTENTS, SUMS = "contents.json", "sums.json"

Say = Callable[[str], None]


def fetch(contents: Contents, playbooks: Path, folder: Path, upstream: Upstream, say: Say) -> list[str]:
    """Fetches all that is not there yet; `playbooks` is Kubespray's folder. What could not be had, a line each."""
    (folder / "files").mkdir(parents=True, exist_ok=True)
    (folder / CONTENTS).write_text(contents.as_json(), encoding="utf-8")
    wanted = files_of(contents)
    # Wheels and packages come from where pip and APT of this machine were told to get them, by those two.
    releases = {path_of(file.url) for file in contents.files}
    old = sums(folder)
    failures: list[str] = []
    found: dict[str, str] = {}

    def one(path: str) -> None:
        url, sha256 = wanted[path]
        target = folder / "files" / path
        # What nobody published a sum of is held to that of its first fetch.
        expected = sha256 or old.get(path)
        if expected and target.is_file() and registry.sha256(target) == expected:
            found[path] = expected
            return
        try:
            found[path] = upstream.download(upstream.address(url) if path in releases else url, target, expected)
            say(f"{path}: {target.stat().st_size / 1e6:.1f} MB")
        except MirrorError as error:
            failures.append(str(error))

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(one, wanted))
    found |= _made(contents, playbooks, folder, {path for path in found if path in wanted})
    _write(folder / SUMS, json.dumps(found, indent=1, sort_keys=True) + "\n")
    failures += _images(contents, folder / "registry", upstream, say)
    return failures


def sums(folder: Path) -> dict[str, str]:
    """Path under files/ → sha256, of what was fetched; empty for a new folder."""
    path = folder / SUMS
    content: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return content


def files_of(contents: Contents) -> dict[str, tuple[str, str | None]]:
    """Path under files/ → URL and sha256 of all that is fetched one by one."""
    wanted: dict[str, tuple[str, str | None]] = {path_of(file.url): (file.url, file.sha256) for file in contents.files}
    wanted |= {f"{Path(WHEELS).parent}/{wheel.name}": (wheel.url, wheel.sha256) for wheel in contents.wheels}
    wanted |= {
        f"{PACKAGES}/{contents.os}/{package.architecture}/{packages.file_name(package)}": (package.url, package.sha256)
        for package in contents.packages
    }
    return wanted


def playbooks_path(contents: Contents) -> str:
    """Where under files/ Kubespray itself is."""
    return f"kubespray/kubespray-{contents.kubespray}.tar.gz"


def _made(contents: Contents, playbooks: Path, folder: Path, there: Iterable[str]) -> dict[str, str]:
    """What is made here rather than fetched: lists of wheels and packages, and Kubespray's archive. Path → sha256."""
    files = folder / "files"
    have = set(there)
    page = files / WHEELS
    page.parent.mkdir(parents=True, exist_ok=True)
    _write(page, wheels.page(w for w in contents.wheels if f"{Path(WHEELS).parent}/{w.name}" in have))
    made = [WHEELS]
    for architecture in contents.architectures if contents.packages else ():
        place = f"{PACKAGES}/{contents.os}/{architecture}"
        packages.write_index(files / place, [p for p in contents.packages if p.architecture == architecture])
        made += [f"{place}/Packages", f"{place}/Release"]
    archive = files / playbooks_path(contents)
    archive.parent.mkdir(parents=True, exist_ok=True)
    _pack(playbooks, archive, f"kubespray-{contents.kubespray.removeprefix('v')}")
    return {path: registry.sha256(files / path) for path in [*made, playbooks_path(contents)]}


def _pack(folder: Path, target: Path, inside: str) -> None:
    """A folder as a tar archive; the same files give the same bytes."""
    scratch = target.with_name(f".{target.name}.new")
    paths = sorted(path for path in folder.rglob("*") if ".git" not in path.relative_to(folder).parts)
    with (
        scratch.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for path in paths:
            info = tar.gettarinfo(path, f"{inside}/{path.relative_to(folder)}")
            info.mtime, info.uid, info.gid, info.uname, info.gname = 0, 0, 0, "root", "root"
            tar.addfile(info, io.BytesIO(path.read_bytes()) if info.isreg() else None)
    scratch.replace(target)


def _images(contents: Contents, folder: Path, upstream: Upstream, say: Say) -> list[str]:
    (folder / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    named = registry.names(folder)
    failures = []
    for image in contents.images:
        name = image.name.partition("@")[0]
        expected = image.digest or named.get(name)
        try:
            named[name] = _image(image, expected, contents.architectures, folder, upstream)
            registry.write_names(folder, named)
            say(image.name)
        except MirrorError as error:
            failures.append(f"{image.name}: {error}")
    return failures


def _image(image: Image, digest: str | None, architectures: Iterable[str], folder: Path, upstream: Upstream) -> str:
    """One image with the platforms that the site has; its digest. Raises MirrorError."""
    if digest and not registry.missing(folder, digest, architectures):
        return digest
    top, content = upstream.manifest(image.name, digest)
    manifest = json.loads(content)
    ahead = [manifest]
    for child in registry.wanted_children(manifest, architectures):
        inner = registry.blob(folder, child["digest"])
        if not (inner.is_file() and f"sha256:{registry.sha256(inner)}" == child["digest"]):
            _write_bytes(inner, upstream.manifest(image.name, child["digest"])[1])
        ahead.append(json.loads(inner.read_bytes()))
    blobs = {part["digest"] for one in ahead for part in registry.parts(one)}
    for blob in sorted(blobs):
        target = registry.blob(folder, blob)
        if not (target.is_file() and f"sha256:{registry.sha256(target)}" == blob):
            upstream.blob(image.name, blob, target)
    # The name's own manifest comes last: one that is there has all that it names.
    _write_bytes(registry.blob(folder, top), content)
    return top


def _write(path: Path, text: str) -> None:
    _write_bytes(path, text.encode())


def _write_bytes(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_bytes(content)
    scratch.replace(path)
