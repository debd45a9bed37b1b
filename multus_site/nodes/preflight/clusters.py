"""Checks that a host is free: no other cluster, no leftovers of one, no programs on Kubernetes' ports."""

from collections.abc import Sequence
from typing import Any

from multus_site.cni.lost_addresses import why_addresses_are_lost
from multus_site.nodes.preflight.finding import Node, Problem, Problems, each

CNI = "/etc/cni/net.d/"


def own_authorities(site: str, facts: Sequence[dict[str, Any]], adopted: str = "") -> set[str]:
    """sha256 of the certificate authorities of the site's cluster: beside its record (multus_site/kubespray/record.py), and the one it takes over.

    A cluster with the record of another site is not taken over: both would change it.
    """
    clusters = [host["cluster"] for host in facts]
    claimed = {cluster["ca"] for cluster in clusters if cluster["site"] not in {"", site}}
    recorded = {cluster["ca"] for cluster in clusters if cluster["site"] == site}
    return (recorded | {adopted} - claimed) - {""}


@each("OTHER_CLUSTER", "error", "The host is a node of another cluster")
def other(node: Node) -> Problems:
    """It has a kubelet's credentials, and they are not of this site's cluster. Kubespray would overwrite both.

    Fix: Drain and delete the node in that cluster, and run `kubeadm reset`; or use another host; or take the cluster over (docs/adopt.md).
    """
    cluster = node.facts["cluster"]
    if node.ours or not cluster["kubelet"]:
        return
    owner = f"site {cluster['site']}" if cluster["site"] else cluster["server"] or "unknown API server"
    yield Problem(
        node.name,
        f"/etc/kubernetes/kubelet.conf belongs to another cluster: {owner}",
        "remove the host from that cluster (kubectl drain, kubectl delete node, then kubeadm reset or Kubespray's remove-node.yml), or use another host"
        + (
            f"; to take over a cluster that Kubespray made: kubespray.adopted.ca: {cluster['ca']}"
            if cluster["ca"] and not cluster["site"]
            else ""
        ),
    )


@each("CLUSTER_LEFTOVERS", "error", "Another cluster left files behind")
def leftovers(node: Node) -> Problems:
    """An old etcd member or static pods start with the new cluster and keep it from coming up.

    Fix: `kubeadm reset --force`, or the uninstaller of the other cluster.
    """
    left = [path for path in node.facts["cluster"]["left"] if not path.startswith(CNI)]
    if left and not node.ours and not node.facts["cluster"]["kubelet"]:
        yield Problem(
            node.name,
            f"an earlier cluster left {', '.join(left)}",
            "if you need none of it, run kubeadm reset --force (k3s-uninstall.sh, rke2-uninstall.sh, snap remove microk8s), or remove the files with rm -rf",
        )


@each("CNI_LEFTOVERS", "warning", "Network configurations of another program")
def configurations(node: Node) -> Problems:
    """The kubelet gives every pod the network whose file name sorts first, and Multus delegates to it. podman's 87-podman is not reported: it sorts after the cluster's own.

    Fix: Remove the file, unless it is intended.
    """
    left = [path for path in node.facts["cluster"]["left"] if path.startswith(CNI) and "podman" not in path]
    if left and not node.ours and not node.facts["cluster"]["kubelet"]:
        yield Problem(
            node.name,
            f"another program left {', '.join(left)}, which may become the network of every pod",
            f"rm {' '.join(left)}, unless it is intended",
        )


@each("HOST_MULTUS_LOSES_ADDRESSES", "warning", "A Multus on the host loses addresses")
def multus(node: Node) -> Problems:
    """Each pod that is deleted keeps its address of the cluster's own network reserved, until no pod starts any more. The site's own Multus is arranged so that it does not.

    Fix: Another release, or clusterNetwork as the network's name with confDir; the addresses that it lost: `multus-site leaks SITE --free`.
    """
    seen = node.facts["multus"]
    why = "" if node.ours else why_addresses_are_lost(seen["conf"], seen["version"], seen["network"])
    if seen["conf"] and why:
        yield Problem(
            node.name,
            why,
            "remove that Multus before the site brings its own, or give it clusterNetwork as a name with confDir, and each list its cniVersion",
        )


@each("PORT_TAKEN", "error", "A program listens on a port of Kubernetes")
def ports(node: Node) -> Problems:
    """The component of Kubernetes cannot start. Not checked on nodes of a cluster: the cluster itself uses the ports.

    Fix: Stop the program, or move it to another port.
    """
    if node.ours or node.facts["cluster"]["kubelet"]:
        return
    for port, holder in node.facts["ports"].items():
        component = node.requirements.ports.get(port)
        if component:
            yield Problem(
                node.name,
                f"port {port} is in use{f' by {holder}' if holder else ''}; {component} needs it",
                f"stop the program that ss -ltnp 'sport = :{port}' shows",
            )
