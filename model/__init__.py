"""What a site is: frozen pydantic models, without I/O and without Pulumi."""

from model.site import Site

__all__ = ["Site"]
