"""What a program may import: a site beside other resources, a whole stack, the protocol of node backends."""

import importlib
import json

import pulumi
import pulumi_command as command
import pulumi_kubernetes as kubernetes
import pytest

import components
from components import Secrets, Site, SiteArgs
from multus_site.model.load import parse_site
from tests.graph.recording import CATALOG, PRIVATE_KEY, lab_site, record_program


@pytest.fixture(scope="module")
def beside():
    """The graph of a program with resources and providers of its own, and a site among them."""
    outputs = {}

    def program():
        site = parse_site(lab_site(), source="a test")
        secrets = Secrets({"sshPrivateKey": pulumi.Output.secret(PRIVATE_KEY)}, pulumi.Output.secret("0" * 32))
        commands = command.Provider("mine")
        cluster = kubernetes.Provider("clusters", kubeconfig="{}")
        rack = command.local.Command("rack", create="true", opts=pulumi.ResourceOptions(provider=commands))
        datacentre = pulumi.ComponentResource("example:index:Datacentre", "austin")
        made = Site(
            "edge",
            SiteArgs(site, CATALOG, secrets),
            pulumi.ResourceOptions(parent=datacentre, providers=[commands, cluster], depends_on=[rack], protect=True),
        )
        command.local.Command(
            "after",
            create=made.verification.apply(lambda found: f"echo {found['passed']}"),
            opts=pulumi.ResourceOptions(provider=commands, depends_on=[made]),
        )
        for key in ("kubeconfig", "nodes", "verification", "throughput"):
            pulumi.Output.from_input(getattr(made, key)).apply(lambda value, key=key: outputs.update({key: value}))

    return record_program(program), outputs


def provider_of(node):
    return node.options.provider.rpartition("::")[0].rpartition("::")[2]


def test_a_site_uses_the_providers_that_it_is_given(beside):
    graph, _ = beside
    assert {name for name, node in graph.items() if node.type.startswith("pulumi:providers:")} == {
        "command mine",
        "kubernetes clusters",
    }
    resources = [node for node in graph.values() if node.type.startswith(("command:", "kubernetes:"))]
    assert {(node.type.partition(":")[0], provider_of(node)) for node in resources} == {
        ("command", "mine"),
        ("kubernetes", "clusters"),
    }


def test_a_site_takes_the_usual_options(beside):
    graph, _ = beside
    assert graph["Site edge"].parent == "Datacentre austin"
    assert "Command rack" in graph.before("Command lab-node1-machine")
    assert "Command lab-verification-run" in graph.before("Command after")
    within = [node for name, node in graph.items() if "Site edge" in graph.before(name) and name != "Command after"]
    assert len(within) > 30
    assert all(node.options.protect for node in within)


def test_a_site_has_the_documented_outputs(beside):
    _, outputs = beside
    assert json.loads(json.dumps(outputs["nodes"]))["node1"]["plugins"]["macvlan"]["sha256"] == "a" * 64
    assert outputs["verification"]["passed"] is True
    assert outputs["throughput"] == []
    assert "current-context: lab" in outputs["kubeconfig"]


def test_what_is_public_can_be_imported_by_both_names():
    wheel = importlib.import_module("multus_site.components")
    assert wheel.__all__ == components.__all__
    now, before = map(importlib.import_module, ("components.node_backend", "components.backends.protocol"))
    for name in ("Asked", "Machine", "Backend"):
        assert getattr(before, name) is getattr(now, name)
        assert hasattr(importlib.import_module("multus_site.components.node_backend"), name)
