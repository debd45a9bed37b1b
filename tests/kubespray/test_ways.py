"""The real ansible-playbook on a host that is reached by passwords, an agent and bastions, whose sudo asks for a password."""

from dataclasses import replace

import pytest

from multus_site.kubespray.document import KubesprayError
from multus_site.ssh.ssh_route import SshRoute, known_as
from tests.contract.ssh_server import key_pair
from tests.kubespray.test_run import bench, local, pytestmark  # noqa: F401  # a fixture and a skip
from tests.ssh import hosts
from tests.ssh.hosts import ASKED, FREE, PASSWORD


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    with hosts.running(tmp_path_factory.mktemp("hosts"), ("outer", "inner", "node")) as running:
        yield running


@pytest.fixture
def document(three):
    """A cluster whose only host is the node, reached as the way says."""

    def make(login, hops=(), sudo_password="", address=None, **variables):
        node = three["node"]
        host = {"ansible_host": address or node.address, "ansible_port": node.port, "ansible_user": login.user}
        pinned = [
            (host["ansible_host"], node.port, node.host_key),
            *((hop.host, hop.port, hop.host_key) for hop in hops),
        ]
        return replace(
            local("one", ansible_become=True, ansible_python_interpreter="/usr/bin/python3", **variables),
            hosts={"a": host},
            route=SshRoute(login, node.port, sudo_password, tuple(hops)),
            known_hosts="".join(f"{known_as(name, port)} {key}\n" for name, port, key in pinned),
        )

    return make


TASK = "{name: Look, shell: 'echo $(id -u) $(hostname) > FILE'}"


def looked(bench, document):  # noqa: F811
    file = bench.folder / "looked"
    bench.playbook(TASK.replace("FILE", str(file)))
    bench.run(document)
    return file.read_text()


def test_passwords_for_every_login_and_for_sudo(bench, document, three):  # noqa: F811
    hops = [three[name].hop(three[name].login(FREE, password=PASSWORD)) for name in ("outer", "inner")]
    login = three["node"].login(ASKED, password=PASSWORD)
    assert looked(bench, document(login, hops, PASSWORD)) == "0 node\n"
    for file in bench.folder.rglob("*"):
        if file.is_file() and "keys" not in file.parts:
            assert PASSWORD.encode() not in file.read_bytes(), f"{file} holds a password"
    bench.stack.close()
    assert not (bench.folder / ".work/one/kubespray/keys").exists()
    assert "horse" not in "".join(bench.said)


@pytest.mark.parametrize("user", [ASKED, FREE, "root"])
def test_a_password_for_sudo_alone(bench, document, three, user):  # noqa: F811
    assert looked(bench, document(three["node"].login(user), sudo_password=PASSWORD)) == "0 node\n"


def test_the_keys_of_an_agent_through_a_bastion(bench, document, three, tmp_path, monkeypatch):  # noqa: F811
    with hosts.agent(tmp_path, three["node"].private_key, three["outer"].private_key) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        login = three["node"].login(agent=True)
        assert looked(bench, document(login, [three["outer"].hop(login)])) == "0 node\n"


def test_ipv6_behind_a_bastion(bench, document, three):  # noqa: F811
    login = three["node"].login()
    assert looked(bench, document(login, [three["outer"].hop()], address="::1")) == "0 node\n"


@pytest.mark.parametrize("wrong", ["outer", "inner"])
def test_a_wrong_host_key_of_a_bastion_stops_it(bench, document, three, wrong):  # noqa: F811
    other = key_pair()[1].strip()
    hops = [three[name].hop(host_key=other if name == wrong else None) for name in ("outer", "inner")]
    # Whose key it was is told before, by the look at every host; Ansible knows of a connection that ended.
    with pytest.raises(KubesprayError, match="Data could not be sent"):
        looked(bench, document(three["node"].login(), hops))
    assert not (bench.folder / "looked").exists()


def test_a_wrong_sudo_password_is_told(bench, document, three):  # noqa: F811
    with pytest.raises(KubesprayError, match=r"(?i)incorrect sudo password"):
        looked(bench, document(three["node"].login(ASKED), sudo_password="wrong"))  # noqa: S106  # a test's
