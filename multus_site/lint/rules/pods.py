"""Rules on a pod's requests alone: interface names, MAC and IP addresses, default routes."""

from multus_site.cni.addresses import hardware_address, octets, parse_address, unicast
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.rules.interfaces import MAX_NAME_BYTES
from multus_site.lint.subjects import Attached, Plugin, Pod

_MULTUS = "multus-cni pkg/k8sclient/k8sclient.go"


@rule(
    "IFNAME_TOO_LONG",
    "error",
    "configuration",
    "An interface name that is too long",
    example="k8s.v1.cni.cncf.io/networks: internal@signalling-n2-interface",
    source=f"{_MULTUS} parsePodNetworkObjectName; linux/if.h IFNAMSIZ",
)
def ifname_too_long(attached: Attached) -> Problems:
    """Interface names have at most 15 bytes."""
    name = attached.selection.interface
    if len(name.encode()) > MAX_NAME_BYTES:
        yield _named(
            attached,
            f"the interface name {name!r} has {len(name.encode())} bytes",
            f"Use at most {MAX_NAME_BYTES}, such as {name.encode()[:MAX_NAME_BYTES].decode(errors='ignore')!r}.",
        )


@rule(
    "IFNAME_INVALID",
    "error",
    "configuration",
    "A reserved or invalid interface name",
    example="k8s.v1.cni.cncf.io/networks: internal@eth0",
    source="cni pkg/utils ValidateInterfaceName; eth0 and lo are the pod's own",
)
def ifname_invalid(attached: Attached) -> Problems:
    """eth0 is the pod's interface to the cluster, lo its loopback."""
    name = attached.selection.interface
    if name in {"eth0", "lo"}:
        hint = "Use another name, or none for net1, net2, …."
        yield _named(attached, f"{name} is the pod's own interface", hint)
    elif name in {".", ".."} or any(c in "/:" or c.isspace() for c in name):
        yield _named(
            attached, f"{name!r} is not a valid interface name", "Use a name without white space, '/' and ':'."
        )


@rule(
    "IFNAME_DUPLICATE",
    "error",
    "configuration",
    "Two attachments with the same interface name",
    example="k8s.v1.cni.cncf.io/networks: internal@net2,external",
    source="multus-cni pkg/multus/multus.go getIfname: a custom name still takes its position",
)
def ifname_duplicate(pod: Pod) -> Problems:
    """Unnamed attachments get net1, net2, … by position, and named ones count: `a@net2,b` gives net2 twice."""
    seen: dict[str, str] = {}
    for selection in pod.selections:
        if selection.interface in seen:
            message = f"{selection.full_name} and {seen[selection.interface]} would both be {selection.interface}"
            hint = "Name both, or neither: unnamed attachments are numbered by position."
            yield Problem(selection.path, message, hint, offset=selection.offset)
        seen.setdefault(selection.interface, selection.full_name)


@rule(
    "MAC_MULTICAST",
    "error",
    "configuration",
    "A multicast MAC address",
    example='[{"name": "internal", "mac": "e7:d1:44:8d:65:b0"}]',
    source="kernel is_valid_ether_addr: 'cannot assign requested address'; IEEE 802",
)
def mac_multicast(part: Attached | Plugin) -> Problems:
    """The lowest bit of the first byte marks multicast; an interface's own address must not have it set."""
    holder = part.selection.item if isinstance(part, Attached) else part
    mac = holder.text("mac") if holder else ""
    parsed = octets(mac)
    if holder and parsed and parsed[0] & 1:
        yield Problem(
            (holder.key("mac"),),
            f"{mac} is a multicast address (its first byte is odd)",
            f"Make the first byte even, such as {unicast(mac)}.",
        )


@rule(
    "MAC_INVALID",
    "error",
    "configuration",
    "An invalid MAC address",
    example='[{"name": "internal", "mac": "02:00:0a:01:0a"}]',
    source="Go net.ParseMAC; kernel is_valid_ether_addr",
)
def mac_invalid(part: Attached | Plugin) -> Problems:
    """Six bytes, not all zero."""
    holder = part.selection.item if isinstance(part, Attached) else part
    if isinstance(part, Plugin) and part.reads("hwaddr"):
        device = part.text("hwaddr")
        if device and not any(hardware_address(device, length) for length in (6, 8, 20)):
            hint = "Write the NIC's address as printed by: ip link"
            yield Problem((part.key("hwaddr"),), f"{device!r} is not a hardware address", hint)
    mac = holder.text("mac") if holder else ""
    if holder and mac and (octets(mac) is None or not any(octets(mac) or b"")):
        yield Problem(
            (holder.key("mac"),),
            f"{mac!r} is not a MAC address for an interface",
            "Write six bytes such as 02:00:0a:01:0a:05.",
        )


@rule(
    "DEFAULT_ROUTE_TWICE",
    "error",
    "configuration",
    "Two default routes of one family",
    example='[{"name": "a", "default-route": ["10.1.10.1"]}, {"name": "b", "default-route": ["10.1.20.1"]}]',
    source="multus-cni pkg/types/conf.go CheckGatewayConfig: 'multus does not support ECMP for default-route'",
)
def default_route_twice(pod: Pod) -> Problems:
    """Multus accepts one gateway of each family per pod."""
    seen: dict[int, str] = {}
    for selection in pod.selections:
        for gateway in selection.item.texts("default-route") if selection.item else ():
            address = parse_address(gateway)
            if address is None:
                continue
            if address.version in seen:
                path = (*selection.path, "default-route")
                yield Problem(
                    path,
                    f"the pod already has a default route to {seen[address.version]}",
                    "Keep one gateway of each family per pod.",
                )
            seen.setdefault(address.version, gateway)


@rule(
    "IPS_WITH_REPLICAS",
    "error",
    "configuration",
    "A fixed address for several pods",
    example='kind: Deployment, replicas: 2, [{"name": "internal", "ips": ["10.1.10.5/24"]}]',
    source="Kubernetes: each replica has the same annotations",
)
def ips_with_replicas(pod: Pod) -> Problems:
    """Every replica requests the same IP or MAC address; a DaemonSet has a pod on each node."""
    for selection in pod.selections:
        for key in ("ips", "mac") if pod.many > 1 else ():
            if selection.item and selection.item.get(key):
                path = (*selection.path, selection.item.key(key))
                one = {
                    "DaemonSet": "Write a Pod for each node",
                    "Job": "Set parallelism: 1",
                    "CronJob": "Set parallelism: 1",
                }
                hint = f"{one.get(pod.kind, 'Set replicas: 1')}, or let the network assign them."
                yield Problem(path, f"{pod.many} replicas would have the same {key}", hint)


def _named(attached: Attached, message: str, hint: str) -> Problem:
    selection = attached.selection
    if selection.item:
        return Problem((selection.item.key("interface"),), message, hint)
    return Problem((), message, hint, offset=selection.offset)
