"""What a run checked, in words: sites, networks, pods, and objects that it does not know."""

from collections import Counter
from dataclasses import dataclass, field

from multus_site.lint.subjects import Config, DevicePlugins, Ipam, Manifest, Nad, Operator, Pod
from multus_site.model.site import Site

_MOST = 8


@dataclass(slots=True)
class Checked:
    """Counts of what was checked."""

    sites: int = 0
    networks: int = 0
    pods: int = 0
    others: Counter[str] = field(default_factory=Counter)
    """Objects of kinds that define no network and have no pods."""
    empty: list[str] = field(default_factory=list)
    """Files that were named and contain nothing that is checked."""
    _unsettled: str | None = None

    def add(self, subject: object) -> None:
        """Count a subject. The subjects of an object follow its Manifest."""
        if isinstance(subject, Manifest):
            self.settle()
            kind = subject.data.get("kind")
            self._unsettled = kind if isinstance(kind, str) else None
            return
        if isinstance(subject, (Config, DevicePlugins, Ipam, Nad, Operator, Pod)):
            self._unsettled = None
        if (
            isinstance(subject, Nad)
            or (isinstance(subject, Config) and subject.nad is None)
            or (isinstance(subject, Ipam) and subject.plugin is None and not subject.path)
        ):
            self.networks += 1
        elif isinstance(subject, Pod):
            self.pods += 1

    def settle(self) -> None:
        """Count the last object, now that all of its subjects are known."""
        if self._unsettled is not None:
            self.others[self._unsettled] += 1
        self._unsettled = None

    def add_site(self, site: Site) -> None:
        """Count a site."""
        self.sites += 1
        self.networks += len(site.networks)
        self.pods += len(site.workloads)

    @property
    def total(self) -> int:
        """What was checked, in one number."""
        return self.sites + self.networks + self.pods

    def __str__(self) -> str:
        counts = ((self.sites, "site"), (self.networks, "network"), (self.pods, "pod"))
        named = [f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count]
        return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)

    def remarks(self) -> list[str]:
        """What was not checked, a line each."""
        lines = [f"{file}: no site, network or pod in it: nothing was checked" for file in self.empty]
        if self.others:
            count = sum(self.others.values())
            names = [f"{kind} ({n})" if n > 1 else kind for kind, n in self.others.most_common(_MOST)]
            more = f" and {len(self.others) - _MOST} more" if len(self.others) > _MOST else ""
            objects = f"{count} object{'s' * (count != 1)}"
            lines.append(f"not checked: {objects} of kinds without networks or pods: {', '.join(names)}{more}")
        return lines
