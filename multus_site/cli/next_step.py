"""What to type next in this folder: from what is there, without pulumi and without a host."""

from collections.abc import Iterator
from pathlib import Path

FOLDER = Path("stacks")
_SITES = 10
"""More sites than these are counted, not listed."""


def next_steps(project: Path) -> Iterator[str]:
    """Lines for a person: what is here, and the command that comes next."""
    if not (project / "Pulumi.yaml").is_file():
        yield "This folder belongs to no repository of sites. Create one:"
        yield "  multus-site init network-sites"
        yield "or change to the folder of one. What this machine still needs:"
        yield "  multus-site doctor"
        return
    files = sorted((project / FOLDER).glob("Pulumi.*.yaml"))
    if not files:
        yield "This repository has no site yet. Write one from hosts that are there, or from flags and questions:"
        yield f"  multus-site adopt --hosts 10.1.1.5-7 --user ubuntu --key ~/.ssh/id_ed25519 -o {FOLDER}/Pulumi.SITE.yaml"
        yield "  multus-site new SITE"
        return
    yield f"{len(files)} site{'s' * (len(files) != 1)} in {FOLDER}/. Next:"
    for file in files[:_SITES]:
        name = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        said, command = _of_site(name, file)
        yield f"  {name}: {said}"
        yield f"    {command}"
    if len(files) > _SITES:
        yield f"  and {len(files) - _SITES} more: multus-site lint {FOLDER}"


def _of_site(name: str, file: Path) -> tuple[str, str]:
    """What a site lacks, and the command that comes next."""
    from multus_site.lint.files import Linter
    from multus_site.model.load import SiteError, defaults_beside, load_stack_file, read_text
    from multus_site.model.yaml_documents import YamlMistakeError, documents

    shown = FOLDER / file.name
    try:
        linter, text = Linter(), read_text(file)
        linter.add(text, str(file), defaults=defaults_beside(file))
        errors = sum(finding.level == "error" for finding in linter.findings())
        if errors:
            return f"{errors} error{'s' * (errors != 1)}", f"multus-site lint {shown}"
        site = load_stack_file(file)
        document = next(documents(text), None)
        data = document.data() if document else None
    except (SiteError, YamlMistakeError):
        return "it cannot be read", f"multus-site lint {shown}"
    stack = data if isinstance(data, dict) else {}
    config = stack.get("config")
    if not {"encryptionsalt", "secretsprovider", "encryptedkey"} & set(stack):
        return "no errors; no stack yet", f"pulumi stack init {name}"
    ssh = site.nodes.ssh
    given = {"multus-site:sshPrivateKey", "multus-site:sshPassword"} & set(config if isinstance(config, dict) else ())
    if not (given or ssh.agent or ssh.private_key_file):
        secret = f"pulumi config set --stack {name} --secret multus-site:sshPrivateKey < ~/.ssh/id_ed25519"
        return "no key to log in on its hosts", secret
    return "ready", f"multus-site review {name}    # then: pulumi up --stack {name}"
