"""Rules on pod annotations as Multus reads them: syntax, keys, values and placement."""

import difflib

from multus_site.cni import go_json
from multus_site.cni.addresses import hardware_address, parse_address, parse_cidr
from multus_site.cni.configuration import inner_parts
from multus_site.cni.go_object import Part
from multus_site.cni.key_types import WORDS, go_type
from multus_site.cni.selections import (
    ANNOTATION,
    DEFAULT,
    KEYS,
    is_json,
    json_items,
    misfits,
    short_items,
    split_item,
)
from multus_site.lint.changes import Add, Change, Replace
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.rules.chained import unpaired_rates
from multus_site.lint.rules.syntax import LABEL, OBJECT
from multus_site.lint.subjects import Attached, Pod

_MULTUS = "multus-cni pkg/k8sclient/k8sclient.go"
_LETTERS = "Use a-z, 0-9 and '-', with a letter or digit first and last."

_KNOWN = {
    ANNOTATION,
    "k8s.v1.cni.cncf.io/network-status",
    "k8s.v1.cni.cncf.io/resourceName",
    DEFAULT,
}


@rule(
    "ANNOTATION_JSON",
    "error",
    "configuration",
    "An annotation that Multus cannot read",
    example='k8s.v1.cni.cncf.io/networks: \'[{"name": "internal", "ips": "10.1.10.5"}]\'',
    source=f"{_MULTUS} parsePodNetworkAnnotation; multus-cni pkg/types NetworkSelectionElement",
)
def annotation_json(pod: Pod) -> Problems:
    """The multi-network specification allows an invalid annotation to be ignored; Multus fails the pod."""
    value = pod.annotations.get(ANNOTATION)
    path = pod.place(ANNOTATION)
    if value is not None and not isinstance(value, str):
        yield Problem(path, "the annotation is not a string", "Quote it: 'internal, external', or '[{\"name\": …}]'.")
    if not isinstance(value, str) or not is_json(value):
        return
    data, mistake = go_json.parse(value)
    if mistake is not None:
        yield Problem(path, f"not JSON: {mistake.message}", mistake.hint, offset=mistake.offset)
    elif not isinstance(data, list):
        yield Problem(path, "the JSON is not a list", 'Put brackets around it: [{"name": …}].')
    for selection in pod.selections:
        for key, kind in misfits(selection.item) if selection.item else ():
            yield Problem(
                (*selection.path, key), f"{key} is not {WORDS[go_type(kind)]}", f"Write {WORDS[go_type(kind)]}."
            )
        for ip in selection.item.texts("ips") if selection.item else ():
            if (parse_cidr(ip) if "/" in ip else parse_address(ip)) is None:
                yield Problem(
                    (*selection.path, "ips"), f"{ip!r} is not an IP address", "Write an address such as 10.1.10.5/24."
                )
        for gateway in selection.item.texts("default-route") if selection.item else ():
            if parse_address(gateway) is None:
                yield Problem(
                    (*selection.path, "default-route"),
                    f"{gateway!r} is not an IP address",
                    "Write the gateway's address, such as 10.1.10.1.",
                )


@rule(
    "ANNOTATION_EMPTY_ITEM",
    "error",
    "configuration",
    "An attachment without a network name",
    example="k8s.v1.cni.cncf.io/networks: internal,,external",
    source=f"{_MULTUS} parsePodNetworkAnnotation",
)
def annotation_empty_item(pod: Pod) -> Problems:
    """Multus looks up a network with an empty name, and the pod fails."""
    value = pod.annotations.get(ANNOTATION)
    path = pod.place(ANNOTATION)
    if not isinstance(value, str) or not value:
        return
    if is_json(value):
        for i, item in enumerate(json_items(value) or []):
            if not isinstance(item, dict) or Part(item, ()).get("name") in (None, ""):
                yield Problem((*path, i), "an attachment without a name", 'Set "name", or remove the attachment.')
        return
    for offset, item in short_items(value):
        parts = split_item(item)
        if not item or (parts and not parts[1]):
            yield Problem(
                path,
                "an empty item between commas" if not item else f"{item!r} names no network",
                "Remove the comma, or write the name.",
                offset=offset,
            )


@rule(
    "ANNOTATION_VALUE",
    "error",
    "configuration",
    "An invalid value in an annotation",
    example='[{"name": "internal", "portMappings": [{"hostPort": 70000, "containerPort": 80}]}]',
    source=f"{_MULTUS} parsePodNetworkAnnotation; multi-net-spec v1.3 4.1; plugins/meta/portmap, bandwidth",
)
def annotation_value(pod: Pod) -> Problems:
    """Multus, or the plugin that gets the value, rejects it, and the pod does not start."""
    for selection in pod.selections:
        item = selection.item
        if item is None:
            continue
        guid = item.text("infiniband-guid")
        if guid and not hardware_address(guid, 8):
            hint = "Write eight bytes such as 02:00:00:00:00:00:0a:05."
            yield Problem((*selection.path, item.key("infiniband-guid")), f"{guid!r} is not an InfiniBand GUID", hint)
        if item.has("ipam-claim-reference") and item.get("ips"):
            message = "ips and ipam-claim-reference are both set"
            yield Problem((*selection.path, item.key("ips")), message, "Keep one: a claim has its own addresses.")
        for mapping in inner_parts(item, "portMappings") if isinstance(item.get("portMappings"), list) else ():
            yield from _port_mapping(mapping, (*selection.path, *mapping.path))
        for limits in inner_parts(item, "bandwidth"):
            for problem in unpaired_rates(limits):
                yield problem._replace(path=(*selection.path, *limits.path, *problem.path))


def _port_mapping(mapping: Part, path: tuple[str | int, ...]) -> Problems:
    for key in ("hostPort", "containerPort"):
        port = mapping.get(key)
        if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
            message = f"no {key}" if port is None else f"{key} {port!r} is not a port number"
            yield Problem((*path, mapping.key(key)), message, "Write a number from 1 to 65535.")
    protocol = mapping.get("protocol")
    if protocol is not None and str(protocol).lower() not in {"tcp", "udp", "sctp"}:
        yield Problem((*path, mapping.key("protocol")), f"unknown protocol {protocol!r}", "Write tcp, udp or sctp.")


@rule(
    "DEFAULT_NETWORK",
    "error",
    "configuration",
    "A default network that is not exactly one network",
    example="v1.multus-cni.io/default-network: internal,external",
    source=f"{_MULTUS} tryLoadK8sPodDefaultNetwork: 'more than one default network is specified'",
)
def default_network(pod: Pod) -> Problems:
    """The annotation replaces the network of eth0, and a pod has one eth0."""
    value = pod.annotations.get(DEFAULT)
    path = pod.place(DEFAULT)
    if value is None or value == "":
        return
    hint = "Write the name of one network, such as kube-system/calico-conf."
    if not isinstance(value, str):
        yield Problem(path, "the annotation is not a string", hint)
        return
    items = json_items(value) if is_json(value) else [item for _, item in short_items(value)]
    if items is None:
        yield Problem(path, "not a JSON list", hint)
    elif len(items) != 1:
        yield Problem(path, f"{len(items)} default networks instead of one", hint)


@rule(
    "ANNOTATION_NS_IN_NAME",
    "error",
    "configuration",
    "namespace/name in the JSON form",
    example='[{"name": "telecom/internal"}]',
    source=f"{_MULTUS} parsePodNetworkAnnotation: only the short form is split at '/'",
)
def annotation_ns_in_name(attached: Attached) -> Problems:
    """In the JSON form, the namespace has its own key."""
    selection = attached.selection
    if selection.item and "/" in selection.name:
        namespace, _, name = selection.name.partition("/")
        path = (selection.item.key("name"),)
        right: tuple[Change, ...] = (Replace(path, (name,)),)
        if not selection.item.has("namespace"):
            right = (Add(path, "namespace", namespace), *right)
        elif selection.item.text("namespace") != namespace:
            right = ()
        yield Problem(
            path,
            f"{selection.name!r} is not a valid name",
            f'Write "namespace": "{namespace}", "name": "{name}".',
            changes=right if namespace and name and "/" not in name else (),
        )


@rule(
    "ANNOTATION_NAME",
    "error",
    "configuration",
    "A name that Multus rejects",
    example="k8s.v1.cni.cncf.io/networks: Macvlan.Internal",
    source=f"{_MULTUS} parsePodNetworkObjectName",
)
def annotation_name(pod: Pod) -> Problems:
    """In the short form, names and namespaces consist of a-z, 0-9 and '-'. Multus rejects dots, which Kubernetes allows."""
    value = pod.annotations.get(ANNOTATION)
    path = pod.place(ANNOTATION)
    for selection in pod.selections:
        part = selection.item
        # Multus does not check names in the JSON form, but the object must exist.
        for key, form in (("name", OBJECT), ("namespace", LABEL)) if part else ():
            text = part.text(key) if part else ""
            if part and text and "/" not in text and not form.match(text):
                yield Problem((*selection.path, part.key(key)), f"{text!r} is not a valid network {key}", _LETTERS)
    if not isinstance(value, str) or is_json(value):
        return
    for offset, item in short_items(value):
        parts = split_item(item)
        if parts is None:
            yield Problem(
                path, f"{item!r} has too many '/' or '@'", "Write [namespace/]name[@interface].", offset=offset
            )
        elif bad := next((part for part in parts[:2] if part and not LABEL.match(part)), ""):
            yield Problem(path, f"{bad!r} is not a valid network name", _LETTERS, offset=offset)


@rule(
    "ANNOTATION_UNKNOWN_KEY",
    "warning",
    "configuration",
    "A key that Multus does not read",
    example='[{"name": "internal", "ip": "10.1.10.5/24"}]',
    source="multus-cni pkg/types NetworkSelectionElement",
)
def annotation_unknown_key(pod: Pod) -> Problems:
    """Multus ignores it without an error."""
    known = {key.lower() for key in KEYS}
    for selection in pod.selections:
        for key in selection.item.data if selection.item else ():
            if key.lower() not in known:
                near = difflib.get_close_matches(key, list(KEYS), 1, 0.6)
                hint = f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(KEYS)}."
                yield Problem((*selection.path, key), f"Multus does not read the key {key!r}", hint)
    for key in pod.annotations:
        if key.startswith(("k8s.v1.cni.cncf.io/", "v1.multus-cni.io/")) and key not in _KNOWN:
            near = difflib.get_close_matches(key, [ANNOTATION, DEFAULT], 1, 0.8)
            if near:
                yield Problem(
                    pod.place(key),
                    f"Multus does not read the annotation {key!r}",
                    f"Did you mean {near[0]}?",
                )


@rule(
    "ANNOTATION_MISPLACED",
    "warning",
    "configuration",
    "The annotation is on the workload, not on its pods",
    example="kind: Deployment\nmetadata:\n  annotations: {k8s.v1.cni.cncf.io/networks: internal}",
    source="Kubernetes: pods get the annotations of spec.template.metadata",
)
def annotation_misplaced(pod: Pod) -> Problems:
    """The pods start without the network, and no error is reported."""
    if ANNOTATION in pod.outer and pod.outer_path != ("metadata",):
        message, hint = "annotations beside metadata have no effect", "Move annotations into metadata."
        yield Problem((*pod.outer_path, "annotations", ANNOTATION), message, hint)
    elif ANNOTATION in pod.outer and ANNOTATION not in pod.annotations:
        yield Problem(
            (*pod.outer_path, "annotations", ANNOTATION),
            f"the pods of this {pod.kind} do not get its annotations",
            "Move it to spec.template.metadata.annotations.",
        )
