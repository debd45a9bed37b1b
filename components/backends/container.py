"""The backend `container`: podman system containers on the machine that runs Pulumi."""

import json
import subprocess
from collections.abc import Iterable

import pulumi
from pulumi_command import local

from multus_site.model.machines import Limits
from multus_site.model.nodes import ContainerNodes
from multus_site.render.script import script

from ..node_backend import Asked, Machine


class Containers:
    """Each node is a privileged container with systemd."""

    def __init__(self, nodes: ContainerNodes) -> None:
        self._container = nodes.container

    def machine(self, asked: Asked, opts: pulumi.ResourceOptions) -> Machine:
        """The container, by multus_site/scripts/container.sh: `create` creates it, `update` starts it and sets its limits."""
        made, address = self._container, asked.host.address
        attach = [
            f"{network}:{f'ip={address},' if interface == made.interface else ''}interface_name={interface}"
            for interface, network in sorted(made.networks.items())
        ]
        home = "/root" if asked.user == "root" else f"/home/{asked.user}"
        keys = (asked.host_key, asked.host_key_public, asked.authorized_key, asked.started)
        stdin = pulumi.Output.all(*keys).apply(
            lambda args: script(
                "container",
                {
                    "NAME": f"{asked.site}-{asked.node}",
                    "SITE": asked.site,
                    "NODE": asked.node,
                    "IMAGE": made.image,
                    "ATTACH": " ".join(attach),
                    "MANAGEMENT": made.networks[made.interface],
                    "HOST_KEY": args[0],
                    "HOST_KEY_PUBLIC": args[1],
                    "AUTHORIZED_KEY": args[2],
                    "USER_HOME": home,
                    "STARTED": args[3],
                },
            )
        )
        container = local.Command(
            f"{asked.name}-machine",
            create="timeout -k 10 300 sh -s make",
            update="timeout -k 10 300 sh -s change",
            delete="timeout -k 10 300 sh -s remove",
            stdin=stdin,
            # Not in the script, so that a preview shows them. A different image or NIC needs a new machine.
            environment=_environment(made.limits(asked.node)),
            triggers=[made.image, address, *attach],
            logging=local.Logging.NONE,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(provider=asked.provider, delete_before_replace=True, hide_diffs=["stdin"]),
            ),
        )
        return Machine(container, container.id)


def _environment(limits: Limits) -> dict[str, str] | None:
    """The limits as multus_site/scripts/container.sh reads them; None without limits."""
    cpus = {} if limits.cpus is None else {"LIMIT_CPUS": f"{limits.cpus:g}"}
    memory = {} if limits.memory is None else {"LIMIT_MEMORY_MIB": str(limits.memory)}
    return {**cpus, **memory} or None


def stopped(site: str, nodes: Iterable[str]) -> set[str]:
    """The nodes whose container on this machine is stopped; empty if podman does not answer."""
    names = {f"{site}-{node}": node for node in nodes}
    try:
        done = subprocess.run(
            ["podman", "ps", "--all", "--format", "json"],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=30,
        )
        found = json.loads(done.stdout or "[]") or []
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return set()
    return {names[c["Names"][0]] for c in found if c["State"] != "running" and c["Names"][0] in names}
