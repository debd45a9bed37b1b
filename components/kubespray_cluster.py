"""KubesprayCluster: a cluster of exactly the site's nodes, made by Kubespray, and its kubeconfig."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi_command import local, remote

from kubespray.checks import mistakes
from kubespray.document import Document, KubesprayError
from kubespray.preview import planned
from model.site import Site
from render import inventory
from render.kubeconfig import for_site

# Constants, and no path of this machine in them: the provider runs them in the project's folder, and any change would run Kubespray again.
PYTHON = 'p=.venv/bin/python; [ -x "$p" ] || p=python3; exec "$p"'
RUNNER = f"{PYTHON} -m kubespray "

READ_KUBECONFIG = "cat /etc/kubernetes/admin.conf"


class KubesprayCluster(pulumi.ComponentResource):
    """After `up` there is a cluster of the site's nodes at the site's version; membership, version or variables changed: the playbook for that ran.

    `destroy` resets the nodes where they outlive the cluster, and does nothing where `deleted_with` goes too.
    """

    kubeconfig: pulumi.Output[str]
    """Secret. Its server is the first control plane node's address, its context is called as the site."""
    run_id: pulumi.Output[str]
    """Another one after each run of a playbook: /opt/cni/bin was rewritten then."""
    run: local.Command
    """The runs of Kubespray."""

    def __init__(
        self,
        name: str,
        site: Site,
        *,
        private_key: pulumi.Output[str],
        known_hosts: pulumi.Output[str],
        variables: Mapping[str, Any],
        nodes: Sequence[pulumi.Resource],
        node_identities: Mapping[str, pulumi.Output[str]],
        connection: Callable[[str], remote.ConnectionArgs],
        deleted_with: pulumi.Resource | None,
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`variables` are the catalogue's and the site's; `node_identities` machine-ids, which change with the machine."""
        super().__init__("multus-site:index:KubesprayCluster", name, {"version": site.kubespray.version}, opts)
        plain = _plain(site, dict(variables))
        if found := mistakes(plain["hosts"], plain["variables"]):
            raise pulumi.RunError("\n".join(found))
        document: pulumi.Output[str] = pulumi.Output.secret(
            pulumi.Output.all(private_key=private_key, known_hosts=known_hosts, identities=dict(node_identities)).apply(
                lambda known: _document({**plain, **known})
            )
        )
        self.run = local.Command(
            f"{name}-kubespray",
            create=RUNNER + "apply",
            update=RUNNER + "apply",
            delete=RUNNER + "destroy",
            stdin=document,
            # stdout is the record of what is applied; an update gets the last one back. stderr is progress, in short lines.
            logging=local.Logging.STDERR,
            add_previous_output_in_env=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                depends_on=list(nodes),
                deleted_with=deleted_with,
                hide_diffs=["stdin"],
                custom_timeouts=pulumi.CustomTimeouts(create="6h", update="6h", delete="2h"),
            ),
        )
        # A secret went in, so the provider calls all that comes out secret. The record holds digests and public keys only.
        self.run_id = pulumi.Output.unsecret(self.run.stdout).apply(_run_id)

        first = site.with_role("control-plane")[0]
        address = site.nodes.hosts[first].address
        sudo = "" if site.nodes.ssh.user == "root" else "sudo -n "
        admin = remote.Command(
            f"{name}-kubeconfig",
            connection=connection(first),
            # Only another first machine makes another kubeconfig: previews of anything else know it, and with it the cluster.
            create=node_identities[first].apply(lambda identity: f"{sudo}{READ_KUBECONFIG} # of machine {identity}"),
            logging=remote.Logging.NONE,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self, provider=provider, depends_on=[self.run], additional_secret_outputs=["stdout"]
            ),
        )
        self.kubeconfig = pulumi.Output.secret(
            admin.stdout.apply(lambda text: for_site(text, site.name, f"https://{address}:6443"))
        )
        self.register_outputs({"kubeconfig": self.kubeconfig, "run_id": self.run_id})


def _plain(site: Site, variables: dict[str, Any]) -> dict[str, Any]:
    """What of the runner's document is known before anything runs (kubespray/document.py)."""
    bastion = site.nodes.ssh.bastion
    return {
        "site": site.name,
        "version": site.kubespray.version,
        "path": site.kubespray.path,
        "hosts": {name: inventory.host_variables(site, name, host) for name, host in site.nodes.hosts.items()},
        "groups": inventory.groups(site),
        "variables": inventory.variables(site, variables),
        "files": {path: _digest(path) for path in variables.get("custom_cni_manifests", [])},
        "bastion": {"host": bastion.host, "port": bastion.port, "user": bastion.user} if bastion else None,
    }


def _document(data: dict[str, Any]) -> str:
    """The runner's document. Where all of it is known at preview, what Kubespray can't do is refused there, and what it would do is told."""
    text = json.dumps(data, sort_keys=True)
    try:
        runs = planned(Document.parse(text))
    except KubesprayError as error:
        raise pulumi.RunError(str(error)) from None
    if pulumi.runtime.is_dry_run():
        for run in runs:
            pulumi.log.info(f"{run.playbook}: {run.reason}")
    return text


def _digest(path: str) -> str:
    """sha256 of a file that a variable names. Raises RunError where there is none."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        msg = f"kubespray.variables.custom_cni_manifests: {path}: {error.strerror}. Paths are relative to the project's folder"
        raise pulumi.RunError(msg) from None


def _run_id(stdout: str) -> str:
    """Count of the runs, and what was applied: from the record on the last line."""
    record = json.loads(stdout.strip().splitlines()[-1])
    return f"{record['site']}-{record['runs']}"
