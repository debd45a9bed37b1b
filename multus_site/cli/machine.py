"""The checks of `multus-site doctor`: what `pulumi up` needs, and the command that installs what is missing."""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from multus_site.cli import extras
from multus_site.mirror.contents import PROVIDERS
from multus_site.ssh.ssh_route import KEY_FILES

SECONDS = 60
"""Timeout of one program."""

PYTHON = (3, 11)
"""pyproject.toml's requires-python; a test compares the two."""

_COMPARISON = re.compile(r"(>=|<=|>|<|=)?v?(\d+)\.(\d+)\.(\d+)\S*")
_KEYS_OF_HOSTS = ("multus-site:sshPrivateKey", "multus-site:sshPassword")


@dataclass(frozen=True)
class Check:
    """One requirement. `optional`: missing, but the next step works without it."""

    name: str
    state: Literal["ok", "missing", "optional"]
    found: str
    command: str = ""

    def row(self) -> dict[str, str]:
        """For machines."""
        return asdict(self)


def checks(project: Path) -> Iterator[Check]:
    """All checks for the project in a folder; only those of the machine if it has no Pulumi.yaml."""
    declared = _yaml(project / "Pulumi.yaml")
    environment = _environment(declared)
    # A project with its own virtual environment runs in that; this one may lack the extras.
    elsewhere = environment and (project / environment).resolve() != Path(sys.prefix).resolve()
    yield _python()
    yield from _extras(required=bool(declared) and not elsewhere)
    if environment:
        yield _program(project, environment)
    yield from _pulumi(declared)
    yield from _providers()
    yield _backend(project, declared)
    stacks = {file.name: _yaml(file) for file in sorted((project / "stacks").glob("Pulumi.*.yaml"))}
    yield from _passphrase(stacks)
    yield _ssh_key(stacks)
    for program, package, use in (
        ("ssh", "openssh-client", "Ansible reaches the nodes with it"),
        ("git", "git", "downloads Kubespray"),
    ):
        path = shutil.which(program)
        command = f"apt-get install {package}"
        yield Check(program, "ok", path) if path else Check(program, "missing", f"not on PATH; {use}", command)


def _python() -> Check:
    version = platform.python_version()
    if sys.version_info[:2] >= PYTHON:
        return Check("Python", "ok", f"{version}, {sys.executable}")
    wanted = ".".join(map(str, PYTHON))
    return Check("Python", "missing", f"{version}; {wanted} or later is needed", f"apt-get install python{wanted}")


def _extras(*, required: bool) -> Iterator[Check]:
    try:
        found = extras.missing()
    except importlib.metadata.PackageNotFoundError:
        yield Check("multus-site", "missing", "not installed in this Python", "pip install 'multus-site[pulumi]'")
        return
    for extra, lacking in sorted(found.items()):
        name, command = f"extra {extra}", f"pip install 'multus-site[{extra}]'"
        state: Literal["missing", "optional"] = "missing" if required else "optional"
        yield (
            Check(name, state, f"without {', '.join(lacking)}", command) if lacking else Check(name, "ok", "installed")
        )


def _environment(declared: dict[str, Any]) -> str:
    """The virtual environment that Pulumi.yaml names; empty if none."""
    runtime = declared.get("runtime")
    options = runtime.get("options") if isinstance(runtime, dict) else None
    return str((options or {}).get("virtualenv") or "")


def _program(project: Path, folder: str) -> Check:
    """The Python in the project's virtual environment."""
    name = "virtualenv"
    python = project / folder / "bin" / "python"
    if not os.access(python, os.X_OK):
        return Check(name, "missing", f"Pulumi.yaml names {folder}, which does not exist", "pulumi install")
    done = _run(str(python), "-c", "import multus_site, pulumi, pulumi_command, pulumi_kubernetes")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it does not start"])[-1]
        return Check(name, "missing", f"{folder}: {last}", "pulumi install")
    return Check(name, "ok", folder)


def _pulumi(declared: dict[str, Any]) -> Iterator[Check]:
    """The CLI and the language host beside it."""
    version = _installed("pulumi")
    command = "curl -fsSL https://get.pulumi.com | sh" + (f" -s -- --version {version}" if version else "")
    path = shutil.which("pulumi")
    if path is None:
        yield Check("pulumi", "missing", "not on PATH", command)
        return
    answer = _run(path, "version").stdout.strip()
    wanted = str(declared.get("requiredPulumiVersion") or "")
    if not answer:
        yield Check("pulumi", "missing", f"{path} does not start", command)
    elif not fits(answer, wanted):
        yield Check("pulumi", "missing", f"{answer}; Pulumi.yaml asks for {wanted}", command)
    else:
        yield Check("pulumi", "ok", f"{answer}, {path}")
    host = "pulumi-language-python"
    found = shutil.which(host) or shutil.which(host, path=str(Path(path).resolve().parent))
    name = "language host"
    yield Check(name, "ok", found) if found else Check(name, "missing", f"no {host} on PATH or beside pulumi", command)


def fits(version: str, wanted: str) -> bool:
    """Whether a version is in a range such as `>=3.219.0 <4.0.0`. Other forms are left to pulumi."""
    found = _COMPARISON.fullmatch(version)
    if found is None:
        return True
    ours = tuple(map(int, found.groups()[1:]))
    for comparison in filter(None, map(_COMPARISON.fullmatch, wanted.split())):
        limit = tuple(map(int, comparison.groups()[1:]))
        held = {">=": ours >= limit, "<=": ours <= limit, ">": ours > limit, "<": ours < limit}
        if not held.get(comparison[1] or "=", ours == limit):
            return False
    return True


def _providers() -> Iterator[Check]:
    """The providers, in the versions of the installed SDK packages. Pulumi downloads missing ones, if that is not disabled."""
    plugins = Path(os.environ.get("PULUMI_HOME") or "~/.pulumi").expanduser() / "plugins"
    by_itself = os.environ.get("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "").lower() not in {"1", "true"}
    for provider, package in PROVIDERS.items():
        name = f"provider {provider}"
        version = _installed(package)
        on_path = shutil.which(f"pulumi-resource-{provider}")
        if on_path:
            yield Check(name, "ok", on_path)
        elif version is None:
            yield Check(name, "optional", f"its version is unknown: {package} is not installed", "")
        elif (plugins / f"resource-{provider}-v{version}").is_dir():
            yield Check(name, "ok", version)
        else:
            command = f"pulumi plugin install resource {provider} {version}"
            found = f"{version} is not installed" + ("; pulumi downloads it when needed" if by_itself else "")
            yield Check(name, "optional" if by_itself else "missing", found, command)


def _backend(project: Path, declared: dict[str, Any]) -> Check:
    """The state's backend, as pulumi resolves it: the environment, then Pulumi.yaml, then `pulumi login`."""
    name = "backend"
    if shutil.which("pulumi") is None:
        return Check(name, "optional", "unknown without pulumi")
    command = "pulumi login, or export PULUMI_BACKEND_URL=s3://… (file://…, azblob://…, gs://…)"
    done = _run("pulumi", "whoami", "--verbose", "--json", "--non-interactive", folder=project)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1].removeprefix("error: ")
        return Check(name, "missing" if declared else "optional", f"pulumi cannot use it: {last}", command)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {}
    return Check(name, "ok", f"{answer.get('url', 'logged in')}, as {answer.get('user', 'unknown')}")


def _passphrase(stacks: dict[str, dict[str, Any]]) -> Iterator[Check]:
    """The passphrase, if a stack's secrets are encrypted with one."""
    asking = [
        name.removeprefix("Pulumi.").removesuffix(".yaml") for name, its in stacks.items() if "encryptionsalt" in its
    ]
    if not asking:
        return
    name, file = "passphrase", os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    command = "export PULUMI_CONFIG_PASSPHRASE_FILE=FILE"
    if "PULUMI_CONFIG_PASSPHRASE" in os.environ:
        yield Check(name, "ok", "PULUMI_CONFIG_PASSPHRASE is set")
    elif not file:
        yield Check(name, "missing", f"not set; needed by {', '.join(asking)}", command)
    elif not os.access(file, os.R_OK):
        yield Check(name, "missing", f"PULUMI_CONFIG_PASSPHRASE_FILE: {file} cannot be read", command)
    else:
        yield Check(name, "ok", file)


def _ssh_key(stacks: dict[str, dict[str, Any]]) -> Check:
    """A key for the nodes: the agent's, a file of ~/.ssh, or one in each stack."""
    name = "SSH key"
    if os.environ.get("SSH_AUTH_SOCK") and shutil.which("ssh-add") and _run("ssh-add", "-l").returncode == 0:
        return Check(name, "ok", "in the agent")
    file = next((one for one in KEY_FILES if Path(one).expanduser().is_file()), None)
    if file:
        return Check(name, "ok", file)
    without = [stack for stack, its in stacks.items() if not _has_key(its)]
    if stacks and not without:
        return Check(name, "ok", "in the stacks")
    return Check(name, "missing", "no key in an SSH agent or in ~/.ssh", "ssh-keygen -t ed25519")


def _has_key(stack: dict[str, Any]) -> bool:
    config = stack.get("config")
    if not isinstance(config, dict):
        return False
    site = config.get("multus-site:site")
    nodes = site.get("nodes") if isinstance(site, dict) else None
    ssh = nodes.get("ssh") if isinstance(nodes, dict) else None
    return any(key in config for key in _KEYS_OF_HOSTS) or (isinstance(ssh, dict) and "privateKeyFile" in ssh)


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _yaml(file: Path) -> dict[str, Any]:
    """The mapping in a file; empty if there is none. Lint reports mistakes of stack files."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def _run(*command: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
