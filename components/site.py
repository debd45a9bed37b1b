"""Site: the whole graph, from node VMs to the proof that the networks work."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_command as command
import pulumi_kubernetes as kubernetes

from multus_site.cni.uplinks import nics_in_use
from multus_site.model.catalog import Catalog
from multus_site.model.site import Site as SiteModel
from multus_site.render import air_gap, cni_plugins, dhcp, images, node_networks, topology, whereabouts
from multus_site.render.cluster import cluster_networks
from multus_site.render.network import address_management
from multus_site.render.workload import Surroundings

from .addresses import DhcpDaemon, Whereabouts, left_by
from .backends import backend
from .cni_plugins import CniPlugins
from .drift import Drift, last_nodes
from .kubespray_cluster import KubesprayCluster
from .metadata import written
from .multus import Multus
from .network_attachment import NetworkAttachment
from .node_networks import NodeNetworks
from .node_removal import leaving
from .node_vm import NodeVM
from .ownership import owned_by
from .preflight import Before, Preflight, name_of
from .range_changes import looked_at
from .repair import InterfaceCheck
from .secrets import Secrets
from .sriov import Sriov
from .ssh import Ssh
from .throughput import Throughput
from .topology import Topology
from .verification import Verification
from .workload import Workload


class Site(pulumi.ComponentResource):
    """One site: node VMs → Kubespray cluster → CNI plugins → Multus → attachments → workloads → verification → throughput.

    The shape of the graph comes from the site alone, so the first preview shows all of it.
    """

    def __init__(self, site: SiteModel, catalog: Catalog, secrets: Secrets) -> None:
        self._goes_with: pulumi.Resource | None = None
        opts = pulumi.ResourceOptions(transformations=[owned_by(site.name, lambda: self._goes_with)])
        super().__init__("multus-site:index:Site", site.name, {"backend": site.nodes.backend}, opts)
        self._site, self._catalog, self._secrets = site, catalog, secrets
        self._commands = command.Provider(f"{site.name}-commands", opts=pulumi.ResourceOptions(parent=self))
        self._ssh = Ssh(site.name, site.nodes, secrets.ssh, secrets.host_key_seed, self._commands)

        self._drift = Drift(site.name, site.nodes, self._ssh, last_nodes())
        nodes, preflight = self._hosts()
        # Where the machines go, the cluster goes with them, and with it all that is on them: nothing to reset or to ask for on the way.
        self._goes_with = nodes[site.with_role("control-plane")[0]].machine
        cluster = self._cluster(nodes, preflight)
        after = pulumi.ResourceOptions(parent=self, depends_on=[cluster])
        leaving(site, nodes, self._ssh, after)
        api = kubernetes.Provider(
            f"{site.name}-cluster",
            kubeconfig=cluster.kubeconfig,
            # The identity is the site's: a renewed certificate is no other cluster.
            cluster_identifier=site.name,
            enable_server_side_apply=True,
            # What a killed run had made is taken up by the next; see `owned_by`.
            upsert_existing_objects=True,
            # Not said here, where it would win: PULUMI_K8S_DELETE_UNREACHABLE decides at a destroy without an API server.
            opts=pulumi.ResourceOptions(parent=self),
        )
        plugins = self._cni_plugins(nodes, cluster)
        multus = Multus(
            f"{site.name}-multus",
            catalog.image(images.multus(site)),
            site.multus.memory_limit,
            api,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[plugins, cluster]),
        )
        own = self._node_networks(nodes, cluster)
        managers = self._daemons(api, nodes, [plugins, *own.values(), multus])
        attachments = {
            name: NetworkAttachment(
                f"{site.name}-{name}",
                name,
                site,
                api,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[multus, *managers, *own.values()]),
            )
            for name in site.networks
        }
        placed = self._topology(nodes, cluster)
        workloads = self._workloads(attachments, api, [multus, *managers, *own.values(), *placed])
        if site.networks:
            InterfaceCheck(
                f"{site.name}-mend-interfaces",
                self._catalog.image(images.SHELL),
                str(site.kubespray.all_variables().get("bin_dir", "/usr/local/bin")),
                topology.taints(site),
                api,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[multus, *workloads]),
            )
        applied: dict[str, dict[str, pulumi.Output[dict[str, Any]]]] = {
            node: {"facts": _both(vm.facts, preflight.found(node)), "plugins": plugins.of(node)}
            for node, vm in nodes.items()
        }
        verification = Verification(
            f"{site.name}-verification",
            site,
            cluster.kubeconfig,
            pulumi.Output.from_input(applied),
            [
                *(w.generation for w in workloads),
                *(a.content for a in attachments.values()),
                plugins.record,
                *(self._drift.of(node) for node in nodes),
                *(one.applied for one in placed),
                written(multus.daemon, "uid"),
            ],
            self._commands,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*workloads, multus]),
        )
        self.throughput = self._throughput(
            cluster.kubeconfig,
            [*(a.content for a in attachments.values()), plugins.record],
            verification,
        )
        self.kubeconfig = looked_at(site, cluster.kubeconfig)
        self.nodes: dict[str, dict[str, Any]] = {
            node: {
                **there,
                "networks": own[node].made if node in own else {},
                "mended": self._drift.of(node),
                "started": self._drift.starts(node),
            }
            for node, there in applied.items()
        }
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

    def _hosts(self) -> tuple[dict[str, NodeVM], Preflight]:
        """The machines, and the proof that they are fit for a cluster."""
        site, maker = self._site, backend(self._site.nodes, self._ssh)
        packages = {
            node: air_gap.package_source(site.air_gap, host.architecture) for node, host in site.nodes.hosts.items()
        }
        before = Before(site, {node: [*nics_in_use(site, node), packages[node]] for node in site.nodes.hosts})
        nodes: dict[str, NodeVM] = {}
        # Of these one is made or changed after the other: restarted together they would take etcd's majority with them.
        members = {*site.with_role("control-plane"), *site.with_role("etcd")}
        previous: NodeVM | None = None
        for node in site.nodes.hosts:
            nodes[node] = NodeVM(
                f"{site.name}-{node}",
                site.name,
                node,
                site.nodes,
                maker,
                self._ssh,
                nics_in_use(site, node),
                packages[node],
                self._drift.of(node),
                before.looked(node),
                self._drift.starts(node),
                self._commands,
                after=[previous.proof] if previous and node in members else [],
                opts=pulumi.ResourceOptions(parent=self),
            )
            if node in members:
                previous = nodes[node]
        return nodes, Preflight(
            name_of(site.name),
            site,
            self._variables,
            self._ssh,
            before,
            {node: [vm.identity, self._drift.of(node)] for node, vm in nodes.items()},
            self._commands,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(nodes.values())),
        )

    @property
    def _variables(self) -> dict[str, Any]:
        """Kubespray's variables of the catalogue and the site, the secret ones left out."""
        return {**self._catalog.kubespray.variables, **self._site.kubespray.all_variables()}

    def _cluster(self, nodes: dict[str, NodeVM], preflight: Preflight) -> KubesprayCluster:
        site = self._site
        return KubesprayCluster(
            f"{site.name}-kubernetes",
            site,
            ssh=self._ssh,
            variables=self._variables,
            secret_variables=self._secrets.kubespray_variables,
            after=[*nodes.values(), preflight],
            facts={name: node.facts for name, node in nodes.items()},
            machines={name: node.made_as for name, node in nodes.items()},
            deleted_with=self._goes_with,
            provider=self._commands,
            opts=pulumi.ResourceOptions(parent=self, protect=site.protect),
        )

    def _topology(self, nodes: dict[str, NodeVM], cluster: KubesprayCluster) -> list[Topology]:
        """Labels and taints of nodes that stand in racks."""
        site = self._site
        wanted = topology.nodes(site)
        if not wanted:
            return []
        return [
            Topology(
                f"{site.name}-topology",
                wanted,
                cluster.kubeconfig,
                [cluster.run_id, *(node.identity for node in nodes.values())],
                self._commands,
                # Where the cluster goes, they go with it.
                deleted_with=cluster.run,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[cluster]),
            )
        ]

    def _cni_plugins(self, nodes: dict[str, NodeVM], cluster: KubesprayCluster) -> CniPlugins:
        site = self._site
        try:
            origins = {
                architecture: cni_plugins.origins(site, self._catalog, architecture)
                for architecture in dict.fromkeys(host.architecture for host in site.nodes.hosts.values())
            }
        except LookupError as error:
            raise pulumi.RunError(str(error)) from None
        return CniPlugins(
            f"{site.name}-cni-plugins",
            site,
            origins,
            self._ssh,
            # Kubespray unpacks its own archive over /opt/cni/bin at each run.
            cluster.run_id,
            {name: [node.identity, self._drift.of(name)] for name, node in nodes.items()},
            self._commands,
            deleted_with=self._goes_with,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[cluster]),
        )

    def _node_networks(self, nodes: dict[str, NodeVM], cluster: KubesprayCluster) -> dict[str, NodeNetworks]:
        """Links, virtual functions and configurations of the nodes that need any."""
        site = self._site
        return {
            name: NodeNetworks(
                f"{site.name}-{name}-networks",
                name,
                node_networks.variables(site, name),
                self._ssh,
                again_when=[cluster.run_id, nodes[name].identity, self._drift.of(name)],
                deleted_with=nodes[name].machine,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[cluster]),
            )
            for name in node_networks.needed(site)
        }

    def _daemons(
        self, api: kubernetes.Provider, nodes: dict[str, NodeVM], before: list[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        """The daemons that the networks' address management and devices need."""
        site, used = self._site, address_management(self._site)
        opts = pulumi.ResourceOptions(parent=self, depends_on=before)
        made: list[pulumi.Resource] = []

        def after_its_files(name: str, left: Mapping[str, str]) -> pulumi.ResourceOptions:
            """What a daemon leaves on nodes goes after it."""
            files = left_by(f"{site.name}-{name}", left, nodes, self._ssh, opts)
            return pulumi.ResourceOptions(parent=self, depends_on=[*before, *files])

        if "whereabouts" in used:
            image = self._catalog.image(images.whereabouts(site))
            last = after_its_files("whereabouts", whereabouts.LEFT)
            made.append(Whereabouts(f"{site.name}-whereabouts", site.whereabouts, image, api, opts=last))
        if "dhcp" in used:
            shell = self._catalog.image(images.SHELL)
            last = after_its_files("dhcp", dhcp.LEFT)
            made.append(DhcpDaemon(f"{site.name}-dhcp", shell, site.cni_plugins.version, api, opts=last))
        if site.sriov is not None:
            image = self._catalog.image(images.device_plugin(site.sriov.version))
            made.append(Sriov(f"{site.name}-sriov", site, site.sriov, image, api, opts=opts))
        return made

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
                    shunned_racks=[name for name, rack in site.racks.items() if rack.dedicated],
                    tolerated=site.tolerated(workload),
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


def _both(first: pulumi.Output[dict[str, Any]], second: pulumi.Output[dict[str, Any]]) -> pulumi.Output[dict[str, Any]]:
    """Two looks at one host."""
    return pulumi.Output.all(first, second).apply(lambda both: {**both[0], **both[1]})
