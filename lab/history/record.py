"""A history: what the probes on nodes and the watches of the cluster wrote, one JSON object a line, as lives with a beginning and an end.

Times are seconds since 1970. Every line has `t` and `event`:

    live      node, netns, interface, segment, kind (address | mac), value      seen on the node
    gone      the same; `t` is the last time it was seen
    sandbox   node, id, uid, pod, netns                                          the runtime's sandbox of a pod
    ended     node, id                                                           that sandbox is gone
    reserved  store, address, owner (sandbox's id or pod's name), node           a reservation of an address management
    released  the same
    pod       uid, pod, node, asked, ready                                       whenever one of them changes
    deleted   uid                                                                the API server has the pod no more
    action    what, target, seconds, fault                                       something was done; a fault lasts that long
    down, up  node                                                               a node was killed, its probe began again
    left      node, kind, name, owner                                            what the audit after the end found without a pod
    end                                                                          of the record
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True)
class Life:
    """How long something was there: `begin` and `end` are the first and last time it was surely there; `end` is None if it still was at the end.

    `kind`: address, mac, reservation, sandbox, pod, ready, left, action. `where`: segment, store or node. `what`: address, MAC, pod or action.
    `of`: what holds it (namespace and interface, sandbox's id, pod's uid).
    """

    kind: str
    where: str
    what: str
    of: str
    begin: float
    end: float | None
    node: str = ""
    pod: str = ""
    """Uid of the pod, where it is known."""
    count: int = 0
    """Of a pod: interfaces that it asked for. Of `interfaces`: those that it has."""
    fault: bool = False

    def until(self, end: float) -> float:
        """Its end, or that of the history."""
        return end if self.end is None else self.end


@dataclass(frozen=True)
class History:
    """Everything that was there, and when the record ends."""

    lives: tuple[Life, ...]
    end: float

    def of(self, *kinds: str) -> list[Life]:
        """The lives of some kinds, by their beginning."""
        return sorted((one for one in self.lives if one.kind in kinds), key=lambda one: (one.begin, one.what, one.of))


def read(lines: Iterable[str]) -> list[Event]:
    """The events of a record in the order of time. A last line that a killed writer left half written is dropped."""
    events = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("t"), int | float) and "event" in event:
            events.append(event)
    return sorted(events, key=lambda event: float(event["t"]))


def history(events: Iterable[Event]) -> History:
    """The history that these events tell."""
    building = _Building()
    for event in events:
        building.take(event)
    return building.close()


class _Building:
    """Lives that have begun, by what tells them apart, and those that are over."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, ...], Life] = {}
        self.over: list[Life] = []
        self.last = 0.0
        self.pod_of: dict[str, str] = {}  # sandbox, network namespace of a node, or namespace/name → uid

    def take(self, event: Event) -> None:
        at = float(event["t"])
        self.last = max(self.last, at)
        taker = getattr(self, f"_{event['event']}", None)
        if taker:
            taker(at, event)

    def _begin(self, key: tuple[str, ...], life: Life) -> None:
        self.open.setdefault(key, life)

    def _end(self, key: tuple[str, ...], at: float) -> None:
        if life := self.open.pop(key, None):
            self.over.append(_ended(life, at))

    def _live(self, at: float, event: Event) -> None:
        holder = f"{event['node']} {event['netns']} {event['interface']}"
        kind, value = event["kind"], event["value"]
        self._begin(
            (kind, holder, value, event["segment"]),
            Life(kind, event["segment"], value, holder, at, None, event["node"]),
        )

    def _gone(self, at: float, event: Event) -> None:
        holder = f"{event['node']} {event['netns']} {event['interface']}"
        self._end((event["kind"], holder, event["value"], event["segment"]), at)

    def _sandbox(self, at: float, event: Event) -> None:
        uid = str(event["uid"])
        self.pod_of |= {str(event["id"]): uid, f"{event['node']} {event['netns']}": uid}
        self._begin(
            ("sandbox", event["id"]),
            Life("sandbox", event["node"], event["pod"], event["id"], at, None, event["node"], uid),
        )

    def _ended(self, at: float, event: Event) -> None:
        self._end(("sandbox", event["id"]), at)

    def _reserved(self, at: float, event: Event) -> None:
        store, address, owner = event["store"], event["address"], event["owner"]
        self._begin(
            ("reservation", store, address, owner),
            Life("reservation", store, address, owner, at, None, event.get("node", "")),
        )

    def _released(self, at: float, event: Event) -> None:
        self._end(("reservation", event["store"], event["address"], event["owner"]), at)

    def _pod(self, at: float, event: Event) -> None:
        uid = str(event["uid"])
        life = Life("pod", event["node"], event["pod"], uid, at, None, event["node"], uid, int(event["asked"]))
        self._begin(("pod", uid), life)
        if event["ready"]:
            self._begin(("ready", uid), Life(**{**life.__dict__, "kind": "ready"}))
        else:
            self._end(("ready", uid), at)

    def _deleted(self, at: float, event: Event) -> None:
        for kind in ("ready", "pod"):
            self._end((kind, str(event["uid"])), at)

    def _action(self, at: float, event: Event) -> None:
        seconds, fault = float(event.get("seconds", 0)), bool(event.get("fault"))
        what, target = event["what"], event["target"]
        self.over.append(Life("action", target, what, target, at, at + seconds, event.get("node", ""), fault=fault))

    def _down(self, at: float, event: Event) -> None:
        """Everything on a node that was killed ends; what its disk holds stays."""
        for key, life in list(self.open.items()):
            if life.node == event["node"] and life.kind in {"address", "mac", "sandbox"}:
                self._end(key, at)

    _up = _down

    def _left(self, at: float, event: Event) -> None:
        self.over.append(
            Life("left", event["node"], f"{event['kind']} {event['name']}", event["owner"], at, None, event["node"])
        )

    def close(self) -> History:
        lives = [*self.over, *self.open.values()]
        return History(tuple(self._with_pod(life) for life in lives), self.last)

    def _with_pod(self, life: Life) -> Life:
        """The life with its pod: that of its namespace, or of its reservation's owner."""
        if life.pod or life.kind not in {"address", "mac", "reservation"}:
            return life
        namespace = life.of.rpartition(" ")[0]
        uid = self.pod_of.get(life.of if life.kind == "reservation" else namespace, "")
        return Life(**{**life.__dict__, "pod": uid}) if uid else life


def _ended(life: Life, at: float) -> Life:
    # Seen once: the end lies before the beginning by the time that one look takes.
    return Life(**{**life.__dict__, "begin": min(life.begin, at), "end": at})


def lines(lives: Iterable[Life], start: float) -> Iterator[str]:
    """A line for each life, in order of time, for a person; times are seconds after `start`."""
    for life in sorted(lives, key=lambda one: (one.begin, one.kind, one.of)):
        end = "" if life.end is None else f"{life.end - start:.2f}"
        span = f"{life.begin - start:9.2f} - {end:>8} s"
        owner = f" of {life.of}" if life.of != life.what else ""
        pod = f" (pod {life.pod})" if life.pod and life.pod != life.of else ""
        yield f"{span}  {life.kind} {life.what} on {life.where or '?'}{owner}{pod}"
