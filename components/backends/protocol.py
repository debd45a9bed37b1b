"""What a backend is asked for and what it answers: a machine that SSH reaches with a host key known beforehand."""

from dataclasses import dataclass
from typing import Protocol

import pulumi

from multus_site.model.nodes import Host


@dataclass(frozen=True)
class Asked:
    """One machine, as the site wants it.

    It is to be at `host.address`, called `node`, with Python, and to let `user` in (who may sudo, if not root) by
    `authorized_key`. Its host key is ours: Ed25519, so that it is pinned before the machine is there.
    """

    name: str
    """Name for Pulumi, such as dallas-node1; resources that are made start with it."""
    site: str
    node: str
    host: Host
    user: str
    authorized_key: pulumi.Output[str]
    """Public half of the site's SSH key, a line of authorized_keys."""
    host_key: pulumi.Output[str]
    """Private host key, in OpenSSH's form; a secret."""
    host_key_public: pulumi.Output[str]
    started: pulumi.Input[str]
    """Another text when the machine was found standing still: it is to be started."""
    provider: pulumi.ProviderResource
    """pulumi-command's, for backends that are commands."""


@dataclass(frozen=True)
class Machine:
    """What was made of it."""

    resource: pulumi.Resource
    """The machine itself: what lives on it goes with it, and waits for it."""
    identity: pulumi.Input[str]
    """Says which machine it is: the same, in a preview too, when it is changed in place; another, or not known, when it is made anew. A resource's `id`."""
    changed: pulumi.Input[str] | None = None
    """Another text when it was changed in place and started again, so that the node is to be looked at; None where nothing of the kind happens."""


class Backend(Protocol):
    """Makes machines."""

    def machine(self, asked: Asked, opts: pulumi.ResourceOptions) -> Machine:
        """One machine. `opts` hold the parent, and are to be merged into each resource's own."""
