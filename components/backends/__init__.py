"""The node backends: one class per backend, all with the protocol of `node_backend`."""

from multus_site.model.nodes import ContainerNodes, CustomNodes, LibvirtNodes, Nodes

from ..node_backend import Backend
from ..ssh import Ssh
from . import container
from .custom import custom
from .libvirt import VirtualMachines


def backend(nodes: Nodes, ssh: Ssh) -> Backend | None:
    """The site's backend; None for existing hosts. `ssh`: for machines on hypervisors.

    Raises pulumi.RunError for a program that is missing or wrong.
    """
    if isinstance(nodes, ContainerNodes):
        return container.Containers(nodes)
    if isinstance(nodes, LibvirtNodes):
        return VirtualMachines(nodes, ssh)
    if isinstance(nodes, CustomNodes):
        return custom(nodes)
    return None


def stopped(site: str, nodes: Nodes) -> set[str]:
    """The nodes whose machine is stopped, if the backend can see that; for `drift`, without Pulumi."""
    return container.stopped(site, nodes.hosts) if isinstance(nodes, ContainerNodes) else set()
