"""Facts about the nodes and the cluster. An unknown fact is None, and no finding relies on it."""

import json
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from multus_site.cni.addresses import parse_block, parse_cidr


def _listed(value: object) -> object:
    """A list of CIDRs; text holds one, or several separated by commas (dual stack)."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _network(value: str) -> str:
    if parse_cidr(value) is None:
        message = f"{value!r} is not a network; write one such as 10.233.64.0/18"
        raise ValueError(message)
    return value


def _address(value: str) -> str:
    if parse_block(value) is None:
        message = f"{value!r} is neither an address nor a network; write one such as 10.1.1.5 or 10.1.1.0/24"
        raise ValueError(message)
    return value


Networks = Annotated[list[Annotated[str, AfterValidator(_network)]], BeforeValidator(_listed)]
Addresses = Annotated[list[Annotated[str, AfterValidator(_address)]], BeforeValidator(_listed)]


class FactsError(ValueError):
    """Invalid facts; the message names each one and the reason."""


class Facts(BaseModel):
    """Facts about nodes and cluster; the JSON keys are in camelCase."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, use_attribute_docstrings=True
    )

    nodes: int | None = None
    """Number of nodes that can run the pods."""
    ifaces: list[str] | None = None
    """Interfaces that every node has."""
    ifaces_by_node: dict[str, list[str]] | None = None
    """Interfaces of each node."""
    primary_iface: str | None = None
    """Interface with the node's own address."""
    default_route: str | None = None
    """Interface of the default route; an empty string if the nodes have none."""
    node_ips: Annotated[Addresses | None, Field(alias="nodeIPs")] = None
    """Addresses of the nodes, or networks that contain them."""
    mtu: dict[str, int] | None = None
    """MTU of each interface."""
    plugins: list[str] | None = None
    """Binaries in /opt/cni/bin."""
    plugin_versions: dict[str, list[str]] | None = None
    """Versions of the CNI specification that each plugin supports."""
    nads: list[str] | None = None
    """All NetworkAttachmentDefinitions of the cluster, as namespace/name."""
    nad_resource: dict[str, str] | None = None
    """Resource that a NetworkAttachmentDefinition names, by namespace/name."""
    sriov_resources: list[str] | None = None
    """Resources that device plugins offer."""
    pf: bool | None = None
    """Whether nodes have physical functions with SR-IOV."""
    dhcp_daemon: bool | None = None
    """Whether the DHCP daemon of the CNI plugins runs on the nodes."""
    pod_cidr: Annotated[Networks | None, Field(alias="podCIDR")] = None
    """Addresses of the cluster's pods."""
    service_cidr: Annotated[Networks | None, Field(alias="serviceCIDR")] = None
    """Addresses of the cluster's services."""
    namespace_isolation: bool | None = None
    """Whether Multus rejects networks of other namespaces."""
    node_is_vm: Annotated[bool | None, Field(alias="nodeIsVM")] = None
    """Whether the nodes are virtual machines."""

    def lacks_interface(self, name: str) -> list[str] | None:
        """Nodes without the interface, `[""]` if only some unknown node lacks it; None if all have it or nothing is known."""
        if self.ifaces is not None and name in self.ifaces:
            return None
        if self.ifaces_by_node is not None:
            return sorted(node for node, interfaces in self.ifaces_by_node.items() if name not in interfaces) or None
        return [""] if self.ifaces is not None else None

    def interfaces(self) -> list[str]:
        """Names of all known interfaces, for messages."""
        return sorted({*(self.ifaces or []), *(i for names in (self.ifaces_by_node or {}).values() for i in names)})


def parse_facts(text: str, *, source: str) -> Facts:
    """Parse facts from a JSON object. Raises FactsError."""
    try:
        return Facts.model_validate(json.loads(text))
    except ValidationError as error:
        lines = [
            f"{source}: {'.'.join(str(part) for part in d['loc'])}: {_message(d['type'], d['msg'])}"
            for d in error.errors()
        ]
        raise FactsError("\n".join(lines)) from None
    except (ValueError, RecursionError) as error:
        message = f"{source}: not JSON: {error}"
        raise FactsError(message) from None


def _message(kind: str, message: str) -> str:
    if kind != "extra_forbidden":
        return message.removeprefix("Value error, ")
    known = ", ".join(field.alias or name for name, field in Facts.model_fields.items())
    return f"unknown fact; the facts are {known}"
