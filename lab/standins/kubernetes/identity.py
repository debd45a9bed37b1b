"""What an object is called, and how its properties are spelt in a program and in the API.

Names, annotations and the state's own keys as in pulumi-kubernetes 4 (`provider/pkg/metadata`, `provider.go`).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from ..plugin import StandInError, resource_type
from ..values import Plain, Secret

Object = dict[str, Any]
"""An object as the API has it."""

AUTONAMED = "pulumi.com/autonamed"
FIELD_MANAGER, INITIAL_VERSION, INPUTS = "__fieldManager", "__initialApiVersion", "__inputs"
_READ_ONLY = (
    "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields",
    "resourceVersion", "uid",
)  # fmt: skip
_UNDERSCORED = {
    f"x_kubernetes_{word}": "x-kubernetes-" + word.replace("_", "-")
    for word in (
        "embedded_resource",
        "int_or_string",
        "list_map_keys",
        "list_type",
        "map_type",
        "preserve_unknown_fields",
        "validations",
    )
}
_DASHED = {dashed: underscored for underscored, dashed in _UNDERSCORED.items()}


def gvk(urn: str) -> tuple[str, str]:
    """(apiVersion, kind) of a type token: `kubernetes:apps/v1:Deployment`, `kubernetes:core/v1:Namespace`."""
    package, version, kind = resource_type(urn).split(":")
    if package != "kubernetes" or "/" not in version or version.startswith(("helm.sh/", "kustomize/", "yaml/")):
        msg = f"{resource_type(urn)}: the stand-in for pulumi-kubernetes makes plain objects only, no charts or groups."
        raise StandInError(msg)
    if kind.endswith("Patch"):
        msg = f"{resource_type(urn)}: the stand-in for pulumi-kubernetes has no Patch resources."
        raise StandInError(msg)
    return version.removeprefix("core/"), kind


def to_object(properties: Mapping[str, Plain], urn: str) -> Object:
    """A program's properties as the API has them: dashed keys, no nulls, no fields that only the server sets."""
    wanted: Object = _respelt(
        {key: value for key, value in properties.items() if not key.startswith("__")}, _UNDERSCORED
    )
    version, kind = gvk(urn)
    wanted.setdefault("apiVersion", version)
    wanted.setdefault("kind", kind)
    metadata = wanted.get("metadata")
    if isinstance(metadata, dict):
        wanted["metadata"] = {key: value for key, value in metadata.items() if key not in _READ_ONLY}
    return wanted


def to_properties(live: Object, inputs: Object, manager: str, initial_version: str) -> dict[str, Any]:
    """The state of an object: the live one, and how we came to it, secret as a whole for what it may repeat."""
    shown: dict[str, Any] = _respelt(live, _DASHED)
    if live.get("kind") == "Secret" and live.get("apiVersion") == "v1":
        for key in ("data", "stringData"):
            if key in shown:
                shown[key] = Secret(shown[key])
    return {
        **shown,
        INPUTS: Secret(_respelt(inputs, _DASHED)),
        FIELD_MANAGER: manager,
        INITIAL_VERSION: initial_version,
    }


def to_inputs(wanted: Object) -> dict[str, Any]:
    """An object as a program's properties."""
    shown: dict[str, Any] = _respelt(wanted, _DASHED)
    return shown


def _respelt(value: Plain, spelling: Mapping[str, str]) -> Plain:
    if isinstance(value, Mapping):
        return {spelling.get(key, key): _respelt(item, spelling) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_respelt(item, spelling) for item in value]
    return value


def annotation(item: Object, name: str) -> str:
    """The value of an annotation, or the empty string."""
    return str(((item.get("metadata") or {}).get("annotations") or {}).get(name) or "")


def namespace(item: Object) -> str | None:
    """The object's namespace as written in it."""
    found = (item.get("metadata") or {}).get("namespace")
    return str(found) if found else None


def name(item: Object) -> str:
    """The object's name, or the empty string."""
    return str((item.get("metadata") or {}).get("name") or "")


def identifier(item: Object) -> str:
    """The resource id: `namespace/name`, or the name alone."""
    space = namespace(item)
    return f"{space}/{name(item)}" if space else name(item)


def new_name(logical: str) -> str:
    """A name that no other object has: `logical-1f2e3d4c`."""
    return f"{logical}-{secrets.token_hex(4)}"


def new_manager() -> str:
    """A field manager of this resource's own, kept in its state."""
    return f"pulumi-kubernetes-{secrets.token_hex(4)}"
