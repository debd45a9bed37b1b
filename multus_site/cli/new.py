"""`multus-site new`: the stack file of a new site, from flags or questions."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import yaml

from multus_site.cli.usage_error import usage_error, write

if TYPE_CHECKING:
    from multus_site.cli.host_keys import HostKey

_ROLES = ("control-plane", "etcd", "worker")


def new(
    site: Annotated[str, typer.Argument(metavar="SITE", help="Name of the site.", show_default=False)],
    node: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=ADDRESS", help="A host; the first is the control plane. Repeatable.", show_default=False
        ),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=MASTER,RANGE[,GATEWAY]",
            help="A macvlan network on a NIC, with addresses from whereabouts. Repeatable.",
            show_default=False,
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="USER", help="User who logs in on the hosts.", show_default=False)
    ] = None,
    scan: Annotated[bool, typer.Option("--scan", help="Read the host keys from the hosts, and show them.")] = False,
) -> None:
    """Write the stack file of a new site, stacks/Pulumi.SITE.yaml.

    On a terminal it prompts for missing flags. It never overwrites a file.
    Exit status: 0, 2 for a usage error.
    """
    from multus_site.model.load import SiteError, defaults_beside, parse_stack_text  # a command's imports are its own

    file = Path("stacks") / f"Pulumi.{site}.yaml"
    if file.exists():
        usage_error(f"{file} exists; give the new site another name, or edit that file")
    asking = not node and _terminal()
    nodes = _pairs("--node", node or (_asked("Host as NAME=ADDRESS, such as node1=10.1.1.5") if asking else []))
    if not nodes:
        usage_error("a site has at least one host; name it: --node node1=10.1.1.5")
    networks = _pairs(
        "--network",
        network
        or (_asked("Network as NAME=MASTER,RANGE,GATEWAY, such as core=ens6,10.20.0.0/24,10.20.0.1") if asking else []),
    )
    if user is None and asking:
        user = typer.prompt("User who logs in on the hosts", default="ubuntu")
    keys = {name: _scanned(address) for name, address in nodes.items()} if scan else {}
    text = _text(site, nodes, networks, user, {name: key.text for name, key in keys.items()})
    try:
        # only host keys may be missing
        parse_stack_text(_with_keys(text), source=str(file), defaults=defaults_beside(file))
    except SiteError as error:
        usage_error(f"{error}\nNothing was written.")
    file.parent.mkdir(exist_ok=True)
    write(file, text)
    print(f"{file} written. Next:")
    for name, address in nodes.items():
        if name not in keys:
            print(f"  add the host key of {name}:  ssh-keyscan -t ed25519 {address}")
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


def _asked(question: str) -> list[str]:
    """Answers up to an empty one."""
    found: list[str] = []
    while answer := typer.prompt(f"{question} (empty to continue)", default="", show_default=False):
        found.append(answer)
    return found


def _pairs(option: str, given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not name or not equals or not value:
            usage_error(f"{option} {one}: not NAME=…; see multus-site new --help")
        if name in found:
            usage_error(f"{option} {one}: {name} is used twice; give each its own name")
        found[name] = value
    return found


def _text(site: str, nodes: dict[str, str], networks: dict[str, str], user: str | None, keys: dict[str, str]) -> str:
    hosts = {
        name: {
            "address": address,
            "hostKey": keys.get(name, ""),
            **({"roles": list(_ROLES)} if i == 0 else {}),
        }
        for i, (name, address) in enumerate(nodes.items())
    }
    data: dict[str, object] = {
        "name": site,
        "nodes": {"backend": "existing", **({"ssh": {"user": user}} if user else {}), "hosts": hosts},
    }
    if networks:
        data["networks"] = {name: _network(name, text) for name, text in networks.items()}
    whole = {"config": {"pulumi:disable-default-providers": ["*"], "multus-site:site": data}}
    dumped = yaml.safe_dump(whole, sort_keys=False, width=120, allow_unicode=True)
    return f"# yaml-language-server: $schema=./site.schema.json\n{dumped}"


def _network(name: str, text: str) -> dict[str, object]:
    master, _, rest = text.partition(",")
    addresses, _, gateway = rest.partition(",")
    if not master or not addresses:
        usage_error(f"--network {name}={text}: not MASTER,RANGE[,GATEWAY], such as ens6,10.20.0.0/24,10.20.0.1")
    ipam = {"type": "whereabouts", "range": addresses, **({"gateway": gateway} if gateway else {})}
    return {"type": "macvlan", "master": master, "ipam": ipam}


def _with_keys(text: str) -> str:
    """The text with a placeholder for each missing host key, so that the rest can be checked."""
    return text.replace(
        "hostKey: ''", "hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMMBiOX5o5vhHt6iyc5/g8YeZZ4gvCxLKOYupGSW5Sv/"
    )


def _scanned(address: str) -> "HostKey":
    """The host key of an address. Exits 2 if there is none."""
    import asyncio

    from multus_site.cli.host_keys import HostKeyError, scan

    try:
        return asyncio.run(scan(address, 22))
    except HostKeyError as error:
        usage_error(f"{address}: {error}. Or omit --scan")
