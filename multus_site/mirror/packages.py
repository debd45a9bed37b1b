"""Resolve packages of the nodes' operating system with their dependencies, and write an APT repository of them.

APT resolves them, in temporary folders, as if nothing were installed: the result fits every node with the system.
"""

import hashlib
import os
import re
import subprocess
import tempfile
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from multus_site.mirror.contents import MirrorError, Package
from multus_site.model.catalog import OperatingSystem

APT_SECONDS = 300


@dataclass(frozen=True)
class Archive:
    """The archive that publishes the packages of a system."""

    suite: str
    main: str
    security: str
    security_suite: str
    components: str
    keyring: str
    """Keyring from the system's keyring package."""


def _debian(suite: str) -> Archive:
    return Archive(
        suite, "http://deb.debian.org/debian", "http://deb.debian.org/debian-security", f"{suite}-security", "main",
        "/usr/share/keyrings/debian-archive-keyring.gpg",
    )  # fmt: skip


def _ubuntu(suite: str, port: str = "http://archive.ubuntu.com/ubuntu") -> Archive:
    return Archive(
        suite, port, port, f"{suite}-security", "main universe", "/usr/share/keyrings/ubuntu-archive-keyring.gpg"
    )


_PORTS = "http://ports.ubuntu.com/ubuntu-ports"
"""Ubuntu's archive for all architectures except amd64."""

_SUITES = {"debian-12": "bookworm", "debian-13": "trixie", "ubuntu-22.04": "jammy", "ubuntu-24.04": "noble"}


def archive(system: OperatingSystem, architecture: str) -> Archive:
    """The archive for a system."""
    suite = _SUITES[system]
    if system.startswith("debian"):
        return _debian(suite)
    return _ubuntu(suite) if architecture == "amd64" else _ubuntu(suite, _PORTS)


def resolved(system: OperatingSystem, architecture: str, names: Sequence[str]) -> list[Package]:
    """The packages with their dependencies, sorted by name. Raises MirrorError."""
    where = archive(system, architecture)
    if not Path(where.keyring).exists():
        msg = f"{where.keyring} does not exist; packages of {system} are verified with it. Install {system.partition('-')[0]}'s archive keyring"
        raise MirrorError(msg)
    with tempfile.TemporaryDirectory(prefix="multus-site-") as scratch:
        apt = _Apt(Path(scratch), architecture, where)
        apt.run("apt-get", "update")
        uris = apt.run("apt-get", "install", "--print-uris", "--yes", "-qq", *names)
        found = [_package(line, architecture) for line in uris.splitlines() if line.startswith("'")]
        shown = apt.run("apt-cache", "show", *(f"{p.name}={p.version}" for p in found))
    records = {}
    for stanza in shown.strip().split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version): (.*)$", stanza, re.M))
        records[(fields["Package"], fields["Version"])] = stanza
    return sorted(
        (Package(p.name, p.version, architecture, p.url, _sum(records[(p.name, p.version)]), p.size, records[(p.name, p.version)])
         for p in found),
        key=lambda package: package.name,
    )  # fmt: skip


def write_index(folder: Path, packages: Sequence[Package]) -> None:
    """Writes `Packages` and `Release` of a flat repository of the .deb files in `folder` (sources.list(5))."""
    stanzas = [
        re.sub(r"^Filename: .*$", f"Filename: ./{file_name(package)}", package.record, flags=re.M)
        for package in packages
    ]
    text = "\n\n".join(stanzas) + "\n"
    (folder / "Packages").write_text(text, encoding="utf-8")
    data = text.encode()
    sums = f"SHA256:\n {hashlib.sha256(data).hexdigest()} {len(data)} Packages\n"
    (folder / "Release").write_text(
        f"Origin: multus-site\nArchitectures: {packages[0].architecture}\n{sums}", encoding="utf-8"
    )


def file_name(package: Package) -> str:
    """The file name of a package, without the epoch, as in Debian's archive."""
    version = package.version.partition(":")[2] or package.version
    return f"{package.name}_{version}_{package.architecture}.deb"


def _package(line: str, architecture: str) -> Package:
    """Parses a line of --print-uris: `'URL' NAME_VERSION_ARCHITECTURE.deb SIZE ALGORITHM:SUM`."""
    url, file, size = line.split()[:3]
    name, version = urllib.parse.unquote(file).split("_")[:2]
    return Package(name, version, architecture, url.strip("'"), "", int(size), "")


def _sum(record: str) -> str:
    found = re.search(r"^SHA256: (\S+)$", record, re.M)
    return found[1] if found else ""


class _Apt:
    """APT with separate lists, cache and sources, and with the proxy settings of this machine."""

    def __init__(self, folder: Path, architecture: str, where: Archive) -> None:
        for name in ("state/lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        signed = f"[arch={architecture} signed-by={where.keyring}]"
        (folder / "sources.list").write_text(
            f"deb {signed} {where.main} {where.suite} {where.components}\n"
            f"deb {signed} {where.main} {where.suite}-updates {where.components}\n"
            f"deb {signed} {where.security} {where.security_suite} {where.components}\n"
        )
        settings = {
            "Dir::State": folder / "state",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "Dir::Etc::SourceList": folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Install-Recommends": "true",  # the default of Ansible's apt module on a node
            "APT::Sandbox::User": "",
            "Acquire::Languages": "none",
        }
        self._options = [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]

    def run(self, program: str, *arguments: str) -> str:
        """Runs a program of APT, and returns its output. Raises MirrorError."""
        try:
            done = subprocess.run(
                [program, *self._options, *arguments],
                env={**os.environ, "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=APT_SECONDS, check=False,
            )  # fmt: skip
        except FileNotFoundError:
            msg = f"airGap.os needs {program}, which this machine lacks: run this on Debian or Ubuntu"
            raise MirrorError(msg) from None
        except subprocess.TimeoutExpired:
            msg = f"{program} {arguments[0]} took longer than {APT_SECONDS} s"
            raise MirrorError(msg) from None
        errors = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        if done.returncode or errors:
            msg = f"{program} {arguments[0]}: {' / '.join(errors[:3]) or done.stderr.strip()[-300:]}"
            raise MirrorError(msg)
        return done.stdout
