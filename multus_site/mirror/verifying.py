"""Whether a mirror's folder holds all that its site needs, byte for byte."""

from pathlib import Path

from multus_site.mirror import registry
from multus_site.mirror.contents import Contents, MirrorError
from multus_site.mirror.fetching import CONTENTS, files_of, sums


def verify(folder: Path) -> tuple[Contents, list[str]]:
    """What the folder is for, and what in it is not as it should be, a line each. Raises MirrorError where it is no mirror."""
    try:
        contents = Contents.from_json((folder / CONTENTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{folder} is no mirror: its {CONTENTS} cannot be read ({error}). Fill one: multus-site mirror fetch {folder} --site FILE"
        raise MirrorError(msg) from None
    wrong = []
    known = sums(folder)
    wanted = {path: sha256 or known.get(path) for path, (_, sha256) in files_of(contents).items()}
    for path, expected in {**known, **wanted}.items():
        file = folder / "files" / path
        if not file.is_file():
            wrong.append(f"files/{path}: is missing")
        elif (found := registry.sha256(file)) != expected:
            wrong.append(f"files/{path}: has sha256 {found}, should have {expected}")
    images = folder / "registry"
    named = registry.names(images)
    for image in contents.images:
        name = image.name.partition("@")[0]
        digest = image.digest or named.get(name)
        if name not in named or digest is None:
            wrong.append(f"{image.name}: is missing")
        elif named[name] != digest:
            wrong.append(f"{image.name}: is {named[name]}, should be {digest}")
        elif lacking := registry.missing(images, digest, contents.architectures):
            wrong.append(f"{image.name}: lacks {', '.join(lacking)}")
    return contents, wrong
