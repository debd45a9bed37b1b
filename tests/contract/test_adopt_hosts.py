"""`multus-site adopt --hosts` on real sshd's of hosts with NICs of their own: keys shown and confirmed, hosts looked at, a site written."""

import json
import os
import pty
import subprocess
import sys

import pytest
import yaml

from multus_site.model.load import parse_stack_text
from tests.contract.ssh_server import key_pair
from tests.contract.tools import REPOSITORY
from tests.hosts import BASTION, hosts, refuse_without_namespaces

UNLIKE = {"node2": ["ip link set ens6 mtu 1400"], "node3": ["ip link set ens7 down"]}


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    refuse_without_namespaces()
    with hosts(tmp_path_factory.mktemp("hosts"), 3, setup=UNLIKE) as made:
        yield made


def nodes(text):
    """The site's nodes, once the model has read all of it."""
    parse_stack_text(text, source="stdout")
    return yaml.safe_load(text)["config"]["multus-site:site"]["nodes"]


def answered(there, *arguments, answer, before=lambda: None):
    """A person at a terminal, who does something and answers once the question is there: status, and standard error."""
    master, terminal = pty.openpty()
    command = there.enter(there.inside, sys.executable, "-m", "multus_site", "adopt", *arguments)
    with subprocess.Popen(
        command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY
    ) as process:
        said = b""
        while b"Are they the same? [y/N] " not in said:
            letter = os.read(process.stderr.fileno(), 1)
            assert letter, said.decode()
            said += letter
        before()
        os.write(master, f"{answer}\n".encode())
        try:
            out, rest = process.communicate(timeout=60)
        finally:
            process.kill()
    os.close(master)
    os.close(terminal)
    return process.returncode, out.decode(), (said + rest).decode()


def test_a_site_of_three_hosts(there, tmp_path):
    output = tmp_path / "Pulumi.dallas.yaml"
    done = there.run("adopt", "--hosts", "10.1.1.5-7", "-i", there.key, "--yes", "-o", output)
    assert done.returncode == 0, done.stderr
    assert "3 hosts and 0 networks written. Next:\n  multus-site lint" in done.stdout
    text = output.read_text()
    assert nodes(text) == {
        "backend": "existing",
        "ssh": {"user": "root"},
        "hosts": {
            f"node{i}": {"address": f"10.1.1.{4 + i}", "hostKey": there.keys[f"node{i}"], "roles": ["control-plane", "etcd", "worker"]}
            for i in (1, 2, 3)
        },
    }  # fmt: skip
    assert yaml.safe_load(text)["config"]["multus-site:site"]["name"] == "dallas"
    assert there.run("lint", output).stdout.startswith("nothing found in 1 site")
    assert "check: ens6 differs in its MTU: 1500 on node1, node3; 1400 on node2" in done.stderr
    assert "check: ens7 is free on node1, node2, and not on node3 (down)" in done.stderr
    assert f"#   pulumi config set --stack dallas --secret multus-site:sshPrivateKey < {there.key}" in text
    assert "ens6-net: {type: macvlan, master: ens6" in text
    assert "ens7-net" not in text
    again = there.run("adopt", "--hosts", "10.1.1.5-7", "-i", there.key, "--yes", "-o", output)
    assert again.returncode == 2
    assert "exists; name another file" in again.stderr
    assert output.read_text() == text


def test_fingerprints_are_those_of_the_consoles(there):
    log = there.folder / "node1.log"
    logins = log.read_text().count("Accepted publickey")
    done = there.run("adopt", "--hosts", "10.1.1.5,10.1.1.6", "-i", there.key, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stdout == ""
    for host in ("node1", "node2"):
        shown = subprocess.run(
            ["ssh-keygen", "-lf", there.folder / f"{host}.key"], capture_output=True, text=True, check=True
        )
        assert shown.stdout.split()[1] in done.stderr
    assert "there is no terminal to confirm them on" in done.stderr
    assert log.read_text().count("Accepted publickey") == logins


def test_through_a_bastion_by_ipv6_with_known_hosts(there):
    known = there.known_hosts((BASTION, "bastion"), ("fd00:1::5", "node1"), ("10.1.1.6", "node2"))
    arguments = [
        "adopt",
        "--bastion",
        BASTION,
        "--hosts",
        "cp=[fd00:1::5]:22,10.1.1.6",
        "-i",
        there.key,
        "--known-hosts",
        known,
    ]
    done = there.run(*arguments, through=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    found = nodes(done.stdout)
    assert found["ssh"]["bastion"] == {"host": BASTION, "user": "root", "hostKey": there.keys["bastion"]}
    assert found["hosts"]["cp"]["address"] == "fd00:1::5"
    assert found["hosts"]["node2"]["hostKey"] == there.keys["node2"]
    assert "check: cp: the host name is node1; the site needs cp (HOSTNAME_DIFFERS)" in done.stderr
    directly = there.run("adopt", "--hosts", "10.1.1.6", "-i", there.key, "--yes", through=True)
    assert directly.returncode == 1
    assert "left out: 10.1.1.6: no SSH server on port 22" in directly.stderr


def test_a_bastion_with_another_key_ends_it(there):
    known = there.known_hosts((BASTION, "node1"))
    done = there.run(
        "adopt", "--bastion", BASTION, "--hosts", "10.1.1.5", "-i", there.key, "--known-hosts", known, through=True
    )
    assert done.returncode == 2
    assert f"the bastion {BASTION}: its SSH host key is not the pinned one" in done.stderr
    assert done.stdout == ""


def test_what_is_not_reached_is_named_and_the_others_are_written(there):
    known = there.known_hosts(("10.1.1.5", "node2"), ("10.1.1.6", "node2"))
    done = there.run(
        "adopt", "--hosts", "10.1.1.5,10.1.1.6,10.1.1.99", "-i", there.key, "--known-hosts", known, "--yes"
    )
    assert done.returncode == 1
    assert (
        "left out: 10.1.1.5: it shows another SSH host key than known_hosts has, so nothing was sent to it"
        in done.stderr
    )
    assert "left out: 10.1.1.99: no SSH server on port 22: No route to host" in done.stderr
    assert list(nodes(done.stdout)["hosts"]) == ["node2"]
    assert "Traceback" not in done.stderr


def test_a_key_that_opens_nothing(there, tmp_path):
    (tmp_path / "other").write_text(key_pair()[0])
    done = there.run("adopt", "--hosts", "ops@10.1.1.5", "-i", tmp_path / "other", "--yes")
    assert done.returncode == 1
    assert f"left out: 10.1.1.5: ops cannot log in with {tmp_path}/other" in done.stderr
    assert "nothing was written: no host could be inspected" in done.stderr


def test_a_key_of_the_project(there, tmp_path):
    (tmp_path / "ssh").mkdir()
    (tmp_path / "ssh" / "id").write_text(there.key.read_text())
    done = there.run(
        "adopt",
        "--hosts",
        "10.1.1.5",
        "-i",
        "ssh/id",
        "--yes",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.returncode == 0, done.stderr
    assert nodes(done.stdout)["ssh"] == {"user": "root", "privateKeyFile": "ssh/id"}
    assert "a secret of the stack" not in done.stdout


def test_no_is_no(there):
    status, out, said = answered(there, "--hosts", "10.1.1.5", "-i", str(there.key), answer="n")
    assert (status, out) == (1, "")
    assert "nothing was sent to the hosts, and nothing was written" in said


def test_another_key_after_the_question_is_caught(there):
    arguments = ["--hosts", "10.1.1.5,10.1.1.7", "-i", str(there.key)]
    status, out, said = answered(there, *arguments, answer="y", before=lambda: there.another_answers("node3"))
    assert status == 1
    assert "left out: 10.1.1.7: it shows another SSH host key than it did before, so nothing was sent to it" in said
    assert list(nodes(out)["hosts"]) == ["node1"]


def test_new_asks_for_host_keys_too(there, tmp_path):
    project = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(REPOSITORY)}}
    done = there.run("new", "austin", "--node", "node1=10.1.1.5", "--scan", **project)
    assert done.returncode == 0, done.stderr
    assert (
        nodes((tmp_path / "stacks" / "Pulumi.austin.yaml").read_text())["hosts"]["node1"]["hostKey"]
        == there.keys["node1"]
    )
    shown = subprocess.run(
        ["ssh-keygen", "-lf", there.folder / "node1.key"], capture_output=True, text=True, check=True
    )
    assert f"compare the host key of node1, {shown.stdout.split()[1]}, with what its console shows" in done.stdout
    none = there.run("new", "boston", "--node", "node1=10.1.1.99", "--scan", **project)
    assert none.returncode == 2
    assert none.stderr == (
        "node1, 10.1.1.99: no SSH server on port 22: No route to host\n"
        "Nothing was written. Fix these hosts, or omit --scan and add the keys later.\n"
    )


def test_hosts_and_networks_in_one_run(there, tmp_path):
    def nad(name, master):
        config = {"cniVersion": "1.0.0", "name": name, "type": "macvlan", "master": master}
        return {
            "apiVersion": "k8s.cni.cncf.io/v1",
            "kind": "NetworkAttachmentDefinition",
            "metadata": {"name": name},
            "spec": {"config": json.dumps(config)},
        }

    (tmp_path / "nads.yaml").write_text(yaml.safe_dump_all([nad("media", "ens6"), nad("lost", "ens9")]))
    done = there.run("adopt", tmp_path / "nads.yaml", "--hosts", "10.1.1.5", "-i", there.key, "--yes")
    assert done.returncode == 0, done.stderr
    assert list(nodes(done.stdout)["hosts"]) == ["node1"]
    assert set(yaml.safe_load(done.stdout)["config"]["multus-site:site"]["networks"]) == {"media", "lost"}
    assert "node1 has no interface 'ens9'" in done.stderr
    assert "no interface 'ens6'" not in done.stderr
