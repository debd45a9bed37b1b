"""Spans of addresses that are searched: those that overlap another, and groups of spans that share addresses."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from multus_site.cni.addresses import Span

_Owner = TypeVar("_Owner")


class SpanIndex(Generic[_Owner]):
    """Spans with their owners: a search takes the logarithm of their number, and one step for each span found.

    It is an interval tree in an array: sorted by first address, with the last address of each subtree.
    """

    def __init__(self, spans: Iterable[tuple[Span, _Owner]]) -> None:
        self._spans = sorted(spans, key=lambda item: item[0])
        self._first = [(span.family, span.first) for span, _ in self._spans]
        self._last: list[tuple[int, int]] = [(0, 0)] * len(self._spans)
        # A subtree is finished when both of its halves are.
        waiting = [(0, len(self._spans), False)] if self._spans else []
        while waiting:
            low, high, halves_done = waiting.pop()
            middle = (low + high) // 2
            halves = [(a, b) for a, b in ((low, middle), (middle + 1, high)) if a < b]
            if halves and not halves_done:
                waiting += [(low, high, True), *((a, b, False) for a, b in halves)]
                continue
            span = self._spans[middle][0]
            self._last[middle] = max([(span.family, span.last), *(self._last[(a + b) // 2] for a, b in halves)])

    def overlapping(self, span: Span) -> Iterator[tuple[Span, _Owner]]:
        """The spans that share an address with another, in order of their first address."""
        yield from self._search(span, 0, bisect_right(self._first, (span.family, span.last)), len(self._spans))

    def _search(self, span: Span, low: int, end: int, high: int) -> Iterator[tuple[Span, _Owner]]:
        middle = (low + high) // 2
        if low >= min(high, end) or self._last[middle] < (span.family, span.first):
            return
        yield from self._search(span, low, end, middle)
        if middle < end and self._spans[middle][0].overlaps(span):
            yield self._spans[middle]
        yield from self._search(span, middle + 1, end, high)


def touching(groups: Sequence[Sequence[Span]]) -> list[list[int]]:
    """Numbers of the groups, those together that share addresses, directly or through others; in order of their first member."""
    leader = list(range(len(groups)))

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    reach: tuple[int, int, int] | None = None
    for span, number in sorted((span, number) for number, spans in enumerate(groups) for span in spans):
        if reach and reach[0] == span.family and span.first <= reach[1]:
            one, other = sorted((find(number), find(reach[2])))
            leader[other] = one
        if reach is None or reach[0] != span.family or span.last > reach[1]:
            reach = (span.family, span.last, number)
    together: dict[int, list[int]] = {}
    for number in range(len(groups)):
        together.setdefault(find(number), []).append(number)
    return list(together.values())
