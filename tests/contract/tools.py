"""Where the contract suite finds what it needs: the lab's tools in the cache, then PATH; and which providers it is run on."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
STAND_INS = REPOSITORY / "lab" / "standins"
PROVIDERS = ("pulumi-resource-command", "pulumi-resource-kubernetes")


def cache() -> Path:
    """The project's cache folder."""
    return Path(os.environ.get("MULTUS_SITE_CACHE", "~/.cache/multus-site")).expanduser()


def search_path() -> str:
    """PATH as the tests have it: providers that somebody chose or installed first, the stand-ins last."""
    chosen = os.environ.get("MULTUS_SITE_PROVIDERS")
    plugins = sorted(str(folder) for folder in (cache() / "pulumi" / "plugins").glob("resource-*") if folder.is_dir())
    first = [chosen] if chosen else []
    return os.pathsep.join([*first, str(cache() / "bin"), os.environ.get("PATH", ""), *plugins, str(STAND_INS)])


def tool(name: str) -> Path:
    """An executable, or a skip that says which one is missing."""
    found = shutil.which(name, path=search_path())
    if found is None:
        pytest.skip(f"{name} is neither in {cache() / 'bin'} nor on PATH. Type: make lab")
    return Path(found)


def providers() -> list[str]:
    """One line for each provider: what it is and where, for the head of the report."""
    lines = []
    for name in PROVIDERS:
        found = shutil.which(name, path=search_path())
        if found is None:
            lines.append(f"{name}: none")
        elif Path(found).resolve().is_relative_to(STAND_INS):
            lines.append(f"{name}: the stand-in in lab/standins")
        else:
            lines.append(f"{name}: {found}, version {_version(found)}")
    return lines


def _version(plugin: str) -> str:
    """What a provider says of itself. It is asked as the engine asks it; the engine that it is told of does not exist."""
    import grpc
    from google.protobuf import empty_pb2
    from pulumi.runtime.proto import provider_pb2_grpc

    with subprocess.Popen([plugin, "127.0.0.1:1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                return str(stub.GetPluginInfo(empty_pb2.Empty(), timeout=10).version)
        except (ValueError, grpc.RpcError):
            return "unknown"
        finally:
            process.kill()


def sshd() -> tuple[Path, dict[str, str]]:
    """sshd and the environment that it needs: the machine's own, else Debian's package unpacked into the cache."""
    own = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + search_path())
    if own:
        return Path(own), {}
    root = cache() / "openssh-server"
    if not (root / "usr" / "sbin" / "sshd").exists():
        # libwrap is the one library of sshd that no other package of a small Debian brings along.
        _unpack(root, "openssh-server", "libwrap0")
    libraries = root / "usr" / "lib" / f"{os.uname().machine}-linux-gnu"
    return root / "usr" / "sbin" / "sshd", {"LD_LIBRARY_PATH": str(libraries)}


def sudo() -> Path | None:
    """Debian's sudo, unpacked into the cache as the root of a file system; None where the machine has one of its own."""
    if shutil.which("sudo"):
        return None
    root = cache() / "sudo"
    if not (root / "usr" / "bin" / "sudo").exists():
        _unpack(root, "sudo")
    return root


def _unpack(root: Path, *names: str) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip(f"no {names[0]}, and no apt-get to unpack one with. Type: apt-get install {names[0]}")
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        fetched = subprocess.run(
            ["apt-get", "download", *names],
            cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        packages = sorted(Path(folder).glob("*.deb"))
        if fetched.returncode != 0 or not packages:
            pytest.skip(
                f"no {names[0]}, and its package can't be had: {fetched.stderr.strip()[-200:]}. Type: apt-get update"
            )
        unpacked = Path(folder) / "root"
        for package in packages:
            subprocess.run(["dpkg-deb", "-x", str(package), str(unpacked)], check=True, timeout=60)
        unpacked.rename(root)
