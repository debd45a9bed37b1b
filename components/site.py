"""Site: the whole graph, from node VMs to the proof that the networks work."""

import json
import sys
from dataclasses import dataclass

import pulumi
import pulumi_command as command

from multus_site.model.catalog import Catalog
from multus_site.model.site import Site as SiteModel

from .cluster import create_cluster
from .context import SiteContext
from .drift import Drift
from .hosts import create_hosts
from .leaks import Returned
from .load_config import read_site
from .networking import create_networking
from .outputs import ThroughputFigure, VerificationResult
from .proof import AppliedNode, create_proof
from .pulumi_state import last_update
from .range_changes import compared_with_cluster
from .secrets import Secrets, read_secrets
from .ssh import Ssh
from .workloads import create_workloads


@dataclass(frozen=True)
class SiteArgs:
    """What a site is made of; `from_config` reads all of it from the stack."""

    site: SiteModel
    catalog: Catalog
    """Files and images that may be installed."""
    secrets: Secrets

    @classmethod
    def from_config(cls, config: pulumi.Config | None = None) -> "SiteArgs":
        """The stack's `multus-site:site` and its secrets. Raises pulumi.RunError with every mistake."""
        # Keys are multus-site:…, whatever the project is called.
        config = config or pulumi.Config("multus-site")
        site, catalog = read_site(config)
        return cls(site, catalog, read_secrets(config, site.nodes))


class Site(pulumi.ComponentResource):
    """One site: hosts → cluster → networking → workloads → proof.

    The site alone decides the shape of the graph, so the first preview shows all of it. Names of its resources begin with the site's name.
    `opts.provider` and `opts.providers` may hold a command provider and a Kubernetes provider; a Kubernetes provider must be that of this
    site's cluster, with server-side apply. Export `nodes` under that name: `pulumi up` compares nodes with it to find drift.
    """

    kubeconfig: pulumi.Output[str]
    """Secret: the kubeconfig of the cluster's administrator."""
    nodes: dict[str, AppliedNode]
    """What was applied to each node."""
    verification: pulumi.Output[VerificationResult]
    throughput: pulumi.Output[list[ThroughputFigure]]
    """Empty if the site asks for no measurement."""

    def __init__(self, name: str, args: SiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        site, secrets, last = args.site, args.secrets, last_update()
        super().__init__("multus-site:index:Site", name, {"backend": site.nodes.backend}, opts)
        commands = self.get_provider("command:local:Command") or command.Provider(
            f"{site.name}-commands", opts=pulumi.ResourceOptions(parent=self)
        )
        ssh = Ssh(site.name, site.nodes, secrets.ssh, secrets.host_key_seed, commands)
        applied = last.outputs.get("nodes")
        drift, returned = Drift(site.name, site.nodes, ssh, applied), Returned(site, ssh, applied)
        context = SiteContext(site, args.catalog, secrets, ssh, drift, last, returned, commands, self)

        hosts = create_hosts(context)
        cluster = create_cluster(context, hosts, self.get_provider("kubernetes:core/v1:ConfigMap"))
        networking = create_networking(context, hosts, cluster)
        workloads = create_workloads(context, hosts, cluster, networking)
        proof = create_proof(context, hosts, cluster, networking, workloads)

        self.kubeconfig = pulumi.Output.secret(compared_with_cluster(site, cluster.kubespray.kubeconfig))
        self.nodes, self.verification, self.throughput = proof.nodes, proof.verification, proof.throughput
        self.register_outputs({"verification": self.verification})


_SAID = 32
"""Exit status of a program that has said what is wrong: for any other, pulumi adds "an unhandled error occurred" (pulumi-language-python)."""


def run() -> None:
    """Creates the site of the stack's configuration and exports what it proves. Ends the program, with every mistake, where the site is wrong."""
    try:
        args = SiteArgs.from_config()
        site = Site(args.site.name, args)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        sys.exit(_SAID)
    pulumi.export("verification", site.verification)
    pulumi.export("throughput", site.throughput)
    pulumi.export("nodes", site.nodes)
    pulumi.export("kubeconfig", site.kubeconfig)
    # What was applied, with which a review compares the next change. A site may hold what others must not read.
    applied = json.dumps(args.site.model_dump(mode="json", by_alias=True), sort_keys=True)
    pulumi.export("site", pulumi.Output.secret(applied))
