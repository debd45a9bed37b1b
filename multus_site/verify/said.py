"""What kubelet, container runtimes, Multus and plugins say when a pod's networks fail → the cause. The only table of these texts."""

import re
from typing import NamedTuple


class Cause(NamedTuple):
    """A cause. `rule`: code of the linter's rule or verification's check for it; `symptom`: what `kubectl get pod` shows."""

    rule: str
    what: str
    symptom: str


CAUSES = {
    "plugin-missing": Cause("PLUGIN_BINARY_MISSING", "a CNI plugin is missing on the node", "ContainerCreating"),
    "plugin-architecture": Cause("plugin-binary", "a CNI plugin is not a program for this node", "ContainerCreating"),
    "plugin-not-executable": Cause("plugin-binary", "a CNI plugin cannot be executed", "ContainerCreating"),
    "master-missing": Cause("MASTER_NOT_FOUND", "the node lacks the network's NIC", "ContainerCreating"),
    "network-missing": Cause("NAD_NOT_FOUND", "a network does not exist", "ContainerCreating"),
    "json-broken": Cause("JSON_SYNTAX", "the configuration of a network is not JSON", "ContainerCreating"),
    "annotation-broken": Cause("ANNOTATION_JSON", "the pod's annotation cannot be read", "ContainerCreating"),
    "addresses-exhausted": Cause("TOO_FEW_ADDRESSES", "every address of a network is taken", "ContainerCreating"),
    "ipam-daemon-away": Cause(
        "DHCP_DAEMON_MISSING", "the daemon that assigns addresses does not answer", "ContainerCreating"
    ),
    "multus-away": Cause("multus-daemon", "Multus does not run on the node", "ContainerCreating"),
    "multus-conf": Cause(
        "multus-conf", "the container runtime of the node does not call Multus", "runs without the interface"
    ),
    "link-down": Cause("interface", "an interface of the pod has no link", "runs, without traffic"),
    "gateway-down": Cause("gateway-arp", "the gateway of a network does not answer", "runs, without traffic"),
    "mtu": Cause(
        "MTU_GT_MASTER",
        "the MTU does not fit the NIC or the path",
        "ContainerCreating; or runs, and large packets are lost",
    ),
    "no-device": Cause("SRIOV_RESOURCE_UNKNOWN", "no device is left for a network", "Pending"),
    "interface-missing": Cause("network-status", "the pod lacks an interface", "runs without the interface"),
    "unknown": Cause("", "a failure that is not in the table", "ContainerCreating"),
}
"""Name of a cause → what it is."""


class Text(NamedTuple):
    """A text and its cause. Its groups name what it is about: `plugin`, `network`, `nic`, `namespace`, `resource`."""

    cause: str
    pattern: re.Pattern[str]
    source: str


def _text(cause: str, pattern: str, source: str) -> Text:
    return Text(cause, re.compile(pattern, re.IGNORECASE), source)


TEXTS = (
    _text("no-device", r"Insufficient (?P<resource>[a-z0-9.-]+/[\w.-]*\w)", "kubernetes pkg/scheduler noderesources/fit.go"),
    _text("no-device", r"Allocate failed due to .*?(?P<resource>[a-z0-9.-]+/[\w.-]*\w)", "kubernetes pkg/kubelet/cm/devicemanager/manager.go"),
    _text("no-device", r"VF pci addr is required|no device info for network", "sriov-cni pkg/config/config.go"),
    _text("network-missing", r"cannot find a network-attachment-definition \((?P<network>[^)]*)\) in namespace \((?P<namespace>[^)]*)\): .*not found", "multus-cni pkg/k8sclient/k8sclient.go"),
    _text("annotation-broken", r"parsePodNetworkAnnotation: (?P<why>.+)", "multus-cni pkg/k8sclient/k8sclient.go"),
    _text("json-broken", r"(?:error parsing configuration|failed to parse|failed to unmarshal|unmarshal).*?(?:invalid character|unexpected end of JSON input|cannot unmarshal)", "multus-cni pkg/types/conf.go; cni libcni/conf.go"),
    _text("multus-away", r"multus\.sock: connect: (?:no such file or directory|connection refused)|waiting for .*multus.*socket|failed to send CNI request", "multus-cni pkg/server/api/api.go"),
    _text("multus-away", r"failed to find plugin \"(?:multus|multus-shim)\" in path", "cni pkg/invoke/find.go"),
    _text("multus-away", r"cni plugin not initialized|cni config uninitialized|no networks found in /etc/cni/net\.d", "go-cni cni.go; cri-o ocicni"),
    _text("plugin-missing", r"failed to find plugin \"(?P<plugin>[^\"]+)\" in path", "cni pkg/invoke/find.go"),
    _text("plugin-architecture", r"exec /?\S*?(?P<plugin>[\w.-]+): exec format error", "Go syscall ENOEXEC, through cni pkg/invoke/raw_exec.go"),
    _text("plugin-not-executable", r"exec /?\S*?(?P<plugin>[\w.-]+): permission denied", "Go syscall EACCES, through cni pkg/invoke/raw_exec.go"),
    _text("ipam-daemon-away", r"error dialing DHCP daemon", "plugins plugins/ipam/dhcp/main.go"),
    _text("addresses-exhausted", r"no IP addresses available in range set: (?P<range>\S+)", "plugins plugins/ipam/host-local/backend/allocator/allocator.go"),
    _text("addresses-exhausted", r"Could not allocate IP in range", "whereabouts pkg/allocate/allocate.go"),
    _text("mtu", r"invalid MTU (?P<mtu>-?\d+), must be \[\d+, master MTU\((?P<most>\d+)\)\]", "plugins plugins/main/macvlan/macvlan.go"),
    _text("mtu", r"failed to (?:set|create).*?: (?:numerical result out of range|invalid argument)", "Linux net/core/dev.c dev_validate_mtu"),
    _text("master-missing", r"failed to lookup (?:master|parent)?(?: interface)? ?\"?(?P<nic>[\w.:-]+)?\"?: Link not found|Link not found|no such (?:network )?interface|failed to find host device", "plugins plugins/main/macvlan/macvlan.go, host-device"),
)  # fmt: skip
"""Most specific first."""


class Said(NamedTuple):
    """A text with its cause. `about`: what its groups name."""

    cause: str
    text: str
    about: dict[str, str]


_SHIM = re.compile(r"\[[^\]/\s]+/[^\]/\s]+/[^\]:\s]*:(?P<configuration>[^\]]+)\]: error adding container to network")
"""Multus names the pod and the configuration that failed (pkg/multus/multus.go)."""


def classified(text: str) -> Said:
    """Return the cause of a text; "unknown" for one that is not in the table."""
    about = _named(_SHIM.search(text))
    for one in TEXTS:
        if found := one.pattern.search(text):
            return Said(one.cause, text, about | _named(found))
    return Said("unknown", text, about)


def _named(found: "re.Match[str] | None") -> dict[str, str]:
    return {key: value for key, value in found.groupdict().items() if value} if found else {}
