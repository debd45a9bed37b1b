"""Hosts that answer something odd: each is a finding, and the others are judged all the same."""

import asyncio
import contextlib
import json
import time
from dataclasses import asdict, dataclass

import pytest

import multus_site.nodes.preflight.__main__ as preflight
from components.preflight import document_of
from multus_site.cli.host_facts import NoFactsError, look_at_all
from multus_site.cli.host_keys import HostKey
from multus_site.model.load import parse_site
from multus_site.nodes.preflight.document import Document, PreflightError, Record
from multus_site.ssh.ssh_route import Login, SshRoute
from tests.graph.recording import ED25519
from tests.nodes.preflight.sites import host, site

GOOD = {"sh": json.dumps(host(1)) + "\n", "date": "1700000000.5\n"}

FACTS = "multus_site/scripts/facts.sh did not end with its JSON object; its output begins: "
ODD = {
    "nothing": ({"sh": ""}, f"{FACTS}nothing"),
    "no JSON": ({"sh": '{"a": , }'}, f"{FACTS}'{{\"a\": , }}'"),
    "no object": ({"sh": "[]\n"}, f"{FACTS}'[]'"),
    "more behind": ({"sh": GOOD["sh"] + "logged out\n"}, f'{FACTS}\'{{"hostname"'),
    "another object": ({"sh": '{"hostname": "x"}\n'}, "multus_site/scripts/facts.sh did not print machineId"),
    "a clock without fractions": (
        {"date": "1700000000.%N\n"},
        "`date +%s.%N` printed '1700000000.%N', which is not a time",
    ),
    "a clock that is no number": ({"date": "nan\n"}, "printed 'nan', which is not a time"),
}


@dataclass
class Answering:
    """Connections to hosts that answer so: address → the beginning of a command → what it prints."""

    said: dict

    @contextlib.asynccontextmanager
    async def to(self, address, host_key, patience=0):
        del host_key, patience

        async def run(command, *_):
            return next(text for word, text in self.said[address].items() if word in command.split())

        yield type("There", (), {"run": staticmethod(run)})


def checked(monkeypatch, said, before=None, prepared=""):
    """The record of a preflight of a site's hosts. `prepared`: what node2 is prepared for."""
    parsed = parse_site(site(), source="stacks/Pulumi.dallas.yaml")
    keys = dict.fromkeys(parsed.nodes.hosts, ED25519)
    reasons, way = {name: ["identity"] for name in keys}, SshRoute(Login("root", "KEY"), 22, "", ())
    everywhere = dict.fromkeys(keys, "") | {"node2": prepared}
    document = Document.parse(json.dumps(document_of(parsed, {}, everywhere, asdict(way), reasons, keys)))

    @contextlib.asynccontextmanager
    async def connections(_):
        yield Answering(said)

    monkeypatch.setattr(preflight, "connections", connections)
    return asyncio.run(preflight.run(document, before or Record()))


def errors(monkeypatch, said):
    """What preflight says of a site's hosts."""
    with pytest.raises(PreflightError) as error:
        checked(monkeypatch, said)
    return str(error.value).splitlines()


def test_a_host_that_is_prepared_for_something_else_is_checked_again(monkeypatch):
    """The record then has what it is prepared for now: as long as it has not, each `up` prepares the host once more."""
    now = f"{time.time()}\n"
    there = {f"10.1.1.{4 + i}": {"sh": json.dumps(host(i)), "date": now} for i in (1, 2, 3)}
    first = checked(monkeypatch, there)
    assert checked(monkeypatch, {}, first) == first
    second = checked(monkeypatch, {"10.1.1.6": there["10.1.1.6"]}, first, prepared="ens6 ens7")
    assert {name: its["prepared"] for name, its in second.nodes.items()} == {
        "node1": "",
        "node2": "ens6 ens7",
        "node3": "",
    }


@pytest.mark.parametrize("case", ODD)
def test_the_others_findings_are_kept(case, monkeypatch):
    odd, words = ODD[case]
    there = {f"10.1.1.{4 + i}": {**GOOD, "sh": json.dumps(host(i))} for i in (1, 2, 3)}
    there["10.1.1.6"] |= odd
    there["10.1.1.7"]["sh"] = json.dumps({**host(3), "hostname": "localhost"})
    head, *lines, _ = errors(monkeypatch, there)
    assert head.startswith("preflight: 2 of 3 hosts")
    (unreached,) = [line for line in lines if "UNREACHABLE" in line]
    assert unreached.startswith("node2: 10.1.1.6 cannot be checked: ")
    assert words in unreached
    assert any(line.startswith("node3: the host name is localhost") for line in lines)


@pytest.mark.parametrize("case", ODD)
def test_adopt_says_the_same(case):
    odd, words = ODD[case]
    keys = dict.fromkeys(("10.1.1.5", "10.1.1.6"), HostKey(ED25519))
    there = Answering({"10.1.1.5": GOOD, "10.1.1.6": GOOD | odd})
    found = asyncio.run(look_at_all(there, keys, ("", ""), "root", "that key"))
    assert found["10.1.1.5"]["hostname"] == "node1"
    assert isinstance(found["10.1.1.6"], NoFactsError)
    assert words in str(found["10.1.1.6"])
