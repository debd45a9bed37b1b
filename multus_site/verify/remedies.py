"""What to do about each cause, with the names that are known."""

from collections.abc import Mapping

from multus_site.cni.catalogue import binary_of


def remedy(cause: str, about: Mapping[str, str]) -> str:
    """Return the remedy of a cause. `about`: names; "node" is always there."""
    node, plugin = about["node"], about.get("plugin", "the plugin")
    file = f"/opt/cni/bin/{about['plugin']}" if "plugin" in about else "its file in /opt/cni/bin"
    seen = f" There, {file}: {fault}." if (fault := about.get("fault")) else ""
    gateway, nic = about.get("gateway", "the gateway"), about.get("nic", "")
    resource = about.get("resource", "the resource")
    return {
        "plugin-missing": f"Install {plugin} in /opt/cni/bin of {node}{_source(plugin)}; the kubelet tries again by itself.{seen}",
        "plugin-architecture": f"Replace {file} on {node} with the build for the architecture of that node (uname -m).{seen}",
        "plugin-not-executable": f"On {node}: chown root:root {file} && chmod 0755 {file}.{seen}",
        "master-missing": f"Name a NIC that {node} has{_listed(about.get('nics', ''))}, or create {nic or 'the NIC'} there.",
        "network-missing": f"Create NetworkAttachmentDefinition {about.get('namespace', '?')}/{about.get('network', '?')}, or correct the name in the annotation of the pod or of its workload.",
        "json-broken": f"{about.get('hint') or 'Correct the text in spec.config.'} Check it with: multus-site lint FILE",
        "annotation-broken": "Correct the annotation in the pod's template. Check it with: multus-site lint FILE",
        "addresses-exhausted": "Enlarge the range, delete pods that no longer need their addresses, or free those that nobody holds: multus-site leaks SITE --free",
        "ipam-daemon-away": f"Start the DHCP daemon of the CNI plugins on {node} (/opt/cni/bin/dhcp daemon), or use another ipam type.",
        "multus-away": f"Find out why no Multus daemon runs on {node}: kubectl -n kube-system get pods -o wide -l app=multus; then check taints and nodeSelector of its DaemonSet.",
        "multus-conf": f"Restore the Multus configuration as the first file in /etc/cni/net.d of {node} by restarting its Multus daemon; then recreate the pod.",
        "link-down": f"Check {nic or 'the NIC of the network'} on {node} and its switch port: ip link.",
        "gateway-down": f"Check that {gateway} is up and in the VLAN of {nic or 'the NIC'} on {node}; otherwise correct the gateway of the network.",
        "mtu": f"Use an MTU of at most {about.get('most') or 'that of the NIC and the path'}, or raise it on the NIC of {node} and on its switch ports.",
        "no-device": _device(resource, about.get("offered", "")),
        "interface-missing": "Recreate the pod: it started while Multus was not called, or its annotation was added later. Annotations of running pods have no effect.",
        "unknown": "The text is shown whole; its last part names what failed. Please report it, so that it gets a cause of its own.",
    }[cause]


def _source(plugin: str) -> str:
    return " (the release of containernetworking/plugins has it)" if binary_of(plugin) == "release" else ""


def _listed(names: str) -> str:
    return f" ({names})" if names else ""


def _device(resource: str, offered: str) -> str:
    if offered:
        return f"Every {resource} is taken (offered: {offered}). Delete a pod that holds one, or offer more devices."
    return f"No node offers {resource}. Check the device plugin and its configuration on the nodes, or correct the name of the resource."
