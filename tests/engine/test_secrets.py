"""Secrets planted in a site that is applied: nowhere in clear. And a key that is changed runs what it must, no more."""

import base64
import json

import pytest
import yaml

from multus_site.render.host_keys import derive_host_key
from tests.contract import control_plane
from tests.engine.applied import Place, dallas
from tests.graph.recording import ED25519, PRIVATE_KEY, lab_site

pytestmark = pytest.mark.engine

CANARY = "canary-7Qzx-of-the-"
SEED = f"{CANARY}host-keys"
BASTION_KEY = derive_host_key("a key of the bastion that opens nothing", "tests", "graph").private
PLANTED = {
    "multus-site:sshPrivateKey": PRIVATE_KEY,
    "multus-site:hostKeySeed": SEED,
    "multus-site:sshPassword": f"{CANARY}nodes",
    "multus-site:sudoPassword": f"{CANARY}root",
    "multus-site:bastionPrivateKey": BASTION_KEY,
    "multus-site:bastionPassword": f"{CANARY}bastion",
    "multus-site:kubesprayVariables.registry_password": f"{CANARY}registry",
    "multus-site:kubesprayVariables.containerd_registry_auth[0].password": f"{CANARY}mirror",
    "multus-site:kubesprayVariables.kube_oidc_client_secret": f"{CANARY}vault",
}
"""Every secret key that a site can have, nested ones too."""
OTHER_KEY = derive_host_key("another key that opens nothing", "tests", "graph").private


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A real API server. It has no nodes, so that verification finds much to tell."""
    with control_plane.running(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture(scope="module")
def planted(tmp_path_factory, cluster):
    """A site that was applied with secrets in all of its keys, and what was said on the way."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "admin.conf").write_text(cluster.kubeconfig)
    site = dallas()
    site["nodes"]["ssh"]["bastion"] = {"host": "192.0.2.1", "hostKey": ED25519}
    site["kubespray"]["apiServer"] = "127.0.0.1"
    site["kubespray"]["variables"] = {"kube_apiserver_port": int(cluster.server.rpartition(":")[2])}
    place = Place(folder / "place")
    place.write(site)
    place.initialise()
    for key, value in PLANTED.items():
        place.secret(key, value, "--path")
    place.write(site)
    place.commit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRETENDING_KUBECONFIG", str(folder / "admin.conf"))
        (place.folder / "said.log").write_text(place.up())
    return place


def key_lines(key):
    """What of a key would be recognised."""
    return [line for line in key.splitlines() if len(line) > 40]


PLANTED_TEXTS = [text for text in PLANTED.values() if text.startswith(CANARY)]


def secrets_of(place):
    """All that nobody may see: as it is, and in base64."""
    outputs = json.loads(place.must("pulumi", "stack", "output", "--json", "--show-secrets", "--stack", "dallas"))
    client_key = yaml.safe_load(outputs["kubeconfig"])["users"][0]["user"]["client-key-data"]
    plain = [
        *PLANTED_TEXTS,
        *key_lines(PRIVATE_KEY),
        *key_lines(BASTION_KEY),
        client_key,
        base64.b64decode(client_key).decode().splitlines()[1],
    ]
    return [*plain, *(base64.b64encode(text.encode()).decode().rstrip("=") for text in plain)]


def test_the_canaries_are_there_to_be_found(planted):
    shown = planted.must("pulumi", "stack", "export", "--show-secrets", "--stack", "dallas")
    for secret in (*PLANTED_TEXTS, *key_lines(PRIVATE_KEY), *key_lines(BASTION_KEY)):
        assert secret in shown or secret == SEED  # which only machines of our own making have a use for
    assert SEED in planted.must("pulumi", "config", "get", "multus-site:hostKeySeed", "--stack", "dallas")


def test_the_report_and_what_is_written_beside_it_hold_no_secret(planted, tmp_path):
    """Verification looks into the real API server, whose answer is that nothing is as it should be; all of that is written down."""
    place = planted.copy(tmp_path / "place")
    place.before = []  # the API server is on the loopback of this machine's own
    said = ""
    for command, status in {
        ("verify", "dallas", "--format", "json", "--junit", "verify.xml"): 1,
        ("diagram", "dallas", "--live"): 0,
        ("addresses", "dallas"): 0,
    }.items():
        done = place.run("python", "-m", "multus_site", *command)
        assert done.returncode == status, done.stdout + done.stderr
        said += done.stdout + done.stderr
    project = place.folder / "project"
    written = [project / "reports" / "dallas.html", project / "verify.xml", *(project / ".work").rglob("*.json")]
    assert len(written) >= 4
    secrets = secrets_of(place)
    for text in (said, *(file.read_text() for file in written)):
        assert "node1" in text
        assert [secret for secret in secrets if secret in text] == []
    assert "<svg" in written[0].read_text()  # the diagram is part of it


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
        ("python", "-m", "multus_site", "review", "dallas"),
        ("python", "-m", "multus_site", "review", "dallas", "--format", "json"),
        ("python", "-m", "multus_site", "show", "dallas", "--all"),
        ("python", "-m", "multus_site", "policies", "dallas"),
        ("python", "-m", "multus_site", "lint", "stacks"),
        ("python", "-m", "multus_site", "diagram", "dallas", "--format", "svg"),
        ("python", "-m", "multus_site", "diagram", "dallas", "--format", "mermaid"),
        ("python", "-m", "multus_site", "drift", "dallas"),
        ("python", "-m", "multus_site", "verify", "dallas"),
    ],
    ids=" ".join,
)
def test_no_command_says_a_secret(planted, command):
    done = planted.run(*command)
    assert done.stdout + done.stderr
    for secret in secrets_of(planted):
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sshPrivateKey", f"{CANARY}key is no key", "multus-site:sshPrivateKey is not a private key"),
        ("kubesprayVariables", f"{CANARY}variables", "multus-site:kubesprayVariables"),
        ("kubesprayVariables.kube_proxy_mode", f"{CANARY}mode", "kube_proxy_mode"),
    ],
)
def test_what_goes_wrong_says_no_secret(planted, tmp_path, key, value, words):
    place = planted.copy(tmp_path / "place")
    place.secret(f"multus-site:{key}", value, *(["--path"] if "." in key else []))
    for command in (
        ("pulumi", "preview", "--stack", "dallas", "--non-interactive"),
        ("python", "-m", "multus_site", "review", "dallas"),
    ):
        done = place.run(*command)
        assert done.returncode != 0
        assert words in (done.stdout + done.stderr).replace("\\_", "_")
        assert CANARY not in done.stdout + done.stderr


def test_machines_that_we_make_leave_no_secret_behind(tmp_path):
    """Their host keys are derived from the seed; each goes to its machine and nowhere else."""
    place = Place(tmp_path / "place", "lab")
    site = lab_site()
    place.write(site)
    place.initialise()
    place.secret("multus-site:sshPrivateKey", PRIVATE_KEY)
    place.secret("multus-site:hostKeySeed", SEED)
    place.write(site)
    said = place.up() + place.must("pulumi", "preview", "--diff", "--stack", "lab", "--non-interactive")
    keys = [derive_host_key(SEED, "lab", f"node{i}").private for i in (1, 2, 3)]
    secrets = [SEED, *(line for key in [PRIVATE_KEY, *keys] for line in key_lines(key))]
    shown = place.must("pulumi", "stack", "export", "--show-secrets", "--stack", "lab")
    assert key_lines(keys[0])[1] in shown
    (state,) = (place.folder / "state").rglob("lab.json")
    for text in (said, state.read_text(), place.must("pulumi", "stack", "export", "--stack", "lab")):
        assert [secret for secret in secrets if secret in text] == []


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
            "dallas-access",
            "dallas-preflight-run",
            "dallas-cni-plugins-install",
            "dallas-cluster",
            "dallas-leaks-free",
            "dallas-verification-run",
        ),
    }
    shown = place.must("pulumi", "stack", "export", "--show-secrets", "--stack", "dallas")
    assert key_lines(OTHER_KEY)[0] in shown
    for line in key_lines(PRIVATE_KEY):
        assert line not in shown or line in OTHER_KEY
