"""Rules on the releases that a site names: those of which nothing is pinned cannot be installed."""

from dataclasses import dataclass
from functools import cache

from multus_site.lint.registry import Problem, Problems, rule
from multus_site.model.cni_plugins import Release
from multus_site.model.kubespray_releases import RELEASES
from multus_site.model.load import UPSTREAM, load_catalog
from multus_site.model.paths import Path
from multus_site.model.site import Site


@dataclass(frozen=True, slots=True, eq=False)
class Releases:
    """The releases of a site."""

    site: Site
    path: Path = ()


@cache
def _archives() -> tuple[str, ...]:
    """Releases of the CNI plugins in the catalogue of sites that name none."""
    return tuple(load_catalog(UPSTREAM).cni_archives)


@rule(
    "RELEASE_UNKNOWN",
    "error",
    "text",
    "A release that is not pinned",
    example="kubespray: {version: v2.99.0}",
    source="multus_site/model/kubespray_releases.py, multus_site/artifacts.yaml",
)
def release_unknown(releases: Releases) -> Problems:
    """Its commit or its checksums are not known, so that it cannot be checked once it is fetched."""
    kubespray, plugins = releases.site.kubespray, releases.site.cni_plugins
    if not (kubespray.path or kubespray.archive or kubespray.commit or kubespray.version in RELEASES):
        hint = f"Use one of {', '.join(sorted(RELEASES))}, or set kubespray.commit to the commit of the tag."
        yield Problem(("kubespray", "version"), f"Kubespray {kubespray.version} is not pinned", hint)
    of_release = isinstance(plugins.source, Release) and not plugins.source.archives
    if of_release and releases.site.artifacts is None and plugins.version not in _archives():
        hint = f"Use one of {', '.join(_archives())}, or set cniPlugins.source.archives, or artifacts to a catalogue that has it."
        yield Problem(("cniPlugins", "version"), f"release {plugins.version} of the CNI plugins is not pinned", hint)
