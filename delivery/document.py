"""What the delivery is asked for: one JSON document on stdin. And what can go wrong: one exception, whose text is for a person."""

import json
from dataclasses import dataclass, field
from typing import Any

from kubespray.document import Jump
from render.cni_plugins import Origin


class DeliveryError(Exception):
    """A mistake or failure that a person can do something about; its text says what."""


@dataclass(frozen=True)
class Document:
    """Plugins for the nodes of one site."""

    hosts: dict[str, dict[str, Any]]
    """Node → how it is reached, as render.inventory gives it."""
    architectures: dict[str, str]
    """Node → its architecture."""
    origins: dict[str, tuple[Origin, ...]]
    """Architecture → plugins that this machine sends."""
    private_key: str = field(repr=False)
    known_hosts: str
    """Text of a known_hosts file with every node's key, and the bastion's."""
    bastion: Jump | None = None
    again: tuple[str, ...] = ()
    """Why it may have to be done again: a new machine, a run of Kubespray. Nothing is read from it."""

    @classmethod
    def parse(cls, text: str) -> "Document":
        """From JSON. Raises DeliveryError where it is no such document."""
        try:
            data = json.loads(text)
            jump = data.pop("bastion", None)
            origins = {key: tuple(Origin(**one) for one in many) for key, many in data.pop("origins").items()}
            return cls(**data, origins=origins, bastion=Jump(**jump) if jump else None)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"stdin holds no document of components/cni_delivery.py: {error}"
            raise DeliveryError(msg) from None
