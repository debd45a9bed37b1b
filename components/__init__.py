"""The graph of a site: one public Pulumi component a file. `run()` is a whole stack."""

from .program import run

__all__ = ["run"]
