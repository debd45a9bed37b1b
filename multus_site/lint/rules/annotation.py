"""Rules on a pod's annotations as Multus reads them: their form, their keys, their place."""

import difflib
import re

from multus_site.cni import go_json
from multus_site.cni.addresses import hardware_address, parse_address, parse_cidr
from multus_site.cni.configuration import Part, inner_parts
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
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.rules.syntax import LABEL
from multus_site.lint.subjects import Attached, Pod

_MULTUS = "multus-cni pkg/k8sclient/k8sclient.go"
_OBJECT = re.compile(r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\Z")
"""Names of Kubernetes objects, which the JSON form is not compared with but which must be there."""

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
    """The multi-network specification lets an invalid annotation be ignored; Multus lets the pod fail."""
    value = pod.annotations.get(ANNOTATION)
    path = (*pod.metadata, "annotations", ANNOTATION)
    if value is not None and not isinstance(value, str):
        yield Problem(path, "an annotation is text", "Put it into quotes: 'internal, external', or '[{\"name\": …}]'.")
    if not isinstance(value, str) or not is_json(value):
        return
    data, mistake = go_json.parse(value)
    if mistake is not None:
        yield Problem(path, f"not JSON: {mistake.message}", mistake.hint, offset=mistake.offset)
    elif not isinstance(data, list):
        yield Problem(path, "the JSON is not a list", 'Write brackets around it: [{"name": …}].')
    for selection in pod.selections:
        for key, kind in misfits(selection.item) if selection.item else ():
            yield Problem(
                (*selection.path, key), f"{key} is not {WORDS[go_type(kind)]}", f"Write {WORDS[go_type(kind)]}."
            )
        for ip in selection.item.texts("ips") if selection.item else ():
            if (parse_cidr(ip) if "/" in ip else parse_address(ip)) is None:
                yield Problem((*selection.path, "ips"), f"{ip!r} is no IP address", "Write one such as 10.1.10.5/24.")
        for gateway in selection.item.texts("default-route") if selection.item else ():
            if parse_address(gateway) is None:
                yield Problem(
                    (*selection.path, "default-route"),
                    f"{gateway!r} is no IP address",
                    "Write the gateway such as 10.1.10.1.",
                )


@rule(
    "ANNOTATION_EMPTY_ITEM",
    "error",
    "configuration",
    "An attachment without a name",
    example="k8s.v1.cni.cncf.io/networks: internal,,external",
    source=f"{_MULTUS} parsePodNetworkAnnotation",
)
def annotation_empty_item(pod: Pod) -> Problems:
    """Multus looks for a network with an empty name, and the pod fails."""
    value = pod.annotations.get(ANNOTATION)
    path = (*pod.metadata, "annotations", ANNOTATION)
    if not isinstance(value, str) or not value:
        return
    if is_json(value):
        for i, item in enumerate(json_items(value) or []):
            if not isinstance(item, dict) or Part(item, ()).get("name") in (None, ""):
                yield Problem((*path, i), "an attachment without a name", 'Give "name", or take it out.')
        return
    for offset, item in short_items(value):
        parts = split_item(item)
        if not item or (parts and not parts[1]):
            yield Problem(
                path,
                "an empty item between commas" if not item else f"{item!r} names no network",
                "Take the comma out, or write the name.",
                offset=offset,
            )


@rule(
    "ANNOTATION_VALUE",
    "error",
    "configuration",
    "A value that no plugin takes",
    example='[{"name": "internal", "portMappings": [{"hostPort": 70000, "containerPort": 80}]}]',
    source=f"{_MULTUS} parsePodNetworkAnnotation; multi-net-spec v1.3 4.1; plugins/meta/portmap, bandwidth",
)
def annotation_value(pod: Pod) -> Problems:
    """Multus or the plugin that gets the value refuses it, and the pod does not start."""
    for selection in pod.selections:
        item = selection.item
        if item is None:
            continue
        guid = item.text("infiniband-guid")
        if guid and not hardware_address(guid, 8):
            hint = "Write eight bytes such as 02:00:00:00:00:00:0a:05."
            yield Problem((*selection.path, item.key("infiniband-guid")), f"{guid!r} is no InfiniBand GUID", hint)
        if item.has("ipam-claim-reference") and item.get("ips"):
            message = "ips and ipam-claim-reference are both there"
            yield Problem((*selection.path, item.key("ips")), message, "Keep one: a claim brings its addresses along.")
        for mapping in inner_parts(item, "portMappings") if isinstance(item.get("portMappings"), list) else ():
            yield from _port_mapping(mapping, (*selection.path, *mapping.path))
        for limits in inner_parts(item, "bandwidth"):
            for way in ("ingress", "egress"):
                rate, burst = limits.integer(f"{way}Rate") or 0, limits.integer(f"{way}Burst") or 0
                if bool(rate) != bool(burst):
                    there, missing = (f"{way}Rate", f"{way}Burst") if rate else (f"{way}Burst", f"{way}Rate")
                    place = (*selection.path, *limits.path, limits.key(there))
                    yield Problem(place, f"{there} without {missing}", f'Give "{missing}" too.')


def _port_mapping(mapping: Part, path: tuple[str | int, ...]) -> Problems:
    for key in ("hostPort", "containerPort"):
        port = mapping.get(key)
        if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
            found = "no " + key if port is None else f"{key} {port!r} is no port"
            yield Problem((*path, mapping.key(key)), found, "Write a number from 1 to 65535.")
    protocol = mapping.get("protocol")
    if protocol is not None and str(protocol).lower() not in {"tcp", "udp", "sctp"}:
        yield Problem(
            (*path, mapping.key("protocol")), f"{protocol!r} is no protocol of ports", "Write tcp, udp or sctp."
        )


@rule(
    "DEFAULT_NETWORK",
    "error",
    "configuration",
    "Not exactly one network in the place of the cluster's",
    example="v1.multus-cni.io/default-network: internal,external",
    source=f"{_MULTUS} tryLoadK8sPodDefaultNetwork: 'more than one default network is specified'",
)
def default_network(pod: Pod) -> Problems:
    """The annotation replaces the pod's eth0, and there is one eth0."""
    value = pod.annotations.get(DEFAULT)
    path = (*pod.metadata, "annotations", DEFAULT)
    if value is None or value == "":
        return
    hint = "Write the name of one network, such as kube-system/calico-conf."
    if not isinstance(value, str):
        yield Problem(path, "an annotation is text", hint)
        return
    items = json_items(value) if is_json(value) else [item for _, item in short_items(value)]
    if items is None:
        yield Problem(path, "not a list of JSON", hint)
    elif len(items) != 1:
        yield Problem(path, f"{len(items)} networks in the place of one", hint)


@rule(
    "ANNOTATION_NS_IN_NAME",
    "error",
    "configuration",
    "namespace/name in the JSON form",
    example='[{"name": "telecom/internal"}]',
    source=f"{_MULTUS} parsePodNetworkAnnotation: only the short form is split at '/'",
)
def annotation_ns_in_name(attached: Attached) -> Problems:
    """In the JSON form the namespace has a key of its own."""
    selection = attached.selection
    if selection.item and "/" in selection.name:
        before, _, name = selection.name.partition("/")
        yield Problem(
            (selection.item.key("name"),),
            f"{selection.name!r} is no name",
            f'Write "namespace": "{before}", "name": "{name}".',
        )


@rule(
    "ANNOTATION_NAME",
    "error",
    "configuration",
    "A name that Multus refuses",
    example="k8s.v1.cni.cncf.io/networks: Macvlan.Internal",
    source=f"{_MULTUS} parsePodNetworkObjectName",
)
def annotation_name(pod: Pod) -> Problems:
    """Names and namespaces are a-z, 0-9 and '-' in the short form; dots are refused though Kubernetes allows them."""
    value = pod.annotations.get(ANNOTATION)
    path = (*pod.metadata, "annotations", ANNOTATION)
    for selection in pod.selections:
        part = selection.item
        for key, form in (("name", _OBJECT), ("namespace", LABEL)) if part else ():
            asked = part.text(key) if part else ""
            if part and asked and "/" not in asked and not form.match(asked):
                hint = "Use a-z, 0-9 and '-', a letter or digit first and last."
                yield Problem((*selection.path, part.key(key)), f"{asked!r} is no {key} of a network", hint)
    if not isinstance(value, str) or is_json(value):
        return
    for offset, item in short_items(value):
        parts = split_item(item)
        if parts is None:
            yield Problem(
                path, f"{item!r} has too many '/' or '@'", "Write [namespace/]name[@interface].", offset=offset
            )
        elif bad := next((part for part in parts[:2] if part and not LABEL.match(part)), ""):
            yield Problem(
                path,
                f"{bad!r} is no name of a network",
                "Use a-z, 0-9 and '-', a letter or digit first and last.",
                offset=offset,
            )


@rule(
    "ANNOTATION_UNKNOWN_KEY",
    "warning",
    "configuration",
    "A key that Multus does not read",
    example='[{"name": "internal", "ip": "10.1.10.5/24"}]',
    source="multus-cni pkg/types NetworkSelectionElement",
)
def annotation_unknown_key(pod: Pod) -> Problems:
    """It is ignored without a word."""
    known = {key.lower() for key in KEYS}
    for selection in pod.selections:
        for key in selection.item.data if selection.item else ():
            if key.lower() not in known:
                near = difflib.get_close_matches(key, list(KEYS), 1, 0.6)
                hint = f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(KEYS)}."
                yield Problem((*selection.path, key), f"Multus reads no key {key!r}", hint)
    for key in pod.annotations:
        if key.startswith(("k8s.v1.cni.cncf.io/", "v1.multus-cni.io/")) and key not in _KNOWN:
            near = difflib.get_close_matches(key, [ANNOTATION, DEFAULT], 1, 0.8)
            if near:
                yield Problem(
                    (*pod.metadata, "annotations", key),
                    f"Multus reads no annotation {key!r}",
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
    """The pods start without the network, and nothing complains."""
    if ANNOTATION in pod.outer and ANNOTATION not in pod.annotations:
        yield Problem(
            (*pod.outer_path, "annotations", ANNOTATION),
            f"the pods of this {pod.kind} do not get its annotations",
            "Move it to spec.template.metadata.annotations.",
        )
