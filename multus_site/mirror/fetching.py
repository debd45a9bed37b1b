"""Fill the folder of a mirror, and verify it. Files that are complete are not downloaded again, so an interrupted run can be repeated.

contents.json     what the site needs
sums.json         path under files/ → sha256, of the files that were fetched
files/            HOST/PATH for https://HOST/PATH; kubespray/, wheels/, packages/
registry/         images, as an OCI image layout
"""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Collection, Iterable
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
    """Downloads everything that is missing; `playbooks`: folder of Kubespray. Returns one line per failure."""
    (folder / "files").mkdir(parents=True, exist_ok=True)
    (folder / CONTENTS).write_text(contents.as_json(), encoding="utf-8")
    wanted = files_of(contents)
    # pip and APT resolved the URLs of wheels and packages with the settings of this machine: another mirror does not replace them.
    releases = {path_of(file.url) for file in contents.files}
    old = sums(folder)
    failures: list[str] = []
    found: dict[str, str] = {}

    def one(path: str) -> None:
        url, sha256 = wanted[path]
        target = folder / "files" / path
        # Without a published digest, compare with that of the first download.
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
    found |= _generate(contents, playbooks, folder, set(found))
    _write(folder / SUMS, json.dumps(found, indent=1, sort_keys=True) + "\n")
    failures += _images(contents, folder / "registry", upstream, say)
    return failures


def verify(folder: Path) -> tuple[Contents, list[str]]:
    """The contents of a mirror, and one line for each file or image that is missing or damaged. Raises MirrorError if it is not a mirror."""
    try:
        contents = Contents.from_json((folder / CONTENTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{folder} is not a mirror: its {CONTENTS} cannot be read ({error}). To fill one, type: multus-site mirror fetch {folder} --site FILE"
        raise MirrorError(msg) from None
    failures = []
    fetched = sums(folder)
    wanted = {path: sha256 or fetched.get(path) for path, (_, sha256) in files_of(contents).items()}
    for path, expected in {**fetched, **wanted}.items():
        file = folder / "files" / path
        if not file.is_file():
            failures.append(f"files/{path}: is missing")
        elif (found := registry.sha256(file)) != expected:
            failures.append(f"files/{path}: has sha256 {found}, should have {expected}")
    images = folder / "registry"
    named = registry.names(images)
    for image in contents.images:
        name = image.name.partition("@")[0]
        digest = image.digest or named.get(name)
        if name not in named or digest is None:
            failures.append(f"{image.name}: is missing")
        elif named[name] != digest:
            failures.append(f"{image.name}: is {named[name]}, should be {digest}")
        elif lacking := registry.missing(images, digest, contents.architectures):
            failures.append(f"{image.name}: lacks {', '.join(lacking)}")
    return contents, failures


def sums(folder: Path) -> dict[str, str]:
    """Path under files/ → sha256 of the fetched files; empty for a new folder."""
    path = folder / SUMS
    content: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return content


def files_of(contents: Contents) -> dict[str, tuple[str, str | None]]:
    """Path under files/ → URL and sha256 of all files to download."""
    wanted: dict[str, tuple[str, str | None]] = {path_of(file.url): (file.url, file.sha256) for file in contents.files}
    wanted |= {f"{Path(WHEELS).parent}/{wheel.name}": (wheel.url, wheel.sha256) for wheel in contents.wheels}
    wanted |= {
        f"{PACKAGES}/{contents.os}/{package.architecture}/{packages.file_name(package)}": (package.url, package.sha256)
        for package in contents.packages
    }
    return wanted


def playbooks_path(contents: Contents) -> str:
    """Path under files/ of Kubespray's archive."""
    return f"kubespray/kubespray-{contents.kubespray}.tar.gz"


def _generate(contents: Contents, playbooks: Path, folder: Path, fetched: Collection[str]) -> dict[str, str]:
    """Writes the indexes of wheels and packages, and Kubespray's archive. Path under files/ → sha256."""
    files = folder / "files"
    page = files / WHEELS
    page.parent.mkdir(parents=True, exist_ok=True)
    _write(page, wheels.page(w for w in contents.wheels if f"{Path(WHEELS).parent}/{w.name}" in fetched))
    paths = [WHEELS]
    for architecture in contents.architectures if contents.packages else ():
        place = f"{PACKAGES}/{contents.os}/{architecture}"
        packages.write_index(files / place, [p for p in contents.packages if p.architecture == architecture])
        paths += [f"{place}/Packages", f"{place}/Release"]
    archive = files / playbooks_path(contents)
    archive.parent.mkdir(parents=True, exist_ok=True)
    _pack(playbooks, archive, f"kubespray-{contents.kubespray.removeprefix('v')}")
    return {path: registry.sha256(files / path) for path in [*paths, playbooks_path(contents)]}


def _pack(folder: Path, target: Path, inside: str) -> None:
    """Packs a folder as a tar archive that depends only on the files in it."""
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
    """Downloads an image for the platforms of the site, and returns its digest. Raises MirrorError."""
    if digest and not registry.missing(folder, digest, architectures):
        return digest
    top, content = upstream.manifest(image.name, digest)
    manifest = json.loads(content)
    images = [manifest]
    for child in registry.wanted_children(manifest, architectures):
        inner = registry.blob(folder, child["digest"])
        if not (inner.is_file() and f"sha256:{registry.sha256(inner)}" == child["digest"]):
            _write_bytes(inner, upstream.manifest(image.name, child["digest"])[1])
        images.append(json.loads(inner.read_bytes()))
    blobs = {part["digest"] for one in images for part in registry.parts(one)}
    for blob in sorted(blobs):
        target = registry.blob(folder, blob)
        if not (target.is_file() and f"sha256:{registry.sha256(target)}" == blob):
            upstream.blob(image.name, blob, target)
    # The top manifest is written last: if it exists, everything below it exists.
    _write_bytes(registry.blob(folder, top), content)
    return top


def _write(path: Path, text: str) -> None:
    _write_bytes(path, text.encode())


def _write_bytes(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_bytes(content)
    scratch.replace(path)
