"""What is known of Kubespray's releases: the commit of the tag, and the versions of Kubernetes that it installs.

Sources: the tags of the repository; kubelet_checksums in roles/kubespray_defaults/vars/main/checksums.yml of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """One release."""

    commit: str
    """What its tag named when it was pinned here."""
    kubernetes: Mapping[int, int]
    """Minor version of Kubernetes 1 → its last patch; every patch from 0 on is known. The newest is the release's own choice."""

    @property
    def default(self) -> str:
        """The version of Kubernetes that it installs unless told otherwise."""
        minor = max(self.kubernetes)
        return f"1.{minor}.{self.kubernetes[minor]}"

    def knows(self, version: str) -> bool:
        """Whether it has the checksums of a version of Kubernetes."""
        major, minor, patch = (int(part) for part in version.split("."))
        return major == 1 and 0 <= patch <= self.kubernetes.get(minor, -1)

    @property
    def range(self) -> str:
        """The versions of Kubernetes, for a person."""
        return ", ".join(f"1.{minor}.0 to 1.{minor}.{last}" for minor, last in sorted(self.kubernetes.items()))


RELEASES = {
    "v2.29.1": Release("0c6a29553f90c55cba5e0e359470321dc7cf7d29", {31: 14, 32: 10, 33: 7}),
    "v2.30.0": Release("f4ccdb5e72395eaf9f3444056ebd1a6625ddb89a", {32: 11, 33: 7, 34: 3}),
    "v2.31.0": Release("1c9add48975060f45396b34d8e022c30d7f80dab", {33: 11, 34: 7, 35: 4}),
}


def newest() -> str:
    """The newest release that is pinned here."""
    return max(RELEASES, key=numbers)


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, to compare: v2.31.0 → (2, 31, 0)."""
    return tuple(int(part) for part in version.removeprefix("v").split("."))


def kubernetes_of(release: str, given: str | None) -> str | None:
    """The version of Kubernetes that a release installs; None where it is not given and the release not known here."""
    known = RELEASES.get(release)
    return given or (known.default if known else None)
