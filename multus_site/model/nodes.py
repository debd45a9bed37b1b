"""The nodes of a site: who makes them, how they are reached, what they are called."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from multus_site.model import machine_checks
from multus_site.model.addresses import AddressOrName, HostAddress
from multus_site.model.base import Part
from multus_site.model.libvirt import Libvirt
from multus_site.model.types import (
    HostKey,
    InterfaceName,
    NodeName,
    ObjectName,
    PinnedImage,
    PodmanInterfaceName,
    PodmanName,
    Port,
    UserName,
)

Role = Literal["control-plane", "etcd", "worker"]
Architecture = Literal["amd64", "arm64"]
NetworkName = Annotated[str, Field(min_length=1, examples=["internal"])]


class Bastion(Part):
    """A host that the nodes are reached through.

    It is logged in to with what opens the nodes, or with a private key or password of its own: the secrets `multus-site:bastionPrivateKey` or
    `multus-site:bastionPassword`, of a second bastion `multus-site:secondBastionPrivateKey` or `multus-site:secondBastionPassword`.
    """

    host: AddressOrName = Field(examples=["203.0.113.9"])
    """Name or address."""
    port: Port = 22
    """Port of its SSH server."""
    user: UserName = "root"
    """User to log in as."""
    host_key: HostKey
    """Its public host key; any other key stops everything."""


FORMS = ("one bastion", "two bastions")
"""How pydantic tells the two forms apart in the places of its errors."""


def _form(value: Any) -> str:  # noqa: ANN401  # a value of any shape, before it is looked at
    return FORMS[isinstance(value, (list, tuple))]


Bastions = Annotated[
    Annotated[Bastion, Tag(FORMS[0])]
    | Annotated[tuple[Bastion, ...], Tag(FORMS[1]), Field(min_length=1, max_length=2)],
    Discriminator(_form),
]


class Ssh(Part):
    """How nodes are logged in to: with the private key `multus-site:sshPrivateKey`, the password `multus-site:sshPassword` or an agent's keys."""

    user: UserName = "root"
    """User; anything but root must be able to sudo: without a password, or with the secret `multus-site:sudoPassword`."""
    port: Port = 22
    """Port of the nodes' SSH servers."""
    private_key_file: str | None = Field(default=None, examples=[".lab/ssh/id_ed25519"])
    """File with the private key, relative to the project; instead of the secret `multus-site:sshPrivateKey`."""
    agent: bool = False
    """Log in with the keys of this machine's SSH agent (SSH_AUTH_SOCK) instead of a private key."""
    bastion: Bastions | None = None
    """A host to go through, or two, the first from here first; none: the nodes are reached directly."""

    @property
    def bastions(self) -> tuple[Bastion, ...]:
        """All of them, the first from here first."""
        if self.bastion is None:
            return ()
        return self.bastion if isinstance(self.bastion, tuple) else (self.bastion,)

    @model_validator(mode="after")
    def _key_or_agent(self) -> Self:
        if self.agent and self.private_key_file is not None:
            msg = "agent and privateKeyFile are there both; leave one out"
            raise ValueError(msg)
        return self


class Host(Part):
    """One node."""

    address: HostAddress
    """The node's address on the management network: SSH, Kubernetes' internal address."""
    host_key: HostKey | None = None
    """Public SSH host key. Required for hosts that exist; made by us for machines that we make."""
    roles: tuple[Role, ...] = ("worker",)
    """What it does in the cluster; pods run on workers only."""
    architecture: Architecture = "amd64"
    """Which binaries it gets."""
    rack: ObjectName | None = Field(default=None, examples=["r1"])
    """Rack that it stands in, one of `racks` where the site has any: labels and the taint of the node, a group of the inventory."""
    groups: tuple[ObjectName, ...] = Field(default=(), examples=[["compute"]])
    """Groups of nodes that are built alike, by which a network's master is named; each is a group of the inventory too."""
    slice: int | None = Field(default=None, ge=0, examples=[0])
    """Which part of ranges that are split by node it hands out; by its address if absent."""


class NodesOfABackend(Part):
    """What the nodes of every backend have; a backend of machines that we make says the rest of itself below."""

    backend: str
    """Who makes them."""
    ssh: Ssh = Ssh()
    """How they are logged in to."""
    hosts: dict[NodeName, Host] = Field(min_length=1)
    """The nodes by name, in an order that stays."""

    makes_machines: ClassVar[bool] = False
    """Whether `up` makes the machines, and `destroy` removes them; else they are somebody else's."""

    @property
    def seed_file(self) -> str | None:
        """File with the seed of the host keys, if the site names one."""
        return None

    @property
    def management(self) -> str | None:
        """The NIC that holds the nodes' own addresses, where the site says it."""
        return None

    def nics(self, node: str) -> dict[str, str]:
        """The NICs that a node's machine is made with → what each is plugged into; empty where that is not ours to say."""
        del node
        return {}

    def made_of(self, node: str) -> str:
        """What a node's machine is made of, for a preview; empty where that cannot change while it lives."""
        del node
        return ""

    def delivers_pods_macs(self, node: str, nic: str) -> bool:
        """Whether frames to MAC addresses of pods' own reach a node's NIC, as far as that is ours to say."""
        del node, nic
        return True

    def mistakes(self) -> list[str]:
        """What no part of a backend can know alone, each with its path in the site."""
        return []


class ExistingNodes(NodesOfABackend):
    """Hosts that exist and are reached over SSH."""

    backend: Literal["existing"]
    """The hosts are there already."""


class MadeNodes(NodesOfABackend):
    """Machines that `up` makes. Their host keys are derived from a seed, so that they are known before they are there."""

    host_key_seed_file: str | None = Field(default=None, examples=[".lab/ssh/host-key-seed"])
    """File with the seed that host keys are derived from, relative to the project; instead of the secret `multus-site:hostKeySeed`."""

    makes_machines: ClassVar[bool] = True

    @property
    def seed_file(self) -> str | None:
        return self.host_key_seed_file


class Plugged(Part):
    """NICs of machines that we make: all alike."""

    networks: dict[InterfaceName, NetworkName] = Field(min_length=1)
    """Interface in the node → network that it is plugged into, by its name there."""
    interface: InterfaceName = "eth0"
    """The one of them that holds the node's address."""

    @model_validator(mode="after")
    def _address_has_an_interface(self) -> Self:
        if self.interface not in self.networks:
            msg = f"interface {self.interface!r} is not among networks ({', '.join(self.networks)}); name one of them"
            raise ValueError(msg)
        return self


class Limits(Part):
    """The most that a system container gets of the machine that it runs on. Changed in place: nothing restarts."""

    cpus: float | None = Field(default=None, gt=0, examples=[2])
    """Processors' worth of time; none: as much as there is."""
    memory: int | None = Field(default=None, ge=256, examples=[4096])
    """MiB; none: as much as there is."""


class Container(Plugged, Limits):
    """How the system containers of a site are made."""

    networks: dict[PodmanInterfaceName, PodmanName] = Field(min_length=1)
    """Interface in the node → network of podman's that it is plugged into."""
    image: PinnedImage
    """Image with systemd and sshd."""
    machines: dict[NodeName, Limits] = Field(default={}, examples=[{"node2": {"memory": 8192}}])
    """What a node has otherwise than the rest; only what is written here differs."""

    def limits(self, node: str) -> Limits:
        """Those of one node."""
        own = self.machines.get(node, Limits())
        given = {key: getattr(own if key in own.model_fields_set else self, key) for key in Limits.model_fields}
        return Limits.model_construct(**given)


class ContainerNodes(MadeNodes):
    """System containers that podman makes on the machine where Pulumi runs."""

    backend: Literal["container"]
    """Each node is a system container."""
    container: Container
    """How they are made."""

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

    def mistakes(self) -> list[str]:
        return [
            f"nodes.container.machines.{node}: there is no host {node!r}; name one of {', '.join(self.hosts)}"
            for node in self.container.machines
            if node not in self.hosts
        ]


class LibvirtNodes(MadeNodes):
    """Virtual machines that libvirt runs, on the machine where Pulumi runs or on hypervisors reached over SSH."""

    backend: Literal["libvirt"]
    """Each node is a virtual machine."""
    libvirt: Libvirt
    """How they are made."""

    @property
    def management(self) -> str | None:
        return self.libvirt.management.interface

    def nics(self, node: str) -> dict[str, str]:
        return {name: nic.plugged_into for name, nic in self.libvirt.hardware(node).nics.items()}

    def delivers_pods_macs(self, node: str, nic: str) -> bool:
        made = self.libvirt.hardware(node).nics.get(nic)
        # The kernel's macvlan_handle_frame: but for passthru, it looks the address up among those of its macvtaps.
        return made is None or made.kind != "macvtap" or made.mode == "passthrough"

    def made_of(self, node: str) -> str:
        made = self.libvirt.hardware(node)
        cpus = f"{made.cpus} CPUs" + (f" on {'+'.join(map(str, made.cpu_pinning))}" if made.cpu_pinning else "")
        pages = f" in huge pages of {made.hugepages}" if made.hugepages else ""
        numa = "" if made.numa_node is None else f" of NUMA node {made.numa_node}"
        parts = [cpus, f"{made.memory} MiB of memory{pages}{numa}", f"{made.disk} GiB of disk"]
        parts += [f"on {made.hypervisor}"] if made.hypervisor else []
        return ", ".join([*parts, *(f"{name} in {where}" for name, where in self.nics(node).items())])

    def mistakes(self) -> list[str]:
        found = [
            f"nodes.hosts.{name}.architecture: virtual machines are made as amd64 only; leave it out, or make {name} yourself (backend: existing)"
            for name, host in self.hosts.items()
            if host.architecture != "amd64"
        ]
        if self.libvirt.hypervisors and len(self.ssh.bastions) > 1:
            found.append(
                "nodes.libvirt.hypervisors: they are reached as nodes are, and through one bastion at most; give nodes.ssh.bastion one, or run Pulumi where one will do"
            )
        return [
            *found,
            *machine_checks.mistakes(self.libvirt, {name: host.address for name, host in self.hosts.items()}),
        ]


class Custom(Plugged):
    """Machines that a program of the project makes: of any cloud or virtualization that Pulumi has a package for."""

    program: str = Field(pattern=r"^[^/].*\.py$", examples=["backends/openstack.py"])
    """A Python file, relative to the project, with a class `Settings` and a class `Backend`."""
    settings: dict[str, Any] = Field(default={}, examples=[{"flavor": "m1.large"}])
    """What the program needs to know; its `Settings` say what may stand here."""


class CustomNodes(MadeNodes):
    """Machines of a backend of your own."""

    backend: Literal["custom"]
    """Each node is made by the program that is named."""
    custom: Custom
    """How they are made."""

    @property
    def management(self) -> str | None:
        return self.custom.interface

    def nics(self, node: str) -> dict[str, str]:
        del node
        return dict(self.custom.networks)


Nodes = Annotated[ExistingNodes | ContainerNodes | LibvirtNodes | CustomNodes, Field(discriminator="backend")]
