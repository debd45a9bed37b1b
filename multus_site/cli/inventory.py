"""Reads what people keep beside Kubespray: an inventory in INI or YAML, with its group_vars. Values with Jinja stay texts.

Sources: Ansible's plugins/inventory/ini.py (sections, `name key=value …`, [group:vars], [group:children]) and yaml.py; the layout of group_vars is that of
Kubespray's inventory/sample.
"""

import ast
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

GROUPS = ("all", "k8s_cluster", "k8s-cluster", "kube_control_plane", "kube-master", "kube_node", "kube-node", "etcd")
"""Groups whose variables Kubespray reads, in the order in which they win over each other."""

_FILES = ("hosts.yaml", "hosts.yml", "inventory.ini", "hosts.ini", "hosts", "inventory")


class InventoryError(ValueError):
    """The inventory cannot be read; the text names the file and the place."""


class Vaulted(str):
    """A text that ansible-vault encrypted."""

    __slots__ = ()


@dataclass(slots=True)
class Inventory:
    """What it has."""

    file: str
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Host → its own variables."""
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Group → its variables."""

    @property
    def variables(self) -> dict[str, Any]:
        """The cluster's variables: those of all groups that Kubespray has, the last one wins."""
        known = [group for group in GROUPS if group in self.groups]
        return {name: value for group in known for name, value in self.groups[group].items()}


def read(path: Path) -> Inventory:
    """Reads a folder such as inventory/mycluster, or its hosts file. Raises InventoryError."""
    file = path
    if path.is_dir():
        found = [path / name for name in _FILES if (path / name).is_file()]
        if not found:
            msg = f"{path}: it has none of {', '.join(_FILES)}; name the file with the hosts"
            raise InventoryError(msg)
        file = found[0]
    inventory = Inventory(str(file))
    text = _text(file)
    data = _yaml(file, text) if file.suffix in {".yaml", ".yml"} or text.lstrip().startswith(("---", "all:")) else None
    if isinstance(data, dict):
        for group, body in data.items():
            _group(inventory, str(group), body)
    else:
        _ini(inventory, file, text)
    folder = file.parent / "group_vars"
    for group in GROUPS:
        for one in _files_of(folder, group):
            given = _yaml(one, _text(one))
            if given is None:
                continue
            if not isinstance(given, dict):
                msg = f"{one}: not a mapping of variables"
                raise InventoryError(msg)
            inventory.groups.setdefault(group, {}).update(given)
    if not inventory.hosts:
        msg = f"{file}: it names no host; name Kubespray's inventory, such as inventory/mycluster"
        raise InventoryError(msg)
    return inventory


def _files_of(folder: Path, group: str) -> Iterator[Path]:
    for suffix in ("", ".yml", ".yaml"):
        path = folder / f"{group}{suffix}"
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.is_file() and one.suffix in {"", ".yml", ".yaml"})
        elif path.is_file():
            yield path


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file}: {getattr(error, 'strerror', None) or 'not UTF-8'}"
        raise InventoryError(msg) from None
    if text.startswith("$ANSIBLE_VAULT"):
        msg = f"{file}: ansible-vault encrypted it; decrypt a copy (ansible-vault view), or leave it out and set its variables with pulumi config set --secret"
        raise InventoryError(msg)
    return text


def defaults(folder: Path) -> dict[str, Any]:
    """Kubespray's defaults, from its source: those with Jinja as texts. A file that cannot be read counts as empty."""
    found: dict[str, Any] = {}
    for file in sorted(folder.glob("roles/**/defaults/**/*.yml")):
        try:
            data = _yaml(file, _text(file))
        except InventoryError:
            continue
        found |= {name: value for name, value in data.items() if name not in found} if isinstance(data, dict) else {}
    return found


class _Loader(yaml.SafeLoader):
    """YAML as Ansible writes it."""


_Loader.add_constructor("!vault", lambda _, node: Vaulted(node.value))
_Loader.add_constructor("!unsafe", lambda _, node: str(node.value))


def _yaml(file: Path, text: str) -> Any:  # noqa: ANN401  # whatever it holds
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f":{place.line + 1}" if place else ""
        msg = f"{file}{where}: not YAML: {getattr(error, 'problem', None) or error}"
        raise InventoryError(msg) from None


def _group(inventory: Inventory, name: str, body: object) -> None:
    """A group of a YAML inventory: hosts, vars, children."""
    if not isinstance(body, dict):
        return
    for host, variables in (body.get("hosts") or {}).items():
        inventory.hosts.setdefault(str(host), {}).update(variables or {})
    inventory.groups.setdefault(name, {}).update(body.get("vars") or {})
    for child, inner in (body.get("children") or {}).items():
        _group(inventory, str(child), inner)


def _ini(inventory: Inventory, file: Path, text: str) -> None:
    section, kind = "ungrouped", ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if stripped.startswith("["):
            name, closed, _ = stripped[1:].partition("]")
            if not closed:
                msg = f"{file}:{number}: a section without ]: {stripped}"
                raise InventoryError(msg)
            section, _, kind = name.strip().partition(":")
        elif kind == "vars":
            key, found, value = stripped.partition("=")
            if not found:
                msg = f"{file}:{number}: expected key=value in [{section}:vars], found {stripped}"
                raise InventoryError(msg)
            inventory.groups.setdefault(section, {})[key.strip()] = _value(value.strip())
        elif kind != "children":
            try:
                host, *pairs = shlex.split(stripped, comments=True)
            except ValueError as error:
                msg = f"{file}:{number}: {error}: {stripped}"
                raise InventoryError(msg) from None
            variables = inventory.hosts.setdefault(host, {})
            for pair in pairs:
                key, found, value = pair.partition("=")
                if not found:
                    msg = f"{file}:{number}: expected key=value after the host, found {pair}"
                    raise InventoryError(msg)
                variables[key] = _value(value)


def _value(text: str) -> object:
    """A value of an INI file, which Ansible reads as a Python literal where it is one."""
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
