"""What every typed network has in common."""

from collections.abc import Iterator
from typing import ClassVar, Self

from pydantic import Field, model_validator

from multus_site.model.chained import Bandwidth, Chained, Firewall, Sbr
from multus_site.model.ipam import Ipam, NoAddresses
from multus_site.model.part import Mistake, Plugin, refuse
from multus_site.model.racks import Placed
from multus_site.model.types import CniVersion, Namespace, SegmentName


class NamespacedNetwork(Placed, Plugin):
    """What raw networks have too."""

    namespace: Namespace = Field(default="default")
    """Namespace of the NetworkAttachmentDefinition; its workloads are in the same one."""
    segment: SegmentName | None = Field(default=None)
    """L2 segment that it is on, one of `segments`."""


class Attachable(NamespacedNetwork):
    """A network that pods attach to."""

    cni_version: CniVersion | None = Field(default=None, examples=["1.0.0"])
    """Version of the CNI specification that the plugins are called with; the highest that plugins, Multus and runtime support if absent."""
    chain: tuple[Chained, ...] = ()
    """Plugins that work on what this one made, in this order."""
    ipam: Ipam
    """How its pods get addresses."""

    makes_veth: ClassVar[bool] = False
    """Whether the pod's interface has an end on the node, which bandwidth and firewall can work on."""
    takes_mac: ClassVar[bool] = False
    """Whether a pod can ask the plugin itself for a MAC address."""

    @property
    def has_interface(self) -> bool:
        """Whether the pod gets an interface; a device that a DPDK program drives is none."""
        return True

    @property
    def device_resource(self) -> str | None:
        """The device resource that a pod must ask for, once for each attachment."""
        return None

    @model_validator(mode="after")
    def _chain_can_work(self) -> Self:
        refuse(self._check_chain())
        return self

    def _check_chain(self) -> Iterator[Mistake]:
        types = [plugin.type for plugin in self.chain]
        for i, plugin in enumerate(self.chain):
            path = ("chain", i)
            if plugin.type in types[:i]:
                yield Mistake(
                    path, f"{plugin.type} is listed already; keep one of them, for each plugin does its work once"
                )
            if isinstance(plugin, Bandwidth):
                yield from (Mistake(path, message) for message in self._check_bandwidth(plugin))
            if isinstance(plugin, Sbr) and isinstance(self.ipam, NoAddresses):
                message = "sbr makes rules of the pod's addresses and fails where it has none; remove it from chain, or use an ipam that gives addresses"
                yield Mistake(path, message)
            if isinstance(plugin, Firewall) and plugin.ingress_policy not in {None, "open"} and self.type != "bridge":
                message = f"firewall's ingressPolicy {plugin.ingress_policy} asks which bridge a packet came from, and {self.type} has none; write open, or remove it"
                yield Mistake((*path, "ingressPolicy"), message)

    def _check_bandwidth(self, plugin: Bandwidth) -> Iterator[str]:
        if not self.makes_veth:
            yield f"bandwidth shapes the node's end of a veth pair, and {self.type} makes none; remove it from chain, or write type: bridge or ptp"
        pairs = (
            ("ingressRate", plugin.ingress_rate, "ingressBurst", plugin.ingress_burst),
            ("egressRate", plugin.egress_rate, "egressBurst", plugin.egress_burst),
        )
        for rate, speed, burst, size in pairs:
            if (speed is None) != (size is None):
                there, missing = (rate, burst) if size is None else (burst, rate)
                yield f"bandwidth has {there} without {missing}; give both"
        if all(value is None for _, speed, _, size in pairs for value in (speed, size)):
            yield "bandwidth limits nothing; give ingressRate and ingressBurst, or egressRate and egressBurst"
