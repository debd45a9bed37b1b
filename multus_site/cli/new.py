"""`multus-site new`: the stack file of a new site, from flags, questions or another site."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multus_site.cli.usage_error import usage_error, write

if TYPE_CHECKING:
    from multus_site.cli.host_keys import HostKey
    from multus_site.cli.new_site import NewSite
    from multus_site.model.defaults import Defaults


def new(
    site: Annotated[str, typer.Argument(metavar="SITE", help="Name of the site.", show_default=False)],
    node: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=ADDRESS[,RACK]",
            help="A host. The first is the control plane; of three or more, the first three. Repeatable.",
            show_default=False,
        ),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=[TYPE:]MASTER,RANGE[,GATEWAY]",
            help="A network on a NIC, with addresses from whereabouts. TYPE: macvlan (default), ipvlan, vlan.ID, or sriov, with its pool as MASTER. Repeatable.",
            show_default=False,
        ),
    ] = None,
    workload: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=IMAGE[,NETWORK…]",
            help="A Deployment with one pod, which runs the image as it is. Repeatable.",
            show_default=False,
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="USER", help="User who logs in on the hosts.", show_default=False)
    ] = None,
    scan: Annotated[bool, typer.Option("--scan", help="Read the host keys from the hosts, and show them.")] = False,
    copied: Annotated[
        str | None,
        typer.Option("--from", metavar="SITE", help="Copy what fits of another site.", show_default=False),
    ] = None,
) -> None:
    """Write the stack file of a new site, stacks/Pulumi.SITE.yaml.

    On a terminal it prompts for missing flags, and checks each answer. It never overwrites a site; a file without one, such as
    `pulumi stack init` writes, keeps what it has. Exit status: 0, 2 for a usage error.
    """
    from multus_site.cli.new_site import NewSite, text_of  # a command's imports are its own
    from multus_site.model.load import SiteError, defaults_beside

    file = Path("stacks") / f"Pulumi.{site}.yaml"
    if file.exists() and not _without_site(file):
        usage_error(f"{file} exists; give the new site another name, or edit that file")
    try:
        defaults = defaults_beside(file)
    except SiteError as error:
        usage_error(f"{error}\nNothing was written.")
    answers = NewSite(site, user)
    given = {"--node": node or [], "--network": network or [], "--workload": workload or []}
    left_out = _answer(answers, given, defaults, copied, asking=not node and _terminal())
    keys = _scanned({name: str(host["address"]) for name, host in answers.hosts.items()}) if scan else {}
    for name, key in keys.items():
        answers.hosts[name]["hostKey"] = key.text
    try:
        answers.check(defaults)
    except SiteError as error:
        usage_error(f"{error}\nNothing was written. {_again(answers)}")
    file.parent.mkdir(exist_ok=True)
    write(file, text_of(answers.data(), file))
    print(f"{file} written. Next:")
    for line in left_out:
        print(f"  left out of the copy: {line}")
    for name, host in answers.hosts.items():
        if name not in keys:
            print(f"  add the host key of {name}:  ssh-keyscan -t ed25519 {host['address']}")
        else:
            key = keys[name]
            print(
                f"  compare the host key of {name}, {key.fingerprint}, with what its console shows:  ssh-keygen -lf {key.file}"
            )
    print(f"  pulumi stack init {site}")
    print(f"  pulumi config set --stack {site} --secret multus-site:sshPrivateKey < ~/.ssh/id_ed25519")
    print(f"  multus-site lint {file}")
    print(f"  pulumi preview --stack {site}")


def _terminal() -> bool:
    """Whether somebody can answer prompts."""
    return sys.stdin.isatty()


def _without_site(file: Path) -> bool:
    """Whether a file is a stack file, such as `pulumi stack init` writes, that has no site yet."""
    from multus_site.model.load import SiteError, read_text, site_data
    from multus_site.model.yaml_documents import YamlMistakeError, documents

    try:
        document = next(documents(read_text(file)), None)
        data = document.data() if document else {}
    except (SiteError, YamlMistakeError):
        return False
    return data is None or (isinstance(data, dict) and site_data(data) is None)


def _answer(
    answers: "NewSite", given: Mapping[str, list[str]], defaults: "Defaults | None", copied: str | None, *, asking: bool
) -> list[str]:
    """Take the flags, and ask for what none was given for. Returns what was left out of the site that is copied.

    Exits 2 for a flag that is wrong; an answer that is wrong is asked again.
    """
    from multus_site.cli.new_site import HOST, NETWORK, WORKLOAD, AnswerError

    questions = {
        "--node": f"Host as {HOST}, such as node1=10.1.1.5",
        "--network": f"Network as {NETWORK}, such as core=ens6,10.20.0.0/24,10.20.0.1 or om=vlan.110:ens7,10.21.0.0/24",
        "--workload": f"Workload as {WORKLOAD}, such as probe=registry.k8s.io/pause:3.10,core",
    }
    left_out: list[str] = []
    try:
        for option, question in questions.items():
            for text in given[option]:
                try:
                    answers.take(option, text, defaults)
                except AnswerError as error:
                    usage_error(f"{error}\nNothing was written.")
            if asking and not given[option]:
                _ask(answers, option, question, defaults)
            if option == "--node":
                if not answers.hosts:
                    usage_error("a site has at least one host; name it: --node node1=10.1.1.5")
                # before networks and workloads, which may name what is copied
                left_out = _copy(answers, copied, defaults) if copied else []
        if answers.user is None and asking:
            answers.user = typer.prompt("User who logs in on the hosts", default="ubuntu")
    except typer.Abort:
        print(_again(answers), file=sys.stderr)
        raise
    return left_out


def _ask(answers: "NewSite", option: str, question: str, defaults: "Defaults | None") -> None:
    """Asks up to an empty answer."""
    from multus_site.cli.new_site import AnswerError

    while text := typer.prompt(f"{question} (empty to continue)", default="", show_default=False):
        try:
            answers.take(option, text, defaults)
        except AnswerError as error:
            print(f"{error}. Try again.", file=sys.stderr)


def _again(answers: "NewSite") -> str:
    """The command that gives the answers of so far."""
    if not answers.flags:
        return "No question was answered."
    words = ["multus-site", "new", answers.name, *answers.flags, *(["--user", answers.user] if answers.user else [])]
    return f"To give the same answers again: {shlex.join(words)}"


def _copy(answers: "NewSite", copied: str, defaults: "Defaults | None") -> list[str]:
    """Copies what fits of another site; what was left out. Exits 2 if that site cannot be read or nothing of it fits."""
    from multus_site.cli import stacks
    from multus_site.model.load import SiteError, read_text, site_data
    from multus_site.model.yaml_documents import documents

    stack = stacks.read(copied)
    document = next(documents(read_text(stack.file)), None)
    base = site_data(document.data()) if document else None
    try:
        return answers.copy(base if isinstance(base, dict) else {}, defaults)
    except SiteError as error:
        usage_error(f"{copied} cannot be copied: {error}\nNothing was written. {_again(answers)}")


def _scanned(addresses: Mapping[str, str]) -> "dict[str, HostKey]":
    """Host → its key. Exits 2, with each host that did not answer, if there is one."""
    import asyncio

    from multus_site.cli.host_keys import HostKeyError, scan

    async def every() -> "list[HostKey | BaseException]":
        return await asyncio.gather(*(scan(address, 22) for address in addresses.values()), return_exceptions=True)

    found: dict[str, HostKey] = {}
    silent: list[str] = []
    for (name, address), answer in zip(addresses.items(), asyncio.run(every()), strict=True):
        if isinstance(answer, HostKeyError):
            silent.append(f"{name}, {address}: {answer}")
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[name] = answer
    if silent:
        usage_error(
            "\n".join((*silent, "Nothing was written. Fix these hosts, or omit --scan and add the keys later."))
        )
    return found
