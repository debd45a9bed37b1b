"""Multi-interface Kubernetes pods at telecom sites, as code."""

from pathlib import Path

__version__ = "0.4.0"

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent if (_PACKAGE.parent / "pyproject.toml").is_file() else None
if _CHECKOUT is not None:
    # There, components and policy are folders at the top; a wheel has them in here.
    __path__ = [*__path__, str(_CHECKOUT)]


def packaged(name: str) -> Path:
    """A file or folder of the release that a checkout has at its top, and a wheel in this package."""
    return (_CHECKOUT or _PACKAGE) / name
