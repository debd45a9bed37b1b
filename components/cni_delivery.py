"""CniDelivery: the plugin binaries that the machine where Pulumi runs has, in the store of every node."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import pulumi
from pulumi_command import local

from components.kubespray_cluster import PYTHON
from components.ssh import Ssh
from delivery.binaries import mistakes
from model.nodes import Architecture
from model.site import Site
from render import inventory
from render.cni_plugins import Origin


class CniDelivery(pulumi.ComponentResource):
    """Files and Go builds of this machine, sent to the nodes by SSH: one resource a site, so that a node has no more than its three.

    After `up` each node's store holds the binaries of its architecture. Only what a node lacks is sent; files that are kept there for
    a way back are not sent again. Destroy does nothing: CniPlugins takes the store away.
    """

    def __init__(
        self,
        name: str,
        site: Site,
        origins: Mapping[Architecture, Sequence[Origin]],
        ssh: Ssh,
        again_when: Sequence[pulumi.Input[str]],
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`origins`: architecture → plugins that this machine sends. Raises RunError, at preview too, where their files are not as pinned."""
        super().__init__("multus-site:index:CniDelivery", name, {}, opts)
        if found := mistakes(one for many in origins.values() for one in many):
            raise pulumi.RunError("\n".join(found))
        hosts = site.nodes.hosts
        bastion = site.nodes.ssh.bastion
        plain = {
            "hosts": {node: inventory.host_variables(site, node, host) for node, host in hosts.items()},
            "architectures": {node: host.architecture for node, host in hosts.items()},
            "origins": {architecture: [asdict(one) for one in many] for architecture, many in origins.items()},
            "bastion": {"host": bastion.host, "port": bastion.port, "user": bastion.user} if bastion else None,
        }
        document: pulumi.Output[str] = pulumi.Output.secret(
            pulumi.Output.all(private_key=ssh.private_key, known_hosts=ssh.known_hosts, again=list(again_when)).apply(
                lambda known: json.dumps({**plain, **known}, sort_keys=True)
            )
        )
        sent = local.Command(
            f"{name}-files",
            create=f"{PYTHON} -m delivery",
            stdin=document,
            logging=local.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                hide_diffs=["stdin"],
                custom_timeouts=pulumi.CustomTimeouts(create="2h", update="2h"),
            ),
        )
        # A secret went in, so the provider calls all that comes out secret. It is names and sums.
        self._sums: pulumi.Output[dict[str, dict[str, str]]] = pulumi.Output.unsecret(sent.stdout).apply(_sums)
        self.register_outputs({"binaries": self._sums})

    def of(self, architecture: Architecture) -> pulumi.Output[dict[str, str]]:
        """Plugin → sha256 of its binary, for nodes of an architecture."""
        return self._sums.apply(lambda sums: sums[architecture])


def _sums(stdout: str) -> dict[str, dict[str, str]]:
    """Architecture → plugin → sha256: the last line of what the delivery says."""
    return dict(json.loads(stdout.strip().splitlines()[-1]))
