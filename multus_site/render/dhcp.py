"""The DHCP daemon of the CNI plugins, as a dictionary: it asks for leases and renews them, which a plugin that ends cannot."""

from typing import Any

from multus_site.render.daemon import daemon_set, folder, mount

NAME = "cni-dhcp"
LEFT = {"PROCESS": "dhcp", "LEFT": "/run/cni/dhcp.sock"}
"""What its end leaves on a node: the variables of multus_site/scripts/daemon-files.sh."""

_RUN = """\
rm -f /host/run/cni/dhcp.sock
exec /opt/cni/bin/dhcp daemon -hostprefix /host
"""


def daemon(image: str, plugins: str) -> dict[str, Any]:
    """The daemon on every node, from the node's own plugin binary; `plugins` is their release, a change of which restarts it.

    `image` brings a shell only. The prefix goes before every path of the daemon, its socket too. It enters pods' network namespaces, which the node keeps in /run/netns.
    """
    container = {
        "name": NAME,
        "image": image,
        "command": ["sh", "-c", _RUN],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {"privileged": True},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "readinessProbe": {"exec": {"command": ["test", "-S", "/host/run/cni/dhcp.sock"]}, "periodSeconds": 2},
        "volumeMounts": [
            mount("cnibin", "/opt/cni/bin"),
            mount("run-cni", "/host/run/cni"),
            mount("netns", "/host/run/netns", "HostToContainer"),
            mount("netns", "/host/var/run/netns", "HostToContainer"),
        ],
    }
    volumes = [folder("cnibin", "/opt/cni/bin"), folder("run-cni", "/run/cni"), folder("netns", "/run/netns")]
    return daemon_set(NAME, [container], volumes, "default", annotations={"multus-site/cni-plugins": plugins})
