"""Rules on a pod's attachments, each together with its network and the facts of the cluster."""

import difflib
import re

from multus_site.cni.addresses import hosts_hint, parse_address, parse_cidr
from multus_site.cni.catalogue import CHAINED
from multus_site.cni.ranges import networks
from multus_site.lint.finding import Level
from multus_site.lint.names import Names
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Attached, Everything, Nad, Pod

_DIGITS = re.compile(r"[0-9]+")
_MULTUS = "multus-cni pkg/k8sclient/k8sclient.go"


@rule(
    "NAD_NOT_FOUND",
    "error",
    "facts",
    "A network that does not exist",
    example='a pod with "bond-net" where the NADs are bond-net1 and sriov-net1',
    source=f"{_MULTUS} getKubernetesDelegate: 'cannot find a network-attachment-definition'",
)
def nad_not_found(everything: Everything) -> Problems:
    """The pod stays in ContainerCreating until the NetworkAttachmentDefinition exists."""
    here = {nad.full_name for nad in everything.nads}
    facts = everything.facts.nads
    known = here | set(facts or ())
    names = Names(known)
    for pod in everything.pods:
        for selection in pod.selections:
            name = selection.full_name
            if not selection.name or name in here or (selection.item and "/" in selection.name):
                continue
            if facts is not None and (name in known or selection.name in known):
                continue
            near = names.near(name, 0.7)
            path = (*selection.path, "name") if selection.item else selection.path
            if facts is not None:
                hint = f"Did you mean {near}?" if near else f"Existing ones: {', '.join(names.sorted[:8]) or 'none'}."
                message = f"NetworkAttachmentDefinition {name} does not exist"
                yield Problem(path, message, hint, None, selection.offset, pod)
            elif near and _misspelt(name, near):
                message = f"{name} is not in the checked files, and {near} has a similar name"
                hint = f"Did you mean {near}? If not, lint the file that defines it too, or list it in the facts' nads."
                yield Problem(path, message, hint, "warning", selection.offset, pod)


def _misspelt(name: str, there: str) -> bool:
    """Whether a name is probably a typo of another one in its namespace; not if only their numbers differ."""
    (namespace, _, own), (other_namespace, _, other) = name.partition("/"), there.partition("/")
    like = difflib.SequenceMatcher(None, own, other).ratio() >= 0.9
    numbered = (
        bool(_DIGITS.search(own)) and bool(_DIGITS.search(other)) and _DIGITS.sub("", own) == _DIGITS.sub("", other)
    )
    return like and namespace == other_namespace and not numbered


@rule(
    "NAMESPACE_ISOLATION",
    "error",
    "facts",
    "A network of another namespace",
    example="namespaceIsolation: true, a pod of 'telecom' with networks: infra/internal",
    source=f"{_MULTUS} GetNetworkDelegates; docs/configuration.md namespaceIsolation",
)
def namespace_isolation(attached: Attached) -> Problems:
    """With isolation, Multus attaches networks of the pod's own namespace and of 'default' only."""
    selection, pod = attached.selection, attached.pod
    if attached.facts.namespace_isolation and selection.namespace not in {pod.namespace, "default"}:
        message = f"the pod is in namespace {pod.namespace!r}, its network in {selection.namespace!r}, and Multus isolates namespaces"
        places = " or ".join(dict.fromkeys([repr(pod.namespace), "'default'"]))
        hint = f"Create the network in {places}, or add {selection.namespace!r} to the globalNamespaces of Multus."
        yield Problem(() if selection.item is None else ("namespace",), message, hint, offset=selection.offset)


@rule(
    "VF_REQUEST_LT_NETWORKS",
    "error",
    "together",
    "Fewer devices than networks that need one",
    example="networks: sriov-net1, sriov-net1 and resources: {intel.com/sriov: 1}",
    source=f"{_MULTUS} getKubernetesDelegate; danm#251",
)
def vf_request_lt_networks(everything: Everything) -> Problems:
    """Each attachment of a plugin that uses a device takes one of its resource. One without a device fails with 'VF pci addr is required'."""
    nads = {nad.full_name: nad.resource for nad in everything.nads if _takes_device(nad)}
    without = {nad.full_name for nad in everything.nads} - set(nads)
    facts = {name: r for name, r in (everything.facts.nad_resource or {}).items() if name not in without}
    resources = {**facts, **{name: r for name, r in nads.items() if r}}
    for pod in everything.pods:
        needed: dict[str, int] = {}
        if not any(pod.containers("containers")):
            continue
        for selection in pod.selections:
            resource = resources.get(selection.full_name, "")
            if not resource:
                continue
            needed[resource] = needed.get(resource, 0) + 1
            requested = _requested(pod, resource)
            if needed[resource] == requested + 1:
                count = sum(resources.get(s.full_name) == resource for s in pod.selections)
                message = f"{_networks(count)} {resource}, the pod requests {requested}"
                hint = f'Write resources: {{requests: {{{resource}: "{count}"}}, limits: {{{resource}: "{count}"}}}} in a container.'
                injected = resource.startswith(_INJECTED)
                if injected:
                    hint += " The network resources injector adds this if it runs in the cluster."
                level: Level | None = "warning" if injected else None
                yield Problem(selection.path, message, hint, level, selection.offset, pod)


_INJECTED = ("openshift.io/",)
"""Prefixes of resources of the SR-IOV network operator, which also installs the network resources injector."""


def _networks(count: int) -> str:
    return f"{count} networks need" if count != 1 else "1 network needs"


def _takes_device(nad: Nad) -> bool:
    """Whether an attachment uses a device of the NAD's resource. A bridge uses none: the resource only selects nodes."""
    plugins = nad.config.plugins if nad.config else ()
    return not plugins or any(plugin.traits.device != "none" for plugin in plugins)


def _requested(pod: Pod, resource: str) -> int:
    """Devices of a resource that a pod requests: its containers together, or one init container if that requests more."""

    def requested_by(container: dict[str, object]) -> int:
        resources = container.get("resources")
        amounts = [0]
        for key in ("limits", "requests"):
            section = resources.get(key) if isinstance(resources, dict) else None
            amount = section.get(resource) if isinstance(section, dict) else None
            if str(amount).isdigit():
                amounts.append(int(str(amount)))
        return max(amounts)

    running = sum(requested_by(dict(container)) for container in pod.containers("containers"))
    return max([running, *(requested_by(dict(container)) for container in pod.containers("initContainers"))])


@rule(
    "CAPABILITY_MISSING",
    "warning",
    "together",
    "A request that the network does not accept",
    example='networks: [{"name": "internal", "mac": "02:…"}] on a NAD without "capabilities": {"mac": true}',
    source="multus-cni pkg/types/conf.go; CNI CONVENTIONS.md",
)
def capability_missing(attached: Attached) -> Problems:
    """A runtime value reaches a plugin only if the configuration declares the capability; otherwise it is dropped. Plugins whose controller reads the annotation need none."""
    item, nad = attached.selection.item, attached.nad
    if item is None or nad is None or nad.config is None or not nad.config.plugins:
        return
    plugins = [plugin for plugin in nad.config.plugins if plugin.type not in CHAINED]
    if any(plugin.traits.controller for plugin in plugins):
        return
    wanted = {
        "mac": "mac",
        "ips": "ips",
        "portMappings": "portMappings",
        "bandwidth": "bandwidth",
        "infiniband-guid": "infinibandGUID",
    }
    for key, capability in wanted.items():
        if key == "ips" and any(ipam.object_type.controller for ipam in nad.config.addresses if ipam.type):
            continue
        if item.get(key) and not any(plugin.capability(capability) for plugin in nad.config.plugins):
            hint = f'Add "capabilities": {{"{capability}": true}} to a plugin of {nad.full_name}.'
            yield Problem((item.key(key),), f"{nad.full_name} does not accept {key} from pods", hint)


@rule(
    "DEFAULT_ROUTE_OUTSIDE",
    "error",
    "together",
    "A default gateway outside the attachment's network",
    example='"default-route": ["10.1.20.1"] on a NAD of 10.1.10.0/24',
    source="multus-cni pkg/netutils SetDefaultGW; kernel: 'network is unreachable'",
)
def default_route_outside(attached: Attached) -> Problems:
    """The kernel accepts a next hop only on the interface's own network."""
    item, nad = attached.selection.item, attached.nad
    if item is None or nad is None or nad.config is None:
        return
    own = [network for ipam in nad.config.addresses for network in networks(ipam)]
    own += [cidr[1] for ip in item.texts("ips") if (cidr := parse_cidr(ip))]
    for text in item.texts("default-route"):
        gateway = parse_address(text)
        if gateway is None or gateway.is_link_local:
            continue
        here = [network for network in own if network.version == gateway.version]
        if here and not any(gateway in network for network in here):
            message = f"the gateway {text} is not in {', '.join(map(str, here))}"
            yield Problem((item.key("default-route"),), message, f"Use {hosts_hint(here[0])}.")


@rule(
    "DEFAULT_ROUTE_MOVES",
    "warning",
    "together",
    "The default route moves off the cluster network",
    example='[{"name": "internal", "default-route": ["10.1.10.1"]}]',
    source="multus-cni pkg/netutils DeleteDefaultGW; multus-cni#847",
)
def default_route_moves(attached: Attached) -> Problems:
    """Multus removes the default route from eth0. Only eth0's other routes still lead to DNS, services and pods on other nodes."""
    # A site's own pods get routes to pods, services and nodes before they start.
    item, nad = attached.selection.item, attached.nad
    ours = nad is not None and nad.config is not None and nad.config.in_site
    if item and not ours and any(parse_address(gateway) for gateway in item.texts("default-route")):
        hint = 'Make sure that eth0 keeps routes to the pod and service networks; or route only the networks behind this one, in its ipam: "routes": [{"dst": …}].'
        yield Problem((item.key("default-route"),), "eth0 loses its default route to this network", hint)
