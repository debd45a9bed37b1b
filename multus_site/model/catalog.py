"""Where files and images come from: a catalogue of URLs, sha256 sums and digests, and the mirror of an air-gapped site."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from multus_site.model.part import Part
from multus_site.model.types import Digest, ModuleSum, Sha256

OperatingSystem = Literal["debian-12", "debian-13", "ubuntu-22.04", "ubuntu-24.04"]


class File(Part):
    """One file, pinned."""

    url: str = Field(pattern="^(https?|file)://")
    sha256: Sha256


class KubesprayCatalog(Part):
    """What a mirror changes for Kubespray."""

    variables: dict[str, Any] = {}
    """Variables such as files_repo, dl_k8s_io_url, kube_image_repo; a site's own win over them."""


class Catalog(Part):
    """Files and images by name and version."""

    cni_plugins: dict[str, dict[str, dict[str, File]]] = {}
    """Release → architecture → plugin → the binary."""
    cni_archives: dict[str, dict[str, File]] = {}
    """Release → architecture → the release's archive, which holds every plugin."""
    cni_modules: dict[str, ModuleSum] = {}
    """Release → hash of the Go module github.com/containernetworking/plugins."""
    images: dict[str, Digest] = {}
    """Image with tag → digest."""
    kubespray: KubesprayCatalog = KubesprayCatalog()

    def image(self, reference: str) -> str:
        """The reference, with its digest where the catalogue knows it."""
        digest = self.images.get(reference)
        return f"{reference}@{digest}" if digest and "@" not in reference else reference

    def has(self, release: str, architecture: str, name: str) -> bool:
        """Whether it names a file of its own for a plugin."""
        return name in self.cni_plugins.get(release, {}).get(architecture, {})

    def plugin(self, release: str, architecture: str, name: str) -> tuple[File, str | None]:
        """The file that holds a plugin, and the plugin's name inside it where that file is an archive.

        Raises LookupError, saying what the catalogue has.
        """
        single = self.cni_plugins.get(release, {}).get(architecture, {}).get(name)
        if single:
            return single, None
        archive = self.cni_archives.get(release, {}).get(architecture)
        if archive:
            return archive, name
        there = sorted(set(self.cni_plugins) | set(self.cni_archives))
        msg = (
            f"the catalogue has no CNI plugin {name} {release} for {architecture}; its releases: {', '.join(there) or 'none'}. "
            f"Take one of them, or say where the plugin comes from: cniPlugins.binaries or cniPlugins.source"
        )
        raise LookupError(msg)


def _base(value: str) -> str:
    """The address of a server, without a slash at its end."""
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in {"http", "https"} or not rest.strip("/"):
        msg = f"{value!r} is not the address of a server; write one such as http://192.0.2.9:8080"
        raise ValueError(msg)
    return value.rstrip("/")


def _server(value: str) -> str:
    """The address of a registry: container runtimes put /v2 behind it, so it has no path."""
    base = _base(value)
    if "/" in base.partition("://")[2]:
        msg = f"{value!r} has a path; write a host and a port alone, such as http://192.0.2.9:5000"
        raise ValueError(msg)
    return base


class AirGap(Part):
    """The mirror that an air-gapped site gets everything from; `multus-site mirror` fills and serves one."""

    files: Annotated[str, AfterValidator(_base), Field(examples=["http://192.0.2.9:8080"])]
    """Its files: what is at https://HOST/PATH elsewhere is at HOST/PATH here."""
    registry: Annotated[str, AfterValidator(_server), Field(examples=["http://192.0.2.9:5000"])]
    """Its registry, which serves images of every registry under their own names."""
    os: OperatingSystem | None = Field(default=None, examples=["debian-12"])
    """Operating system of the nodes: the mirror has its packages, and the nodes' package manager uses nothing else. If absent, the nodes have all packages."""
