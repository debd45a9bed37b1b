"""Check variables before a run: the checks that Kubespray makes, and unknown names, which Ansible ignores silently.

Sources: roles/validate_inventory, roles/kubernetes/preinstall/tasks/0040-verify-settings.yml.
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from multus_site.kubespray.address_checks import check_addresses
from multus_site.model.kubespray_releases import RELEASES, Release, like

SPECIAL_PREFIXES = ("kube_", "kubelet_", "kubeadm_", "enable_", "etcd_", "containerd_", "download_", "calico_")
SPECIAL_SUFFIXES = ("_enabled", "_stack")
DECIDED = {
    "ansible_host": "nodes.hosts.<node>.address",
    "ansible_port": "nodes.ssh.port",
    "ansible_user": "nodes.ssh.user",
    "ansible_connection": "nodes.backend",
    "ansible_host_key_checking": "nodes.hosts.<node>.hostKey",
    "ip": "nodes.hosts.<node>.address",
    "access_ip": "nodes.hosts.<node>.address",
    "etcd_member_name": "nodes.hosts.<node>",
    "kube_override_hostname": "nodes.hosts.<node>",
    "node": "nodes.hosts",
}
"""Variables that would apply to every host, or contradict the site → the key of the site to use instead."""

WHERE = "kubespray.variables"

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
KINDS = {".yml", ".yaml", ".j2", ".py"}


def check_variables(
    version: str,
    hosts: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Sequence[str]],
    variables: Mapping[str, Any],
) -> list[str]:
    """One message per variable that the release would reject, or that would break a later step.

    Messages show only versions and networks: other values may be misplaced secrets.
    """
    members = len({*groups["kube_control_plane"], *groups["kube_node"]})
    return [
        *_decided(variables),
        *_choices(like(version), variables),
        *_memory(like(version), variables),
        *_port(variables),
        *_together(variables),
        *_booleans(variables),
        *_multus(variables),
        *_kubernetes(version, variables),
        *check_addresses(hosts, members, variables),
    ]


def _decided(variables: Mapping[str, Any]) -> Iterator[str]:
    for name in variables:
        if name in DECIDED or name.startswith("ansible_ssh_"):
            yield f"{WHERE}.{name}: {DECIDED.get(name, 'nodes.ssh')} sets this; remove it"
    if variables.get("kube_owner", "root") != "root":
        yield f"{WHERE}.kube_owner: must be root, which installs plugins into /opt/cni/bin; remove it"
    if variables.get("kubeconfig_localhost"):
        yield (
            f"{WHERE}.kubeconfig_localhost: writes the administrator's credentials to a file on this machine; remove it. "
            f"`pulumi stack output kubeconfig --show-secrets` prints the kubeconfig"
        )


def _choices(release: Release, variables: Mapping[str, Any]) -> Iterator[str]:
    for name, choices in release.choices.items():
        if name == "external_cloud_provider" and variables.get("cloud_provider") != "external":
            continue
        if name in variables and variables[name] not in choices:
            known = ", ".join(choice or "''" for choice in choices)
            yield f"{_where(name)}: unknown to Kubespray; write one of {known}"
    if variables.get("cloud_provider") == "external" and "external_cloud_provider" not in variables:
        clouds = ", ".join(release.choices["external_cloud_provider"])
        yield f"{WHERE}.external_cloud_provider: required with cloud_provider: external; write one of {clouds}"


def _memory(release: Release, variables: Mapping[str, Any]) -> Iterator[str]:
    """Ansible cannot compare the memory of a machine with text."""
    for name, default in (release.control_plane_memory, release.worker_memory):
        if name in variables and type(variables[name]) is not int:
            yield f"{WHERE}.{name}: not a whole number of MiB; write one such as {default}, without quotes"


def _port(variables: Mapping[str, Any]) -> Iterator[str]:
    port = str(variables.get("kube_apiserver_port", 6443))
    if not port.isdecimal() or not 0 < int(port) < 65536:
        yield f"{WHERE}.kube_apiserver_port: not a port; write a whole number from 1 to 65535 such as 6443"


def _together(variables: Mapping[str, Any]) -> Iterator[str]:
    """Rules about two variables."""
    runtime = variables.get("container_manager", "containerd")
    if variables.get("kube_network_plugin") == "custom_cni" and not (
        variables.get("custom_cni_manifests") or variables.get("custom_cni_chart_release_name")
    ):
        yield f"{WHERE}.custom_cni_manifests: required with kube_network_plugin: custom_cni; give the manifests of a network plugin"
    if variables.get("etcd_deployment_type") == "docker" and runtime != "docker":
        yield f"{WHERE}.etcd_deployment_type: docker requires container_manager docker; write host"
    if variables.get("kata_containers_enabled") is True and runtime == "docker":
        yield f"{WHERE}.kata_containers_enabled: requires container_manager containerd or crio, not docker"
    if variables.get("gvisor_enabled") is True and runtime != "containerd":
        yield f"{WHERE}.gvisor_enabled: requires container_manager containerd"
    if variables.get("download_localhost") is True and variables.get("download_run_once") is not True:
        yield f"{WHERE}.download_localhost: requires download_run_once: true"
    if variables.get("kube_external_ca_mode") is True and variables.get("auto_renew_certificates") is True:
        yield f"{WHERE}.auto_renew_certificates: cannot renew certificates of an external CA (kube_external_ca_mode); remove it"


def _booleans(variables: Mapping[str, Any]) -> Iterator[str]:
    for name, value in variables.items():
        if (
            isinstance(value, str)
            and value.lower() in {"true", "false", "yes", "no"}
            and (name.startswith(SPECIAL_PREFIXES) or name.endswith(SPECIAL_SUFFIXES))
        ):
            right = str(value.lower() in {"true", "yes"}).lower()
            yield f"{WHERE}.{name}: {value!r} is text, but Kubespray requires a boolean; write {right} without quotes"


def _multus(variables: Mapping[str, Any]) -> Iterator[str]:
    value = variables.get("kube_network_plugin_multus", False)
    if value not in {False, "false", "False"}:
        yield (
            f"{WHERE}.kube_network_plugin_multus: Kubespray's Multus (thin, another version) writes the same 00-multus.conf as the site's; "
            f"remove it. The site's `multus` configures Multus"
        )


def _kubernetes(version: str, variables: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(like(version).removed.intersection(variables)):
        yield f"{WHERE}.{name}: Kubespray {version} no longer supports it and rejects it; remove it"
    wanted, release = variables.get("kube_version"), RELEASES.get(version)
    if wanted is None:
        return
    parts = str(wanted).split(".")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        yield f"{_where('kube_version')}: not a version; write three numbers such as 1.35.4, in quotes"
    elif release is not None and not release.knows(str(wanted)):
        yield f"{_where('kube_version')}: Kubespray {version} does not install {wanted}; write a version from {release.range}"


def _where(variable: str) -> str:
    keys = {"kube_version": "kubespray.kubernetesVersion", "kube_network_plugin": "kubespray.networkPlugin"}
    return keys.get(variable, f"{WHERE}.{variable}")


def check_names(names: Iterable[str], variables: Mapping[str, Any], folder: Path) -> list[str]:
    """One message per name that neither the playbooks nor the value of another variable contain."""
    words = _words(folder) | set(WORD.findall(json.dumps(list(variables.values()))))
    mistakes = []
    for name in sorted(names):
        if name not in words and not name.startswith("ansible_"):
            similar = difflib.get_close_matches(name, words, 1, 0.8)
            hint = f"; did you mean {similar[0]}?" if similar else ""
            mistakes.append(f"{WHERE}.{name}: nothing in this Kubespray uses it{hint}")
    return mistakes


def _words(folder: Path) -> set[str]:
    """All words in the playbooks, roles and plugins."""
    words: set[str] = set()
    for file in folder.rglob("*"):
        if file.suffix in KINDS and file.is_file() and "tests" not in file.relative_to(folder).parts[:1]:
            words.update(WORD.findall(file.read_text(encoding="utf-8", errors="replace")))
    return words
