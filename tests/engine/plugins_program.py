"""The Pulumi program of one question: plugins on many nodes. What a site does, less all that needs a cluster."""

import pulumi
import pulumi_command as command

from components.cni_plugins import CniPlugins, CniPluginsArgs
from components.ssh import Ssh
from multus_site.model.catalog import Catalog
from multus_site.model.load import parse_site
from multus_site.render.cni_plugins import origins
from tests.graph.recording import lab_site


def program(fleet, cni_plugins, *, nodes=None, run_id="run-1"):
    """Puts a site's plugins on the first `nodes` of a fleet; `run_id` is another one after each run of Kubespray."""
    data = lab_site(
        nodes=fleet.site_nodes(nodes),
        cniPlugins=cni_plugins,
        kubespray={"variables": {"kube_network_plugin": "flannel"}},
        networks={},
        workloads={},
    )
    site = parse_site(data, source="a test")

    def run():
        provider = command.Provider("commands")
        ssh = Ssh(site.name, site.nodes, {"sshPrivateKey": pulumi.Output.secret(fleet.private_key)}, None, provider)
        CniPlugins(
            "cni-plugins",
            CniPluginsArgs(
                site=site,
                origins={"amd64": origins(site, Catalog(), "amd64")},
                ssh=ssh,
                run_id=run_id,
                reasons={node: ["machine"] for node in site.nodes.hosts},
            ),
            pulumi.ResourceOptions(provider=provider),
        )

    return run
