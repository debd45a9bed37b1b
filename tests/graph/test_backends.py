"""Backends behind their protocol: a program of the project's own makes the machines, and the rest of the graph does not notice."""

import re
from pathlib import Path

import pulumi
import pytest
import yaml

from tests.graph.recording import Answers, lab_site, record

OPENSTACK = "docs/backends/openstack.py"
NETWORKS = {"ens3": "mgmt", "ens6": "internal", "ens7": "external"}


class Cloud(Answers):
    """OpenStack's answers beside the others'."""

    def new_resource(self, args):
        identity, outputs = super().new_resource(args)
        if args.typ == "openstack:networking/port:Port":
            outputs["macAddress"] = f"FA:16:3E:00:00:{len(args.name):02X}"
        return identity, outputs

    def call(self, args):
        if args.token.endswith(":getNetwork"):
            return {"id": f"id-of-{args.args['name']}", "subnets": [f"subnet-of-{args.args['name']}"]}
        return super().call(args)


def site(program=OPENSTACK, **settings):
    hosts = lab_site()["nodes"]["hosts"]
    custom = {"program": str(program), "networks": NETWORKS, "interface": "ens3", "settings": settings}
    return lab_site(nodes={"backend": "custom", "ssh": {"user": "debian"}, "custom": custom, "hosts": hosts})


@pytest.fixture(scope="module")
def graph():
    return record(site(cloud="core", image="debian-12", flavor="m1.large"), answers=Cloud())


def test_each_node_is_a_server_and_waited_for(graph):
    servers = graph.of("openstack:compute/instance:Instance")
    assert sorted(n.inputs["name"] for n in servers.values()) == ["node1", "node2", "node3"]
    assert "Instance lab-node2-machine" in graph.before("Command lab-node2-facts")
    assert graph["Instance lab-node2-machine"].parent == "NodeVM lab-node2"
    assert graph["Command lab-kubernetes-kubespray"].options.deletedWith.endswith("Instance::lab-node1-machine")


def test_the_node_has_the_sites_address_and_pods_frames_pass(graph):
    management = graph["Port lab-node1-ens3"].inputs
    assert management["fixedIps"] == [{"subnetId": "subnet-of-mgmt", "ipAddress": "10.1.1.5"}]
    assert "portSecurityEnabled" not in management
    secondary = graph["Port lab-node1-ens6"].inputs
    assert secondary["networkId"] == "id-of-internal"
    assert secondary["portSecurityEnabled"] is False


def test_the_server_shows_the_host_key_that_is_pinned(graph):
    told = graph["Instance lab-node1-machine"].inputs["userData"]
    assert told["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270"  # a secret
    config = yaml.safe_load(told["value"])
    pinned = graph["Command lab-node1-facts"].inputs["connection"]["value"]["hostKey"]
    assert config["ssh_keys"]["ed25519_public"] == pinned
    assert config["users"][0]["name"] == "debian"
    (script,) = config["write_files"]
    assert re.findall(r"^fa:16:3e:\S+ (\S+)$", script["content"], re.MULTILINE) == ["ens6", "ens7"]


def test_it_has_an_explicit_provider(graph):
    """Default providers are switched off in every stack."""
    assert "providers:openstack::openstack::" in graph["Instance lab-node1-machine"].options.provider


def test_what_is_wrong_with_settings_is_said_at_once():
    with pytest.raises(pulumi.RunError) as error:
        record(site(cloud="core", flavour="m1.large"), answers=Cloud())
    assert str(error.value).splitlines() == [
        "nodes.custom.settings.image: Field required",
        "nodes.custom.settings.flavor: Field required",
        "nodes.custom.settings.flavour: Extra inputs are not permitted",
    ]


def test_a_program_that_is_not_there_or_none():
    with pytest.raises(pulumi.RunError, match=r"nodes.custom.program: there is no file backends/none.py"):
        record(site("backends/none.py"))
    with pytest.raises(pulumi.RunError, match=r"__init__.py has no class Settings"):
        record(site("multus_site/__init__.py"))


def test_limits_of_a_system_container_are_plain_numbers():
    data = lab_site()
    data["nodes"]["container"] |= {"cpus": 0.5, "memory": 1048576, "machines": {"node2": {"cpus": 2, "memory": 999999}}}
    graph = record(data)
    limits = {f"node{i}": graph[f"Command lab-node{i}-machine"].inputs["environment"] for i in (1, 2)}
    assert limits == {
        "node1": {"LIMIT_CPUS": "0.5", "LIMIT_MEMORY_MIB": "1048576"},
        "node2": {"LIMIT_CPUS": "2", "LIMIT_MEMORY_MIB": "999999"},
    }
    assert "environment" not in record(lab_site())["Command lab-node1-machine"].inputs


def test_the_page_shows_the_program_whole():
    program = Path(OPENSTACK).read_text()
    assert f"```python\n{program}```" in Path("docs/nodes-custom.md").read_text()
    assert len(program.splitlines()) < 60
