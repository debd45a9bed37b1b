"""Multi-interface Kubernetes pods at telecom sites, as code."""

from pathlib import Path

__version__ = "0.2.0"

_CHECKOUT = Path(__file__).parents[1]
if (_CHECKOUT / "pyproject.toml").is_file():
    # There, components and policy are folders at the top; a wheel has them in here.
    __path__ = [*__path__, str(_CHECKOUT)]
