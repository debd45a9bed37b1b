"""`multus-site init`: a repository for sites, written from the same template as `pulumi new`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from multus_site import packaged
from multus_site.cli.usage_error import usage_error, write_bytes


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of the repository; created if missing.", show_default=False)
    ],
) -> None:
    """Write a repository for your sites.

    It contains a Pulumi project that uses the installed multus-site, stacks/ and pipelines. Existing files are kept.

    Exit status: 0, 2 for a usage error.
    """
    if folder.exists() and not folder.is_dir():
        usage_error(f"{folder} is not a folder; name a new folder, or an existing one: multus-site init sites")
    for name, content in contents():
        file = folder / name
        if file.exists() or file.is_symlink():
            print(f"kept     {file}")
            continue
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            usage_error(f"{file.parent}: cannot be created: {error.strerror}; name a folder that you may write to")
        write_bytes(file, content)
        print(f"written  {file}")
    print("Next:")
    if folder.resolve() != Path.cwd():
        print(f"  cd {folder}")
    print("  python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
    print("  multus-site new SITE")
    print(
        "For pipelines: replace OWNER in .github/workflows/sites.yml or .gitlab-ci.yml with the owner of your multus-site"
    )
    print("repository, and delete the file of the service that you do not use.")


def contents() -> Iterator[tuple[str, bytes]]:
    """Every file of a new repository: its path in it, and its content."""
    template = packaged("template")
    for file in sorted(template.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            content = file.read_bytes()
            if file == template / "Pulumi.yaml":
                # Only `pulumi new` reads this section, and it drops it too.
                content = content.partition(b"template:\n")[0]
            yield str(file.relative_to(template)), content
