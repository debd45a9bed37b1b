"""NodeVM: a host that answers SSH with its pinned host key and has the NICs that the site names."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from multus_site.cni.uplinks import is_name
from multus_site.model.nodes import Nodes

from .node_backend import Asked, Backend
from .ssh import Ssh, json_output


@dataclass(frozen=True)
class NodeVMArgs:
    """One host of a site."""

    site: str
    node: str
    nodes: Nodes
    maker: Backend | None
    """None for a host that exists."""
    ssh: Ssh
    uplinks: list[str]
    """NICs to set up."""
    packages: str
    """Where APT gets packages from; empty: from where the host says."""
    drift: pulumi.Input[str]
    """A change runs the preparation again."""
    looked: pulumi.Input[str]
    """How often preflight prepared the host; see Before."""
    started: pulumi.Input[str]
    """A change starts the machine."""
    commands: pulumi.ProviderResource
    """For backends that run commands."""
    after: Sequence[pulumi.Resource] = ()
    """Created and changed before this machine."""


class NodeVM(pulumi.ComponentResource):
    """One node.

    After `up` the host answers SSH as root or by sudo, shows its pinned host key, and the NICs of `uplinks` that are there are set up; whether it is
    fit to be a node is Preflight's to say. Destroy removes what was made; an existing host is left as it is, save that with `packages` APT asks that
    source alone. Its NICs are set up again when `drift` or `looked` changes; those of a machine that was made here have the MTU again that they
    were made with; with another `started` the machine is started. It is made and changed when `after` have been.
    `machine` is what makes the machine (None for a host that exists), `made_as` another value for each machine that was made, `facts` which machine
    it is.
    """

    def __init__(self, name: str, args: NodeVMArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        host = args.nodes.hosts[args.node]
        shown = {
            "backend": args.nodes.backend,
            "address": host.address,
            "roles": list(host.roles),
            "uplinks": args.uplinks,
        }
        if made_of := args.nodes.made_of(args.node):
            # What a command's standard input says is no diff for a person: here a preview shows it.
            shown["machine"] = made_of
        super().__init__("multus-site:index:NodeVM", name, shown, opts)
        self.machine: pulumi.Resource | None = None
        self.made_as: pulumi.Input[str] = ""
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
                # Not there where every NIC has a name: the command stays the same then, and does not run again.
                **({"FOUND_BY": "\n".join(found_by)} if found_by else {}),
                "PACKAGES": args.packages,
                "MADE": "yes" if self.machine else "",
                "LOOKED": args.looked,
            },
            again_when=[*again, args.drift],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.machine] if self.machine else []),
        )
        self.facts = json_output(self.proof)
        self.identity: pulumi.Output[str] = self.facts.apply(lambda facts: str(facts["machineId"]))
        self.register_outputs({"facts": self.facts, "machine": self.made_as})
