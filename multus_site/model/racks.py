"""Racks of a site: where nodes are, which workloads they are for, and how replicas are spread over them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from multus_site.model.part import Part
from multus_site.model.types import LabelKey, LabelValue, NodeName, ObjectName, RackName

Level = Literal["rack", "row", "zone", "node"]

LABELS: dict[Level, str] = {
    "rack": "topology.multus-site/rack",
    "row": "topology.multus-site/row",
    "zone": "topology.kubernetes.io/zone",
    "node": "kubernetes.io/hostname",
}
"""The labels with a node's rack, row, zone and name. Kubernetes defines labels only for zones and nodes."""


class Taint(Part):
    """The taint of a dedicated rack's nodes: pods that do not tolerate it do not run there."""

    key: LabelKey = "multus-site/dedicated"
    """Its key."""
    value: LabelValue | None = Field(default=None, examples=["c1"])
    """Its value; the rack's name if absent."""
    effect: Literal["NoSchedule", "NoExecute"] = "NoSchedule"
    """`NoExecute` also ends pods that run there already and do not tolerate it."""

    def for_rack(self, rack: str) -> "Taint":
        """The taint as nodes of the rack have it."""
        return self if self.value is not None else self.model_copy(update={"value": rack})

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}"


def _yes_or_no(value: object) -> object:
    """`dedicated: true` says the same as `dedicated: {}`."""
    return ({} if value else None) if isinstance(value, bool) else value


class Rack(Part):
    """A rack. Its hosts name it (`nodes.hosts.NAME.rack`)."""

    row: ObjectName | None = Field(default=None, examples=["a"])
    """Its row: the label topology.multus-site/row of its nodes."""
    zone: ObjectName | None = Field(default=None, examples=["east"])
    """Failure domain: the label topology.kubernetes.io/zone of its nodes; the rack's name if absent."""
    dedicated: Annotated[
        Taint | None, BeforeValidator(_yes_or_no, json_schema_input_type=bool | Taint | None), Field(examples=[True])
    ] = None
    """Reserves the rack for workloads that name it: `true`, or the taint that keeps all others off its nodes."""
    labels: dict[LabelKey, LabelValue] = Field(default={}, examples=[{"example.com/power": "feed-b"}])
    """Further labels of its nodes."""


class Placed(Part):
    """A part of a site that is on all workers, or only on some."""

    nodes: tuple[NodeName, ...] = ()
    """Nodes that it is on; all workers if empty."""
    racks: tuple[RackName, ...] = Field(default=(), examples=[["c1"]])
    """Racks whose workers it is on, instead of `nodes`."""


class Spread(Part):
    """How a workload's pods are spread; in a site file the level's name is enough."""

    over: Level
    """Each rack, row, zone or node has its share of the pods."""
    max_skew: int = Field(default=1, ge=1, le=100)
    """Maximum difference in pods between two of them."""
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = "DoNotSchedule"
    """What happens to a pod that would exceed maxSkew: it waits, or it runs anyway."""


def _level(value: object) -> object:
    """`rack` says the same as `{over: rack}`."""
    return {"over": value} if isinstance(value, str) else value


NamedSpread = Annotated[Spread, BeforeValidator(_level, json_schema_input_type=Level | Spread)]


def _one(value: object) -> object:
    """`spread: rack` says the same as `spread: [rack]`."""
    return [value] if isinstance(value, str | dict) else value


Spreads = Annotated[
    tuple[NamedSpread, ...],
    BeforeValidator(_one, json_schema_input_type=Level | Spread | tuple[Level | Spread, ...]),
]
