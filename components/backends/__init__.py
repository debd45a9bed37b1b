"""Who makes the machines of a site: a class a backend, all of the same form."""

from multus_site.model.nodes import ContainerNodes, CustomNodes, LibvirtNodes, Nodes

from ..node_backend import Backend
from ..ssh import Ssh
from . import container
from .custom import custom
from .libvirt import VirtualMachines


def backend(nodes: Nodes, ssh: Ssh) -> Backend | None:
    """What makes the site's machines; None where they are there already. `ssh`: for those that are made elsewhere.

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
    """The nodes whose machine is there and stands still, as far as that can be seen from here; for `drift`, without Pulumi."""
    return container.stopped(site, nodes.hosts) if isinstance(nodes, ContainerNodes) else set()
