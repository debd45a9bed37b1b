"""List everything that a site downloads: Kubespray's own list, CNI plugins, images, Pulumi, and Python packages."""

import importlib.metadata
import platform
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from multus_site.kubespray import environment, source
from multus_site.kubespray.document import KubesprayError
from multus_site.kubespray.document import Origin as KubesprayOrigin
from multus_site.mirror import kubespray_list, packages, wheels
from multus_site.mirror.contents import PROVIDERS, Contents, File, Image, MirrorError, Package, Wheel
from multus_site.mirror.upstream import UnreachableError, Upstream
from multus_site.model.catalog import Catalog
from multus_site.model.site import Site
from multus_site.model.types import Architecture
from multus_site.render import cni_plugins, images, inventory

_RELEASES = "https://get.pulumi.com/releases"


def found_source(site: Site) -> source.Source:
    """The site's Kubespray. Raises MirrorError."""
    settings = site.kubespray
    archive = settings.archive
    origin = KubesprayOrigin(
        settings.path, archive.url if archive else None, archive.sha256 if archive else "", settings.commit
    )
    try:
        return source.find(settings.version, origin)
    except KubesprayError as error:
        raise MirrorError(str(error)) from None


def planned(site: Site, catalog: Catalog, upstream: Upstream) -> Contents:
    """The contents of the site's mirror. Asks registries for digests that are not pinned, and notes those that it could not get. Raises MirrorError."""
    # Fill the mirror from upstream, not from the mirror's own addresses, which the site uses later.
    connected = site.model_copy(update={"air_gap": None})
    kubespray = found_source(site)
    try:
        python = environment.ansible(kubespray)
    except KubesprayError as error:
        raise MirrorError(str(error)) from None
    variables = inventory.variables(site, {**catalog.kubespray.variables, **site.kubespray.all_variables()})
    system = site.air_gap.os if site.air_gap else None
    architectures: list[Architecture] = sorted({host.architecture for host in site.nodes.hosts.values()})
    files: list[File] = []
    pulled: list[Image] = []
    debs: list[Package] = []
    for architecture in architectures:
        listed = kubespray_list.listed(kubespray, python, variables, architecture, system)
        files += listed.files
        pulled += listed.images
        if system:
            debs += packages.resolved(system, architecture, [*listed.packages, "python3"])
        files += _plugins(connected, catalog, architecture)
    pulled += [Image(name, None, f"{path}, of custom_cni_manifests") for path, name in _of_manifests(variables)]
    pulled += [Image(name, None, why) for name, why in images.images(site).items()]
    files += _of_pulumi()
    digests, notes = _digests(pulled, catalog, upstream)
    return Contents(
        site=site.name,
        kubespray=site.kubespray.version,
        architectures=tuple(architectures),
        # Two may need the same file, such as the release's archive of plugins: keep the first reason.
        files=tuple({file.url: file for file in reversed(files)}.values())[::-1],
        images=tuple(digests),
        wheels=tuple(_wheels(kubespray.folder, python)),
        packages=tuple(debs),
        os=system,
        notes=tuple(notes),
    )


def _plugins(site: Site, catalog: Catalog, architecture: Architecture) -> Iterator[File]:
    """Archives and binaries of CNI plugins that nodes download. Raises MirrorError for an unknown plugin."""
    try:
        found = cni_plugins.origins(site, catalog, architecture)
    except LookupError as error:
        raise MirrorError(str(error)) from None
    for origin in found:
        if origin.kind == "url" and not origin.place.startswith("file://"):
            yield File(origin.place, origin.pin, f"CNI plugin {origin.name}")


def _of_manifests(variables: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Manifest and image of each container of a custom network plugin. Raises MirrorError."""
    for path in variables.get("custom_cni_manifests", []):
        try:
            documents = list(YAML(typ="safe").load_all(Path(path).read_text(encoding="utf-8")))
        except (OSError, YAMLError) as error:
            msg = f"kubespray.variables.custom_cni_manifests: {path} cannot be read: {error}"
            raise MirrorError(msg) from None
        yield from ((path, image) for image in dict.fromkeys(_images_in(documents)))


def _images_in(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            if key == "image" and isinstance(value, str):
                yield value
            else:
                yield from _images_in(value)
    elif isinstance(content, list):
        for value in content:
            yield from _images_in(value)


def _of_pulumi() -> Iterator[File]:
    """The CLI and the two providers that match the installed SDK."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    version = importlib.metadata.version("pulumi")
    short = {"amd64": "x64"}.get(machine, machine)
    yield File(f"{_RELEASES}/sdk/pulumi-v{version}-linux-{short}.tar.gz", None, "the pulumi CLI")
    for provider, package in PROVIDERS.items():
        name = f"pulumi-resource-{provider}-v{importlib.metadata.version(package)}-linux-{machine}.tar.gz"
        yield File(f"{_RELEASES}/plugins/{name}", None, f"pulumi plugin install resource {provider} --file")


def _wheels(kubespray: Path, python: Path) -> Iterator[Wheel]:
    found = wheels.of_file(kubespray / "requirements.txt", python, "Kubespray's Ansible")
    found += wheels.of_this_program("this program")
    yield from {wheel.name: wheel for wheel in reversed(found)}.values()


def _digests(pulled: list[Image], catalog: Catalog, upstream: Upstream) -> tuple[list[Image], list[str]]:
    """The distinct images with their digests: from the name, from Kubespray or the catalogue, else from the registry. And notes for people."""
    found: dict[str, Image] = {}
    unreachable: dict[str, str] = {}
    notes = []
    for image in pulled:
        if image.name in found:
            continue
        name, _, given = image.name.partition("@")
        digest = given or image.digest or catalog.images.get(name)
        registry = name.partition("/")[0]
        if not digest and registry not in unreachable:
            try:
                digest = upstream.digest(image.name)
            except UnreachableError as error:
                unreachable[registry] = str(error)
            except MirrorError as error:
                notes.append(f"{image.name}: no digest: {error}")
        found[image.name] = replace(image, digest=digest)
    for registry, why in unreachable.items():
        without = sum(1 for image in found.values() if image.digest is None and image.name.startswith(f"{registry}/"))
        notes.append(f"{without} images of {registry} without a digest: {why}")
    return list(found.values()), notes
