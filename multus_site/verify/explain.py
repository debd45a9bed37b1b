"""The causes for which a pod hangs or lacks an interface, from what is known of it. Pure; docs/explain.md has the table."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from multus_site.cni import go_json
from multus_site.cni.configuration import Config
from multus_site.cni.network_status import AttachedInterface, StatusError, annotation, network_status
from multus_site.cni.selections import ANNOTATION, Selection, is_json, json_items
from multus_site.cni.uplinks import nics
from multus_site.model.networks import RESOURCE
from multus_site.model.paths import Path, path_text
from multus_site.render.attachment import KIND
from multus_site.verify.nodes import conf_of
from multus_site.verify.pod_evidence import (
    Evidence,
    config_of,
    config_text,
    gateways_of,
    nics_of,
    requested,
)
from multus_site.verify.remedies import remedy
from multus_site.verify.said import CAUSES, Said, classified

FAILURES = {"FailedCreatePodSandBox", "FailedScheduling", "NoNetworkFound", "UnexpectedAdmissionError", "NetworkNotReady"}  # fmt: skip
"""Reasons of the events that are about a pod's networks."""

_ANNOTATION = path_text(("metadata", "annotations", ANNOTATION))


@dataclass(frozen=True)
class Explanation:
    """One cause. `object` and `path`: where to look; `said`: the whole text that it was read from, empty if it was observed."""

    cause: str
    rule: str
    what: str
    object: str
    path: str
    remedy: str
    said: str = ""

    def row(self) -> dict[str, str]:
        """Return it for JSON output."""
        return asdict(self)


def explained(known: Evidence) -> tuple[list[Explanation], list[str]]:
    """Return the causes, most certain first, and what could not be checked."""
    missing, notes = _missing(known)
    attached = not missing and not notes and known.runs
    found = list(_observed(known)) if attached else list(_hanging(known, missing))
    if known.node is not None and known.node.error:
        notes.append(known.node.error)
    if known.runs and known.inside is not None and known.inside.error and not (known.node and known.node.error):
        notes.append(f"the pod cannot be inspected: {known.inside.error}")
    if attached and known.inside is None:
        notes.append(f"{known.node_name} has no running Multus daemon, through which the pod would be inspected")
    if not known.runs and not found and not notes:
        phase = known.pod.get("status", {}).get("phase", "unknown")
        notes.append(
            f"the pod is {phase}, and neither an event nor the log of Multus says why; events expire after an hour: recreate it"
        )
    unique = {(one.cause, one.object): one for one in reversed(found)}
    return list(reversed(unique.values())), notes


def _missing(known: Evidence) -> tuple[list[Selection], list[str]]:
    """Return the networks without an interface, and why that is unknown."""
    try:
        there = {one.interface for one in network_status(annotation(known.pod))}
    except StatusError as error:
        return [], [str(error)]
    return [one for one in known.selections if one.interface not in there], []


def _hanging(known: Evidence, missing: list[Selection]) -> Iterator[Explanation]:
    """Yield the causes of a pod that lacks interfaces, or has none yet."""
    objects = list(_broken_objects(known, missing))
    yield from objects
    said = _last_said(known)
    if known.node is not None and not known.node.daemon and not known.runs:
        what = f"no Multus daemon runs on {known.node_name}"
        yield _explanation(
            known, "multus-away", what, f"Node {known.node_name}", "", Said("", said.text if said else "", {})
        )
        return
    if said and said.cause != "unknown":
        if not objects or said.cause not in {"json-broken", "network-missing", "annotation-broken", "unknown"}:
            yield _of_text(known, said)
        return
    conf = _conf(known)
    if conf is not None and (known.runs or said is None):
        yield conf
    elif said is not None and not objects:
        yield _of_text(known, said)
    elif known.runs and missing and not objects:
        names = ", ".join(f"{one.interface} ({one.full_name})" for one in missing)
        yield _explanation(
            known,
            "interface-missing",
            f"the pod runs without {names}",
            f"Pod {known.name}",
            _ANNOTATION,
        )


def _broken_objects(known: Evidence, missing: list[Selection]) -> Iterator[Explanation]:
    """Yield what is wrong with the objects themselves."""
    text = requested(known.pod)
    if is_json(text) and json_items(text) is None:
        yield _explanation(
            known,
            "annotation-broken",
            "Multus cannot read the pod's networks",
            f"Pod {known.name}",
            _ANNOTATION,
        )
    for one in missing:
        attachment = known.attachments.get(one.full_name)
        if attachment is None:
            yield _explanation(
                known, "network-missing", f"there is no {KIND} {one.full_name}", f"Pod {known.name}",
                _ANNOTATION, about={"network": one.name, "namespace": one.namespace},
            )  # fmt: skip
            continue
        config = config_text(attachment)
        _, mistake = go_json.parse(config) if config.strip() else (None, None)
        if mistake is not None:
            line, column = go_json.line_and_column(config, mistake.offset)
            where = f"spec.config, line {line}, column {column}"
            yield _explanation(
                known, "json-broken", f"{one.full_name} is not JSON: {mistake.message}", f"{KIND} {one.full_name}", where, about={"hint": mistake.hint}
            )  # fmt: skip


def _last_said(known: Evidence) -> Said | None:
    """Return what was said last: by an event, or by the Multus daemon's log if all events are gone."""
    if known.runs:
        return None
    texts = [str(e.get("message") or "") for e in known.events if e.get("reason") in FAILURES]
    if known.events and not known.node_name:
        texts = texts[-1:]
    texts = texts or [line for line in known.log if "[error]" in line and known.pod["metadata"]["name"] in line]
    if not texts:
        return None
    return classified(texts[-1])


def _of_text(known: Evidence, said: Said) -> Explanation:
    """Return the explanation of a text, with the object that it is about."""
    about = dict(said.about)
    chosen = _selection(known, said)
    config = config_of(known.attachments.get(chosen.full_name)) if chosen else Config({}, ())
    keys = _keys(said.cause, config, about)
    what = CAUSES[said.cause].what
    if chosen is None:
        name = about.get("configuration")
        where = f"the cluster's own network {name}" if name else f"Pod {known.name}"
        path = "spec.containers" if said.cause == "no-device" else ""
        return _explanation(known, said.cause, what, where, path, said, about)
    attachment = known.attachments.get(chosen.full_name) or {}
    if said.cause == "no-device":
        path = path_text(("metadata", "annotations", RESOURCE))
    else:
        path = _place(config_text(attachment), keys) if attachment else ""
    return _explanation(known, said.cause, f"{what}: network {chosen.full_name}", f"{KIND} {chosen.full_name}", path, said, about)  # fmt: skip


def _selection(known: Evidence, said: Said) -> Selection | None:
    """Return the network that a text is about: the one that it names, or the only one that fits."""
    about = said.about
    by_name = [s for s in known.selections if s.name == about.get("network", s.name) and "network" in about]
    if by_name:
        return by_name[0]
    if name := about.get("configuration"):
        fits = [s for s in known.selections if config_of(known.attachments.get(s.full_name)).text("name") == name]
        fits = fits or [s for s in known.selections if s.name == name]
        return fits[0] if fits else None
    if resource := about.get("resource"):
        offers = [s for s in known.selections if _resource(known, s) == resource]
        return offers[0] if offers else None
    return known.selections[0] if len(known.selections) == 1 and said.cause != "multus-away" else None


def _resource(known: Evidence, one: Selection) -> str:
    attachment = known.attachments.get(one.full_name) or {}
    return str((attachment.get("metadata", {}).get("annotations") or {}).get(RESOURCE) or "")


def _keys(cause: str, config: Config, about: dict[str, str]) -> Path:
    """Return the path in the configuration that a cause is about; names what it finds in `about`."""
    first = config.first
    if cause == "master-missing":
        for key, nic in nics_of(config):
            about.setdefault("nic", nic)
            return (*first.path, first.key(key))
    if cause in {"addresses-exhausted", "ipam-daemon-away"} and first.ipam is not None:
        return first.ipam.path
    if cause == "mtu":
        return (*first.path, first.key("mtu"))
    for plugin in config.plugins:
        if plugin.type == about.get("plugin"):
            return (*plugin.path, "type")
        if plugin.ipam is not None and plugin.ipam.text("type") == about.get("plugin"):
            return (*plugin.ipam.path, "type")
    return ()


def _place(config: str, keys: Path) -> str:
    """Return a path in `spec.config`, and its line and column in the text."""
    data, mistake = go_json.parse(config)
    if mistake is not None or data is None:
        return "spec.config"
    offset, _ = go_json.locate(config, keys)
    line, column = go_json.line_and_column(config, offset)
    return f"{path_text(('spec', 'config', *keys))}, line {line}, column {column}"


def _conf(known: Evidence) -> Explanation | None:
    """Return the explanation of a node whose runtime does not call Multus, or None."""
    if known.node is None or known.node.error or not known.node.daemon:
        return None
    right, detail = conf_of(known.node)
    if right or "multus" in known.node.multus_conf:
        return None
    return _explanation(known, "multus-conf", detail, f"Node {known.node_name}", "/etc/cni/net.d")


def _observed(known: Evidence) -> Iterator[Explanation]:
    """Yield what is wrong with the interfaces of a pod that has them all."""
    inside = known.inside
    if inside is None or inside.error:
        return
    status: dict[str, AttachedInterface] = {}
    with contextlib.suppress(StatusError):
        status = {one.interface: one for one in network_status(annotation(known.pod))}
    for one in known.selections:
        attachment = known.attachments.get(one.full_name)
        config, link = config_of(attachment), inside.links.get(one.interface)
        place = f"{KIND} {one.full_name}"
        text = config_text(attachment) if attachment else ""
        if link is None:
            if one.interface in status and config.first.traits.name not in {"vfioveth", "userspace"}:
                yield _explanation(known, "interface-missing", f"the pod has no interface {one.interface}, though network-status names it", f"Pod {known.name}", "")  # fmt: skip
            continue
        if not link.up or (not link.carrier and link.kind != "tun"):
            state = "has no carrier" if link.up else "is down"
            yield _explanation(
                known, "link-down", f"{one.interface} ({one.full_name}) {state}", place, _place(text, ())
            )
            continue
        reach = inside.interfaces.get(one.interface)
        mtu = config.first.integer("mtu")
        if mtu and link.mtu != mtu:
            what = f"{one.interface} has an MTU of {link.mtu} bytes, and {one.full_name} asks for {mtu}"
            yield replace(_explanation(known, "mtu", what, place, _place(text, ("mtu",))), rule="mtu")
        for gateway in gateways_of(config) if reach else ():
            macs = reach.arp.get(gateway, ()) if reach else ()
            ping = reach.ping.get(gateway) if reach else None
            path = reach.path.get(gateway, 0) if reach else 0
            about = {"gateway": gateway, "nic": next((nic for _, nic in nics_of(config)), "")}
            answers = bool(macs) or bool(ping and ping.received)
            if not answers and (":" not in gateway or ping):
                what = f"nobody answers for {gateway}, the gateway of {one.full_name}, on {one.interface}"
                yield _explanation(known, "gateway-down", what, place, _place(text, _gateway_path(config)), about=about)
            elif path and path < link.mtu:
                what = f"{one.interface} has an MTU of {link.mtu} bytes, and packets of more than {path} do not return from {gateway}"
                yield replace(_explanation(known, "mtu", what, place, _place(text, ("mtu",)), about=about), rule="path-mtu")  # fmt: skip


def _gateway_path(config: Config) -> Path:
    ipam = config.first.ipam
    return () if ipam is None else (*ipam.path, ipam.key("gateway")) if ipam.has("gateway") else ipam.path


def _explanation(
    known: Evidence,
    cause: str,
    what: str,
    where: str,
    path: str,
    said: Said | None = None,
    about: dict[str, str] | None = None,
) -> Explanation:
    about = {**(about or {}), "node": known.node_name or "no node"}
    if cause == "no-device" and (resource := about.get("resource")):
        offered = {node: has[resource] for node, has in known.allocatable.items() if has.get(resource, "0") != "0"}
        about["offered"] = ", ".join(f"{node}: {count}" for node, count in offered.items())
    if known.node is not None:
        about["nics"] = ", ".join(nics(list(known.node.names.values())))
        about["fault"] = _fault(known, about.get("plugin", ""))
    return Explanation(cause, CAUSES[cause].rule, what, where, path, remedy(cause, about), said.text if said else "")


def _fault(known: Evidence, plugin: str) -> str:
    """Return what the node itself shows of a plugin's file."""
    program = known.node.programs.get(plugin) if known.node else None
    return program.fault if program else ""
