"""List what a site's Kubespray downloads. Its list tool lists every download; the defaults of its roles select those that the site uses."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multus_site.kubespray.source import Source
from multus_site.mirror.contents import File, Image, MirrorError
from multus_site.model.catalog import OperatingSystem

LIST_SECONDS = 300
PLAYBOOK = Path(__file__).with_name("kubespray_list.yml")
TOOL = "contrib/offline/generate_list.sh"

KUBEADM = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
"""Images that kubeadm pulls; generate_list.sh lists the same four."""

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_GROUPS = ("kube_control_plane", "etcd", "kube_node")
_OURS = ("ansible_",)
"""Prefixes of variables about the connection to nodes: the list is generated on this machine."""


@dataclass(frozen=True)
class Listed:
    """What Kubespray downloads for nodes of one architecture."""

    files: tuple[File, ...]
    images: tuple[Image, ...]
    packages: tuple[str, ...]
    """Names, without dependencies."""
    left_out: int
    """Number of files and images in the tool's list that this site does not use."""


def listed(
    source: Source, python: Path, variables: Mapping[str, Any], architecture: str, system: OperatingSystem | None
) -> Listed:
    """Lists the downloads, in a copy of the checkout. `python`: that of its Ansible. Raises MirrorError."""
    if not (source.folder / TOOL).is_file():
        msg = (
            f"{source.folder} has no {TOOL}, so it cannot list what it downloads. "
            "Give a checkout of the release: KUBESPRAY_SOURCE=/path, or kubespray.path in the site"
        )
        raise MirrorError(msg)
    with tempfile.TemporaryDirectory(prefix="multus-site-") as scratch:
        folder = Path(scratch) / "kubespray"
        shutil.copytree(source.folder, folder, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        shutil.copyfile(PLAYBOOK, folder / PLAYBOOK.name)
        answer = Path(scratch) / "list.json"
        given = {key: value for key, value in variables.items() if not key.startswith(_OURS)}
        given |= {"ansible_architecture": _MACHINES[architecture], "list_file": str(answer), **_facts(system)}
        (Path(scratch) / "variables.json").write_text(json.dumps(given))
        (Path(scratch) / "inventory.json").write_text(json.dumps(_inventory(python)))
        arguments = ["-i", f"{scratch}/inventory.json", "-e", f"@{scratch}/variables.json"]
        _run(folder, python, ["bash", TOOL, *arguments])
        _run(folder, python, ["ansible-playbook", *arguments, PLAYBOOK.name])
        found = json.loads(answer.read_text())
        tool = {
            line.strip()
            for name in ("files", "images")
            for line in (folder / f"contrib/offline/temp/{name}.list").read_text().splitlines()
            if line.strip()
        }
    files, images = _used(found)
    names = {*(file.url for file in files), *(image.name for image in images)}
    if unknown := sorted(names - tool):
        msg = f"Kubespray's {TOOL} does not list {', '.join(unknown)}, which the site needs by its defaults; check which release it is"
        raise MirrorError(msg)
    return Listed(tuple(files), tuple(images), tuple(found["packages"]) if system else (), len(tool - names))


def _used(found: Mapping[str, Any]) -> tuple[list[File], list[Image]]:
    files, images = [], []
    for name, item in found["downloads"].items():
        if not item.get("enabled") or not {*_GROUPS, "k8s_cluster"} & set(item.get("groups", ())):
            continue
        digest = str(item.get("checksum") or "").removeprefix("sha256:") or None
        why = f"Kubespray: {name}"
        if item.get("file"):
            files.append(File(item["url"], digest, why))
        if item.get("container"):
            images.append(Image(f"{item['repo']}:{item['tag']}", f"sha256:{digest}" if digest else None, why))
    images += [
        Image(f"{found['kubeadm']}/{name}:v{found['kubernetes']}", None, "Kubespray: kubeadm") for name in KUBEADM
    ]
    return files, images


def _inventory(python: Path) -> dict[str, Any]:
    """An inventory with one host in every group: packages and downloads depend on the groups."""
    groups: dict[str, Any] = {name: {"hosts": {"mirror": {}}} for name in _GROUPS}
    cluster: dict[str, Any] = {"children": {"kube_control_plane": {}, "kube_node": {}}}
    host = {"ansible_python_interpreter": str(python)}
    return {"all": {"hosts": {"mirror": host}, "children": {**groups, "k8s_cluster": cluster}}}


def _facts(system: OperatingSystem | None) -> dict[str, Any]:
    """The facts of a node with this system that Kubespray's list of packages depends on."""
    if system is None:
        return {}
    name, _, version = system.partition("-")
    return {
        "ansible_os_family": "Debian",
        "ansible_distribution": name.capitalize(),
        "ansible_distribution_version": version,
        "ansible_distribution_major_version": version.partition(".")[0],
        "main_access_ip": "192.0.2.1",  # only has to be defined
    }


def _run(folder: Path, python: Path, command: list[str]) -> None:
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
        "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "ANSIBLE_CACHE_PLUGIN": "memory",
        "ANSIBLE_NOCOLOR": "1",
    }
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=LIST_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        msg = f"{command[0]} took longer than {LIST_SECONDS} s to list what Kubespray downloads"
        raise MirrorError(msg) from None
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
        why = [line for line in lines if "fatal:" in line or "ERROR" in line] or lines
        msg = f"Kubespray could not list its downloads: {' / '.join(why[-3:])[:1500]}"
        raise MirrorError(msg)
