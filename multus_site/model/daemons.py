"""The daemons that a site runs of ours: their releases and their limits."""

from pydantic import Field

from multus_site.model.base import Part
from multus_site.model.types import BareVersion


class WhereaboutsDaemon(Part):
    """The whereabouts daemon, installed where a network takes its addresses from whereabouts."""

    version: BareVersion = Field(default="0.9.2", examples=["0.9.2"])
    """Release of whereabouts."""
    memory_limit: str = Field(default="256Mi", examples=["512Mi"])
    """Memory limit of the daemon, which keeps every pod of the cluster in mind: about 100Mi and 20 KiB a pod."""
    reconciler_cron_expression: str = Field(default="*/15 * * * *", examples=["30 4 * * *"])
    """When leaked addresses are given back (upstream: once a day)."""


class Multus(Part):
    """The Multus daemon (thick)."""

    version: BareVersion = Field(default="4.3.0", examples=["4.3.0"])
    """Release of multus-cni."""
    memory_limit: str = Field(default="256Mi", examples=["512Mi"])
    """Memory limit of the daemon. Upstream's 50Mi is killed under load, and with it every pod start of the node."""
