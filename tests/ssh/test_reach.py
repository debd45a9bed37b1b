"""Every way to a node, by OpenSSH and by asyncssh, to real sshd's with real passwords and a real sudo."""

import asyncio
from dataclasses import replace

import pytest

from multus_site.ssh.connections import connections
from multus_site.ssh.openssh import shell
from multus_site.ssh.ssh_route import Login, ReachError, SshRoute, known_as
from tests.contract.ssh_server import key_pair
from tests.ssh import hosts
from tests.ssh.hosts import ASKED, FREE, PASSWORD

LOOK = "id -u; hostname; cat"


def openssh(node, way, given="", command=LOOK):
    """Return code, stdout, stderr of a command on a node."""
    known = [(node.address, node.port, node.host_key), *((hop.host, hop.port, hop.host_key) for hop in way.hops)]
    text = "".join(f"{known_as(host, port)} {key}\n" for host, port, key in known)
    with shell(way, text) as reached:
        host = {"ansible_host": node.address, "ansible_port": node.port, "ansible_user": way.login.user}
        done = reached.run(host, command, given)
    return done.returncode, done.stdout, done.stderr


def asyncssh(node, way, given="", command=LOOK):
    """The same by our own connections."""

    async def run():
        async with connections(way) as reached, reached.to(node.address, node.host_key, 5) as connection:
            return await connection.run(f"sh -c '{command}'", given)

    try:
        return 0, asyncio.run(run()), ""
    except ReachError as error:
        return 255, "", str(error)


@pytest.fixture(params=[openssh, asyncssh], ids=["openssh", "asyncssh"])
def look(request, monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return request.param


@pytest.fixture
def way(three):
    def make(login=None, hops=(), sudo_password=""):
        node = three["node"]
        return SshRoute(login or node.login(), node.port, sudo_password, tuple(hops))

    return make


def assert_there(found, given="given\nlines\n"):
    status, stdout, stderr = found
    assert status == 0, stderr
    assert stdout == f"0\nnode\n{given}"


def test_by_key(look, way, three):
    assert_there(look(three["node"], way(), "given\nlines\n"))


@pytest.mark.parametrize("user", ["root", FREE])
def test_by_password(look, way, three, user):
    assert_there(look(three["node"], way(three["node"].login(user, password=PASSWORD)), "given\nlines\n"))


def test_by_agent(look, way, three, tmp_path, monkeypatch):
    with hosts.agent(tmp_path, key_pair()[0], three["node"].private_key) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        assert_there(look(three["node"], way(three["node"].login(agent=True)), "given\nlines\n"))


def test_an_agent_that_the_site_does_not_name_is_not_asked(look, way, three, tmp_path, monkeypatch):
    with hosts.agent(tmp_path, three["node"].private_key) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        status, _, said = look(three["node"], way(Login("root", key_pair()[0])))
    assert status == 255
    assert "ermission denied" in said


def test_an_agent_that_is_not_there_is_told(look, way, three):
    status, _, said = look(three["node"], way(three["node"].login(agent=True)))
    assert status == 255
    if look is asyncssh:
        assert 'SSH_AUTH_SOCK is not set. Type: eval "$(ssh-agent)"' in said


def test_a_wrong_password_is_told_and_not_said(look, way, three):
    status, _, said = look(three["node"], way(three["node"].login(password="not that one")))  # noqa: S106 # a test's
    assert status == 255
    assert "ermission denied" in said
    assert "not that one" not in said
    if look is asyncssh:
        assert "root cannot log in with multus-site:sshPassword" in said


@pytest.mark.parametrize("user", [ASKED, FREE, "root"])
def test_sudo_with_a_password_whether_it_asks_or_not(look, way, three, user):
    given = f"{PASSWORD}\nlines\n"  # the input may hold what the password is
    assert_there(look(three["node"], way(three["node"].login(user), sudo_password=PASSWORD), given), given)


def test_sudo_without_one_where_it_does_not_ask(look, way, three):
    assert_there(look(three["node"], way(three["node"].login(FREE)), "given\nlines\n"))


def test_sudo_that_asks_and_gets_none_is_told(look, way, three):
    status, stdout, said = look(three["node"], way(three["node"].login(ASKED)))
    assert (status != 0, stdout) == (True, "")
    assert "sudo: a password is required" in said


def test_a_wrong_sudo_password_runs_nothing(look, way, three, tmp_path):
    mark = tmp_path / "ran"
    login = three["node"].login(ASKED)
    wrong = "not that one"
    status, stdout, said = look(three["node"], way(login, sudo_password=wrong), f"touch {mark}\n" * 5, "cat | sh")
    assert (status != 0, stdout) == (True, "")
    assert "incorrect password attempt" in said
    assert not mark.exists()
    if look is asyncssh:
        assert "sudo rejects multus-site:sudoPassword" in said


def test_no_password_is_in_a_command_line(look, way, three):
    """What the host sees of all processes, the clients' among them, while one waits behind two bastions."""
    login = three["node"].login(ASKED, password=PASSWORD)
    hops = [three[name].hop(three[name].login(FREE, password=PASSWORD)) for name in ("outer", "inner")]
    # The environment of a process is its owner's alone to see, and it holds the name of a file.
    command = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || true"
    status, stdout, said = look(three["node"], way(login, hops, PASSWORD), "", command)
    assert "sudo" in stdout, said
    assert status == 0
    assert "horse" not in stdout


def hops(three, *names, **wrong):
    return [three[name].hop(host_key=wrong.get(name)) for name in names]


@pytest.mark.parametrize("names", [("outer",), ("outer", "inner")], ids=len)
def test_through_bastions(look, way, three, names):
    assert_there(look(three["node"], way(hops=hops(three, *names)), "given\nlines\n"))
    for name in names:
        assert "Accepted publickey for root" in three[name].log.read_text()


def test_each_bastion_may_have_a_login_of_its_own(look, way, three, tmp_path, monkeypatch):
    with hosts.agent(tmp_path, three["inner"].private_key) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        chain = [
            three["outer"].hop(three["outer"].login(ASKED, password=PASSWORD)),
            three["inner"].hop(three["inner"].login(FREE, agent=True)),
        ]
        assert_there(look(three["node"], way(hops=chain), "given\nlines\n"))


@pytest.mark.parametrize("wrong", ["outer", "inner", "node"])
def test_each_wrong_host_key_on_the_way_is_caught(look, way, three, wrong):
    other = key_pair()[1].strip()
    node = replace(three["node"], host_key=other) if wrong == "node" else three["node"]
    before = three["node"].log.read_text().count("Accepted")
    status, _, said = look(node, way(hops=hops(three, "outer", "inner", **{wrong: other})))
    assert status == 255
    assert "Host key verification failed" in said
    assert three["node"].log.read_text().count("Accepted") == before


@pytest.mark.parametrize("count", [0, 1, 2])
def test_by_ipv6(look, way, three, count):
    """The node, and with two bastions the second of them, at ::1, where the node's sshd listens too."""
    node = replace(three["node"], address="::1")
    chain = [[], hops(three, "outer"), [*hops(three, "outer"), three["node"].hop(address="::1")]][count]
    assert_there(look(node, way(hops=chain), "given\nlines\n"))
