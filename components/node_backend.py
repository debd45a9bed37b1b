"""The protocol of node backends: what creates the machines of a site. Programs that `nodes.custom.program` names implement it.

Such a program has a class `Settings`, a pydantic model of `nodes.custom.settings`, and a class `Backend` that is created with the settings
and `nodes.custom` (multus_site.model), and has the method of the protocol below. docs/nodes-custom.md shows one.
"""

from dataclasses import dataclass
from typing import Protocol

import pulumi

from multus_site.model.nodes import Host


@dataclass(frozen=True)
class Asked:
    """One machine, as the site describes it.

    It must have the address `host.address`, the host name `node` and Python, and accept `authorized_key` for `user`, who may run
    sudo if not root. It must show the host key that is given here, an Ed25519 key: the key is pinned before the machine exists.
    """

    name: str
    """Prefix of the names of its resources, such as dallas-node1."""
    site: str
    node: str
    host: Host
    user: str
    authorized_key: pulumi.Output[str]
    """Public half of the site's SSH key, a line of authorized_keys."""
    host_key: pulumi.Output[str]
    """Private host key in OpenSSH's format; a secret."""
    host_key_public: pulumi.Output[str]
    started: pulumi.Input[str]
    """Changes when the machine was found stopped, so that an update can start it."""
    provider: pulumi.ProviderResource
    """The pulumi-command provider, for backends that run commands."""


@dataclass(frozen=True)
class Machine:
    """A machine that was created."""

    resource: pulumi.Resource
    """The machine itself. Everything on the node depends on it and is deleted with it."""
    identity: pulumi.Input[str]
    """Which machine it is, such as the resource's `id`: unchanged, in a preview too, when the machine is changed in place; changed or unknown when it is recreated."""
    changed: pulumi.Input[str] | None = None
    """Changes when the machine was changed in place and restarted, so that the node is checked again; None if that never happens."""


class Backend(Protocol):
    """Creates machines."""

    def machine(self, asked: Asked, opts: pulumi.ResourceOptions) -> Machine:
        """Creates one machine. `opts` hold the parent; merge them into the options of each resource."""
