"""An air-gapped site: the mirror that everything comes from, and nothing else is asked."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from multus_site.model.base import Part

OperatingSystem = Literal["debian-12", "debian-13", "ubuntu-22.04", "ubuntu-24.04"]


def _base(value: str) -> str:
    """The address of a server, without a slash at its end."""
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in {"http", "https"} or not rest.strip("/"):
        msg = f"{value!r} is not the address of a server; write one such as http://192.0.2.9:8080"
        raise ValueError(msg)
    return value.rstrip("/")


def _server(value: str) -> str:
    """The address of a registry: container runtimes put /v2 behind it, so it has no path."""
    base = _base(value)
    if "/" in base.partition("://")[2]:
        msg = f"{value!r} has a path; write a host and a port alone, such as http://192.0.2.9:5000"
        raise ValueError(msg)
    return base


class AirGap(Part):
    """The mirror that an air-gapped site gets everything from; `multus-site mirror` fills and serves one."""

    files: Annotated[str, AfterValidator(_base), Field(examples=["http://192.0.2.9:8080"])]
    """Its files: what is at https://HOST/PATH elsewhere is at HOST/PATH here."""
    registry: Annotated[str, AfterValidator(_server), Field(examples=["http://192.0.2.9:5000"])]
    """Its registry, asked for images of every registry under their own names."""
    os: OperatingSystem | None = Field(default=None, examples=["debian-12"])
    """What the nodes run; the mirror then has its packages, and the nodes' package manager asks it alone. Absent: packages are there."""
