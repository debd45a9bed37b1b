"""A site: one YAML object, from bare hosts to proven pods."""

from pydantic import Field, model_validator

from model.air_gap import AirGap
from model.base import Part
from model.cni_plugins import CniPlugins
from model.kubespray import Kubespray
from model.networks import HostLocal, Macvlan, Network, Segment
from model.nodes import ExistingNodes, Nodes
from model.throughput import Throughput
from model.types import BareVersion, NodeName, ObjectName
from model.workloads import Workload


class Multus(Part):
    """The Multus daemon (thick)."""

    version: BareVersion = Field(default="4.3.0", examples=["4.3.0"])
    """Release of multus-cni."""
    memory_limit: str = "256Mi"
    """Memory limit of the daemon. Upstream's 50Mi is killed under load, and with it every pod start of the node."""


class Site(Part):
    """One site, one stack."""

    name: ObjectName = Field(examples=["dallas"])
    """Identity of the site: cluster name, names of its machines."""
    artifacts: str | None = Field(default=None, examples=["artifacts.yaml"])
    """Catalogue of a mirror (URLs, sha256, images), relative to the project; upstream's if absent."""
    air_gap: AirGap | None = None
    """The mirror of an air-gapped site; nothing else is asked then."""
    nodes: Nodes
    """The hosts: who makes them, how they are reached."""
    kubespray: Kubespray = Kubespray()
    """How the cluster is installed."""
    cni_plugins: CniPlugins = CniPlugins()
    """The plugin binaries on the nodes."""
    multus: Multus = Multus()
    """The daemon that gives pods several interfaces."""
    segments: dict[ObjectName, Segment] = {}
    """L2 segments by name; sites that name the same one share it."""
    networks: dict[ObjectName, Network] = {}
    """What pods can attach to, by name; each becomes a NetworkAttachmentDefinition."""
    workloads: dict[ObjectName, Workload] = {}
    """What runs at the site, by name."""
    throughput: Throughput | None = None
    """What is measured of the networks at each `up` that changes them; nothing if absent."""

    @model_validator(mode="after")
    def _whole(self) -> "Site":
        """What no part can know alone; all mistakes at once, each with its path in the site."""
        problems = list(self._mistakes())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _mistakes(self) -> list[str]:
        hosts = self.nodes.hosts
        found = []
        if not self.with_role("control-plane"):
            found.append(
                "nodes.hosts: no host has the role control-plane; give it to one, such as roles: [control-plane, etcd, worker]"
            )
        if len(self.with_role("etcd")) % 2 == 0:
            found.append(
                f"nodes.hosts: {len(self.with_role('etcd'))} hosts have the role etcd; it must be an odd number (1, 3, 5)"
            )
        if not self.with_role("worker"):
            found.append("nodes.hosts: no host has the role worker; pods would have nowhere to run")
        seen: dict[str, str] = {}
        for name, host in hosts.items():
            if host.address in seen:
                found.append(
                    f"nodes.hosts.{name}.address: {host.address} is the address of {seen[host.address]} too; each host has its own"
                )
            seen.setdefault(host.address, name)
            if isinstance(self.nodes, ExistingNodes) and host.host_key is None:
                found.append(
                    f"nodes.hosts.{name}.hostKey: missing; print it with: ssh-keyscan -t ed25519 {host.address}"
                )
        found += self.cni_plugins.mistakes({host.architecture for host in hosts.values()}, self.network_plugin())
        found += self.kubespray.mistakes()
        manager = self.kubespray.variables.get("container_manager", "containerd")
        if self.air_gap is not None and manager != "containerd":
            found.append(
                f"kubespray.variables.container_manager: {manager!r} is not told of the mirror of airGap, containerd is; leave it out"
            )
        for name, network in self.networks.items():
            if network.segment is not None and network.segment not in self.segments:
                there = ", ".join(self.segments) or "none"
                found.append(f"networks.{name}.segment: there is no segment {network.segment!r}; the site has: {there}")
        for name, workload in self.workloads.items():
            found += self._mistakes_of(name, workload)
        return found

    def _mistakes_of(self, name: str, workload: Workload) -> list[str]:
        where = f"workloads.{name}"
        workers = self.with_role("worker")
        found = []
        for i, attachment in enumerate(workload.networks):
            if attachment.name not in self.networks:
                there = ", ".join(self.networks) or "none"
                found.append(f"{where}.networks[{i}]: there is no network {attachment.name!r}; the site has: {there}")
            elif self.networks[attachment.name].namespace != workload.namespace:
                found.append(
                    f"{where}.networks[{i}]: network {attachment.name!r} is in namespace {self.networks[attachment.name].namespace!r}, "
                    f"the workload in {workload.namespace!r}; give both the same namespace"
                )
        interfaces = [interface for interface, _ in workload.interfaces()]
        for interface in sorted({i for i in interfaces if interfaces.count(i) > 1}):
            found.append(
                f"{where}.networks: two attachments would be called {interface}; a custom name still takes its position in net1, net2, …"
            )
        for i, node in enumerate(workload.nodes):
            if node not in self.nodes.hosts:
                found.append(
                    f"{where}.nodes[{i}]: there is no host {node!r}; the site has: {', '.join(self.nodes.hosts)}"
                )
            elif node not in workers:
                found.append(f"{where}.nodes[{i}]: {node!r} is not a worker; the workers are: {', '.join(workers)}")
        return found

    def with_role(self, role: str) -> list[NodeName]:
        """Names of the hosts with a role, in the order of the file."""
        return [name for name, host in self.nodes.hosts.items() if role in host.roles]

    def nodes_of(self, workload: Workload) -> list[NodeName]:
        """Names of the hosts that the workload's pods can run on."""
        return list(workload.nodes) or self.with_role("worker")

    def masters(self) -> list[str]:
        """NICs that the networks need on the nodes, sorted."""
        return sorted({n.master for n in self.networks.values() if isinstance(n, Macvlan)})

    def network_plugin(self) -> str:
        """The cluster's own network plugin; Kubespray's default where the site names none."""
        return str(self.kubespray.given().get("kube_network_plugin", "calico"))

    def plugin_names(self) -> list[str]:
        """CNI plugins that are put on the nodes, sorted."""
        return sorted(
            (set(self.cni_plugins.plugins) or self.plugins_used()) | {b.name for b in self.cni_plugins.binaries}
        )

    def plugins_used(self) -> set[str]:
        """CNI plugins that the networks need, address management included."""
        used: set[str] = set()
        for network in self.networks.values():
            if isinstance(network, Macvlan):
                used.add("macvlan")
                if isinstance(network.ipam, HostLocal):
                    used.add("host-local")
        return used
