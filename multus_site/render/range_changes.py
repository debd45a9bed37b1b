"""What a change of ranges means for running pods. Pure: the caller gives the running pods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from multus_site.model.site import Site
from multus_site.render.address_plan import Taken, outside
from multus_site.render.attachment import manifest_of


@dataclass(frozen=True)
class RangeChanges:
    """Messages. `moves` are reported; `stranded` are errors."""

    moves: tuple[str, ...]
    stranded: tuple[str, ...]


def range_changes(site: Site, taken: Sequence[Taken], configs: Mapping[str, str]) -> RangeChanges:
    """Compare addresses of running pods with the site's ranges.

    Pods of the site are recreated when their network changes and get addresses of the new range. Other pods are not:
    they would keep addresses that no range records, and another pod could get the same address later.
    `configs`: current configuration of each attachment, by namespace/name.
    """
    left = outside(site, taken)
    moves, stranded = [], []
    for name, network in site.networks.items():
        full_name = f"{network.namespace}/{name}"
        text = manifest_of(site, name)["spec"].get("config", "")
        there = [t for t in taken if t.network == full_name]
        if not there or configs.get(full_name, text) == text:
            continue
        ours = sorted({t.pod for t in there if t.ours})
        gone = [t for t in left if t.network == full_name]
        if ours:
            moving = ", ".join(f"{t.pod} ({t.address})" for t in gone if t.ours)
            shown = f"; these move to another address: {moving}" if moving else "; each can keep its address"
            moves.append(f"networks.{name}: it changes, and its {len(ours)} pods are recreated{shown}")
        for t in gone:
            if not t.ours:
                stranded.append(
                    f"networks.{name}.ipam: {t.address} of {t.pod} on {t.node} is in no range any more, and the site cannot recreate "
                    f"that pod; keep the address in the range, or delete the pod first: "
                    f"kubectl delete pod -n {' '.join(t.pod.split('/'))}"
                )
    return RangeChanges(tuple(moves), tuple(stranded))
