"""Rules on pods together with the networks that they ask for, and with facts of the cluster."""

import difflib
import re

from multus_site.cni.addresses import Address, Network, hosts_hint, octets, parse_address, parse_cidr, usable
from multus_site.cni.configuration import Part
from multus_site.cni.ranges import fixed_of, handed_out, networks, ranges_of
from multus_site.cni.selections import Selection
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Attached, Everything, Ipam, Pod

_DIGITS = re.compile(r"[0-9]+")
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
    """The pod hangs in ContainerCreating until there is one of this name."""
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
            near = difflib.get_close_matches(name, sorted(known), 1, 0.7)
            path = (*selection.path, "name") if selection.item else selection.path
            if facts is not None:
                hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(sorted(known)[:8]) or 'none'}."
                message = f"there is no NetworkAttachmentDefinition {name}"
                yield Problem(path, message, hint, None, selection.offset, pod)
            elif near and _misspelt(name, near[0]):
                message = f"{name} is not among the files looked at, and its name is much like that of {near[0]}"
                hint = f"Did you mean {near[0]}? If not, give the file that holds it too, or the facts' nads."
                yield Problem(path, message, hint, "warning", selection.offset, pod)


def _misspelt(name: str, there: str) -> bool:
    """Whether a name looks like another one of its namespace by mistake: not if their numbers alone tell them apart."""
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
        if not any(pod.containers("containers")):
            continue
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

    def asked_by(container: dict[str, object]) -> int:
        resources = container.get("resources")
        amounts = [0]
        for key in ("limits", "requests"):
            section = resources.get(key) if isinstance(resources, dict) else None
            amount = section.get(resource) if isinstance(section, dict) else None
            if str(amount).isdigit():
                amounts.append(int(str(amount)))
        return max(amounts)

    running = sum(asked_by(dict(container)) for container in pod.containers("containers"))
    return max([running, *(asked_by(dict(container)) for container in pod.containers("initContainers"))])


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
    """static wants a prefix length; host-local gives only what is in its ranges; some addresses are no host's or taken."""
    item, nad = attached.selection.item, attached.nad
    for ipam in nad.config.addresses if item and nad and nad.config else ():
        for ip in item.texts("ips") if item else ():
            cidr = parse_cidr(ip)
            address = cidr[0] if cidr else parse_address(ip)
            problem = _wrong_for(ipam, ip, address, cidr[1] if cidr else None) if address else None
            if problem and item:
                yield Problem((item.key("ips"),), *problem)


def _wrong_for(ipam: Ipam, ip: str, address: Address, network: Network | None) -> tuple[str, str] | None:
    """What is wrong with an address that a pod asks an address management for, and what would be right."""
    if ipam.type == "static":
        if network is None:
            length = next((n.prefixlen for n in networks(ipam) if n.version == address.version and address in n), None)
            right = (
                f"Write {ip}/{length}."
                if length
                else f"Write {ip}/{24 if address.version == 4 else 64}, or the length of the network."
            )
            return f"{ip} has no prefix length, and static needs one", right
        if network.num_addresses > 2 and network.version == 4 and not usable(network).contains(address):
            return (
                f"{ip} is the {'network' if address == network.network_address else 'broadcast'} address itself",
                f"Give {hosts_hint(network)}.",
            )
        taken = [one.gateway for one in fixed_of(ipam)]
        return (f"{ip} is the gateway's address", f"Give another address of {network}.") if address in taken else None
    pools = [pool for pool in ranges_of(ipam) if pool.span and pool.network] if ipam.type == "host-local" else []
    if not pools:
        return None
    if not any(pool.span and pool.span.contains(address) for pool in pools):
        return (
            f"{ip} is not in {', '.join(str(pool.span) for pool in pools)}",
            "Give an address of the network's range.",
        )
    if not any(span.contains(address) for span in handed_out(ipam)):
        return f"{ip} is the gateway's address", "Give another address of the network's range."
    return None


@rule(
    "IPS_TWICE",
    "error",
    "together",
    "Two attachments ask for one address",
    example='two pods with "ips": ["10.1.10.5/24"] or with one "mac" on one network',
    source="RFC 5227; IEEE 802: an address names one station of a segment",
)
def ips_twice(everything: Everything) -> Problems:
    """Both would answer for it, and connections break at random."""
    seen: dict[tuple[str, object], tuple[Pod, Selection]] = {}
    for pod in everything.pods:
        for selection in pod.selections:
            item = selection.item
            asked = [(key, what) for key, what in _asked(item)] if item else []
            for key, what in asked:
                other, before = seen.setdefault((selection.full_name, what), (pod, selection))
                if before is selection or (other is not pod and other.title == pod.title):
                    continue
                place = (*selection.path, item.key(key) if item else key)
                yield Problem(
                    place, f"{what} is asked for by {_whom(other, pod)} too", "Give each its own.", None, None, pod
                )


def _asked(item: Part) -> list[tuple[str, object]]:
    """The addresses that an attachment asks for, each with its key."""
    ips = [(parse_cidr(ip) or (parse_address(ip),))[0] for ip in item.texts("ips")]
    mac = octets(item.text("mac"))
    return [*(("ips", ip) for ip in ips if ip is not None), *((("mac", mac.hex(":")),) if mac else ())]


@rule(
    "STATIC_SHARED",
    "error",
    "together",
    "Several pods, one fixed address",
    example='two pods on a NAD with {"type": "static", "addresses": [{"address": "10.1.10.5/24"}]}',
    source="plugins/ipam/static/main.go: it keeps no record of who has an address",
)
def static_shared(everything: Everything) -> Problems:
    """static gives every pod of the network the same addresses, unless a pod brings its own along."""
    nads = {nad.full_name: nad for nad in everything.nads if nad.config}
    holders: dict[str, tuple[Pod, Selection]] = {}
    for pod in everything.pods:
        for selection in pod.selections:
            nad = nads.get(selection.full_name)
            own = selection.item is not None and bool(selection.item.get("ips"))
            addresses = [
                one.base
                for ipam in (nad.config.addresses if nad and nad.config else ())
                if ipam.type == "static"
                for one in fixed_of(ipam)
            ]
            if not addresses or own:
                continue
            other, before = holders.setdefault(selection.full_name, (pod, selection))
            if (before is selection and pod.many < 2) or (other is not pod and other.title == pod.title):
                continue
            whom = f"each of {pod.many} pods" if before is selection else f"{_whom(other, pod)} too"
            message = f"{addresses[0]} of {selection.full_name} goes to {whom}"
            hint = 'Let pods bring theirs: "capabilities": {"ips": true} and no addresses in the network; or take whereabouts.'
            yield Problem(selection.path, message, hint, None, selection.offset, pod)


def _whom(other: Pod, pod: Pod) -> str:
    return "this pod" if other is pod else other.title


@rule(
    "DEFAULT_ROUTE_OUTSIDE",
    "error",
    "together",
    "A default gateway that is not in the attachment's network",
    example='"default-route": ["10.1.20.1"] on a NAD of 10.1.10.0/24',
    source="multus-cni pkg/netutils SetDefaultGW; kernel: 'network is unreachable'",
)
def default_route_outside(attached: Attached) -> Problems:
    """The kernel takes a next hop only if it is on the interface's own network."""
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
            yield Problem((item.key("default-route"),), message, f"Give {hosts_hint(here[0])}.")


@rule(
    "DEFAULT_ROUTE_MOVES",
    "warning",
    "together",
    "The pod's default route leaves the cluster's network",
    example='[{"name": "internal", "default-route": ["10.1.10.1"]}]',
    source="multus-cni pkg/netutils DeleteDefaultGW; multus-cni#847",
)
def default_route_moves(attached: Attached) -> Problems:
    """Multus takes the default route off eth0: DNS, services and other nodes' pods are found by eth0's remaining routes only."""
    # A site's own pods get routes to pods, services and nodes before they start.
    item, nad = attached.selection.item, attached.nad
    ours = nad is not None and nad.config is not None and nad.config.in_site
    if item and not ours and any(parse_address(gateway) for gateway in item.texts("default-route")):
        hint = 'See that eth0 keeps routes to the pod and service networks; or name what is behind this network in its ipam: "routes": [{"dst": …}].'
        yield Problem((item.key("default-route"),), "eth0 loses its default route to this network", hint)
