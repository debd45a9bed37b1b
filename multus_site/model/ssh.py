"""How the nodes of a site are reached: login and bastions."""

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from multus_site.model.addresses import AddressOrName
from multus_site.model.part import Part
from multus_site.model.types import HostKey, Port, UserName


class Bastion(Part):
    """A host that the nodes are reached through.

    The login uses the private key or password of the nodes, or one of the bastion's own: the secrets `multus-site:bastionPrivateKey` or
    `multus-site:bastionPassword`, of a second bastion `multus-site:secondBastionPrivateKey` or `multus-site:secondBastionPassword`.
    """

    host: AddressOrName = Field(examples=["203.0.113.9"])
    """Name or address."""
    port: Port = 22
    """Port of its SSH server."""
    user: UserName = "root"
    """User to log in as."""
    host_key: HostKey
    """Its public host key; any other key stops everything."""


FORMS = ("one bastion", "two bastions")
"""How pydantic tells the two forms apart in the places of its errors."""


def _form(value: Any) -> str:  # noqa: ANN401  # a value of any shape, before it is validated
    return FORMS[isinstance(value, (list, tuple))]


Bastions = Annotated[
    Annotated[Bastion, Tag(FORMS[0])]
    | Annotated[tuple[Bastion, ...], Tag(FORMS[1]), Field(min_length=1, max_length=2)],
    Discriminator(_form),
]


class Ssh(Part):
    """How nodes are logged in to: with the private key `multus-site:sshPrivateKey`, the password `multus-site:sshPassword` or an agent's keys."""

    user: UserName = "root"
    """User; anything but root must be able to sudo: without a password, or with the secret `multus-site:sudoPassword`."""
    port: Port = 22
    """Port of the nodes' SSH servers."""
    private_key_file: str | None = Field(default=None, examples=[".lab/ssh/id_ed25519"])
    """File with the private key, relative to the project; instead of the secret `multus-site:sshPrivateKey`."""
    agent: bool = False
    """Log in with the keys of this machine's SSH agent (SSH_AUTH_SOCK) instead of a private key."""
    bastion: Bastions | None = None
    """One host to go through, or two in the order of the route; if absent, the nodes are reached directly."""

    @property
    def bastions(self) -> tuple[Bastion, ...]:
        """All of them, the first from here first."""
        if self.bastion is None:
            return ()
        return self.bastion if isinstance(self.bastion, tuple) else (self.bastion,)

    @model_validator(mode="after")
    def _key_or_agent(self) -> Self:
        if self.agent and self.private_key_file is not None:
            msg = "agent and privateKeyFile are both set; keep one of the two"
            raise ValueError(msg)
        return self
