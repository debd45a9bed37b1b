"""The graph of a site. `run()` creates a whole stack, `Site` one site beside other resources; `node_backend` is for backends of your own."""

from .secrets import Secrets
from .site import Site, SiteArgs, run

__all__ = ["Secrets", "Site", "SiteArgs", "run"]
