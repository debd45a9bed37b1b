"""Tables of hosts, their keys and interfaces, on standard error: standard output is the site."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from multus_site.cli.adopted_hosts import Seen, state
from multus_site.cli.host_keys import HostKey


def _console() -> Console:
    # Text from hosts is no markup.
    console = Console(stderr=True, highlight=False, markup=False)
    return console if console.is_terminal else Console(stderr=True, highlight=False, markup=False, width=160)


def waiting(what: str) -> AbstractContextManager[Any]:
    """Shows progress on a terminal."""
    return _console().status(f"{what} …")


def keys(found: Mapping[str, HostKey], silent: Mapping[str, str]) -> None:
    """Prints a line per host; `silent`: host → why it shows no key."""
    table = Table(show_edge=False, pad_edge=False)
    for column in ("host", "key", "fingerprint", ""):
        table.add_column(column, no_wrap=column == "fingerprint")
    for host, key in found.items():
        table.add_row(host, key.type, key.fingerprint, "known" if key.known else Text("new", "yellow"))
    for host, why in silent.items():
        table.add_row(host, "", Text(why, "red"), "")
    _console().print(table)


def found(seen: Mapping[str, Seen], hosts: Mapping[str, Mapping[str, Any]]) -> None:
    """Prints the hosts, then their interfaces."""
    if not seen:
        return
    machines = Table(show_edge=False, pad_edge=False)
    for column in ("host", "address", "roles", "system", "", "MiB", "machine"):
        whole = column in {"roles", "machine"}
        machines.add_column(column, justify="right" if column == "MiB" else "left", overflow="fold", no_wrap=whole)
    for name, host in seen.items():
        facts = host.facts
        machine = facts["hypervisor"] if facts["hypervisor"] != "none" else "bare metal"
        machines.add_row(
            name,
            hosts[name]["address"],
            "\n".join(hosts[name].get("roles", ["worker"])),
            facts["os"]["name"],
            facts["architecture"],
            str(facts["memory"]),
            facts.get("container") or machine,
        )
    nics = Table(show_edge=False, pad_edge=False)
    for column in ("host", "interface", "driver", "Mbit/s", "MTU", "MAC", "addresses"):
        justify: Literal["left", "right"] = "right" if column in {"Mbit/s", "MTU"} else "left"
        nics.add_column(column, justify=justify, overflow="fold", no_wrap=column == "MAC")
    for name, host in seen.items():
        for row, (nic, is_) in enumerate(host.nics.items()):
            nics.add_row(
                "" if row else name,
                nic,
                is_["driver"] or is_["kind"],
                str(is_["speed"] or ""),
                str(is_["mtu"]),
                is_["mac"],
                "\n".join([*is_["addresses"], *(["default route"] if is_["default"] else [])]) or _state(is_),
            )
        nics.add_section()
    console = _console()
    console.print("", machines, "", nics, "", sep="\n")


def _state(nic: Mapping[str, Any]) -> str | Text:
    why = state(nic)
    return why or Text("free", "green")
