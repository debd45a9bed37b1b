"""Plugins chained behind the plugin that creates the interface; each changes that interface."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from multus_site.model.addresses import MacAddress
from multus_site.model.part import Plugin
from multus_site.model.types import InterfaceName, Mtu

Backend = Literal["iptables", "nftables"]
Capability = Literal["", "mac", "portMappings"]
"""What the runtime hands from a pod's annotation to a chained plugin."""

_LONGEST_BURST = 8 * (2**32 - 1) - 1
"""Bits: the plugin refuses what is not less than 2³² - 1 bytes."""


class Tuning(Plugin):
    """Settings of the pod's interface (plugins/meta/tuning)."""

    type: Literal["tuning"]
    sysctl: dict[str, str] = Field(default={}, examples=[{"net.ipv4.conf.IFNAME.arp_filter": "1"}])
    """Kernel settings of the pod's network; IFNAME stands for the interface."""
    mac: MacAddress | None = None
    """MAC address; only for a network of a single pod."""
    mtu: Mtu | None = None
    """At most the MTU of the interface below it."""
    promisc: bool | None = None
    """Accept every frame, whatever its destination."""
    allmulti: bool | None = None
    """Accept every multicast frame."""
    tx_q_len: int | None = Field(default=None, ge=0, alias="txQLen", examples=[1000])
    """Length of the transmit queue, packets."""

    capability: ClassVar[Capability] = "mac"


class Sbr(Plugin):
    """Source-based routing: what leaves with the interface's address leaves through it (plugins/meta/sbr)."""

    type: Literal["sbr"]
    table: int | None = Field(default=None, ge=1, le=2**31 - 1, examples=[100])
    """Routing table; the first free one from 100 if absent."""


class Vrf(Plugin):
    """The interface in a virtual routing and forwarding domain of the pod (plugins/meta/vrf; needs the kernel's vrf)."""

    type: Literal["vrf"]
    vrfname: InterfaceName = Field(examples=["blue"])
    """Name of the VRF."""
    table: int | None = Field(default=None, ge=1, le=2**31 - 1, examples=[10])
    """Routing table; a free one if absent."""


class Bandwidth(Plugin):
    """Limits of rate, on the node's end of a veth pair: behind bridge and ptp only (plugins/meta/bandwidth)."""

    type: Literal["bandwidth"]
    ingress_rate: int | None = Field(default=None, ge=1, examples=[100000000])
    """To the pod, bit/s."""
    ingress_burst: int | None = Field(default=None, ge=1, le=_LONGEST_BURST, examples=[80000000])
    """To the pod, bits; goes with ingressRate."""
    egress_rate: int | None = Field(default=None, ge=1, examples=[100000000])
    """From the pod, bit/s."""
    egress_burst: int | None = Field(default=None, ge=1, le=_LONGEST_BURST, examples=[80000000])
    """From the pod, bits; goes with egressRate."""


class Portmap(Plugin):
    """Ports of the node that lead to ports of the pod, as its attachment asks with portMappings (plugins/meta/portmap)."""

    type: Literal["portmap"]
    backend: Backend | None = None
    """What translates addresses; iptables if available, if absent."""
    snat: bool | None = None
    """Whether a pod reaches its own mapped port; true if absent."""
    masq_all: bool | None = None
    """Hide every client behind the node's address: needed behind macvlan and ipvlan."""
    mark_masq_bit: int | None = Field(default=None, ge=0, le=31, examples=[13])
    """Bit of the packet mark that asks for masquerading."""
    external_set_mark_chain: str | None = Field(default=None, examples=["KUBE-MARK-MASQ"])
    """Chain that sets the mark, instead of a bit."""
    conditions_v4: tuple[str, ...] = Field(default=(), alias="conditionsV4", examples=[["!", "-d", "192.0.2.0/24"]])
    """Further conditions of the rules for IPv4, as iptables' arguments."""
    conditions_v6: tuple[str, ...] = Field(default=(), alias="conditionsV6", examples=[["!", "-d", "fc00::/7"]])
    """Further conditions of the rules for IPv6."""

    capability: ClassVar[Capability] = "portMappings"


class Firewall(Plugin):
    """Lets the pod's addresses through the node's firewall (plugins/meta/firewall)."""

    type: Literal["firewall"]
    backend: Literal["iptables", "firewalld"] | None = None
    """What filters; firewalld if it runs, if absent."""
    iptables_admin_chain_name: str | None = Field(default=None, examples=["CNI-ADMIN"])
    """Chain of the operator's own rules, evaluated first."""
    firewalld_zone: str | None = Field(default=None, examples=["trusted"])
    """Zone that the addresses are put into."""
    ingress_policy: Literal["open", "same-bridge", "isolated"] | None = None
    """Who may open connections to the pod; anything but open needs the plugin bridge."""


Chained = Annotated[Tuning | Sbr | Vrf | Bandwidth | Portmap | Firewall, Field(discriminator="type")]
