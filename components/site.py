"""Site: the whole graph, from node VMs to the proof that the networks work."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_command as command
import pulumi_kubernetes as kubernetes

from components.addresses import DhcpDaemon, Whereabouts
from components.cni_delivery import CniDelivery
from components.cni_plugins import CniPlugins
from components.drift import Drift, last_nodes
from components.kubespray_cluster import KubesprayCluster
from components.mending import InterfaceCheck
from components.metadata import written
from components.multus import Multus
from components.network_attachment import NetworkAttachment
from components.node_networks import NodeNetworks
from components.node_vm import NodeVM
from components.ownership import owned_by
from components.range_changes import looked_at
from components.secrets import Secrets
from components.sriov import Sriov
from components.ssh import Ssh
from components.throughput import Throughput
from components.verification import Verification
from components.workload import Workload
from model.catalog import Catalog
from model.nodes import Architecture
from model.site import Site as SiteModel
from render import air_gap, cni_plugins, images, node_networks
from render.cluster import cluster_networks
from render.workload import Surroundings


class Site(pulumi.ComponentResource):
    """One site: node VMs → Kubespray cluster → CNI plugins → Multus → attachments → workloads → verification → throughput.

    The shape of the graph comes from the site alone, so the first preview shows all of it.
    """

    def __init__(self, site: SiteModel, catalog: Catalog, secrets: Secrets) -> None:
        opts = pulumi.ResourceOptions(transformations=[owned_by(site.name)])
        super().__init__("multus-site:index:Site", site.name, {"backend": site.nodes.backend}, opts)
        self._site, self._catalog, self._secrets = site, catalog, secrets
        self._commands = command.Provider(f"{site.name}-commands", opts=pulumi.ResourceOptions(parent=self))
        self._ssh = Ssh(site.name, site.nodes, secrets.ssh_private_key, secrets.host_key_seed, self._commands)

        self._drift = Drift(site.nodes, self._ssh, last_nodes())
        nodes = self._node_vms()
        cluster = self._cluster(nodes)
        api = kubernetes.Provider(
            f"{site.name}-cluster",
            kubeconfig=cluster.kubeconfig,
            # The identity is the site's: a renewed certificate is no other cluster.
            cluster_identifier=site.name,
            enable_server_side_apply=True,
            # What a killed run had made is taken up by the next; see `owned_by`.
            upsert_existing_objects=True,
            delete_unreachable=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        plugins = self._cni_plugins(nodes, cluster)
        multus = Multus(
            f"{site.name}-multus",
            catalog.image(images.multus(site)),
            site.multus.memory_limit,
            api,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*plugins, cluster]),
        )
        own = self._node_networks(nodes, cluster)
        managers = self._daemons(api, [*plugins, *own, multus])
        attachments = {
            name: NetworkAttachment(
                f"{site.name}-{name}",
                name,
                site,
                api,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[multus, *managers, *own]),
            )
            for name in site.networks
        }
        workloads = self._workloads(attachments, api, [multus, *managers, *own])
        if site.networks:
            InterfaceCheck(
                f"{site.name}-mend-interfaces",
                self._catalog.image(images.SHELL),
                str(site.kubespray.given().get("bin_dir", "/usr/local/bin")),
                api,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[multus, *workloads]),
            )
        applied = {
            node: {"facts": vm.facts, "plugins": p.binaries}
            for (node, vm), p in zip(nodes.items(), plugins, strict=True)
        }
        verification = Verification(
            f"{site.name}-verification",
            site,
            cluster.kubeconfig,
            pulumi.Output.from_input(applied),
            [
                *(w.generation for w in workloads),
                *(a.content for a in attachments.values()),
                *(p.installed.stdout for p in plugins),
                *(self._drift.of(node) for node in nodes),
                written(multus.daemon, "uid"),
            ],
            self._commands,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*workloads, multus]),
        )
        self.throughput = self._throughput(
            cluster.kubeconfig,
            [*(a.content for a in attachments.values()), *(p.installed.stdout for p in plugins)],
            verification,
        )
        self.kubeconfig = looked_at(site, cluster.kubeconfig)
        self.nodes = {node: {**there, "mended": self._drift.of(node)} for node, there in applied.items()}
        self.verification = verification.result
        self.register_outputs({"verification": self.verification})

    def _throughput(
        self, kubeconfig: pulumi.Output[str], after: Sequence[pulumi.Input[str]], verification: Verification
    ) -> pulumi.Output[list[dict[str, Any]]]:
        """The measurement, of networks that are proven to work; none where the site does not ask for it."""
        site = self._site
        if site.throughput is None:
            return pulumi.Output.from_input([])
        return Throughput(
            f"{site.name}-throughput",
            site,
            self._catalog.image(site.throughput.image),
            kubeconfig,
            after,
            self._commands,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[verification]),
        ).result

    def _node_vms(self) -> dict[str, NodeVM]:
        site = self._site
        return {
            node: NodeVM(
                f"{site.name}-{node}",
                site.name,
                node,
                site.nodes,
                self._ssh,
                site.masters(node),
                air_gap.package_source(site.air_gap, site.nodes.hosts[node].architecture),
                self._drift.of(node),
                self._commands,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for node in site.nodes.hosts
        }

    def _cluster(self, nodes: dict[str, NodeVM]) -> KubesprayCluster:
        site = self._site
        first = nodes[site.with_role("control-plane")[0]]
        return KubesprayCluster(
            f"{site.name}-kubernetes",
            site,
            private_key=self._ssh.private_key,
            known_hosts=self._ssh.known_hosts,
            variables={**self._catalog.kubespray.variables, **site.kubespray.given()},
            secret_variables=self._secrets.kubespray_variables,
            nodes=list(nodes.values()),
            facts={name: node.facts for name, node in nodes.items()},
            connection=self._ssh.connection,
            # Where the machines go, the cluster goes with them: nothing to reset on the way.
            deleted_with=first.machine,
            provider=self._commands,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _cni_plugins(self, nodes: dict[str, NodeVM], cluster: KubesprayCluster) -> list[CniPlugins]:
        site = self._site
        try:
            origins = {
                architecture: cni_plugins.origins(site, self._catalog, architecture)
                for architecture in dict.fromkeys(host.architecture for host in site.nodes.hosts.values())
            }
        except LookupError as error:
            raise pulumi.RunError(str(error)) from None
        delivered = self._delivered(origins, nodes, cluster)
        return [
            CniPlugins(
                f"{site.name}-{name}-cni-plugins",
                name,
                origins[(architecture := site.nodes.hosts[name].architecture)],
                delivered[architecture],
                self._ssh,
                # Kubespray unpacks its own archive over /opt/cni/bin at each run.
                again_when=[cluster.run_id, node.identity, self._drift.of(name)],
                deleted_with=node.machine,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[cluster]),
            )
            for name, node in nodes.items()
        ]

    def _node_networks(self, nodes: dict[str, NodeVM], cluster: KubesprayCluster) -> list[NodeNetworks]:
        """Links, virtual functions and configurations of the nodes that need any."""
        site = self._site
        return [
            NodeNetworks(
                f"{site.name}-{name}-networks",
                name,
                node_networks.variables(site, name),
                self._ssh,
                again_when=[cluster.run_id, nodes[name].identity],
                deleted_with=nodes[name].machine,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[cluster]),
            )
            for name in node_networks.needed(site)
        ]

    def _daemons(self, api: kubernetes.Provider, before: list[pulumi.Resource]) -> list[pulumi.Resource]:
        """The daemons that the networks' address management and devices need."""
        site, used = self._site, self._site.address_management()
        opts = pulumi.ResourceOptions(parent=self, depends_on=before)
        made: list[pulumi.Resource] = []
        if "whereabouts" in used:
            image = self._catalog.image(images.whereabouts(site))
            made.append(Whereabouts(f"{site.name}-whereabouts", site.whereabouts, image, api, opts=opts))
        if "dhcp" in used:
            shell = self._catalog.image(images.SHELL)
            made.append(DhcpDaemon(f"{site.name}-dhcp", shell, site.cni_plugins.version, api, opts=opts))
        if site.sriov is not None:
            image = self._catalog.image(images.device_plugin(site.sriov.version))
            made.append(Sriov(f"{site.name}-sriov", site, site.sriov, image, api, opts=opts))
        return made

    def _delivered(
        self,
        origins: Mapping[Architecture, list[cni_plugins.Origin]],
        nodes: dict[str, NodeVM],
        cluster: KubesprayCluster,
    ) -> dict[Architecture, pulumi.Input[dict[str, str]]]:
        """Architecture → sha256 of each binary that this machine sends; nothing is made where it sends none."""
        ours = {architecture: [one for one in many if one.delivered] for architecture, many in origins.items()}
        if not any(ours.values()):
            return {architecture: {} for architecture in origins}
        delivery = CniDelivery(
            f"{self._site.name}-cni-delivery",
            self._site,
            ours,
            self._ssh,
            again_when=[
                cluster.run_id,
                *(node.identity for node in nodes.values()),
                *(self._drift.of(name) for name in nodes),
            ],
            provider=self._commands,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[cluster]),
        )
        return {architecture: delivery.of(architecture) for architecture in origins}

    def _workloads(
        self,
        attachments: dict[str, NetworkAttachment],
        api: kubernetes.Provider,
        before: list[pulumi.Resource],
    ) -> list[Workload]:
        site = self._site
        return [
            Workload(
                f"{site.name}-{name}",
                name,
                workload,
                Surroundings(
                    image=self._catalog.image(workload.image),
                    nodes=site.restricted_to(workload),
                    contents={a.name: attachments[a.name].content for a in workload.networks},
                    devices=site.devices(workload),
                    shell_image=self._catalog.image(images.SHELL),
                    cluster_networks=cluster_networks(site),
                ),
                api,
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=[*before, *(attachments[a.name] for a in workload.networks)]
                ),
            )
            for name, workload in site.workloads.items()
        ]
