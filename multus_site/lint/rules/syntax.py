"""Rules on YAML and JSON syntax, and on the form of a NetworkAttachmentDefinition."""

import difflib
import re
from collections.abc import Iterator
from functools import lru_cache

from multus_site.cni import go_json
from multus_site.cni.go_json import invisible, unicode_name
from multus_site.cni.selections import ANNOTATION, DEFAULT
from multus_site.lint.changes import Rewrite
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import BrokenYaml, Config, ConfigText, Manifest, Nad, Pod
from multus_site.model.paths import Data, Path, value_at

API_VERSION = "k8s.cni.cncf.io/v1"
GROUP = "k8s.cni.cncf.io"
KIND = "NetworkAttachmentDefinition"
KINDS = ("MultiNetworkPolicy", "IPAMClaim")
"""Other kinds of the group (multi-networkpolicy, ipamclaims)."""
LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
"""Names and namespaces that Multus accepts in an annotation (pkg/k8sclient parsePodNetworkObjectName)."""


OBJECT = re.compile(r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\Z")
"""Names of Kubernetes objects."""


@rule(
    "YAML_SYNTAX",
    "error",
    "text",
    "The file is not valid YAML",
    example="spec:\n  config: '{}\nkind: NetworkAttachmentDefinition",
    source="YAML 1.2; kubectl rejects a duplicate key",
)
def yaml_syntax(text: BrokenYaml) -> Problems:
    """Neither kubectl nor Pulumi can read the file."""
    hint = f"{text.right[:1].upper()}{text.right[1:]}."
    if odd := next((character for character in text.text if invisible(character)), ""):
        hint = f"Replace the character {unicode_name(odd)} by a plain space."
    yield Problem((), f"not YAML: {text.message}", hint)


@rule(
    "JSON_SYNTAX",
    "error",
    "text",
    "The configuration is not JSON",
    example='{"type": "macvlan" "master": "eth0"}',
    source="RFC 8259; libcni/conf.go NetworkConfFromBytes",
)
def json_syntax(text: ConfigText) -> Problems:
    """The API server accepts any string in spec.config; a pod that uses it stays in ContainerCreating."""
    reading = go_json.read(text.text)
    if not reading.mistakes and not isinstance(reading.data, dict):
        yield Problem(
            (),
            f"the configuration is {_a(reading.data)}, not a JSON object",
            'Write {"cniVersion": "1.0.0", "name": …, "plugins": […]}.',
        )
    yield from _of_kind(text, "syntax")


@rule(
    "JSON_TRAILING_COMMA",
    "error",
    "text",
    "A comma after the last entry",
    example='{"type": "macvlan", "mode": "bridge",}',
    source="RFC 8259; libcni/conf.go NetworkConfFromBytes",
)
def json_trailing_comma(text: ConfigText) -> Problems:
    """YAML and JavaScript allow it; JSON, which the plugins read, does not."""
    yield from _of_kind(text, "comma")


@rule(
    "JSON_COMMENT",
    "error",
    "text",
    "A comment in JSON",
    example='{"type": "macvlan" // the internal network\n}',
    source="RFC 8259; libcni/conf.go NetworkConfFromBytes",
)
def json_comment(text: ConfigText) -> Problems:
    """JSON has no comments; the string in spec.config is JSON even where the file around it is YAML."""
    yield from _of_kind(text, "comment")


@rule(
    "INVISIBLE_CHARACTER",
    "error",
    "text",
    "A no-break or zero-width space in a value",
    example='"master": "eth1\\u200b"',
    source="Unicode 16, general categories Zs and Cf; Go and the kernel compare bytes",
)
def invisible_character(part: Config | Pod) -> Problems:
    """Text from a web page or a document may contain spaces that nobody sees. To the kernel and to Kubernetes, the name is another one."""
    if isinstance(part, Pod):
        values = [(part.place(key), part.annotations.get(key)) for key in (ANNOTATION, DEFAULT)]
    else:
        values = [*_texts(part.data)]
    for path, value in values:
        text = value if isinstance(value, str) else ""
        odd = "" if text.isascii() else next((character for character in text if invisible(character)), "")
        if odd:
            hint = f"Type it again: {''.join(c for c in text if not invisible(c))[:60]!r}."
            yield Problem(path, f"the text contains {unicode_name(odd)}", hint)


def _texts(data: Data) -> Iterator[tuple[Path, Data]]:
    """Every text of a configuration, keys included, with its path."""
    waiting: list[tuple[Path, Data]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            yield from (((*path, key), key) for key in value)
            waiting += [((*path, key), item) for key, item in reversed(list(value.items()))]
        elif isinstance(value, list):
            waiting += [((*path, i), item) for i, item in reversed(list(enumerate(value)))]


def _of_kind(text: ConfigText, kind: go_json.Kind) -> Problems:
    alike: dict[str, list[go_json.JsonMistake]] = {}
    for mistake in go_json.read(text.text).mistakes:
        if mistake.kind == kind:
            alike.setdefault(mistake.hint if kind == "syntax" else str(mistake.offset), []).append(mistake)
    for mistakes in alike.values():
        first, more = mistakes[0], len(mistakes) - 1
        line, column = go_json.line_and_column(text.text, first.offset)
        inside = "the file" if text.whole_file else "the string"
        place = f"line {line}, column {column} of {inside}" + (f", and {more} more of the kind" if more else "")
        changes = tuple(change for mistake in mistakes for change in _repair(mistake))
        yield Problem((), f"not JSON: {first.message} ({place})", first.hint, offset=first.offset, changes=changes)


def _repair(mistake: go_json.JsonMistake) -> tuple[Rewrite, ...]:
    """What makes it JSON again. A comment stays: it may say something that belongs elsewhere."""
    if mistake.repair is None or mistake.kind == "comment":
        return ()
    offset, text = mistake.repair
    return (Rewrite((), offset, len(text), text.strip()),)


@rule(
    "WRONG_KIND",
    "error",
    "text",
    "Not the apiVersion and kind of a NetworkAttachmentDefinition",
    example="apiVersion: k8s.cni.cncf.io/v1\nkind: NetworkAttachementDefinition",
    source="network-attachment-definition-client artifacts/networks-crd.yaml",
)
def wrong_kind(manifest: Manifest) -> Problems:
    """The API server answers 'no matches for kind', and the network is not created."""
    version, kind = manifest.data.get("apiVersion"), manifest.data.get("kind")
    if kind == KIND or kind == f"{KIND}List":
        if version != API_VERSION:
            yield Problem(
                ("apiVersion",), f"{kind} of apiVersion {_shown(version)}", f"Write apiVersion: {API_VERSION}"
            )
    elif is_nad(manifest.data):
        message = f"the kind {_shown(kind)} does not exist" if kind else "no kind"
        yield Problem(("kind",), message, f"Write kind: {KIND}")
    elif isinstance(kind, str) and _group(manifest.data) == GROUP and kind.removesuffix("List") not in KINDS:
        near = difflib.get_close_matches(kind, [*KINDS, KIND], 1, 0.5)
        if near:
            yield Problem(("kind",), f"the kind {_shown(kind)} does not exist", f"Did you mean {near[0]}?")


@rule(
    "NAD_NAME",
    "error",
    "text",
    "A name that pods cannot refer to",
    example="metadata:\n  name: Macvlan_Internal",
    source="multus-cni pkg/k8sclient/k8sclient.go parsePodNetworkObjectName; Kubernetes object names",
)
def nad_name(nad: Nad) -> Problems:
    """Kubernetes allows dots in an object's name; Multus accepts them only in the JSON form of a pod's annotation."""
    metadata = nad.data.get("metadata")
    data = metadata if isinstance(metadata, dict) else {}
    if "name" not in data and "generateName" in data:
        return
    for key in ("name", "namespace"):
        value = data.get(key)
        if value is None and key == "namespace":
            continue
        if (
            key == "name"
            and isinstance(value, str)
            and len(value) <= 253
            and not LABEL.match(value)
            and OBJECT.match(value)
        ):
            message = f"{value!r} has a dot: Multus rejects it in the short form of a pod's annotation"
            hint = f'Use \'-\' for the dot, or write [{{"name": "{value}"}}] in the annotations of pods.'
            yield Problem(("metadata", key), message, hint, "warning")
        elif not isinstance(value, str) or not LABEL.match(value) or len(value) > (253 if key == "name" else 63):
            message = f"{_shown(value)} is not a {key} that pods can refer to" if value is not None else "no name"
            hint = "Use a-z, 0-9 and '-', with a letter or digit first and last, and no dots."
            yield Problem(("metadata", key), message, hint)


@rule(
    "CONFIG_NOT_STRING",
    "error",
    "text",
    "spec.config is not a string",
    example="spec:\n  config:\n    type: macvlan",
    source="network-attachment-definition-client artifacts/networks-crd.yaml",
)
def config_not_string(nad: Nad) -> Problems:
    """The CRD requires JSON inside a string; the API server rejects a mapping."""
    config = value_at(nad.data, ("spec", "config"))
    if config is not None and not isinstance(config, str):
        hint = "Write the configuration as JSON in quotes: config: '{…}', or as a block: config: |-"
        yield Problem(("spec", "config"), f"spec.config is {_a(config)}, not a string", hint)


@rule(
    "EMPTY_CONFIG",
    "warning",
    "text",
    "No configuration in the NAD",
    example="spec: {}",
    source="network-attachment-definition-client pkg/utils GetCNIConfig",
)
def empty_config(nad: Nad) -> Problems:
    """Multus then reads the network's file in /etc/cni/multus/net.d, on the node where the pod starts."""
    config = value_at(nad.data, ("spec", "config"))
    if "config" in nad.data and config is None:
        hint = "Move config into spec: indent it by two more spaces, below the line spec:"
        yield Problem(("config",), "config is beside spec, where it has no effect", hint)
    elif config is None or (isinstance(config, str) and not config.strip()):
        path = ("spec", "config") if isinstance(nad.data.get("spec"), dict) else ("spec",)
        message = f"no configuration: each node needs a file for {nad.name or 'it'} in /etc/cni/multus/net.d"
        yield Problem(
            path, message, "Write the configuration into spec.config, unless you install the files on purpose."
        )


def is_nad(data: dict[str, Data]) -> bool:
    """Whether an object is a NetworkAttachmentDefinition, with its kind misspelled or missing too."""
    kind = data.get("kind")
    if kind == KIND:
        return True
    configured = isinstance(value_at(data, ("spec", "config")), str)
    if not isinstance(kind, str):
        return kind is None and configured
    return _near(kind) or (configured and _group(data) == GROUP)


def _group(data: dict[str, Data]) -> str:
    version = data.get("apiVersion")
    return version.partition("/")[0] if isinstance(version, str) else ""


@lru_cache(maxsize=256)
def _near(kind: str) -> bool:
    return difflib.SequenceMatcher(None, kind.lower(), KIND.lower()).ratio() > 0.85


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else "nothing" if value is None else str(value)
    return text if len(text) <= 70 else text[:67] + "…"


def _a(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
