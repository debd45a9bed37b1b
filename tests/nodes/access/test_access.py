"""multus_site/nodes/access against a real sshd on loopback, and against hosts that are not there."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict

import pytest

from multus_site.ssh.ssh_route import Hop, Login, SshRoute
from tests.contract.ssh_server import free_port, key_pair, running


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with running(tmp_path_factory.mktemp("sshd")) as one:
        yield one


def ran(way, hosts, before=""):
    """Exit status, standard output and standard error of the program."""
    done = subprocess.run(
        [sys.executable, "-m", "multus_site.nodes.access"],
        input=json.dumps({"way": asdict(way), "hosts": hosts}),
        env={**os.environ, "PULUMI_COMMAND_STDOUT": before},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def way(host, **changes):
    return SshRoute(Login(host.user, host.private_key), **{"port": host.port, **changes})


def named(host, **changes):
    return {"node1": {"address": "127.0.0.1", "hostKey": host.host_key, **changes}}


def test_hosts_that_answer_are_the_record(host):
    status, out, _ = ran(way(host), named(host))
    assert (status, json.loads(out)) == (0, named(host))


def test_a_host_that_refuses_is_named_with_the_reason(host):
    hosts = {**named(host), "node2": {"address": "127.0.0.9", "hostKey": host.host_key}}
    status, out, err = ran(way(host), hosts)
    assert (status, out) == (1, "")
    assert f"node2 (127.0.0.9): no answer on port {host.port}: Connection refused" in err
    assert "node1" not in err
    assert "Nothing was changed." in err


def test_a_host_that_accepts_and_says_nothing_is_given_up(host):
    with socket.create_server(("127.0.0.8", host.port)):
        status, _, err = ran(way(host), {"node3": {"address": "127.0.0.8", "hostKey": host.host_key}})
    assert status == 1
    assert "node3 (127.0.0.8): no answer" in err


@pytest.mark.parametrize("wrong", ["host key", "login"])
def test_another_key_and_a_refused_login_are_named_too(host, wrong):
    private, public = key_pair()
    if wrong == "login":
        status, _, err = ran(SshRoute(Login(host.user, private), host.port), named(host))
        assert "node1 (127.0.0.1): " in err
        assert "cannot log in with multus-site:sshPrivateKey" in err
    else:
        status, _, err = ran(way(host), named(host, hostKey=public.strip()))
        assert "node1 (127.0.0.1): its SSH host key is not the pinned one" in err
    assert status == 1


def test_a_bastion_that_does_not_answer_is_named(host):
    hop = Hop("127.0.0.7", free_port(), host.host_key, Login(host.user, host.private_key))
    status, _, err = ran(way(host, hops=(hop,)), named(host))
    assert status == 1
    assert "the bastion 127.0.0.7: no answer on port" in err


def test_a_host_that_was_reached_before_is_not_asked_again(host):
    """A node that is lost does not stop the next update, which adds one; one with another address or key is a new host."""
    gone = {"node2": {"address": "127.0.0.9", "hostKey": host.host_key}}
    before = json.dumps(gone)
    assert ran(way(host), {**named(host), **gone}, before)[0] == 0
    moved = {"node2": {**gone["node2"], "address": "127.0.0.10"}}
    status, _, err = ran(way(host), {**named(host), **moved}, before)
    assert (status, "node2 (127.0.0.10)" in err) == (1, True)


def test_with_another_login_every_host_is_asked_again(host):
    """Pulumi runs the program again if its input changed: where that is not a host, it is the way to all of them."""
    private, _ = key_pair()
    status, _, err = ran(SshRoute(Login(host.user, private), host.port), named(host), json.dumps(named(host)))
    assert (status, "node1 (127.0.0.1): " in err) == (1, True)


def test_an_unreadable_document_is_an_error():
    done = subprocess.run(
        [sys.executable, "-m", "multus_site.nodes.access"], input="{}", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "stdin holds no document of components/hosts.py" in done.stderr
