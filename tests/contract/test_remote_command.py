"""`command:remote:Command` and `command:remote:CopyToRemote`, over a real sshd."""

from __future__ import annotations

import time

import pulumi
import pulumi_command as command
import pytest

from tests.contract.ssh_server import free_port, key_pair
from tests.ssh.hosts import agent

pytestmark = pytest.mark.engine


def remote(connection, options=None, **arguments):
    def program():
        options_ = pulumi.ResourceOptions(provider=command.Provider("command"), **(options or {}))
        made = command.remote.Command(
            "it", connection=command.remote.ConnectionArgs(**connection), opts=options_, **arguments
        )
        pulumi.export("stdout", made.stdout)

    return program


def copied(connection, source, remote_path):
    def program():
        command.remote.CopyToRemote(
            "it",
            connection=command.remote.ConnectionArgs(**connection),
            source=source,
            remote_path=str(remote_path),
            opts=pulumi.ResourceOptions(provider=command.Provider("command")),
        )

    return program


def test_a_command_need_not_read_its_input(project, host):
    outcome = project.up(remote(host.connection(), create="exec <&-; echo created", stdin="unread\n" * 300_000))
    assert outcome.ok, outcome.text
    assert outcome.outputs["stdout"] == "created"


def test_lives_on_a_host(project, host, tmp_path):
    log = tmp_path / "log"

    def program(text):
        return remote(
            host.connection(),
            create=f"cat >>{log}; echo created",
            update=f"cat >>{log}; echo updated",
            delete=f"echo gone >>{log}",
            stdin=text,
        )

    assert project.preview(program("one\n")).count()["create"] == 1
    first = project.up(program("one\n"))
    assert first.ok, first.text
    assert first.outputs["stdout"] == "created"
    assert host.private_key.splitlines()[1] not in project.state()
    assert project.up(program("one\n")).changes == []
    assert project.up(program("two\n")).outputs["stdout"] == "updated"
    assert project.destroy().ok
    assert log.read_text() == "one\ntwo\ngone\n"


def test_failed_create_leaves_no_state(project, host):
    outcome = project.up(remote(host.connection(), create="echo why >&2; exit 7"))
    assert not outcome.ok
    assert 'Process exited with status 7: running "echo why >&2; exit 7"' in outcome.text
    assert "why" in outcome.text
    assert project.resources() == {}


def test_triggers_replace_and_delete_with_the_old_state(project, host, tmp_path):
    log = tmp_path / "log"

    def program(version):
        return remote(
            host.connection(),
            create=f"echo create {version} >>{log}",
            delete=f"echo delete {version} >>{log}",
            triggers=[version],
            options={"delete_before_replace": True},
        )

    assert project.up(program("1")).ok
    assert project.up(program("2")).ok
    assert log.read_text().splitlines() == ["create 1", "delete 1", "create 2"]


def test_wrong_host_key_stops(project, host, tmp_path):
    other = key_pair()[1]
    outcome = project.up(remote(host.connection(host_key=other, dial_error_limit=1), create=f"touch {tmp_path}/ran"))
    assert not outcome.ok
    assert "host key mismatch" in outcome.text
    assert not (tmp_path / "ran").exists()
    assert project.resources() == {}


def test_dials_again_until_the_limit(project, host):
    nobody = free_port()
    started = time.monotonic()
    outcome = project.up(remote(host.connection(port=nobody, dial_error_limit=3), create="true"))
    assert not outcome.ok
    assert "after 3 failed attempts" in outcome.text
    assert "connection refused" in outcome.text
    assert time.monotonic() - started < 60


def test_wrong_key_is_refused(project, host):
    outcome = project.up(remote(host.connection(private_key=key_pair()[0], dial_error_limit=1), create="true"))
    assert not outcome.ok
    assert "unable to authenticate" in outcome.text


def test_an_agent_opens_where_no_private_key_is_given(project, host, tmp_path):
    with agent(tmp_path, key_pair()[0], host.private_key) as socket:
        way = host.connection(private_key=None, agent_socket_path=str(socket))
        outcome = project.up(remote(way, create="echo by agent"))
    assert outcome.ok, outcome.text
    assert outcome.outputs["stdout"] == "by agent"


def test_an_agent_is_not_asked_beside_a_private_key(project, host, tmp_path):
    with agent(tmp_path, host.private_key) as socket:
        way = host.connection(private_key=key_pair()[0], agent_socket_path=str(socket), dial_error_limit=1)
        outcome = project.up(remote(way, create="true"))
    assert not outcome.ok
    assert "unable to authenticate" in outcome.text


def test_an_agent_that_is_not_there_stops_it_whatever_else_is_given(project, host, tmp_path):
    outcome = project.up(remote(host.connection(agent_socket_path=str(tmp_path / "none")), create="true"))
    assert not outcome.ok
    assert "no such file or directory" in outcome.text.lower()


def test_an_alias_does_not_make_it_another_type(project, host):
    """Why a way of another length is another resource (docs/decisions/0012)."""
    assert project.up(remote(host.connection(), create="echo here")).ok

    def local():
        alias = pulumi.Alias(type_="command:remote:Command")
        options = pulumi.ResourceOptions(provider=command.Provider("command"), aliases=[alias])
        command.local.Command("it", create="echo there", opts=options)

    outcome = project.up(local)
    assert not outcome.ok
    assert "Unrecognized field 'connection' on 'local.CommandOutputs'" in outcome.text


def test_environment_needs_the_servers_consent(project, host):
    given = project.up(remote(host.connection(), create="echo $CONTRACT_NAME", environment={"CONTRACT_NAME": "value"}))
    assert given.outputs["stdout"] == "value"
    refused = project.up(remote(host.connection(), create="true", environment={"OTHER_NAME": "value"}))
    assert not refused.ok
    assert "AcceptEnv" in refused.text


def test_reaches_a_host_through_a_bastion(project, host):
    inner = host.connection()
    bastion = command.remote.ProxyConnectionArgs(**host.connection())
    outcome = project.up(remote({**inner, "proxy": bastion}, create="echo through"))
    assert outcome.ok, outcome.text
    assert outcome.outputs["stdout"] == "through"


def test_copies_a_file_when_its_content_changes(project, host, tmp_path):
    source, target = tmp_path / "source", tmp_path / "deep" / "er" / "target"
    source.write_text("one")
    assert project.up(copied(host.connection(), pulumi.FileAsset(str(source)), target)).ok
    assert target.read_text() == "one"
    target.write_text("touched")
    assert project.up(copied(host.connection(), pulumi.FileAsset(str(source)), target)).changes == []
    assert target.read_text() == "touched"
    source.write_text("two")
    assert project.up(copied(host.connection(), pulumi.FileAsset(str(source)), target)).changes == [("update", "it")]
    assert target.read_text() == "two"
    # It is never removed, neither by a destroy.
    assert project.destroy().ok
    assert target.exists()


def test_copies_a_directory_and_a_text(project, host, tmp_path):
    source = tmp_path / "tree"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "file").write_text("inside")
    (tmp_path / "into").mkdir()

    def program():
        options = pulumi.ResourceOptions(provider=command.Provider("command"))
        connection = command.remote.ConnectionArgs(**host.connection())
        for name, asset, path in (
            ("tree", pulumi.FileArchive(str(source)), tmp_path / "into"),
            ("text", pulumi.StringAsset("words"), tmp_path / "words"),
        ):
            command.remote.CopyToRemote(name, connection=connection, source=asset, remote_path=str(path), opts=options)

    outcome = project.up(program)
    assert outcome.ok, outcome.text
    assert (tmp_path / "into" / "tree" / "sub" / "file").read_text() == "inside"
    assert (tmp_path / "words").read_text() == "words"
    assert project.up(program).changes == []
