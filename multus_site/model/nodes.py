"""The nodes of a site, one class per backend."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from multus_site.model.addresses import HostAddress
from multus_site.model.libvirt import Libvirt
from multus_site.model.libvirt_checks import check_libvirt
from multus_site.model.machines import Container, Custom
from multus_site.model.part import Mistake, Part
from multus_site.model.ssh import Ssh
from multus_site.model.types import Architecture, GroupName, HostKey, NodeName, RackName, Role


class Host(Part):
    """One node."""

    address: HostAddress
    """The node's address on the management network: SSH, Kubernetes' internal address."""
    host_key: HostKey | None = None
    """Public SSH host key. Required for existing hosts; derived from a seed for machines that `up` creates."""
    roles: tuple[Role, ...] = ("worker",)
    """What it does in the cluster; pods run on workers only."""
    architecture: Architecture = "amd64"
    """Which binaries it gets."""
    rack: RackName | None = Field(default=None, examples=["r1"])
    """Its rack, one of `racks` where the site has any: sets the node's labels and taint, and a group of the inventory."""
    groups: tuple[GroupName, ...] = Field(default=(), examples=[["compute"]])
    """Groups of nodes with the same NIC names, for `groups` of a master; each is also a group of the inventory."""
    slice: int | None = Field(default=None, ge=0, examples=[0])
    """Which part of a range with `addressesPerNode` it hands out; derived from its address if absent."""

    @field_validator("host_key", mode="before")
    @classmethod
    def _empty_is_missing(cls, value: object) -> object:
        """`new` leaves an empty key to fill in; the site says how to get a missing one."""
        return None if value == "" else value


class NodesOfABackend(Part):
    """What all backends have in common."""

    backend: str
    """Who creates them."""
    ssh: Ssh = Ssh()
    """How to log in to them."""
    hosts: dict[NodeName, Host] = Field(min_length=1)
    """The nodes by name. Their order is kept."""

    makes_machines: ClassVar[bool] = False
    """Whether `up` creates the machines and `destroy` removes them."""

    @property
    def seed_file(self) -> str | None:
        """File with the seed of the host keys, if the site names one."""
        return None

    @property
    def management(self) -> str | None:
        """The NIC with the nodes' own addresses; None if unknown."""
        return None

    def nics(self, node: str) -> dict[str, str]:
        """NIC of a created machine → what it is plugged into; empty for existing hosts."""
        del node
        return {}

    def made_of(self, node: str) -> str:
        """The hardware of a node's machine, for a preview; empty if it cannot change in place."""
        del node
        return ""

    def delivers_pods_macs(self, node: str, nic: str) -> bool:
        """Whether frames to the MAC addresses of pods reach a node's NIC, as far as the site determines it."""
        del node, nic
        return True

    def check_backend(self) -> Iterator[Mistake]:
        """Mistakes that concern several parts of a backend; paths begin at the site."""
        yield from ()


class ExistingNodes(NodesOfABackend):
    """Hosts that exist and are reached over SSH."""

    backend: Literal["existing"]
    """The hosts exist already."""


class MadeNodes(NodesOfABackend):
    """Machines that `up` creates. Their host keys are derived from a seed, so that they are known in advance."""

    host_key_seed_file: str | None = Field(default=None, examples=[".lab/ssh/host-key-seed"])
    """File with the seed that host keys are derived from, relative to the project; instead of the secret `multus-site:hostKeySeed`."""

    makes_machines = True

    @property
    def seed_file(self) -> str | None:
        return self.host_key_seed_file


class ContainerNodes(MadeNodes):
    """System containers that podman creates on the machine where Pulumi runs."""

    backend: Literal["container"]
    """Each node is a system container."""
    container: Container
    """How they are created."""

    @property
    def management(self) -> str | None:
        return self.container.interface

    def nics(self, node: str) -> dict[str, str]:
        del node
        return dict(self.container.networks)

    def made_of(self, node: str) -> str:
        made = self.container.limits(node)
        cpus = "all CPUs" if made.cpus is None else f"{made.cpus:g} CPUs"
        return f"{cpus}, {'all' if made.memory is None else f'{made.memory} MiB of'} memory"

    def check_backend(self) -> Iterator[Mistake]:
        for node in self.container.machines:
            if node not in self.hosts:
                path = ("nodes", "container", "machines", node)
                yield Mistake.of_name(path, "host", node, self.hosts, "add it to nodes.hosts")


class LibvirtNodes(MadeNodes):
    """Virtual machines that libvirt runs, on the machine where Pulumi runs or on hypervisors reached over SSH."""

    backend: Literal["libvirt"]
    """Each node is a virtual machine."""
    libvirt: Libvirt
    """How they are created."""

    @property
    def management(self) -> str | None:
        return self.libvirt.management.interface

    def nics(self, node: str) -> dict[str, str]:
        return {name: nic.plugged_into for name, nic in self.libvirt.hardware(node).nics.items()}

    def delivers_pods_macs(self, node: str, nic: str) -> bool:
        made = self.libvirt.hardware(node).nics.get(nic)
        # The kernel's macvlan_handle_frame: except for passthru, it looks the address up among those of its macvtaps.
        return made is None or made.kind != "macvtap" or made.mode == "passthrough"

    def made_of(self, node: str) -> str:
        made = self.libvirt.hardware(node)
        cpus = f"{made.cpus} CPUs" + (f" on {'+'.join(map(str, made.cpu_pinning))}" if made.cpu_pinning else "")
        pages = f" in huge pages of {made.hugepages}" if made.hugepages else ""
        numa = "" if made.numa_node is None else f" of NUMA node {made.numa_node}"
        parts = [cpus, f"{made.memory} MiB of memory{pages}{numa}", f"{made.disk} GiB of disk"]
        parts += [f"on {made.hypervisor}"] if made.hypervisor else []
        return ", ".join([*parts, *(f"{name} in {where}" for name, where in self.nics(node).items())])

    def check_backend(self) -> Iterator[Mistake]:
        for name, host in self.hosts.items():
            if host.architecture != "amd64":
                message = (
                    f"virtual machines can only be amd64; remove it, or create {name} yourself (backend: existing)"
                )
                yield Mistake(("nodes", "hosts", name, "architecture"), message)
        if self.libvirt.hypervisors and len(self.ssh.bastions) > 1:
            message = "hypervisors can be reached through one bastion at most; set one in nodes.ssh.bastion, or run Pulumi where one is enough"
            yield Mistake(("nodes", "libvirt", "hypervisors"), message)
        yield from check_libvirt(self.libvirt, {name: host.address for name, host in self.hosts.items()})


class CustomNodes(MadeNodes):
    """Machines of your own backend."""

    backend: Literal["custom"]
    """Each node is created by the named program."""
    custom: Custom
    """How they are created."""

    @property
    def management(self) -> str | None:
        return self.custom.interface

    def nics(self, node: str) -> dict[str, str]:
        del node
        return dict(self.custom.networks)


Nodes = Annotated[ExistingNodes | ContainerNodes | LibvirtNodes | CustomNodes, Field(discriminator="backend")]
