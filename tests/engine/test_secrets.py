"""Secrets planted in a site that is applied: nowhere in clear. And a key that is changed runs what it must, no more."""

import base64
import json

import pytest
import yaml

from render.host_keys import derive_host_key
from tests.engine.applied import applied, dallas
from tests.graph.recording import ED25519, PRIVATE_KEY

pytestmark = pytest.mark.engine

CANARY = "canary-7Qzx-of-the-vault"
PASSWORDS = {
    "sshPassword": "canary-1-opens-nodes",
    "sudoPassword": "canary-2-opens-root",
    "bastionPassword": "canary-3-opens-the-bastion",
}
BASTION_KEY = derive_host_key("a key of the bastion that opens nothing", "tests", "graph").private
OTHER_KEY = derive_host_key("another key that opens nothing", "tests", "graph").private


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A site that was applied with secrets in all of its keys."""
    site = dallas()
    site["nodes"]["ssh"]["bastion"] = {"host": "192.0.2.1", "hostKey": ED25519}
    keys = {**PASSWORDS, "bastionPrivateKey": BASTION_KEY}
    return applied(tmp_path_factory.mktemp("secrets") / "place", site, keys, registry_password=CANARY)


def key_lines(key):
    """What of a key would be recognised."""
    return [line for line in key.splitlines() if len(line) > 40]


def secrets_of(place):
    """All that nobody may see: as it is, and in base64."""
    outputs = json.loads(place.must("pulumi", "stack", "output", "--json", "--show-secrets", "--stack", "dallas"))
    client_key = yaml.safe_load(outputs["kubeconfig"])["users"][0]["user"]["client-key-data"]
    ours = [CANARY, *PASSWORDS.values(), *key_lines(PRIVATE_KEY), *key_lines(BASTION_KEY)]
    plain = [*ours, client_key, base64.b64decode(client_key).decode().splitlines()[1]]
    return [*plain, *(base64.b64encode(text.encode()).decode().rstrip("=") for text in plain)]


def test_the_canaries_are_there_to_be_found(planted):
    shown = planted.must("pulumi", "stack", "export", "--show-secrets", "--stack", "dallas")
    for secret in (CANARY, *PASSWORDS.values(), *key_lines(PRIVATE_KEY), *key_lines(BASTION_KEY)):
        assert secret in shown


def test_no_file_holds_a_secret(planted):
    secrets = secrets_of(planted)
    looked_at = 0
    for file in planted.folder.rglob("*"):
        if file.is_file() and not file.is_symlink() and "project/.git/" not in str(file):
            content = file.read_bytes()
            looked_at += b"multus-site" in content
            for secret in secrets:
                assert secret.encode() not in content, f"{file} holds a secret in clear"
    assert looked_at >= 2  # the state and the stack file at least


@pytest.mark.parametrize(
    "command",
    [
        ("pulumi", "preview", "--diff", "--show-sames", "--non-interactive", "--stack", "dallas"),
        ("pulumi", "preview", "--json", "--non-interactive", "--stack", "dallas"),
        ("pulumi", "stack", "export", "--stack", "dallas"),
        ("pulumi", "stack", "output", "--json", "--stack", "dallas"),
        ("python", "-m", "cli", "review", "dallas"),
        ("python", "-m", "cli", "show", "dallas"),
        ("python", "-m", "cli", "lint", "stacks"),
        ("python", "-m", "cli", "diagram", "dallas", "--format", "svg"),
        ("python", "-m", "cli", "diagram", "dallas", "--format", "mermaid"),
        ("python", "-m", "cli", "diagram", "dallas", "--live"),
        ("python", "-m", "cli", "addresses", "dallas"),
        ("python", "-m", "cli", "drift", "dallas"),
        ("python", "-m", "cli", "verify", "dallas"),
    ],
    ids=lambda command: " ".join(command[1:5]),
)
def test_no_command_says_a_secret(planted, command):
    done = planted.run(*command)
    assert done.stdout + done.stderr
    for secret in secrets_of(planted):
        assert secret not in done.stdout + done.stderr


def test_what_goes_wrong_says_no_secret(planted, tmp_path):
    place = planted.copy(tmp_path / "place")
    place.secret("multus-site:sshPrivateKey", f"{CANARY} is no key")
    done = place.run("pulumi", "preview", "--stack", "dallas", "--non-interactive")
    assert done.returncode != 0
    assert "multus-site:sshPrivateKey is not a private key" in done.stdout
    for secret in (CANARY, *PASSWORDS.values()):
        assert secret not in done.stdout + done.stderr


def test_another_ssh_key_runs_no_playbook_and_touches_nothing_in_the_cluster(planted, tmp_path):
    def state():
        return {
            resource["urn"].rpartition("::")[2] + " " + resource["type"]: resource
            for resource in json.loads(place.must("pulumi", "stack", "export", "--stack", "dallas"))["deployment"]["resources"]
        }  # fmt: skip

    place = planted.copy(tmp_path / "place")
    before = state()
    place.secret("multus-site:sshPrivateKey", OTHER_KEY)
    place.up()
    after = state()
    assert before.keys() == after.keys()
    ran = {name.partition(" ")[0] for name in before if before[name].get("modified") != after[name].get("modified")}
    # What goes over SSH carries the key, and its scripts find all as it should be. The cluster that is made up has another
    # certificate each time that its kubeconfig is read; with it go the provider and the proof, as after a renewal.
    assert ran == {
        "dallas-kubernetes-kubespray",
        "dallas-kubernetes-kubeconfig",
        *(
            f"dallas-{what}"
            for i in (1, 2, 3)
            for what in (f"node{i}-facts", f"whereabouts-node{i}-files", f"whereabouts-node{i}-files-removal")
        ),
        *(
            "dallas-preflight-run",
            "dallas-cni-plugins-install",
            "dallas-cluster",
            "dallas-verification-run",
            "organization/multus-site/dallas",
        ),
    }
    shown = place.must("pulumi", "stack", "export", "--show-secrets", "--stack", "dallas")
    assert key_lines(OTHER_KEY)[0] in shown
    for line in key_lines(PRIVATE_KEY):
        assert line not in shown or line in OTHER_KEY
