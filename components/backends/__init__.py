"""Who makes the machines of a site: one function a backend, all of the same form."""

from components.backends import container, libvirt
from components.backends.protocol import Backend
from components.ssh import Ssh
from model.nodes import ContainerNodes, LibvirtNodes, Nodes


def backend(nodes: Nodes, ssh: Ssh) -> Backend | None:
    """What makes the site's machines; None where they are there already. `ssh`: for those that are made elsewhere."""
    if isinstance(nodes, ContainerNodes):
        return container.Containers(nodes)
    if isinstance(nodes, LibvirtNodes):
        return libvirt.VirtualMachines(nodes, ssh)
    return None
