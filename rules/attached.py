"""Rules on pods together with the networks that they ask for, and with facts of the cluster."""

import difflib

from rules.addresses import parse_address, parse_cidr, whole
from rules.finding import Level
from rules.pools import networks
from rules.registry import Problem, Problems, rule
from rules.selections import texts
from rules.subjects import Attached, Everything, Pod

_MULTUS = "multus-cni pkg/k8sclient/k8sclient.go"


@rule(
    "NAD_NOT_FOUND",
    "error",
    "facts",
    "A network that is not there",
    example='a pod with "bond-net" where the NADs are bond-net1 and sriov-net1',
    source=f"{_MULTUS} getKubernetesDelegate: 'cannot find a network-attachment-definition'",
)
def nad_not_found(everything: Everything) -> Problems:
    """The pod hangs in ContainerCreating. Without facts only names that look misspelt are told."""
    here = {nad.full_name for nad in everything.nads}
    facts = everything.facts.nads
    for pod in everything.pods:
        for selection in pod.selections:
            name = selection.full_name
            if not selection.name or name in here or (selection.item and "/" in selection.name):
                continue
            known = here | set(facts or ())
            if facts is not None and (name in known or selection.name in known):
                continue
            near = difflib.get_close_matches(name, sorted(known), 1, 0.85)
            if facts is None and not near:
                continue
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(sorted(known)[:8]) or 'none'}."
            path = (*selection.path, "name") if selection.item else selection.path
            level: Level | None = None if facts is not None else "warning"
            yield Problem(path, f"there is no NetworkAttachmentDefinition {name}", hint, level, selection.offset, pod)


@rule(
    "NAMESPACE_ISOLATION",
    "error",
    "facts",
    "A network of another namespace",
    example="namespaceIsolation: true, a pod of 'telecom' with networks: infra/internal",
    source=f"{_MULTUS} GetNetworkDelegates; docs/configuration.md namespaceIsolation",
)
def namespace_isolation(attached: Attached) -> Problems:
    """With isolation Multus takes networks of the pod's own namespace and of 'default' only."""
    selection, pod = attached.selection, attached.pod
    if attached.facts.namespace_isolation and selection.namespace not in {pod.namespace, "default"}:
        message = f"the pod is in namespace {pod.namespace!r}, its network in {selection.namespace!r}, and Multus isolates namespaces"
        places = " or ".join(dict.fromkeys([repr(pod.namespace), "'default'"]))
        hint = f"Make the network in {places}, or list {selection.namespace!r} in Multus' globalNamespaces."
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
    """Each attachment takes one device of its resource; the one that gets none fails with 'VF pci addr is required'."""
    nads = {nad.full_name: nad.resource for nad in everything.nads}
    resources = {**(everything.facts.nad_resource or {}), **{name: r for name, r in nads.items() if r}}
    for pod in everything.pods:
        needed: dict[str, int] = {}
        for selection in pod.selections:
            resource = resources.get(selection.full_name, "")
            if not resource:
                continue
            needed[resource] = needed.get(resource, 0) + 1
            asked = _requested(pod, resource)
            if needed[resource] > asked and needed[resource] == asked + 1:
                count = sum(resources.get(s.full_name) == resource for s in pod.selections)
                message = f"{count} networks need {resource}, the pod asks for {asked}"
                hint = f'Write resources: {{requests: {{{resource}: "{count}"}}, limits: {{{resource}: "{count}"}}}} in a container.'
                yield Problem(selection.path, message, hint, None, selection.offset, pod)


def _requested(pod: Pod, resource: str) -> int:
    """Devices of a resource that the pod's containers ask for together; init containers run before, one by one."""

    def of(container: dict[str, object]) -> int:
        resources = container.get("resources")
        amounts = [0]
        for key in ("limits", "requests"):
            section = resources.get(key) if isinstance(resources, dict) else None
            amount = section.get(resource) if isinstance(section, dict) else None
            if str(amount).isdigit():
                amounts.append(int(str(amount)))
        return max(amounts)

    running = sum(of(dict(container)) for container in pod.containers("containers"))
    return max([running, *(of(dict(container)) for container in pod.containers("initContainers"))])


@rule(
    "CAPABILITY_MISSING",
    "warning",
    "together",
    "The network does not take what the pod asks for",
    example='networks: [{"name": "internal", "mac": "02:…"}] on a NAD without "capabilities": {"mac": true}',
    source="multus-cni pkg/types/conf.go; CNI CONVENTIONS.md",
)
def capability_missing(attached: Attached) -> Problems:
    """Runtime values reach a plugin only if the configuration says that it takes them; else they are dropped."""
    item, nad = attached.selection.item, attached.nad
    if item is None or nad is None or nad.config is None or not nad.config.plugins:
        return
    wanted = {
        "mac": "mac",
        "ips": "ips",
        "portMappings": "portMappings",
        "bandwidth": "bandwidth",
        "infiniband-guid": "infinibandGUID",
    }
    for key, capability in wanted.items():
        if item.get(key) and not any(plugin.capability(capability) for plugin in nad.config.plugins):
            hint = f'Add "capabilities": {{"{capability}": true}} to a plugin of {nad.full_name}.'
            yield Problem((item.key(key),), f"{nad.full_name} does not take {key} from pods", hint)


@rule(
    "IPS_WRONG",
    "error",
    "together",
    "An address that the network cannot give",
    example='"ips": ["10.1.20.5/24"] on a NAD of 10.1.10.0/24',
    source="plugins/ipam/static/main.go (CIDR notation); host-local backend/allocator",
)
def ips_wrong(attached: Attached) -> Problems:
    """static wants a prefix length; host-local gives only what is in its ranges."""
    item, nad = attached.selection.item, attached.nad
    for ipam in nad.config.addresses if item and nad and nad.config else ():
        for ip in texts(item, "ips") if item else ():
            cidr = parse_cidr(ip)
            address = cidr[0] if cidr else parse_address(ip)
            if address is None:
                continue
            own = [n for n in networks(ipam) if n.version == address.version]
            if ipam.type == "static" and cidr is None:
                yield Problem(
                    ("ips",),
                    f"{ip} has no prefix length, and static needs one",
                    f"Write {ip}/24, or the length of the network.",
                )
            elif ipam.type == "host-local" and own and not any(whole(n).contains(address) for n in own):
                yield Problem(
                    ("ips",), f"{ip} is not in {', '.join(map(str, own))}", "Give an address of the network's range."
                )


@rule(
    "IPS_TWICE",
    "error",
    "together",
    "Two pods ask for one address",
    example='two pods with "ips": ["10.1.10.5/24"] on one network',
    source="RFC 5227",
)
def ips_twice(everything: Everything) -> Problems:
    """Both would answer for it, and connections break at random."""
    seen: dict[tuple[str, object], str] = {}
    for pod in everything.pods:
        for selection in pod.selections:
            for ip in texts(selection.item, "ips") if selection.item else ():
                cidr = parse_cidr(ip)
                address = cidr[0] if cidr else parse_address(ip)
                owner = f"{pod.kind} {pod.namespace}/{pod.name}"
                key = (selection.full_name, address)
                if address is not None and seen.setdefault(key, owner) != owner:
                    yield Problem(
                        (*selection.path, "ips"),
                        f"{address} is asked for by {seen[key]} too",
                        "Give each pod its own.",
                        None,
                        None,
                        pod,
                    )
