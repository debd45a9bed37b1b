"""NodeVM: a host that answers SSH with its pinned host key and has the NICs that the site names."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from multus_site.cni.uplinks import is_name
from multus_site.model.nodes import Nodes

from .node_backend import Asked, Backend
from .outputs import NodeFacts
from .ssh import Ssh, json_output


@dataclass(frozen=True)
class NodeVMArgs:
    """One host of a site."""

    site: str
    node: str
    nodes: Nodes
    maker: Backend | None
    """None for an existing host."""
    ssh: Ssh
    uplinks: list[str]
    """NICs to set up."""
    packages: str
    """APT's package source; empty: the host's own."""
    drift: pulumi.Input[str]
    """A change prepares the host again."""
    looked: pulumi.Input[str]
    """How often preflight prepared the host; see Before."""
    started: pulumi.Input[str]
    """A change starts the machine."""
    commands: pulumi.ProviderResource
    """For backends that run commands."""
    after: Sequence[pulumi.Resource] = ()
    """Created and changed before this machine."""
    access: pulumi.Resource | None = None
    """The login to existing hosts."""


class NodeVM(pulumi.ComponentResource):
    """One node of a site.

    After `up` the host answers SSH as root or with sudo, shows its pinned host key, and its existing `uplinks` are up; Preflight decides whether
    it can become a node. Destroy removes a machine that `up` created, and leaves an existing host as it is, except that with `packages` APT keeps asking
    only that source. A change of `drift` or `looked` sets up the NICs again, with the original MTU on a machine that `up` created.
    """

    machine: pulumi.Resource | None
    """None for an existing host."""
    made_as: pulumi.Input[str]
    """Changes when the machine is recreated; empty for an existing host."""
    facts: pulumi.Output[NodeFacts]
    identity: pulumi.Output[str]
    """The machine-id."""

    def __init__(self, name: str, args: NodeVMArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        host = args.nodes.hosts[args.node]
        shown = {
            "backend": args.nodes.backend,
            "address": host.address,
            "roles": list(host.roles),
            "uplinks": args.uplinks,
        }
        if made_of := args.nodes.made_of(args.node):
            # A preview does not show a command's standard input; this it shows.
            shown["machine"] = made_of
        super().__init__("multus-site:index:NodeVM", name, shown, opts)
        self.machine, self.made_as = None, ""
        again: list[pulumi.Input[str]] = []
        if args.maker is not None:
            private, public = args.ssh.made_host_key(args.node)
            asked = Asked(
                name,
                args.site,
                args.node,
                host,
                args.ssh.user,
                args.ssh.authorized_key,
                private,
                public,
                args.started,
                args.commands,
            )
            made = args.maker.machine(asked, pulumi.ResourceOptions(parent=self, depends_on=list(args.after)))
            self.machine, self.made_as = made.resource, made.identity
            again = [made.identity, *([made.changed] if made.changed is not None else [])]
        found_by = [nic for nic in args.uplinks if not is_name(nic)]
        self.proof = args.ssh.command(
            f"{name}-facts",
            args.node,
            "prepare",
            {
                "UPLINKS": " ".join(filter(is_name, args.uplinks)),
                # Absent if every NIC has a name: then the command stays as 0.2.0 recorded it, and does not run again.
                **({"FOUND_BY": "\n".join(found_by)} if found_by else {}),
                "PACKAGES": args.packages,
                "MADE": "yes" if self.machine else "",
                "LOOKED": args.looked,
            },
            again_when=[*again, args.drift],
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[first for first in (self.machine, args.access) if first]
            ),
        )
        self.facts = json_output(self.proof)
        self.identity = self.facts.apply(lambda facts: facts["machineId"])
        self.register_outputs({"facts": self.facts, "machine": self.made_as})
