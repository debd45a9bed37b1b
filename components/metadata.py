"""What the API server writes into an object's metadata: uid, generation."""

from typing import Any

import pulumi


def written(resource: Any, key: str) -> pulumi.Output[str]:  # noqa: ANN401  # every kind has its own class
    """A field of the metadata of an object, as text.

    The preview of a change has it only where the API server can be asked; else it is like no value that was there before, so that
    what depends on it is shown to run again.
    """
    return pulumi.Output.from_input(resource.metadata).apply(lambda metadata: str(metadata.get(key, "not known yet")))
