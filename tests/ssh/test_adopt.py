"""`multus-site adopt --hosts` in every way that there is to hosts: passwords, sudo, an agent, two bastions."""

import subprocess

import pytest
import yaml
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.model.load import parse_stack_text
from tests.ssh.hosts import ASKED, FREE, PASSWORD, agent


@pytest.fixture
def adopt(three):
    """Adopts the node; `typed` are the passwords."""

    def run(*arguments, typed=""):
        place = f"{three['node'].address}:{three['node'].port}"
        return CliRunner().invoke(app, ["adopt", "--hosts", place, "--yes", *arguments], input=typed)

    return run


def ssh(done):
    """The site's `ssh`, once the model has read all of it."""
    assert done.exit_code == 0, done.stderr
    parse_stack_text(done.stdout, source="stdout")
    return yaml.safe_load(done.stdout)["config"]["multus-site:site"]["nodes"]["ssh"]


def test_a_password(adopt, three):
    done = adopt("--ask-password", typed=f"{PASSWORD}\n")
    assert ssh(done) == {"user": "root", "port": three["node"].port}
    assert "#   pulumi config set --stack adopted --secret multus-site:sshPassword\n" in done.stdout
    assert PASSWORD not in done.output


def test_a_wrong_password(adopt):
    done = adopt("-k", "-u", ASKED, typed="wrong\n")
    assert done.exit_code == 1
    assert f"{ASKED} cannot log in with that password" in done.stderr


@pytest.mark.parametrize("user", [ASKED, FREE])
def test_sudo_with_a_password(adopt, user):
    done = adopt("-k", "-K", "-u", user, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert ssh(done)["user"] == user
    assert "multus-site:sudoPassword" in done.stdout


def test_sudo_that_asks(adopt):
    done = adopt("-k", "-u", ASKED, typed=f"{PASSWORD}\n")
    assert done.exit_code == 1
    assert f"{ASKED} cannot become root without a password; add --ask-sudo-password" in done.stderr
    assert "sudo rejects that password" in adopt("-k", "-K", "-u", ASKED, typed=f"{PASSWORD}\nwrong\n").stderr


def test_sudo_that_does_not_ask(adopt):
    assert ssh(adopt("-k", "-u", FREE, typed=f"{PASSWORD}\n"))["user"] == FREE


def test_the_agents_keys(adopt, three, tmp_path, monkeypatch):
    with agent(tmp_path, three["node"].private_key) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        assert ssh(adopt())["agent"] is True


def test_a_key_of_the_home_folder(adopt, three, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    none = adopt()
    assert none.exit_code == 2
    assert "no key found" in none.stderr
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_text(three["node"].private_key)
    assert "sshPrivateKey < ~/.ssh/id_ed25519" in adopt().stdout


def test_two_bastions(adopt, three):
    outer, inner = three["outer"], three["inner"]
    jumps = f"{outer.address}:{outer.port},{FREE}@{inner.address}:{inner.port}"
    logins = {host.name: host.log.read_text().count("Accepted password") for host in three.values()}
    found = ssh(adopt("--bastion", jumps, "-k", typed=f"{PASSWORD}\n"))
    assert found["bastion"] == [
        {"host": outer.address, "port": outer.port, "user": "root", "hostKey": outer.host_key},
        {"host": inner.address, "port": inner.port, "user": FREE, "hostKey": inner.host_key},
    ]
    assert all(host.log.read_text().count("Accepted password") > logins[host.name] for host in three.values())


def test_a_bastion_that_lets_nobody_in(adopt, three, tmp_path):
    (tmp_path / "key").write_text(three["node"].private_key)
    outer = three["outer"]
    done = adopt("-J", f"{outer.address}:{outer.port}", "-i", str(tmp_path / "key"))
    assert done.exit_code == 2
    assert f"the bastion {outer.address}: root cannot log in with {tmp_path}/key" in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        ("ssh-ed25519 AAAA", "contains no private key; name the file without .pub"),
        ("\x00", "contains no private key"),
    ],
)
def test_no_private_key(adopt, tmp_path, content, words):
    if content is not None:
        (tmp_path / "key").write_text(content)
    done = adopt("--key", str(tmp_path / "key"))
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.output


def test_a_locked_key(adopt, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "a phrase", "-f", tmp_path / "key"], check=True)
    done = adopt("--key", str(tmp_path / "key"))
    assert done.exit_code == 2
    assert f"{tmp_path}/key has a passphrase; type ssh-add {tmp_path}/key" in done.stderr
