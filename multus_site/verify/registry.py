"""The registry of verification checks. docs/verification.md and docs/messages.md are generated from it."""

from typing import NamedTuple


class Verification(NamedTuple):
    """One kind of check: what it is about, and when it passes."""

    subject: str
    passes_if: str


VERIFICATIONS = {
    "attachment": Verification("network", "the NetworkAttachmentDefinition matches what the site renders"),
    "look-inside": Verification(
        "node, pod",
        "it can be checked: the node's kubelet answers the API server, and the node has python3 and iproute2",
    ),
    "multus-daemon": Verification("node", "its Multus daemon runs and is ready"),
    "multus-conf": Verification(
        "node", "`00-multus.conf` exists, is the first file in `/etc/cni/net.d`, and calls the shim"
    ),
    "pod-deletion": Verification(
        "node",
        "Multus deletes pods from the cluster's own network with the whole configuration of that network, so that their addresses are free again",
    ),
    "left-behind": Verification(
        "node",
        "each address of host-local, cache of Multus and libcni, and network namespace that is older than five minutes belongs to a sandbox of the container runtime",
    ),
    "whereabouts": Verification("network", "each allocation of whereabouts belongs to a pod"),
    "plugin-binary": Verification(
        "node",
        "each plugin that networks or the cluster's own network call exists, belongs to root, can be executed and answers; one that `up` installed has its sha256",
    ),
    "uplink": Verification(
        "node",
        "each NIC that networks use exists, is up, has a carrier, and an MTU no smaller than when the site was applied and than the networks need",
    ),
    "replicas": Verification("workload", "as many pods run as the site asks for"),
    "network-status": Verification("interface", "Multus' annotation names this network on this interface"),
    "interface": Verification(
        "interface", "it exists, is up, and has a carrier; a tap has a carrier only while a program holds it open"
    ),
    "link": Verification(
        "interface", "its link has the type that its plugin creates, in the network's mode, on the network's NIC"
    ),
    "mtu": Verification("interface", "it has the MTU of the network, if the network sets one"),
    "vlan": Verification(
        "interface",
        "the VLAN id is the segment's, where it is visible: on the interface, or on its NIC if that is a VLAN interface",
    ),
    "address": Verification("interface", "it has exactly one address from each range, with the subnet's prefix length"),
    "gateway-arp": Verification("interface", "exactly one MAC answers for the gateway"),
    "gateway-ping": Verification("interface", "the gateway answers from this interface"),
    "pod-to-pod": Verification("interface", "a pod on each other node (three at most) answers on this network"),
    "path-mtu": Verification(
        "interface",
        "a packet of the interface's MTU returns with the don't-fragment bit set; above 1500 bytes: jumbo frames",
    ),
    "unique-address": Verification(
        "interface",
        "no other pod of the site and no other host holds the address: a probe as in RFC 5227 gets no answer",
    ),
    "unique-mac": Verification(
        "interface",
        "no other pod of the site and no other host on the segment has its MAC address: hosts that hold its address or answer IPv6 would be heard",
    ),
    "isolation": Verification(
        "interface",
        "no host of another segment answers on this one; skipped if nodes name the NIC differently and the network names no segment",
    ),
    "default-route": Verification(
        "pod",
        "packets leave through eth0, or through the network that asks for the default route: the lowest metric of each address family",
    ),
    "cluster-dns": Verification("pod", "the API server's service name resolves with the pod's own name server"),
}
"""Every kind of check by its name, in the order of the documentation."""
