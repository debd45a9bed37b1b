"""What others may have put into a cluster, and what can't live beside what the site puts there."""

from typing import Any

from multus_site.kubespray.document import KubesprayError
from multus_site.ssh.openssh import Shell

MULTUS = "daemonset.apps/kube-multus-ds-"
"""How Kubespray calls its Multus: with the architecture behind (roles/network_plugin/multus). Ours is kube-multus-ds."""

LOOK = """\
export KUBECONFIG=/etc/kubernetes/admin.conf PATH="$PATH:/usr/local/bin:/opt/bin"
[ ! -e "$KUBECONFIG" ] || kubectl --request-timeout=15s get daemonsets -n kube-system -o name 2>/dev/null || true
"""


def refuse_other_multus(shell: Shell, control_plane: dict[str, Any]) -> None:
    """Raises KubesprayError where Kubespray's own Multus is in the cluster, by whomever. A cluster that does not answer has none to speak of."""
    names = [line for line in shell.run(control_plane, LOOK).stdout.split() if line.startswith(MULTUS)]
    if names:
        found = ", ".join(name.removeprefix("daemonset.apps/") for name in names)
        msg = (
            f"the cluster has Kubespray's own Multus (DaemonSet {found} in kube-system; kube_network_plugin_multus was on). It and the site's would "
            f"write the same 00-multus.conf. Turn it off where it was turned on, and take it away: "
            f"kubectl -n kube-system delete {' '.join(names)}; then pulumi up"
        )
        raise KubesprayError(msg)
