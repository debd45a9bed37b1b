"""An air-gapped site: every URL that nodes or installers fetch points to the mirror."""

import urllib.parse
from typing import Any

from multus_site.model.catalog import AirGap, Catalog, File, KubesprayCatalog
from multus_site.model.site import Site
from multus_site.render.images import images

REGISTRIES = ("docker.io", "gcr.io", "ghcr.io", "quay.io", "registry.k8s.io")
"""Registries of Kubespray's own images (its *_image_repo variables)."""

WHEELS = "wheels/index.html"
"""Index of the Python wheels, relative to the mirror's files."""

PACKAGES = "packages"
"""Folder of the OS packages, relative to the mirror's files; one folder per architecture below it."""

_BASES = {
    "github_url": "github.com",
    "dl_k8s_io_url": "dl.k8s.io",
    "storage_googleapis_url": "storage.googleapis.com",
    "get_helm_url": "get.helm.sh",
}
"""Kubespray's variable → the host that it downloads from."""


def path_of(url: str) -> str:
    """Path of a URL's file on the mirror's disk, with escapes such as %2B decoded."""
    return urllib.parse.unquote(_behind(url))


def moved(base: str, url: str) -> str:
    """The URL of the same file at a mirror with this base address."""
    return f"{base}/{_behind(url)}"


def at_mirror(air_gap: AirGap | None, url: str) -> str:
    """The URL to fetch a file from: the mirror's if there is one. Files of the mirror or of the node keep their URL."""
    if air_gap is None or url.startswith((f"{air_gap.files}/", "file://")):
        return url
    return moved(air_gap.files, url)


def _behind(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.netloc}{parts.path}"


def catalog(site: Site, given: Catalog) -> Catalog:
    """The catalogue for a site. For an air-gapped one, files and Kubespray's variables point to the mirror."""
    gap = site.air_gap
    if gap is None:
        return given

    def there(file: File) -> File:
        return File(url=at_mirror(gap, file.url), sha256=file.sha256)

    return given.model_copy(
        update={
            "cni_plugins": {
                release: {arch: {name: there(f) for name, f in files.items()} for arch, files in archs.items()}
                for release, archs in given.cni_plugins.items()
            },
            "cni_archives": {
                release: {arch: there(file) for arch, file in archs.items()}
                for release, archs in given.cni_archives.items()
            },
            "kubespray": KubesprayCatalog(variables={**variables(site, gap), **given.kubespray.variables}),
        }
    )


def variables(site: Site, gap: AirGap) -> dict[str, Any]:
    """Kubespray's variables for a mirror: base URLs of its downloads, and a containerd mirror for every registry.

    `server`, where containerd falls back to, is the mirror too. By default it would be the registry itself.
    """
    # With skip_verify containerd also tries plain HTTP. A registry with TLS must have a valid certificate.
    host = {"host": gap.registry, "capabilities": ["pull", "resolve"], "skip_verify": gap.registry.startswith("http:")}
    mirrors = [{"prefix": name, "server": gap.registry, "mirrors": [host]} for name in registries(site)]
    return {
        "files_repo": gap.files,
        **{variable: f"{gap.files}/{name}" for variable, name in _BASES.items()},
        "containerd_registries_mirrors": mirrors,
    }


def registries(site: Site) -> list[str]:
    """All registries that images of the site can come from."""
    return sorted({*REGISTRIES, *(image.partition("/")[0] for image in images(site))})


def installers(gap: AirGap | None) -> dict[str, str]:
    """Environment variables that make pip and uv install only from the mirror."""
    if gap is None:
        return {}
    links = f"{gap.files}/{WHEELS}"
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": links, "UV_NO_INDEX": "1", "UV_FIND_LINKS": links}


def package_source(gap: AirGap | None, architecture: str) -> str:
    """The only line of APT's sources on nodes of an air-gapped site; empty if their sources stay unchanged."""
    if gap is None or gap.os is None:
        return ""
    # Unsigned: the package list came with the mirror, and APT checks the sums of the packages against it.
    return f"deb [trusted=yes] {gap.files}/{PACKAGES}/{gap.os}/{architecture} ./"
