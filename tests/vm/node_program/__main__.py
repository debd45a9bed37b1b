"""What a site does, less all that needs a cluster: machines, and plugins on them."""

import pulumi
import pulumi_command as command

from components.backends import backend
from components.cni_plugins import CniPlugins, CniPluginsArgs
from components.node_vm import NodeVM, NodeVMArgs
from components.preflight import Before, Preflight, PreflightArgs, name_of
from components.pulumi_state import last_update
from components.secrets import read_secrets
from components.ssh import Ssh
from multus_site.cni.uplinks import nics_in_use
from multus_site.model.catalog import Catalog
from multus_site.model.load import parse_site
from multus_site.render.cni_plugins import origins

config = pulumi.Config()
site = parse_site(config.require_object("site"), source="a test")
secrets = read_secrets(config, site.nodes)
provider = command.Provider("commands")
ssh = Ssh(site.name, site.nodes, secrets.ssh, secrets.host_key_seed, provider)
maker = backend(site.nodes, ssh)
before = Before(site.name, last_update(), {node: nics_in_use(site, node) for node in site.nodes.hosts})
nodes = {
    node: NodeVM(
        f"{site.name}-{node}",
        NodeVMArgs(
            site=site.name,
            node=node,
            nodes=site.nodes,
            maker=maker,
            ssh=ssh,
            uplinks=nics_in_use(site, node),
            packages="",
            drift="",
            looked=before.looked(node),
            started="",
            commands=provider,
        ),
    )
    for node in site.nodes.hosts
}
preflight = Preflight(
    name_of(site.name),
    PreflightArgs(site, {}, ssh, before, {node: [vm.identity] for node, vm in nodes.items()}),
    pulumi.ResourceOptions(provider=provider, depends_on=list(nodes.values())),
)
CniPlugins(
    f"{site.name}-cni-plugins",
    CniPluginsArgs(
        site=site,
        origins={"amd64": origins(site, Catalog(), "amd64")},
        ssh=ssh,
        run_id="no cluster",
        reasons={name: [node.identity] for name, node in nodes.items()},
        deleted_with=next(iter(nodes.values())).machine,
    ),
    pulumi.ResourceOptions(provider=provider, depends_on=[preflight]),
)
pulumi.export("facts", {name: node.facts for name, node in nodes.items()})
pulumi.export("found", {name: preflight.found(name) for name in nodes})
