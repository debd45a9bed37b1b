"""Kubespray's inventory and variables of a site.

Groups and host variables are those of Kubespray's docs/ansible/inventory.md: kube_control_plane, etcd, kube_node; ip, access_ip, etcd_member_name.
The order of hosts is the file's. The runner keeps the order of a cluster that exists (kubespray.plan.in_order), since the first are special.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from multus_site.model.nodes import Host
from multus_site.model.racks import Level
from multus_site.model.site import Site

_LEVELS: tuple[Level, ...] = ("rack", "row", "zone")

GROUPS = {"kube_control_plane": "control-plane", "etcd": "etcd", "kube_node": "worker"}
"""Kubespray's group → our role."""


def host_variables(site: Site, name: str, host: Host) -> dict[str, Any]:
    """Variables of one host: how it is reached and what it is called, secrets and paths of this machine aside."""
    found: dict[str, Any] = {
        "ansible_host": host.address,
        "ansible_port": site.nodes.ssh.port,
        "ansible_user": site.nodes.ssh.user,
        # With several NICs, Kubespray would take the one with the default route.
        "ip": host.address,
        "access_ip": host.address,
    }
    if "etcd" in host.roles:
        # By name, not by position: a member keeps its name when others come and go.
        found["etcd_member_name"] = f"etcd-{name}"
    # Nodes have them from the moment they join; components.topology keeps them true from then on.
    if labels := site.labels_of(name):
        found["node_labels"] = labels
    if taint := site.taint_of(name):
        found["node_taints"] = [str(taint)]
    return found


def variables(site: Site, given: dict[str, Any]) -> dict[str, Any]:
    """Variables of the whole cluster: what we rely on, then what is given, which wins.

    `given` is the catalogue's variables with the site's own on top.
    """
    relied_on: dict[str, Any] = {
        "ansible_become": True,
        # Kubespray's default for both is the same cluster.local at every site.
        "cluster_name": site.name,
        "dns_domain": "cluster.local",
        # /opt/cni/bin belongs to this user; a root container without CAP_DAC_OVERRIDE could not write there if it were kube.
        "kube_owner": "root",
        # Ours is a resource of its own: the thick one, of a version that we pin.
        "kube_network_plugin_multus": False,
        # We read it from the node, as a secret.
        "kubeconfig_localhost": False,
        # Each pod's own time to end. Kubespray's 300 s for every pod holds up a removal by 5 minutes for one that ignores SIGTERM.
        "drain_grace_period": -1,
    }
    if given.get("kube_network_plugin", "calico") == "calico":
        # With several NICs, the one that holds the address by which Kubernetes knows the node (Calico: IP autodetection methods).
        relied_on["calico_ip_auto_method"] = "kubernetes-internal-ip"
    if site.kubespray.api_server is not None:
        # Addresses of the control plane nodes are in the certificate anyway (roles/kubernetes/control-plane: apiserver_sans).
        named = given.get("supplementary_addresses_in_ssl_keys", [])
        given = {**given, "supplementary_addresses_in_ssl_keys": [*named, site.kubespray.api_server]}
    return {**relied_on, **given}


def groups(site: Site) -> dict[str, list[str]]:
    """Kubespray's group → its hosts, in the order of the file."""
    return {group: site.with_role(role) for group, role in GROUPS.items()}


def own_groups(site: Site) -> dict[str, list[str]]:
    """Groups of the site's own → their hosts: rack_r1, row_a, zone_east, and group_compute for what hosts call `compute`.

    The word before keeps them apart from Kubespray's and from each other; a '-' is none of a group's letters.
    """
    found: dict[str, list[str]] = {}
    for name, host in site.nodes.hosts.items():
        levels = {level: site.domain_of(name, level) for level in _LEVELS}
        called = [f"{level}_{where}" for level, where in levels.items() if where]
        for group in (*called, *(f"group_{group}" for group in host.groups)):
            found.setdefault(group.replace("-", "_"), []).append(name)
    return dict(sorted(found.items()))


def inventory(
    hosts: dict[str, dict[str, Any]],
    groups: Mapping[str, Sequence[str]],
    variables: dict[str, Any],
    own: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """The whole inventory in Ansible's YAML form, as plain data. The order of `groups` counts: Kubespray's first nodes are special.

    `own`: groups of the site's own; of their hosts those that are in `hosts`.
    """
    there = {group: [name for name in names if name in hosts] for group, names in (own or {}).items()}
    groups = {**groups, **{group: names for group, names in there.items() if names}}
    return {
        "all": {
            "hosts": hosts,
            "vars": variables,
            "children": {group: {"hosts": {name: {} for name in names}} for group, names in groups.items()},
        }
    }
