"""Where each CNI plugin of a node comes from, and the input of the script that installs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from multus_site.cni.catalogue import binary_of
from multus_site.model.catalog import Catalog
from multus_site.model.cni_plugins import Artifact, GoModule
from multus_site.model.networks import Raw
from multus_site.model.site import Site
from multus_site.model.types import Architecture
from multus_site.render.air_gap import at_mirror

MODULE = "github.com/containernetworking/plugins"
"""The Go module that `source: {type: go}` builds."""


@dataclass(frozen=True)
class Origin:
    """Where one plugin comes from."""

    name: str
    kind: Literal["url", "path", "go", "calico"]
    """Downloaded by the node; a file on this machine; built on this machine; installed by Calico."""
    place: str = ""
    """URL, path, or version of the module."""
    pin: str = ""
    """sha256 of the file; hash of the module."""
    member: str = ""
    """Its name in the archive; empty if the file is the plugin itself."""

    @property
    def delivered(self) -> bool:
        """Whether this machine sends it to the nodes."""
        return self.kind in {"path", "go"}


def plugin_names(site: Site) -> list[str]:
    """CNI plugins to install on the nodes, sorted."""
    given = site.cni_plugins
    return sorted((set(given.plugins) or _used(site)) | {binary.name for binary in given.binaries})


def _used(site: Site) -> set[str]:
    """CNI plugins that the networks need, including address management and chained ones, without those that a daemon installs."""
    operator = site.sriov is not None and site.sriov.manager == "operator"
    ours = {"release", "site"} if operator else {"release", "site", "operator"}
    typed = [network for network in site.networks.values() if not isinstance(network, Raw)]
    used = {name for n in typed for name in (n.type, n.ipam.type, *(plugin.type for plugin in n.chain))}
    return {name for name in used if binary_of(name) in ours}


def origins(site: Site, catalog: Catalog, architecture: Architecture) -> list[Origin]:
    """The plugins of a node of this architecture, sorted by name. Raises LookupError with a line for each unavailable one."""
    found: list[Origin] = []
    missing: list[str] = []
    for name in plugin_names(site):
        try:
            found.append(_origin(site, catalog, architecture, name))
        except LookupError as error:
            missing.append(f"cniPlugins: {error.args[0]}")
    if missing:
        raise LookupError("\n".join(dict.fromkeys(missing)))
    return found


def lines(origins: list[Origin], delivered: Mapping[str, str]) -> str:
    """PLUGINS of multus_site/scripts/cni-plugins.sh. `delivered`: plugin → sha256 of the binary that this machine sends."""
    return "\n".join(_line(origin, delivered) for origin in origins)


def _line(origin: Origin, delivered: Mapping[str, str]) -> str:
    if origin.kind == "calico":
        return f"{origin.name} - calico"
    if origin.delivered:
        return f"{origin.name} {delivered[origin.name]} delivered"
    return " ".join(filter(None, (origin.name, origin.pin, origin.place, origin.member)))


def _origin(site: Site, catalog: Catalog, architecture: Architecture, name: str) -> Origin:
    plugins = site.cni_plugins
    if binary := plugins.binary(name, architecture):
        return _of_artifact(site, name, binary, binary.member or "")
    if name in site.calico_plugins():
        return Origin(name, "calico")
    archive = None if isinstance(plugins.source, GoModule) else plugins.source.archives.get(architecture)
    if archive is None and binary_of(name) != "release" and not catalog.has(plugins.version, architecture, name):
        msg = (
            f"{name} is in no release of containernetworking/plugins; "
            f"say where its binary for {architecture} is: cniPlugins.binaries: [{{name: {name}, path: build/{name}, sha256: …}}]"
        )
        raise LookupError(msg)
    if isinstance(plugins.source, GoModule):
        pin = plugins.source.sum or catalog.cni_modules.get(plugins.version)
        if pin is None:
            there = ", ".join(sorted(catalog.cni_modules)) or "none"
            msg = (
                f"the catalogue has no hash of {MODULE} v{plugins.version} (it has: {there}); "
                f"give cniPlugins.source.sum, which `go mod download -json {MODULE}@v{plugins.version}` prints as Sum"
            )
            raise LookupError(msg)
        return Origin(name, "go", plugins.version, pin)
    if archive:
        return _of_artifact(site, name, archive, name)
    file, member = catalog.plugin(plugins.version, architecture, name)
    return Origin(name, "url", file.url, file.sha256, member or "")


def _of_artifact(site: Site, name: str, artifact: Artifact, member: str) -> Origin:
    if artifact.path is not None:
        return Origin(name, "path", artifact.path, artifact.sha256, member)
    return Origin(name, "url", at_mirror(site.air_gap, artifact.url or ""), artifact.sha256, member)
