"""NodeVM: a host that answers SSH with its pinned host key and has the NICs that the site names."""

import pulumi
from pulumi_command import local

from components.ssh import Ssh, json_output
from model.nodes import ContainerNodes, Nodes
from render.script import script


class NodeVM(pulumi.ComponentResource):
    """One node.

    After `up` the host answers SSH as root or by sudo, shows its pinned host key, carries its name, has a machine-id and
    Python, and every NIC of `uplinks` is there and has a carrier. Destroy removes what was made; an existing host is left
    as it is, save that with `packages` APT asks that source alone. Its NICs are set up again when `drift` changes; those of a machine that was made here
    have the MTU again that they were made with.
    `machine` is what makes the machine (None for a host that exists), `facts` what was found on it.
    """

    def __init__(
        self,
        name: str,
        site: str,
        node: str,
        nodes: Nodes,
        ssh: Ssh,
        uplinks: list[str],
        packages: str,
        drift: pulumi.Input[str],
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        host = nodes.hosts[node]
        shown = {"backend": nodes.backend, "address": host.address, "roles": list(host.roles), "uplinks": uplinks}
        super().__init__("multus-site:index:NodeVM", name, shown, opts)
        self.machine: local.Command | None = None
        if isinstance(nodes, ContainerNodes):
            self.machine = self._container(name, site, node, nodes, ssh, provider)
        self.proof = ssh.command(
            f"{name}-facts",
            node,
            "facts",
            {
                "NODE": node,
                "UPLINKS": " ".join(uplinks),
                "PACKAGES": packages,
                "MADE": "yes" if self.machine else "",
            },
            again_when=[*([self.machine.stdout] if self.machine else []), drift],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.machine] if self.machine else []),
        )
        self.facts = json_output(self.proof)
        self.identity: pulumi.Output[str] = self.facts.apply(lambda facts: str(facts["machineId"]))
        self.register_outputs({"facts": self.facts})

    def _container(
        self, name: str, site: str, node: str, nodes: ContainerNodes, ssh: Ssh, provider: pulumi.ProviderResource
    ) -> local.Command:
        """The system container, made by podman on the machine where Pulumi runs."""
        address = nodes.hosts[node].address
        attach = [
            f"{network}:{f'ip={address},' if interface == nodes.container.interface else ''}interface_name={interface}"
            for interface, network in sorted(nodes.container.networks.items())
        ]
        home = "/root" if ssh.user == "root" else f"/home/{ssh.user}"
        stdin = pulumi.Output.all(*ssh.made_host_key(node), ssh.authorized_key).apply(
            lambda args: script(
                "container",
                {
                    "NAME": f"{site}-{node}",
                    "NODE": node,
                    "IMAGE": nodes.container.image,
                    "ATTACH": " ".join(attach),
                    "MANAGEMENT": nodes.container.networks[nodes.container.interface],
                    "HOST_KEY": args[0],
                    "HOST_KEY_PUBLIC": args[1],
                    "AUTHORIZED_KEY": args[2],
                    "USER_HOME": home,
                },
            )
        )
        return local.Command(
            f"{name}-machine",
            create="timeout -k 10 300 sh -s apply",
            delete="timeout -k 10 300 sh -s remove",
            stdin=stdin,
            # A container has no settings that can change while it lives: another image or NIC is another machine.
            triggers=[nodes.container.image, address, *attach],
            logging=local.Logging.NONE,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self, provider=provider, delete_before_replace=True, hide_diffs=["stdin"]
            ),
        )
