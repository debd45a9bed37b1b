"""The DHCP daemon of the CNI plugins, which requests leases and renews them, as a dictionary."""

from typing import Any

from multus_site.render.daemon import daemon_set, folder, mount

NAME = "cni-dhcp"
LEFT = {"PROCESS": "dhcp", "LEFT": "/run/cni/dhcp.sock"}
"""What it leaves on a node when it stops: the variables of multus_site/scripts/daemon-files.sh."""

_RUN = """\
rm -f /host/run/cni/dhcp.sock
exec /opt/cni/bin/dhcp daemon -hostprefix /host
"""


def daemon(image: str, plugins: str) -> dict[str, Any]:
    """The daemon on every node. It runs the node's dhcp plugin; `image` only needs a shell.

    `plugins` is the release of the plugins; a change restarts the daemon. -hostprefix applies to all its paths, the socket
    included. It enters pods' network namespaces, which are in /run/netns of the node.
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
