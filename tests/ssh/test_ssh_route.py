"""Which secrets open what, and the way in documents of earlier releases."""

import json
from dataclasses import asdict

import pytest

from multus_site.kubespray.document import Document as Kubespray
from multus_site.model.ssh import Ssh
from multus_site.nodes.delivery.document import Document as Delivery
from multus_site.ssh.ssh_route import Hop, Login, SshRoute, lacking, secrets_of, ssh_route
from tests.graph.recording import ED25519

ALL = {
    name: f"its {name}"
    for name in (
        *("sshPrivateKey", "sshPassword", "sudoPassword", "bastionPrivateKey", "bastionPassword"),
        *("secondBastionPrivateKey", "secondBastionPassword"),
    )
}
BASTION = {"host": "203.0.113.9", "hostKey": ED25519}


def read(**configured):
    return lambda key, file: configured.get(key) or (f"in {file}" if file else None)


def test_only_what_the_way_needs_is_read():
    assert secrets_of(Ssh(), read(**ALL)) == {key: ALL[key] for key in ("sshPrivateKey", "sshPassword", "sudoPassword")}
    assert secrets_of(Ssh(private_key_file="key"), read()) == {"sshPrivateKey": "in key"}
    # An agent's keys stand in for the private key, whatever the stack holds.
    assert secrets_of(Ssh(agent=True), read(**ALL)).keys() == {"sshPassword", "sudoPassword"}
    one = secrets_of(Ssh.model_validate({"bastion": BASTION}), read(**ALL))
    assert one.keys() == ALL.keys() - {"secondBastionPrivateKey", "secondBastionPassword"}
    assert secrets_of(Ssh.model_validate({"bastion": [BASTION, BASTION]}), read(**ALL)) == ALL


def test_a_bastion_has_its_own_or_what_the_nodes_have():
    ssh = Ssh.model_validate(
        {"user": "ops", "agent": True, "bastion": [{**BASTION, "user": "jump", "port": 2222}, BASTION]}
    )
    found = ssh_route(ssh, {"sudoPassword": "sudo's\n", "bastionPassword": "its own\r\n"})
    assert found == SshRoute(
        Login("ops", agent=True),
        sudo_password="sudo's",  # noqa: S106 # a test's
        hops=(
            Hop("203.0.113.9", 2222, ED25519, Login("jump", password="its own", named="bastion")),  # noqa: S106 # a test's
            Hop("203.0.113.9", 22, ED25519, Login("root", agent=True)),
        ),
    )
    assert SshRoute.parse(json.loads(json.dumps(asdict(found)))) == found
    assert "its own" not in repr(found)
    assert "sudo's" not in repr(found)


@pytest.mark.parametrize("secrets", [{}, {"sudoPassword": "s"}, {"bastionPassword": "b"}])
def test_what_opens_nothing_is_told_with_what_to_type(secrets):
    assert "pulumi config set --secret multus-site:sshPrivateKey < KEY_FILE" in lacking(Ssh(), secrets)
    assert lacking(Ssh(agent=True), secrets) is None
    assert lacking(Ssh(), {**secrets, "sshPassword": "p"}) is None


EARLIER = SshRoute(Login("ubuntu", "KEY"), 2022, hops=(Hop("203.0.113.9", 22, ED25519, Login("jump", "KEY")),))


def test_a_delivery_of_release_0_1_0_can_be_taken_away():
    text = json.dumps(
        {
            "user": "ubuntu",
            "port": 2022,
            "nodes": {"node1": {"address": "10.1.1.5", "host_key": ED25519, "architecture": "amd64", "reasons": []}},
            "origins": {},
            "private_key": "KEY",
            "run_id": "1",
            "script": "",
            "leavers_go": False,
            "bastion": {"host": "203.0.113.9", "port": 22, "user": "jump"},
            "bastion_key": ED25519,
        }
    )
    assert Delivery.parse(text).route == EARLIER


def test_a_cluster_of_release_0_1_0_can_be_destroyed():
    host = {"ansible_host": "10.1.1.5", "ansible_port": 2022, "ansible_user": "ubuntu"}
    known = {"private_key": "KEY", "bastion": {"host": "203.0.113.9", "port": 22, "user": "jump"}, "known_hosts": ""}
    text = json.dumps(
        {
            "site": "s",
            "version": "v2.31.0",
            "hosts": {"a": host},
            "groups": {},
            "variables": {},
            "identities": {},
            **known,
        }
    )
    found = Kubespray.parse(text).route
    # The bastion's key is in known_hosts, which OpenSSH looks into.
    assert (found.login, found.port, found.hops[0].login) == (EARLIER.login, 2022, EARLIER.hops[0].login)
