"""KubesprayCluster: a cluster of exactly the site's nodes, installed by Kubespray, and its kubeconfig."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from multus_site.kubespray.document import KubesprayError
from multus_site.kubespray.of_site import of_site
from multus_site.kubespray.plan import playbook_seconds
from multus_site.kubespray.variable_checks import check_variables
from multus_site.model.kubespray_releases import kubernetes_of
from multus_site.model.site import Site
from multus_site.render import air_gap, kubeconfig

from . import kubespray_preview
from .local_program import LocalProgram, LocalProgramArgs, last_line
from .outputs import NodeFacts
from .pulumi_state import LastUpdate
from .ssh import Ssh

READ_KUBECONFIG = "cat /etc/kubernetes/admin.conf"

RUNS_AT_MOST = 4
"""Playbooks that one change of a site can need, for the time limit: a removal, an upgrade, facts and new workers."""


@dataclass(frozen=True)
class KubesprayClusterArgs:
    """The cluster to create."""

    site: Site
    ssh: Ssh
    variables: Mapping[str, Any]
    """Kubespray variables of the catalogue and the site."""
    secret_variables: pulumi.Output[dict[str, Any]] | None
    """Kubespray variables of the stack's configuration."""
    after: Sequence[pulumi.Resource]
    """The machines and their preflight."""
    facts: Mapping[str, pulumi.Output[NodeFacts]]
    machines: Mapping[str, pulumi.Input[str]]
    """Node → NodeVM.made_as."""
    deleted_with: pulumi.Resource | None
    """The machine whose destruction ends the cluster."""
    last: LastUpdate


class KubesprayCluster(pulumi.ComponentResource):
    """After `up` there is a cluster of the site's nodes at the site's version; if members, version or variables changed, the playbook for that ran.

    Destroy resets the nodes if they outlive the cluster, and does nothing if `deleted_with` is destroyed too.
    """

    kubeconfig: pulumi.Output[str]
    """Secret. Its server is the site's apiServer, else the first control plane node's address; its context has the site's name."""
    run_id: pulumi.Output[str]
    """Changes with each run of a playbook, which rewrites /opt/cni/bin."""
    run: LocalProgram
    """The runs of Kubespray."""

    def __init__(self, name: str, args: KubesprayClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        site, ssh = args.site, args.ssh
        super().__init__("multus-site:index:KubesprayCluster", name, {"version": site.kubespray.version}, opts)
        try:
            plain = of_site(site, args.variables)
        except KubesprayError as error:
            raise pulumi.RunError(str(error)) from None
        all_variables = _with_secrets(site, plain, args.secret_variables)
        if pulumi.runtime.is_dry_run():
            kubespray_preview.tell(f"{name}-kubespray", plain, all_variables, args.facts, args.machines, args.last)
        identities = {node: found.apply(lambda facts: facts["machineId"]) for node, found in args.facts.items()}
        document = pulumi.Output.all(
            variables=all_variables,
            # Only the names of secret variables; they come from the values.
            secret=(args.secret_variables or pulumi.Output.from_input({})).apply(sorted),
            way=ssh.route,
            known_hosts=ssh.known_hosts,
            identities=identities,
        ).apply(lambda known: {**plain, **known})
        limit = f"{playbook_seconds(len(plain['hosts'])) * RUNS_AT_MOST}s"
        self.run = LocalProgram(
            f"{name}-kubespray",
            LocalProgramArgs(
                "kubespray",
                document,
                create="apply",
                update="apply",
                delete="destroy",
                # An air-gapped site's Ansible comes from its mirror too.
                environment=air_gap.installers(site.air_gap),
                logs_progress=True,
                reads_last_record=True,
            ),
            pulumi.ResourceOptions(
                parent=self,
                depends_on=list(args.after),
                deleted_with=args.deleted_with,
                # A fallback: the runner has its own limit for each playbook, and names the current task.
                custom_timeouts=pulumi.CustomTimeouts(create=limit, update=limit, delete=limit),
            ),
        )
        self.run_id = self.run.record.apply(_run_id)

        first = site.with_role("control-plane")[0]
        host = site.kubespray.api_server or site.nodes.hosts[first].address
        port = int(plain["variables"].get("kube_apiserver_port", 6443))
        version = kubernetes_of(site.kubespray.version, plain["variables"].get("kube_version"))
        admin = ssh.run(
            f"{name}-kubeconfig",
            first,
            # Changes with the first machine and with an upgrade, which renews the certificate. Other previews know it, and with it the cluster's objects.
            identities[first].apply(
                lambda identity: f"{ssh.as_root(READ_KUBECONFIG)} # of machine {identity}, Kubernetes {version}"
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.run], additional_secret_outputs=["stdout"]),
        )
        self.kubeconfig = pulumi.Output.secret(
            admin.stdout.apply(lambda text: kubeconfig.for_site(text, site.name, kubeconfig.server(host, port)))
        )
        self.register_outputs({"kubeconfig": self.kubeconfig, "run_id": self.run_id})


def _with_secrets(
    site: Site, plain: Mapping[str, Any], secret: pulumi.Output[dict[str, Any]] | None
) -> pulumi.Output[dict[str, Any]]:
    """All variables. Raises RunError, when resolved, if the site sets a secret one too, or Kubespray would reject one."""

    def together(given: dict[str, Any]) -> dict[str, Any]:
        wrong = [
            f"multus-site:kubesprayVariables: {name} is in kubespray.variables too; leave one out"
            for name in given
            if name in site.kubespray.all_variables()
        ]
        wrong += check_variables(
            site.kubespray.version, plain["hosts"], plain["groups"], {**plain["variables"], **given}
        )
        if wrong:
            raise pulumi.RunError("\n".join(wrong))
        return {**plain["variables"], **given}

    return (secret or pulumi.Output.from_input({})).apply(together)


def _run_id(stdout: str) -> str:
    """Site and number of runs, from the record."""
    record = last_line(stdout)
    return f"{record['site']}-{record['runs']}"
