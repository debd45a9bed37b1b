"""What an air-gapped site changes: every address that nodes or installers ask becomes one of the mirror's."""

import urllib.parse
from typing import Any

from multus_site.model.catalog import AirGap, Catalog, File, KubesprayCatalog
from multus_site.model.site import Site
from multus_site.render.images import images

REGISTRIES = ("docker.io", "gcr.io", "ghcr.io", "quay.io", "registry.k8s.io")
"""Those that Kubespray names images of (its *_image_repo variables)."""

WHEELS = "wheels/index.html"
"""Where in the mirror's files the Python wheels are listed."""

PACKAGES = "packages"
"""Where in the mirror's files the OS packages are, a folder an architecture."""

_BASES = {
    "github_url": "github.com",
    "dl_k8s_io_url": "dl.k8s.io",
    "storage_googleapis_url": "storage.googleapis.com",
    "get_helm_url": "get.helm.sh",
}
"""Kubespray's variable → the host that all its downloads by that variable come from."""


def path_of(url: str) -> str:
    """Where in a mirror's files the file of a URL is: a path on a disk, where '%2B' is '+'."""
    return urllib.parse.unquote(_behind(url))


def moved(base: str, url: str) -> str:
    """A URL's file at the mirror with this address."""
    return f"{base}/{_behind(url)}"


def at_mirror(air_gap: AirGap | None, url: str) -> str:
    """Where a file is fetched: at the mirror, if there is one. What is there already, or on the node itself, stays."""
    if air_gap is None or url.startswith((f"{air_gap.files}/", "file://")):
        return url
    return moved(air_gap.files, url)


def _behind(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.netloc}{parts.path}"


def catalog(site: Site, given: Catalog) -> Catalog:
    """The catalogue as the site sees it: at an air-gapped one, each file at the mirror, and Kubespray told so."""
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
    """Kubespray's variables for a mirror: bases of its downloads, and containerd's mirror of every registry.

    `server` is what containerd falls back to, the registry itself by default: the mirror too, so that nothing else is asked.
    """
    # Plain HTTP is tried where skip_verify is true and TLS is turned away; a registry with TLS must show a certificate.
    host = {"host": gap.registry, "capabilities": ["pull", "resolve"], "skip_verify": gap.registry.startswith("http:")}
    mirrors = [{"prefix": name, "server": gap.registry, "mirrors": [host]} for name in registries(site)]
    return {
        "files_repo": gap.files,
        **{variable: f"{gap.files}/{name}" for variable, name in _BASES.items()},
        "containerd_registries_mirrors": mirrors,
    }


def registries(site: Site) -> list[str]:
    """All registries that images of the site may be of."""
    return sorted({*REGISTRIES, *(image.partition("/")[0] for image in images(site))})


def installers(gap: AirGap | None) -> dict[str, str]:
    """Environment in which pip and uv take packages from the mirror alone."""
    if gap is None:
        return {}
    links = f"{gap.files}/{WHEELS}"
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": links, "UV_NO_INDEX": "1", "UV_FIND_LINKS": links}


def package_source(gap: AirGap | None, architecture: str) -> str:
    """The one line of APT's sources that nodes of an air-gapped site have; empty: theirs are left as they are."""
    if gap is None or gap.os is None:
        return ""
    # Sums are checked: those of the files by the list, and the list came with the mirror. There is nobody to sign it.
    return f"deb [trusted=yes] {gap.files}/{PACKAGES}/{gap.os}/{architecture} ./"
