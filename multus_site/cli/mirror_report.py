"""A mirror's contents as text."""

from pathlib import Path

from multus_site.mirror.contents import Contents
from multus_site.mirror.fetching import playbooks_path, sums


def plan(contents: Contents) -> str:
    """One line per artifact: digest, source, purpose."""
    files = [f"{file.sha256 or 'not published':64}  {file.url}  ({file.why})" for file in contents.files]
    images = [f"{image.digest or 'unknown':71}  {image.name}  ({image.why})" for image in contents.images]
    wheels = [f"{wheel.sha256}  {wheel.name}  ({wheel.why})" for wheel in contents.wheels]
    packages = [f"{p.sha256}  {p.name} {p.version}  ({p.architecture})" for p in contents.packages]
    if contents.os is None:
        packages = ["none: the site does not set airGap.os, so its nodes must have their packages already"]
    sections = {
        f"{len(contents.files)} files": files,
        f"{len(contents.images)} images": images,
        f"{len(contents.packages)} OS packages": packages,
        f"{len(contents.wheels)} Python wheels": wheels,
        "1 archive": [f"Kubespray {contents.kubespray}, packed by `mirror fetch`"],
    }
    return "\n".join(f"{title}\n" + "".join(f"  {line}\n" for line in lines) for title, lines in sections.items())


def counts(contents: Contents) -> str:
    """The number of artifacts of each kind."""
    return (
        f"{contents.site}: {len(contents.files)} files, {len(contents.images)} images, "
        f"{len(contents.packages)} packages, {len(contents.wheels)} wheels"
    )


def fetched(contents: Contents, folder: Path) -> str:
    """The result, and the keys to add to the site."""
    archive = playbooks_path(contents)
    return (
        f"{counts(contents)}, in {folder}\n"
        "Copy it to the site, then: multus-site mirror verify FOLDER && multus-site mirror serve FOLDER\n"
        "Add to the site file, with the mirror's address for MIRROR:\n"
        "  airGap: {files: http://MIRROR:8080, registry: http://MIRROR:5000"
        f"{f', os: {contents.os}' if contents.os else ''}}}\n"
        f"  kubespray: {{version: {contents.kubespray}, archive: {{url: http://MIRROR:8080/{archive}, "
        f"sha256: {sums(folder)[archive]}}}}}"
    )
