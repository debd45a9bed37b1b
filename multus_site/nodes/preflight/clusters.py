"""Checks that nothing else lives on a host: another cluster, its leftovers, programs on Kubernetes' ports."""

from collections.abc import Sequence
from typing import Any

from multus_site.nodes.preflight.finding import Node, Problem, Problems, each

CNI = "/etc/cni/net.d/"


def ours(site: str, facts: Sequence[dict[str, Any]]) -> set[str]:
    """sha256 of the authorities of the site's own cluster: those beside its record, which lies on a control plane node (multus_site/kubespray/record.py)."""
    return {found["cluster"]["ca"] for found in facts if found["cluster"]["site"] == site and found["cluster"]["ca"]}


@each("OTHER_CLUSTER", "error", "The host is a node of another cluster")
def other(node: Node) -> Problems:
    """It has a kubelet's credentials that are not of this site's cluster. Kubespray would write over both.

    Fix: Drain and delete the node there, `kubeadm reset`; or another host.
    """
    cluster = node.facts["cluster"]
    if node.ours or not cluster["kubelet"]:
        return
    whose = (
        f"the site {cluster['site']}'s" if cluster["site"] else f"the one at {cluster['server'] or 'an unknown place'}"
    )
    yield Problem(
        node.name,
        f"it is a node of another cluster, {whose} (/etc/kubernetes/kubelet.conf)",
        "Take it out there first (kubectl drain and delete node, then kubeadm reset or Kubespray's remove-node.yml), or name another host",
    )


@each("CLUSTER_LEFTOVERS", "error", "Another cluster has left something behind")
def leftovers(node: Node) -> Problems:
    """An old etcd member or static pods start with the new cluster, and it does not come up.

    Fix: `kubeadm reset --force` or the other installer's own way out.
    """
    left = [path for path in node.facts["cluster"]["left"] if not path.startswith(CNI)]
    if left and not node.ours and not node.facts["cluster"]["kubelet"]:
        yield Problem(
            node.name,
            f"a cluster has left {', '.join(left)}",
            "If nothing of it is needed: kubeadm reset --force (k3s-uninstall.sh, rke2-uninstall.sh, snap remove microk8s), or rm -rf these",
        )


@each("CNI_LEFTOVERS", "warning", "Network configurations of something else")
def configurations(node: Node) -> Problems:
    """The one whose name sorts first is every pod's network, and Multus hands pods on to it. Podman's (87-podman) sorts behind the cluster's own.

    Fix: Remove the file, unless it is meant.
    """
    left = [path for path in node.facts["cluster"]["left"] if path.startswith(CNI) and "podman" not in path]
    if left and not node.ours and not node.facts["cluster"]["kubelet"]:
        yield Problem(
            node.name, f"there is {', '.join(left)}", "Remove it, unless it is meant to be: rm " + " ".join(left)
        )


@each("PORT_TAKEN", "error", "A program on a port of Kubernetes")
def ports(node: Node) -> Problems:
    """What should listen there can't start. On nodes of the site's own cluster, and of another one, it is that cluster's.

    Fix: Stop the program, or move it.
    """
    if node.ours or node.facts["cluster"]["kubelet"]:
        return
    for port, holder in node.facts["ports"].items():
        what = node.asked.ports.get(port)
        if what:
            yield Problem(
                node.name,
                f"port {port} of {what} is taken{f' by {holder}' if holder else ''}",
                f"Stop what listens there: ss -ltnp 'sport = :{port}'",
            )
