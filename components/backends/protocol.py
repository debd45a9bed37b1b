"""The old name of `components.node_backend`, for programs of projects that import it. 0.5 removes this file."""

from ..node_backend import Asked, Backend, Machine

__all__ = ["Asked", "Backend", "Machine"]
