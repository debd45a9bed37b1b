"""What a site wants measured of its networks: how long, how often, how fast at most."""

from typing import Literal

from pydantic import Field

from multus_site.model.base import Part
from multus_site.model.types import PinnedImage


class Throughput(Part):
    """Measuring with iperf3 between two workers. It takes two addresses of each range while it lasts, and loads the links."""

    seconds: int = Field(default=5, ge=1, le=60)
    """Length of one run."""
    runs: int = Field(default=3, ge=3, le=20)
    """Runs of each kind; the spread is over them."""
    streams: tuple[int, ...] = Field(default=(1, 4), min_length=1, examples=[[1, 4]])
    """Numbers of streams side by side."""
    protocols: tuple[Literal["tcp", "udp"], ...] = Field(
        default=("tcp", "udp"), min_length=1, examples=[["tcp", "udp"]]
    )
    """What is sent."""
    gbits_per_second: float | None = Field(default=None, ge=0.001, le=400, examples=[2.5])
    """Most that a run sends, all of its streams together. None: TCP as fast as it goes, UDP one Gbit/s."""
    image: PinnedImage = "docker.io/nicolaka/netshoot:v0.13"
    """Image with iperf3, iproute2 and a shell."""
