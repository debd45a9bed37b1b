"""What multus-site runs at a site: the daemons, their releases and limits, and the measuring of throughput."""

from typing import Literal

from pydantic import Field

from multus_site.model.part import Part
from multus_site.model.types import BareVersion, ObjectName, PinnedImage


class WhereaboutsDaemon(Part):
    """The whereabouts daemon, installed where a network takes its addresses from whereabouts."""

    version: BareVersion = Field(default="0.9.2", examples=["0.9.2"])
    """Release of whereabouts."""
    memory_limit: str = Field(default="256Mi", examples=["512Mi"])
    """Memory limit of the daemon, which caches every pod of the cluster: about 100Mi and 20 KiB a pod."""
    reconciler_cron_expression: str = Field(default="*/15 * * * *", examples=["30 4 * * *"])
    """When leaked addresses are released (upstream: once a day)."""


class Multus(Part):
    """The Multus daemon (thick)."""

    version: BareVersion = Field(default="4.3.0", examples=["4.3.0"])
    """Release of multus-cni."""
    memory_limit: str = Field(default="256Mi", examples=["512Mi"])
    """Memory limit of the daemon. Upstream's 50Mi is killed under load, and with it every pod start of the node."""


class InterfaceRepair(Part):
    """A CronJob that evicts pods without the interfaces that they ask for; their controllers create them again."""

    namespaces: Literal["all"] | tuple[ObjectName, ...] = Field(default=(), examples=[["telecom"]])
    """Namespaces whose pods it may evict, or `all`; if empty, only the pods of the site's own workloads."""
    pods_per_pass: int = Field(default=5, ge=1, le=100, examples=[3])
    """Maximum of pods that it evicts at a time, every two minutes."""
    image: PinnedImage = "docker.io/library/python:3.13-alpine"
    """Image with Python 3.11 or later."""


class Throughput(Part):
    """Measuring with iperf3 between two workers. While it runs, it takes two addresses of each range and loads the links."""

    seconds: int = Field(default=5, ge=1, le=60)
    """Length of one run."""
    runs: int = Field(default=3, ge=3, le=20)
    """Runs of each kind; the spread is over them."""
    streams: tuple[int, ...] = Field(default=(1, 4), min_length=1, examples=[[1, 4]])
    """Numbers of parallel streams."""
    protocols: tuple[Literal["tcp", "udp"], ...] = Field(
        default=("tcp", "udp"), min_length=1, examples=[["tcp", "udp"]]
    )
    """What is sent."""
    gbits_per_second: float | None = Field(default=None, ge=0.001, le=400, examples=[2.5])
    """Maximum that a run sends, over all streams. If absent, TCP is not limited and UDP sends one Gbit/s."""
    image: PinnedImage = "docker.io/nicolaka/netshoot:v0.13"
    """Image with iperf3, iproute2 and a shell."""
