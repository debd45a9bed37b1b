"""The binaries on this machine: built from the Go module, taken out of archives, or as they are. Each by its sha256."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from multus_site.kubespray.folders import cache
from multus_site.nodes.delivery.document import DeliveryError
from multus_site.render.cni_plugins import MODULE, Origin
from multus_site.ssh.answers import AnswerError, json_object

BUILD_SECONDS = 900


def binaries(origins: Iterable[Origin], architecture: str) -> dict[str, Path]:
    """Plugin → its binary on this machine, under the name of its sha256. Raises DeliveryError."""
    wanted = list(origins)
    found = {origin.name: _from_file(origin) for origin in wanted if origin.kind == "path"}
    built = [origin for origin in wanted if origin.kind == "go"]
    if built:
        found |= _from_module(built, architecture)
    return found


def check_origins(origins: Iterable[Origin]) -> list[str]:
    """What is wrong with files of this machine, a line each: missing, or not as pinned. Builds nothing."""
    found = []
    for origin in origins:
        if origin.kind == "path":
            try:
                _check(origin)
            except DeliveryError as error:
                found.append(f"cniPlugins: {origin.name}: {error}")
    return list(dict.fromkeys(found))


def sha256(path: Path) -> str:
    """The file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kept(data: Path) -> Path:
    """The file in the cache, under its sha256."""
    folder = cache() / "cni-plugins"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as scratch:
        shutil.copyfile(data, scratch.name)
    target = folder / sha256(Path(scratch.name))
    Path(scratch.name).rename(target)
    return target


def _check(origin: Origin) -> Path:
    path = Path(origin.place)
    try:
        found = sha256(path)
    except OSError as error:
        msg = f"{path}: {error.strerror}. Paths of cniPlugins are relative to the project's folder"
        raise DeliveryError(msg) from None
    if found != origin.pin:
        msg = f"{path} has sha256 {found}, pinned is {origin.pin}. If the change is meant, pin the new one"
        raise DeliveryError(msg)
    return path


def _from_file(origin: Origin) -> Path:
    path = _check(origin)
    if not origin.member:
        return _kept(path)
    try:
        with tarfile.open(path) as archive, tempfile.NamedTemporaryFile() as binary:
            member = next((m for m in archive if m.isfile() and m.name.removeprefix("./") == origin.member), None)
            content = archive.extractfile(member) if member else None
            if content is None:
                names = (name.removeprefix("./") for name in archive.getnames())
                msg = f"{path} has no member {origin.member}; it has {', '.join(sorted(names)[:30])}"
                raise DeliveryError(msg)
            shutil.copyfileobj(content, binary)
            binary.flush()
            return _kept(Path(binary.name))
    except tarfile.TarError as error:
        msg = f"{path}, which shall hold {origin.member}, is no tar archive: {error}"
        raise DeliveryError(msg) from None


def _from_module(origins: list[Origin], architecture: str) -> dict[str, Path]:
    """Plugins of one version of the module. `go build` takes from its own cache what it has built before."""
    version, pin = origins[0].place, origins[0].pin
    go = shutil.which("go")
    if go is None:
        msg = (
            "cniPlugins.source: there is no Go compiler on PATH of the machine where Pulumi runs. "
            "Install Go (https://go.dev/dl), or take the release's binaries: source: {type: release}"
        )
        raise DeliveryError(msg)
    with tempfile.TemporaryDirectory() as scratch:
        said = _go(go, ["mod", "download", "-json", f"{MODULE}@v{version}"], architecture, scratch)
        try:
            downloaded = json_object(said, "go mod download")
        except AnswerError as error:
            raise DeliveryError(str(error)) from None
        if downloaded["Sum"] != pin:
            msg = (
                f"{MODULE} v{version} has the hash {downloaded['Sum']}, pinned is {pin}; nothing was built. "
                "Find out why before you pin the new one (cniPlugins.source.sum)"
            )
            raise DeliveryError(msg)
        source = Path(downloaded["Dir"])
        packages = {path.parent.name: path.parent for path in source.glob("plugins/*/*/*.go")}
        if unknown := sorted(origin.name for origin in origins if origin.name not in packages):
            msg = (
                f"{MODULE} v{version} has no plugin {', '.join(unknown)}; it has {', '.join(sorted(packages))}. "
                "Where it comes from is said in cniPlugins.binaries"
            )
            raise DeliveryError(msg)
        link = f"-s -w -X {MODULE}/pkg/utils/buildversion.BuildVersion=v{version}"
        # -mod=readonly: what the module's go.sum does not have is refused, not added.
        flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags={link}"]
        wanted = [f"./{packages[origin.name].relative_to(source)}" for origin in origins]
        _go(go, ["build", *flags, "-o", f"{scratch}/", *wanted], architecture, str(source))
        return {origin.name: _kept(Path(scratch) / origin.name) for origin in origins}


def _go(go: str, arguments: list[str], architecture: str, folder: str) -> str:
    """One call of go; its output. What could change what is built is ours, proxies are the machine's. Raises DeliveryError."""
    folders = cache() / "go"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GO") or key == "GOPROXY"},
        "GOMODCACHE": str(folders / "mod"),
        "GOCACHE": str(folders / "build"),
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
        "GOENV": "off",
        "GOWORK": "off",
        # Our pin is what the module is held to; its own go.sum is what its dependencies are held to.
        "GONOSUMDB": MODULE,
        "CGO_ENABLED": "0",
        "GOOS": "linux",
        "GOARCH": architecture,
    }
    try:
        done = subprocess.run(
            [go, *arguments],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        msg = f"go {arguments[0]} took longer than {BUILD_SECONDS} s"
        raise DeliveryError(msg) from None
    if done.returncode:
        said = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-5:])
        msg = f"go {arguments[0]} for {MODULE} failed: {said}"
        raise DeliveryError(msg)
    return done.stdout
