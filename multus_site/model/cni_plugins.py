"""CNI plugin binaries of the nodes: which, and where they come from."""

from collections.abc import Collection, Iterator
from typing import Annotated, Literal

from pydantic import Field

from multus_site.model.kubespray_releases import numbers
from multus_site.model.part import ExactlyOne, Mistake, Part
from multus_site.model.types import Architecture, BareVersion, ModuleSum, PluginName, Sha256

_CALICO = frozenset({"calico", "calico-ipam", "flannel", "host-local", "loopback", "portmap", "tuning"})
_WITHOUT_BANDWIDTH = (3, 30)
"""From this version on, its image has no bandwidth (projectcalico/calico d28a62c74b, CN_FILES of cni-plugin/Makefile)."""


def plugins_of_calico(version: str) -> frozenset[str]:
    """Plugins that each start of a calico-node pod puts into /opt/cni/bin (projectcalico/calico: cni-plugin/pkg/install)."""
    return _CALICO if numbers(version)[:2] >= _WITHOUT_BANDWIDTH else _CALICO | {"bandwidth"}


class Artifact(ExactlyOne):
    """A file, pinned: nodes fetch it from a URL, or it is a file of the machine where Pulumi runs."""

    url: str | None = Field(default=None, pattern="^(https?|file)://", examples=["https://example.org/plugins.tgz"])
    """Where nodes fetch it."""
    path: str | None = Field(default=None, examples=["build/plugins.tgz"])
    """A file of the machine where Pulumi runs, relative to the project; it is sent to the nodes by SSH."""
    sha256: Sha256
    """Of the file, as it is there."""

    one_of = ("url", "path")


class Binary(Artifact):
    """One plugin that no release of containernetworking/plugins has, or that takes the place of one that it has."""

    name: PluginName
    """The plugin's name: networks call it by that."""
    architecture: Architecture = "amd64"
    """Nodes that it is for; a site with nodes of both has an entry for each."""
    member: str | None = Field(default=None, examples=["bond"])
    """Its name inside, where the file is a tar archive."""


class Release(Part):
    """The binaries of the release, by sha256."""

    type: Literal["release"]
    """From the release's archive."""
    archives: dict[Architecture, Artifact] = {}
    """The archive for each architecture; those of the catalogue if absent."""


class GoModule(Part):
    """Built from the module github.com/containernetworking/plugins with the Go compiler of the machine where Pulumi runs."""

    type: Literal["go"]
    """Built from source."""
    sum: ModuleSum | None = None
    """The module's hash, as go.sum has it; the catalogue's if absent. The module's own go.sum, part of it, pins the rest."""


Source = Annotated[Release | GoModule, Field(discriminator="type")]


class CniPlugins(Part):
    """Plugin binaries put into /opt/cni/bin of every node."""

    version: BareVersion = "1.9.1"
    """Release of containernetworking/plugins."""
    plugins: tuple[PluginName, ...] = Field(default=(), examples=[["macvlan"]])
    """Names; empty: those that the site's networks use."""
    source: Source = Release(type="release")
    """Where the release's plugins come from."""
    binaries: tuple[Binary, ...] = ()
    """Plugins from elsewhere; each is put on the nodes of its architecture."""

    def binary(self, name: str, architecture: Architecture) -> Binary | None:
        """The binary of the site's own for a plugin."""
        return next((b for b in self.binaries if (b.name, b.architecture) == (name, architecture)), None)

    def check_binaries(self, architectures: set[Architecture], calico: Collection[str]) -> Iterator[Mistake]:
        """What is wrong with them at a site with nodes of these architectures. `calico`: plugins that the cluster's Calico installs."""
        path = ("cniPlugins", "binaries")
        named = [(binary.name, binary.architecture) for binary in self.binaries]
        for i, (name, architecture) in enumerate(named):
            if named.index((name, architecture)) < i:
                yield Mistake((*path, i), f"{name} for {architecture} is listed twice; remove one of the two")
            if name in calico:
                message = f"Calico installs its own {name} each time its pod starts; remove this one, or use another kube_network_plugin"
                yield Mistake((*path, i, "name"), message)
        for name in dict.fromkeys(name for name, _ in named):
            missing = architectures - {a for n, a in named if n == name}
            if missing:
                found = f"{name} has no binary for {', '.join(sorted(missing))}, and the site has such nodes"
                yield Mistake(path, f"{found}; add one with architecture: {min(missing)}")
