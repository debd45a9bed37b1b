"""The attachments in a pod's annotation `k8s.v1.cni.cncf.io/networks`, as Multus reads it (pkg/k8sclient/k8sclient.go)."""

from dataclasses import dataclass

from multus_site.cni import go_json
from multus_site.cni.go_object import Part
from multus_site.cni.key_types import fits
from multus_site.model.paths import Data, Path

ANNOTATION = "k8s.v1.cni.cncf.io/networks"
DEFAULT = "v1.multus-cni.io/default-network"
"""Annotation that replaces the cluster's network on eth0."""

KEYS = {
    "name": "text",
    "namespace": "text",
    "ips": "texts",
    "mac": "text",
    "infiniband-guid": "text",
    "interface": "text",
    "interfaceRequest": "text",
    "portMappings": "objects",
    "bandwidth": "object",
    "deviceID": "text",
    "cni-args": "object",
    "default-route": "texts",
    "ipam-claim-reference": "text",
}
"""Keys of the JSON form (multus-cni pkg/types NetworkSelectionElement)."""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """One requested attachment. `interface` is the effective name; only the JSON form sets `item`."""

    name: str
    namespace: str
    interface: str
    path: Path
    item: Part | None = None
    offset: int | None = None

    @property
    def full_name(self) -> str:
        """Namespace and name of the NetworkAttachmentDefinition."""
        return f"{self.namespace}/{self.name}"


def is_json(text: str) -> bool:
    """Whether Multus parses an annotation as JSON."""
    return any(character in text for character in '[{"')


def short_items(text: str) -> list[tuple[int, str]]:
    """Items of the short form, each with the offset of its first character."""
    found, offset = [], 0
    for piece in text.split(","):
        found.append((offset + len(piece) - len(piece.lstrip()), piece.strip()))
        offset += len(piece) + 1
    return found


def split_item(item: str) -> tuple[str, str, str] | None:
    """Namespace, name and interface of `[namespace/]name[@interface]`; None if it has too many parts."""
    before, slash, rest = item.partition("/")
    namespace, rest = (before.strip(), rest) if slash else ("", item)
    name, _, interface = rest.partition("@")
    if "/" in rest or "@" in interface or "@" in namespace:
        return None
    return namespace, name.strip(), interface.strip()


def json_items(text: str) -> list[Data] | None:
    """Items of the JSON form; None if it is not a JSON list."""
    data, mistake = go_json.parse(text)
    return data if mistake is None and isinstance(data, list) else None


def selections_of(text: str, namespace: str, path: Path) -> list[Selection]:
    """The readable attachments of an annotation. An attachment with a custom interface name still counts for the numbers of the others (getIfname)."""
    found: list[Selection] = []
    if is_json(text):
        for i, item in enumerate(json_items(text) or [], 1):
            if not isinstance(item, dict):
                continue
            part = Part(item, (*path, i - 1))
            interface = part.text("interface") or part.text("interfaceRequest") or f"net{i}"
            found.append(
                Selection(part.text("name"), part.text("namespace") or namespace, interface, (*path, i - 1), part)
            )
        return found
    for i, (offset, item) in enumerate(short_items(text), 1):
        if item and (parts := split_item(item)):
            found.append(Selection(parts[1], parts[0] or namespace, parts[2] or f"net{i}", path, None, offset))
    return found


def misfits(item: Part) -> list[tuple[str, str]]:
    """Keys of the JSON form with a value that Go refuses, each with its type."""
    kinds = {key.lower(): kind for key, kind in KEYS.items()}
    return [
        (key, kinds[key.lower()])
        for key, value in item.data.items()
        if key.lower() in kinds and not fits(kinds[key.lower()], value)
    ]
