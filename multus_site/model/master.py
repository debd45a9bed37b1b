"""A NIC of the node that networks hang on: by its name, or by what tells it from the others where names differ by node."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from multus_site.model.addresses import MacAddress
from multus_site.model.part import ExactlyOne
from multus_site.model.types import GroupName, InterfaceName, NodeName, PciAddress


class MasterByNode(ExactlyOne):
    """A NIC that is not called the same on every node; exactly one of the four."""

    groups: dict[GroupName, InterfaceName] = Field(default={}, examples=[{"compute": "ens6", "edge": "eno2"}])
    """Its name for each group of nodes (`groups` of a host); nodes of no such group do not have the network."""
    mac: dict[NodeName, MacAddress] = Field(default={}, examples=[{"node1": "02:00:0a:01:0a:05"}])
    """Its MAC address on each node; nodes that are not named do not have the network."""
    pci: PciAddress | None = None
    """Its PCI address, the same on every node."""
    altname: str | None = Field(
        default=None, min_length=1, max_length=127, pattern=r"^[^/:\s]+$", examples=["enp59s0f0"]
    )
    """An alternative name of it, which every node has (`ip link property`)."""

    one_of = ("groups", "mac", "pci", "altname")

    @property
    def found_by(self) -> str:
        """How a node finds it: `pci VALUE` or `altname VALUE`; empty where it has a name, or one for each node."""
        return f"pci {self.pci}" if self.pci else f"altname {self.altname}" if self.altname else ""


TAGS = ("by name", "by node")
"""How pydantic tells the two forms apart in the places of its errors."""


def _form(value: Any) -> str:  # noqa: ANN401  # a value of any shape, before it is validated
    return TAGS[isinstance(value, (dict, MasterByNode))]


Master = Annotated[
    Annotated[InterfaceName, Tag(TAGS[0])]
    | Annotated[MasterByNode, Tag(TAGS[1]), Field(examples=[{"groups": {"compute": "ens6", "edge": "eno2"}}])],
    Discriminator(_form),
]
