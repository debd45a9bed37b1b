"""NodeVM: a host that answers SSH with its pinned host key and has the NICs that the site names."""

from collections.abc import Sequence

import pulumi

from multus_site.cni.uplinks import is_name
from multus_site.model.nodes import Nodes

from .node_backend import Asked, Backend
from .ssh import Ssh, json_output


class NodeVM(pulumi.ComponentResource):
    """One node.

    After `up` the host answers SSH as root or by sudo, shows its pinned host key, and the NICs of `uplinks` that are there are set up; whether it is
    fit to be a node is Preflight's to say. Destroy removes what was made; an existing host is left as it is, save that with `packages` APT asks that
    source alone. Its NICs are set up again when `drift` or `looked` changes; those of a machine that was made here have the MTU again that they
    were made with; with another `started` the machine is started. It is made and changed when `after` have been.
    `machine` is what makes the machine (None for a host that exists), `made_as` another value for each machine that was made, `facts` which machine
    it is.
    """

    def __init__(
        self,
        name: str,
        site: str,
        node: str,
        nodes: Nodes,
        maker: Backend | None,
        ssh: Ssh,
        uplinks: list[str],
        packages: str,
        drift: pulumi.Input[str],
        looked: pulumi.Input[str],
        started: pulumi.Input[str],
        provider: pulumi.ProviderResource,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        host = nodes.hosts[node]
        shown = {"backend": nodes.backend, "address": host.address, "roles": list(host.roles), "uplinks": uplinks}
        if made_of := nodes.made_of(node):
            # What a command's standard input says is no diff for a person: here a preview shows it.
            shown["machine"] = made_of
        super().__init__("multus-site:index:NodeVM", name, shown, opts)
        self.machine: pulumi.Resource | None = None
        self.made_as: pulumi.Input[str] = ""
        again: list[pulumi.Input[str]] = []
        if maker is not None:
            private, public = ssh.made_host_key(node)
            asked = Asked(name, site, node, host, ssh.user, ssh.authorized_key, private, public, started, provider)
            made = maker.machine(asked, pulumi.ResourceOptions(parent=self, depends_on=list(after)))
            self.machine, self.made_as = made.resource, made.identity
            again = [made.identity, *([made.changed] if made.changed is not None else [])]
        found_by = [nic for nic in uplinks if not is_name(nic)]
        self.proof = ssh.command(
            f"{name}-facts",
            node,
            "prepare",
            {
                "UPLINKS": " ".join(filter(is_name, uplinks)),
                # Not there where every NIC has a name: the command stays the same then, and does not run again.
                **({"FOUND_BY": "\n".join(found_by)} if found_by else {}),
                "PACKAGES": packages,
                "MADE": "yes" if self.machine else "",
                "LOOKED": looked,
            },
            again_when=[*again, drift],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.machine] if self.machine else []),
        )
        self.facts = json_output(self.proof)
        self.identity: pulumi.Output[str] = self.facts.apply(lambda facts: str(facts["machineId"]))
        self.register_outputs({"facts": self.facts, "machine": self.made_as})
