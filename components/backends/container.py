"""The backend `container`: system containers, made by podman on the machine where Pulumi runs."""

import pulumi
from pulumi_command import local

from components.backends.protocol import Asked, Machine
from model.nodes import ContainerNodes
from render.script import script


class Containers:
    """Each node is a privileged container with systemd."""

    def __init__(self, nodes: ContainerNodes) -> None:
        self._container = nodes.container

    def machine(self, asked: Asked, opts: pulumi.ResourceOptions) -> Machine:
        """The container, by node/container.sh."""
        made, address = self._container, asked.host.address
        attach = [
            f"{network}:{f'ip={address},' if interface == made.interface else ''}interface_name={interface}"
            for interface, network in sorted(made.networks.items())
        ]
        home = "/root" if asked.user == "root" else f"/home/{asked.user}"
        stdin = pulumi.Output.all(asked.host_key, asked.host_key_public, asked.authorized_key).apply(
            lambda args: script(
                "container",
                {
                    "NAME": f"{asked.site}-{asked.node}",
                    "NODE": asked.node,
                    "IMAGE": made.image,
                    "ATTACH": " ".join(attach),
                    "MANAGEMENT": made.networks[made.interface],
                    "HOST_KEY": args[0],
                    "HOST_KEY_PUBLIC": args[1],
                    "AUTHORIZED_KEY": args[2],
                    "USER_HOME": home,
                },
            )
        )
        container = local.Command(
            f"{asked.name}-machine",
            create="timeout -k 10 300 sh -s apply",
            delete="timeout -k 10 300 sh -s remove",
            stdin=stdin,
            # A container has no settings that can change while it lives: another image or NIC is another machine.
            triggers=[made.image, address, *attach],
            logging=local.Logging.NONE,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(provider=asked.provider, delete_before_replace=True, hide_diffs=["stdin"]),
            ),
        )
        return Machine(container, container.stdout)
