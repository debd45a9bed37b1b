"""Who makes the machines of a site: one function a backend, all of the same form."""

from components.backends import container
from components.backends.protocol import Backend
from model.nodes import ContainerNodes, Nodes


def backend(nodes: Nodes) -> Backend | None:
    """What makes the site's machines; None where they are there already."""
    if isinstance(nodes, ContainerNodes):
        return container.Containers(nodes)
    return None
