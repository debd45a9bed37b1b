"""The binaries on this machine: built from the Go module, unpacked from archives, or taken as they are. Each is named by its sha256."""

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
    """Plugin → its binary in the cache, named by its sha256. Raises DeliveryError."""
    wanted = list(origins)
    files = {origin.name: _from_file(origin) for origin in wanted if origin.kind == "path"}
    to_build = [origin for origin in wanted if origin.kind == "go"]
    if to_build:
        files |= _from_module(to_build, architecture)
    return files


def check_origins(origins: Iterable[Origin]) -> list[str]:
    """Problems with files of this machine, one line each: missing, or another sha256 than the pinned one. Builds nothing."""
    problems = []
    for origin in origins:
        if origin.kind == "path":
            try:
                _check(origin)
            except DeliveryError as error:
                problems.append(f"cniPlugins: {origin.name}: {error}")
    return list(dict.fromkeys(problems))


def sha256(path: Path) -> str:
    """The sha256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cached(data: Path) -> Path:
    """Copy a file into the cache, named by its sha256."""
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
        msg = f"{path}: {error.strerror}. Paths in cniPlugins are relative to the folder of the project"
        raise DeliveryError(msg) from None
    if found != origin.pin:
        msg = f"{path} has sha256 {found}, pinned is {origin.pin}. If the change is intended, pin the new one"
        raise DeliveryError(msg)
    return path


def _from_file(origin: Origin) -> Path:
    path = _check(origin)
    if not origin.member:
        return _cached(path)
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
            return _cached(Path(binary.name))
    except tarfile.TarError as error:
        msg = f"{path} must be a tar archive that contains {origin.member}: {error}"
        raise DeliveryError(msg) from None


def _from_module(origins: list[Origin], architecture: str) -> dict[str, Path]:
    """Build plugins of one version of the module; `go build` reuses its own cache."""
    version, pin = origins[0].place, origins[0].pin
    go = shutil.which("go")
    if go is None:
        msg = (
            "cniPlugins.source: no Go compiler is on PATH of the machine that runs Pulumi. "
            "Install Go (https://go.dev/dl), or use the binaries of the release: source: {type: release}"
        )
        raise DeliveryError(msg)
    with tempfile.TemporaryDirectory() as scratch:
        output = _go(go, ["mod", "download", "-json", f"{MODULE}@v{version}"], architecture, scratch)
        try:
            downloaded = json_object(output, "go mod download")
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
                "Add a plugin from elsewhere to cniPlugins.binaries"
            )
            raise DeliveryError(msg)
        link = f"-s -w -X {MODULE}/pkg/utils/buildversion.BuildVersion=v{version}"
        # -mod=readonly refuses modules that are not in go.sum, instead of adding them.
        flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags={link}"]
        wanted = [f"./{packages[origin.name].relative_to(source)}" for origin in origins]
        _go(go, ["build", *flags, "-o", f"{scratch}/", *wanted], architecture, str(source))
        return {origin.name: _cached(Path(scratch) / origin.name) for origin in origins}


def _go(go: str, arguments: list[str], architecture: str, folder: str) -> str:
    """Run go and return its output. Of the machine's environment, only GOPROXY has an effect on the build. Raises DeliveryError."""
    folders = cache() / "go"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GO") or key == "GOPROXY"},
        "GOMODCACHE": str(folders / "mod"),
        "GOCACHE": str(folders / "build"),
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
        "GOENV": "off",
        "GOWORK": "off",
        # The pin verifies the module, and its go.sum verifies the dependencies.
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
        output = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-5:])
        msg = f"go {arguments[0]} for {MODULE} failed: {output}"
        raise DeliveryError(msg)
    return done.stdout
