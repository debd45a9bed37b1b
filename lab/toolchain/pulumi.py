"""The pulumi CLI with its Python language host, and the two providers that the program uses."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from lab.cache import Cache, LabError, Report
from lab.reach import Reach
from lab.toolchain import download, modules
from lab.toolchain.go import Go

OFFICIAL = "3.272.0"
"""The release that goes with the pinned SDK."""

AT_LEAST = tuple(map(int, modules.PULUMI.split(".")))[:2]
"""A CLI on PATH is used from this minor version of the same major on: the one that the lab is tested with."""

HOST = "pulumi-language-python"
PROVIDERS = {"command": "1.2.1", "kubernetes": "4.34.2"}
"""Exactly the versions of the SDK wheels in constraints.txt: an SDK and its provider are one release."""

STAND_INS = Path(__file__).parents[1] / "standins"
EXPLICIT = "MULTUS_SITE_PROVIDERS"

RELEASES = "https://github.com/pulumi/pulumi/releases/download"


def home(cache: Cache) -> Path:
    """The PULUMI_HOME of the lab."""
    return cache.root / "pulumi"


def fits(version: str) -> bool:
    """Whether a CLI that calls itself `version` ("v3.272.0") is of our major and new enough."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)\..*", version.strip())
    return found is not None and int(found[1]) == AT_LEAST[0] and int(found[2]) >= AT_LEAST[1]


def on_path(ours: Path) -> str | None:
    """The version of the CLI on PATH if it fits and its language host is there too, else None.

    `ours` is the lab's own folder of executables, which is on PATH in the lab's shell.
    """
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join(folder for folder in folders if Path(folder) != ours)
    program = shutil.which("pulumi", path=path)
    if not program or not shutil.which(HOST, path=path):
        return None
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    asked = subprocess.run([program, "version"], capture_output=True, text=True, check=False, env=environment)
    version = asked.stdout.strip()
    return version.removeprefix("v") if fits(version) else None


def official(cache: Cache, report: Report, releases: str = RELEASES) -> str:
    """Put the official CLI and language host into bin/; give the version. Raises download.UnreachableError.

    Its digest comes from the release's own checksum list: only go.sum pins a pulumi here.
    """
    folder = cache.built / f"pulumi-official-{OFFICIAL}"
    if not folder.exists():
        name = f"pulumi-v{OFFICIAL}-linux-x64.tar.gz"
        report(f"pulumi {OFFICIAL}: downloading the official release", None)
        digest = download.published_digest(f"{releases}/v{OFFICIAL}/pulumi-{OFFICIAL}-checksums.txt", name)
        archive = download.fetch(cache, f"{releases}/v{OFFICIAL}/{name}", digest)
        with cache.publish(folder) as scratch:
            download.unpack(archive, scratch)
    for name in ("pulumi", HOST, f"{HOST}-exec"):
        cache.link(folder / "pulumi" / name, name)
    return OFFICIAL


def built(cache: Cache, go: Go, report: Report) -> str:
    """Put a CLI and a language host built from their modules into bin/; give the version. Raises LabError."""
    folders = modules.build(cache, go, ["pulumi", HOST], report)
    cache.link(folders["pulumi"] / "pulumi", "pulumi")
    cache.link(folders[HOST] / HOST, HOST)
    # the script that the host starts a program with, of the CLI's release; the host looks beside itself
    sdk = modules.source(cache, go, modules.TOOLS["pulumi"], "github.com/pulumi/pulumi/sdk/v3")
    script, source = folders[HOST] / f"{HOST}-exec", sdk / "python" / "cmd" / f"{HOST}-exec"
    if not script.exists() or script.read_bytes() != source.read_bytes():
        with cache.publish(script) as scratch:
            shutil.copyfile(source, scratch)
            scratch.chmod(0o755)
    cache.link(script, f"{HOST}-exec")
    return modules.PULUMI


def providers(cache: Cache, pulumi: Path, reach: Reach, report: Report) -> tuple[dict[str, str], list[Path]]:
    """What each provider is ("official 1.2.1" or "stand-in"), and the folders that PATH needs for it.

    Raises LabError when $MULTUS_SITE_PROVIDERS names a folder that lacks one.
    """
    explicit = os.environ.get(EXPLICIT)
    if explicit:
        folder = Path(explicit).absolute()
        missing = [name for name in PROVIDERS if not os.access(folder / f"pulumi-resource-{name}", os.X_OK)]
        if missing:
            wanted = " and ".join(f"pulumi-resource-{name}" for name in missing)
            msg = f"${EXPLICIT}: {folder} has no executable {wanted}. Put it there, or unset ${EXPLICIT}."
            raise LabError(msg)
        return dict.fromkeys(PROVIDERS, f"from {folder}"), [folder]
    if all((home(cache) / "plugins" / f"resource-{name}-v{version}").is_dir() for name, version in PROVIDERS.items()):
        return _official(), []
    if reach.pulumi or reach.github:
        try:
            for name, version in PROVIDERS.items():
                report(f"pulumi-{name} {version}: downloading the official provider", None)
                command = [str(pulumi), "plugin", "install", "resource", name, version]
                environment = {**os.environ, "PULUMI_HOME": str(home(cache)), "PULUMI_SKIP_UPDATE_CHECK": "true"}
                cache.run(f"provider-{name}", command, environment=environment)
        except LabError as error:
            report(f"official providers: {error} Stand-ins are used", None)
        else:
            return _official(), []
    return dict.fromkeys(PROVIDERS, "stand-in"), [STAND_INS]


def _official() -> dict[str, str]:
    return {name: f"official {version}" for name, version in PROVIDERS.items()}
