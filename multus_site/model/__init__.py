"""What a site is: frozen pydantic models, without I/O and without Pulumi."""

from multus_site.model.site import Site

__all__ = ["Site"]
