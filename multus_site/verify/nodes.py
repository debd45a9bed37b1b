"""Checks of nodes: the Multus daemon and its configuration, plugin binaries, NICs of networks."""

import json
from collections.abc import Iterator, Mapping

from multus_site.verify.checks import Check
from multus_site.verify.expectation import ExpectedNode
from multus_site.verify.leaks import judged_node
from multus_site.verify.observed import Link, NodeSeen, Program

MULTUS_CONF = "00-multus.conf"


def judge_node(expected: ExpectedNode, seen: NodeSeen) -> Iterator[Check]:
    """Yield all checks of one node, in a fixed order."""

    def check(name: str, ok: bool, detail: str, interface: str = "") -> Check:
        return Check("", "", expected.name, interface, "", name, ok, detail)

    if not seen.daemon:
        yield check("multus-daemon", False, "no Multus daemon runs here: new pods get no additional interfaces")
        return
    state = "ready" if seen.daemon_ready else "not ready"
    yield check("multus-daemon", seen.daemon_ready, f"{seen.daemon} is {state}")
    if seen.error:
        yield check("look-inside", False, seen.error)
        return
    yield check("multus-conf", *conf_of(seen))
    if seen.audit is not None:
        why = seen.audit.multus.loses
        yield check("pod-deletion", not why, why or "with the whole configuration of the cluster's network")
        yield check("left-behind", *judged_node(seen.audit))
    for plugin in sorted({*expected.plugins, *expected.needed, *seen.cluster}):
        yield check("plugin-binary", *_binary(expected, seen, plugin))
    links = {link.name: link for link in seen.links}
    for uplink, mtu in expected.uplinks.items():
        yield check("uplink", *_uplink(links, uplink, mtu), interface=uplink)


def _binary(expected: ExpectedNode, seen: NodeSeen, plugin: str) -> tuple[bool, str]:
    """Check one plugin that the node needs, whoever installed it: that it runs, and its sha256 if `up` installed it."""
    path = f"/opt/cni/bin/{plugin}"
    sha, there = expected.plugins.get(plugin), seen.binaries.get(plugin)
    missing = Program(fault="" if there else "there is no such file")
    if fault := seen.programs.get(plugin, missing).fault:
        users = [] if plugin not in seen.cluster else ["the cluster's own network"]
        users += ["networks of the site"] if plugin in expected.needed or plugin in expected.plugins else []
        return False, f"{path}: {fault}; needed by {' and '.join(users)}"
    if sha and there != sha:
        return False, f"{path} has sha256 {there}; expected: {sha}"
    return True, f"{path} has sha256 {there}" if sha else f"{path} runs"


def conf_of(seen: NodeSeen) -> tuple[bool, str]:
    """Check that Multus' file is the first in the folder: the container runtime uses the first."""
    files = [f for f in seen.files if f.endswith((".conf", ".conflist", ".json"))]
    if MULTUS_CONF not in files:
        return False, f"/etc/cni/net.d has no {MULTUS_CONF}; it has: {', '.join(files) or 'nothing'}"
    if files[0] != MULTUS_CONF:
        return False, f"{files[0]} comes before {MULTUS_CONF} in /etc/cni/net.d, and the runtime uses the first"
    try:
        kind = json.loads(seen.multus_conf).get("type")
    except (ValueError, AttributeError):
        return False, f"{MULTUS_CONF} is not a JSON object"
    return kind == "multus-shim", f"{MULTUS_CONF} is first and calls {kind}"


def _uplink(links: Mapping[str, Link], name: str, mtu: int) -> tuple[bool, str]:
    link = links.get(name)
    if link is None:
        return False, f"there is no interface {name}"
    state = "up" if link.up and link.carrier else "up, no carrier" if link.up else "down"
    asked = f", {mtu} asked for" if mtu else ""
    return link.up and link.carrier and link.mtu >= mtu, f"{state}, {link.mtu} bytes{asked}, MAC {link.mac}"
