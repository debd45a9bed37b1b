"""Which addresses pods can get on a network, and what a change takes and gives."""

from collections.abc import Iterable

from multus_site.cni.addresses import Span, parse_address, without
from multus_site.cni.ranges import handed_out
from multus_site.lint.facts import Facts
from multus_site.lint.site import configurations
from multus_site.model.site import Site


def of_network(site: Site, name: str) -> list[Span]:
    """Every address that pods can get on a network of a site, those that a workload asks for included: sorted, none twice."""
    found = [
        span for config in configurations(site, name, Facts()) for ipam in config.addresses for span in handed_out(ipam)
    ]
    return merged([*found, *_asked(site, name)])


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same addresses in as few spans as can be."""
    found: list[Span] = []
    for span in sorted(spans):
        last = found[-1] if found else None
        if last and last.family == span.family and span.first <= last.last + 1:
            found[-1] = Span(span.family, last.first, max(last.last, span.last))
        else:
            found.append(span)
    return found


def less(spans: Iterable[Span], others: list[Span]) -> list[Span]:
    """The addresses of the first that are not in the second; both merged."""
    return [left for span in spans for left in without(span, others)]


def size(spans: Iterable[Span]) -> int:
    """How many addresses."""
    return sum(span.last - span.first + 1 for span in spans)


def _asked(site: Site, name: str) -> Iterable[Span]:
    for workload in site.workloads.values():
        for attachment in workload.networks:
            if attachment.name != name:
                continue
            for text in (*attachment.ips, *(ip for ips in attachment.ips_by_replica for ip in ips)):
                address = parse_address(text.partition("/")[0])
                if address is not None:
                    yield Span(address.version, int(address), int(address))
