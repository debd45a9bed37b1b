"""Work on many nodes: one that hangs, dies or says nonsense costs no other its result."""

import asyncio
import socket
import threading
import time

import asyncssh
import pytest

from multus_site.ssh import fan_out as module
from multus_site.ssh.connections import connections
from multus_site.ssh.fan_out import fan_out, fan_out_blocking
from multus_site.ssh.openssh import Shell
from multus_site.ssh.ssh_route import Login, NotLetInError, SshRoute

NODES = {"node1": 1, "node2": 2, "node3": 3}


async def odd(name, number):
    if name == "node1":
        await asyncio.sleep(60)
    if name == "node2":
        return {}["missing"]
    return number


def check(results):
    assert results.done == {"node3": 3}
    assert list(results.failed) == ["node1", "node2"]
    assert results.errors() == ["node1: no answer within 0.3 s", "node2: KeyError: 'missing'"]


def test_a_node_that_hangs_and_one_that_dies_lose_only_their_own_results():
    begun = time.monotonic()
    check(asyncio.run(fan_out(NODES, odd, 0.3)))
    assert time.monotonic() - begun < 10


def test_so_it_is_with_work_that_blocks():
    hang = threading.Event()

    def blocking(name, number):
        if name == "node1":
            hang.wait(2)
        if name == "node2":
            return {}["missing"]
        return number

    check(fan_out_blocking(NODES, blocking, 0.3))


def test_the_kind_of_an_error_is_kept():
    async def refused(*_):
        raise NotLetInError("root is not let in")

    results = asyncio.run(fan_out(NODES, refused, 5))
    assert results.done == {}
    assert all(type(error) is NotLetInError for error in results.failed.values())


def test_no_nodes_are_no_work():
    assert fan_out_blocking({}, odd, 1).done == {}


def test_the_limit_holds_and_progress_is_said(monkeypatch):
    monkeypatch.setattr(module, "AT_A_TIME", 4)
    monkeypatch.setattr(module, "PROGRESS_SECONDS", -1)
    running, most, said = 0, 0, []

    async def count(*_):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1

    asyncio.run(fan_out(dict.fromkeys(map(str, range(20))), count, 5, said.append))
    assert most == 4
    assert said[-1] == 20


@pytest.fixture
def silent():
    """A port whose listener takes connections and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_real_server_that_says_nothing_or_never_ends_a_command(silent):
    """node1 answers, node2's command never ends, node3 is silent from the first byte on."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    private, public = key.export_private_key().decode(), key.export_public_key().decode()
    text = " ".join(public.split()[:2])

    async def process(of):
        if "hang" in of.command:
            await asyncio.sleep(60)
        of.stdout.write("well\n")
        of.exit(0)

    async def run():
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[key],
            authorized_client_keys=asyncssh.import_authorized_keys(public),
            process_factory=process,
        )
        good = server.sockets[0].getsockname()[1]
        nodes = {"node1": (good, "say"), "node2": (good, "hang"), "node3": (silent, "say")}

        async def work(_, node):
            port, command = node
            way = SshRoute(Login("root", private), port)
            async with connections(way) as reached, reached.to("127.0.0.1", text) as connection:
                return (await connection.run(command)).strip()

        results = await fan_out(nodes, work, 3)
        server.close()
        return results

    begun = time.monotonic()
    results = asyncio.run(run())
    assert time.monotonic() - begun < 20
    assert results.done == {"node1": "well"}
    assert results.errors() == ["node2: no answer within 3 s", "node3: no answer within 3 s"]


def test_a_program_that_ssh_leaves_behind_keeps_nobody_waiting(tmp_path, monkeypatch):
    """As the ssh of a jump does, which holds the pipes of the one that has been killed."""
    (tmp_path / "ssh").write_text("#!/bin/sh\nsleep 20 &\nsleep 20\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    shell = Shell(SshRoute(Login("root", "KEY")), tmp_path, tmp_path / "known_hosts")
    host = {"ansible_host": "127.0.0.1", "ansible_port": 22, "ansible_user": "root"}
    begun = time.monotonic()
    done = shell.run(host, "true", seconds=1)
    assert (done.returncode, done.stderr) == (255, "no answer within 1 s")
    assert time.monotonic() - begun < 10
