"""Kubespray's inventory and variables of a site.

Groups and host variables: Kubespray's docs/ansible/inventory.md. Hosts are in the order of the site file. The runner keeps
the order of an existing cluster (kubespray.plan.in_order), because Kubespray treats the first nodes specially.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from multus_site.model.nodes import Host
from multus_site.model.racks import Level
from multus_site.model.site import Site

_LEVELS: tuple[Level, ...] = ("rack", "row", "zone")

GROUPS = {"kube_control_plane": "control-plane", "etcd": "etcd", "kube_node": "worker"}
"""Kubespray's group → role in the site."""


def host_variables(site: Site, name: str, host: Host) -> dict[str, Any]:
    """Variables of one host, without secrets and paths of this machine."""
    found: dict[str, Any] = {
        "ansible_host": host.address,
        "ansible_port": site.nodes.ssh.port,
        "ansible_user": site.nodes.ssh.user,
        # Otherwise Kubespray uses the NIC with the default route.
        "ip": host.address,
        "access_ip": host.address,
    }
    if "etcd" in host.roles:
        # By name, not by position: a member keeps its name when others join or leave.
        found["etcd_member_name"] = f"etcd-{name}"
    # Nodes have them as soon as they join; components.topology maintains them.
    if labels := site.labels_of(name):
        found["node_labels"] = labels
    if taint := site.taint_of(name):
        found["node_taints"] = [str(taint)]
    return found


def variables(site: Site, given: dict[str, Any]) -> dict[str, Any]:
    """Variables of the cluster: those that multus-site needs, overridden by the given ones.

    `given`: the catalogue's variables, overridden by the site's.
    """
    relied_on: dict[str, Any] = {
        "ansible_become": True,
        # Kubespray's default for both is the same cluster.local at every site.
        "cluster_name": site.name,
        "dns_domain": "cluster.local",
        # Owner of /opt/cni/bin. If it were kube, a root container without CAP_DAC_OVERRIDE could not write there.
        "kube_owner": "root",
        # multus-site installs Multus: the thick plugin, in a pinned version.
        "kube_network_plugin_multus": False,
        # multus-site reads it from the node, as a secret.
        "kubeconfig_localhost": False,
        # Each pod's own grace period. Kubespray's 300 s delay a removal by 5 minutes if one pod ignores SIGTERM.
        "drain_grace_period": -1,
    }
    if given.get("kube_network_plugin", "calico") == "calico":
        # With several NICs, use the one with the node's Kubernetes address (Calico: IP autodetection methods).
        relied_on["calico_ip_auto_method"] = "kubernetes-internal-ip"
    if site.kubespray.api_server is not None:
        # The certificate already contains the control plane nodes' addresses (roles/kubernetes/control-plane: apiserver_sans).
        named = given.get("supplementary_addresses_in_ssl_keys", [])
        given = {**given, "supplementary_addresses_in_ssl_keys": [*named, site.kubespray.api_server]}
    return {**relied_on, **given}


def groups(site: Site) -> dict[str, list[str]]:
    """Kubespray's group → its hosts, in the order of the file."""
    return {group: site.with_role(role) for group, role in GROUPS.items()}


def own_groups(site: Site) -> dict[str, list[str]]:
    """The site's own groups → their hosts: rack_r1, row_a, zone_east, and group_compute for the group `compute` of hosts.

    The prefix keeps them apart from Kubespray's groups and from each other. Names of groups cannot contain '-'.
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
    """The inventory in Ansible's YAML form, as plain data. The order of `groups` matters to Kubespray.

    `own`: the site's own groups, reduced to the hosts in `hosts`.
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
