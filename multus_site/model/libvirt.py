"""Virtual machines under libvirt: their image, hardware and NICs, and the hypervisors that they run on."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from multus_site.model.addresses import AddressOrName, Cidr, IpAddress
from multus_site.model.part import ExactlyOne, Part
from multus_site.model.shapes import Matching
from multus_site.model.types import (
    HostKey,
    HypervisorName,
    InterfaceName,
    Mtu,
    NodeName,
    PciAddress,
    Port,
    Sha256,
    UserName,
)

AbsolutePath = Annotated[
    str,
    # Characters that need no quoting anywhere.
    Matching(
        "(/[A-Za-z0-9._+-]+)+", "is not the full path of a file or folder; write one such as /var/lib/libvirt/images"
    ),
]


class Image(ExactlyOne):
    """The disk image that machines start from: qcow2 or raw, of a system with cloud-init. Exactly one of url and path."""

    url: str | None = Field(
        default=None, pattern="^https?://", examples=["https://cloud.debian.org/debian-12-genericcloud-amd64.qcow2"]
    )
    """Where the hypervisor fetches it."""
    path: AbsolutePath | None = Field(default=None, examples=["/srv/images/debian-12.qcow2"])
    """A file on the hypervisor; it is copied."""
    sha256: Sha256
    """What `sha256sum` prints for it; anything else is refused."""

    one_of = ("url", "path")


class Nic(ExactlyOne):
    """What a NIC of a machine is plugged into; exactly one of bridge, macvtap and vf."""

    bridge: InterfaceName | None = Field(default=None, examples=["br-internal"])
    """A bridge of the hypervisor."""
    macvtap: InterfaceName | None = Field(default=None, examples=["eno2"])
    """A NIC of the hypervisor, used without a bridge."""
    vf: PciAddress | None = Field(default=None, examples=["0000:3b:02.1"])
    """A virtual function of an SR-IOV NIC of the hypervisor, passed through to the machine (PCI passthrough)."""
    mode: Literal["bridge", "vepa", "private", "passthrough"] = "bridge"
    """For macvtap only. Only `passthrough` (exclusive to this machine) delivers frames to MAC addresses of pods, which macvlan uses."""

    mtu: Mtu = 1500
    """Its MTU in the machine. The bridge or NIC of the hypervisor needs at least this MTU, which `up` checks before it changes anything."""

    one_of = ("bridge", "macvtap", "vf")

    @model_validator(mode="after")
    def _mode_of_macvtap(self) -> Self:
        if "mode" in self.model_fields_set and not self.macvtap:
            msg = f"mode applies to macvtap only; remove it, or use macvtap instead of {self.kind}"
            raise ValueError(msg)
        return self

    @property
    def kind(self) -> Literal["bridge", "macvtap", "vf"]:
        """Which of the three it is."""
        return "bridge" if self.bridge else "macvtap" if self.macvtap else "vf"

    @property
    def plugged_into(self) -> str:
        """The bridge, the NIC, or the PCI address."""
        return str(self.bridge or self.macvtap or self.vf)

    @property
    def alone(self) -> bool:
        """Whether nobody else can be plugged into the same."""
        return self.kind == "vf" or self.mode == "passthrough"


class Hypervisor(Part):
    """A machine that runs libvirt, reached over SSH with the site's key, through its bastion if it has one."""

    address: AddressOrName
    """Its address or name."""
    host_key: HostKey
    """Its public host key; any other key stops everything."""
    port: Port = 22
    """Port of its SSH server."""
    user: UserName = "root"
    """User; anything but root must be able to sudo without a password."""


class Hardware(Part):
    """The hardware of a machine."""

    hypervisor: HypervisorName | None = Field(default=None, examples=["kvm1"])
    """Hypervisor that it runs on, one of `hypervisors`; the machine where Pulumi runs if absent."""
    accelerator: Literal["kvm", "tcg"] = "kvm"
    """`tcg`: software emulation, some ten times slower, for hypervisors without /dev/kvm."""
    cpus: int = Field(default=2, ge=1, le=512)
    """Virtual CPUs."""
    memory: int = Field(default=4096, ge=256)
    """MiB."""
    disk: int = Field(default=20, ge=1)
    """GiB; it can grow later, but not shrink."""
    nics: dict[InterfaceName, Nic] = Field(default={}, examples=[{"ens6": {"bridge": "br-internal"}}])
    """Interface in the machine → what it is plugged into."""
    cpu_pinning: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(), examples=[[2, 3, 4, 5]])
    """CPUs of the hypervisor, one for each virtual CPU in order; not pinned if empty."""
    hugepages: Literal["2M", "1G"] | None = None
    """Its memory comes from the hypervisor's reserved pages of this size."""
    numa_node: int | None = Field(default=None, ge=0, examples=[0])
    """NUMA node of the hypervisor that its memory is on."""


class Management(Part):
    """The NIC with a machine's own address, and the other settings that cloud-init gets for its network."""

    interface: InterfaceName = "eth0"
    """Its name, one of `nics`."""
    network: Cidr = Field(examples=["10.1.1.0/24"])
    """The network that the hosts' addresses are in."""
    gateway: IpAddress | None = None
    """Default route; none if absent."""
    dns: tuple[IpAddress, ...] = ()
    """Name servers."""


class Libvirt(Hardware):
    """How the virtual machines of a site are created: the hardware of all, and settings of single ones."""

    image: Image
    """Disk image that they start from."""
    management: Management
    """The network of their own addresses."""
    storage: AbsolutePath = "/var/lib/libvirt/images"
    """Folder on the hypervisor that gets a folder `multus-site` with the disks."""
    hypervisors: dict[HypervisorName, Hypervisor] = {}
    """Machines that run libvirt, by name."""
    machines: dict[NodeName, Hardware] = Field(
        default={}, examples=[{"node2": {"hypervisor": "kvm2", "cpus": 8, "nics": {"ens6": {"vf": "0000:3b:02.1"}}}}]
    )
    """Settings of single nodes; the rest is as for all nodes. NICs are merged by name."""

    def hardware(self, node: NodeName) -> Hardware:
        """The hardware of one node's machine."""
        shared = {key: getattr(self, key) for key in Hardware.model_fields}
        own = self.machines.get(node)
        if own is None:
            return Hardware.model_construct(**shared)
        given = {key: getattr(own, key) for key in own.model_fields_set}
        return Hardware.model_construct(**{**shared, **given, "nics": {**self.nics, **own.nics}})
