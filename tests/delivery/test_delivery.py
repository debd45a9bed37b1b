"""`python -m delivery`, for real: files and a Go build of this machine, over SSH to nodes with folders of their own."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
from dataclasses import asdict
from pathlib import Path

import pytest

from render.cni_plugins import Origin
from tests import fleet
from tests.contract.ssh_server import key_pair
from tests.contract.tools import cache

PROJECT = Path(__file__).parents[2]
MODULE_SUM = "h1:8oU6WsIsU3bpnNZuvHp74a6cE1MJwbj2P7s4/yTUNlA="


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    fleet.refuse_without_namespaces()
    with fleet.fleet(tmp_path_factory.mktemp("fleet"), 3) as nodes:
        yield nodes


@pytest.fixture
def deliver(three, tmp_path, monkeypatch):
    """Delivers origins to all three nodes: (exit status, what it printed, what it said)."""
    monkeypatch.setenv("MULTUS_SITE_CACHE", str(tmp_path / "cache"))
    for node in three.nodes.values():
        shutil.rmtree(node.cni / ".multus-site", ignore_errors=True)

    def run(*origins, known_hosts=None, **other):
        hosts = {
            node.name: {"ansible_host": node.address, "ansible_port": three.port, "ansible_user": "root"}
            for node in three.nodes.values()
        }
        keys = "".join(f"[{node.address}]:{three.port} {three.host_key}\n" for node in three.nodes.values())
        document = {
            "hosts": hosts,
            "architectures": dict.fromkeys(hosts, "amd64"),
            "origins": {"amd64": [asdict(one) for one in origins]},
            "private_key": three.private_key,
            "known_hosts": keys if known_hosts is None else known_hosts,
            **other,
        }
        done = subprocess.run(
            [sys.executable, "-m", "delivery"],
            input=json.dumps(document), capture_output=True, text=True, check=False, cwd=PROJECT,
        )  # fmt: skip
        return done.returncode, done.stdout and json.loads(done.stdout), done.stderr

    return run


def store(three):
    return [sorted(p.name for p in (node.cni / ".multus-site").glob("*")) for node in three.nodes.values()]


def local(path, content):
    path.write_bytes(content)
    return Origin("bond", "path", str(path), hashlib.sha256(content).hexdigest())


def test_a_file_of_this_machine_gets_into_every_store_once(deliver, three, tmp_path):
    origin = local(tmp_path / "bond", bytes(range(256)) * 5000)
    status, printed, said = deliver(origin)
    assert (status, printed) == (0, {"amd64": {"bond": origin.pin}}), said
    assert "sent 3 binaries to 3 of 3 nodes" in said
    assert store(three) == [[origin.pin]] * 3
    for node in three.nodes.values():
        kept = node.cni / ".multus-site" / origin.pin
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == origin.pin
        assert kept.stat().st_mode & 0o7777 == 0o755
    assert "sent 0 binaries to 0 of 3 nodes" in deliver(origin)[2]


def test_what_a_node_lost_or_damaged_is_sent_again(deliver, three, tmp_path):
    origin = local(tmp_path / "bond", b"a binary")
    deliver(origin)
    (three.nodes["node1"].cni / ".multus-site" / origin.pin).write_bytes(b"damaged")
    shutil.rmtree(three.nodes["node2"].cni / ".multus-site")
    assert "sent 2 binaries to 2 of 3 nodes" in deliver(origin)[2]
    assert store(three) == [[origin.pin]] * 3


def test_a_member_of_an_archive_is_sent_alone(deliver, tmp_path):
    with tarfile.open(tmp_path / "release.tgz", "w:gz") as archive:
        for name in ("./bond", "./other"):
            info = tarfile.TarInfo(name)
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()))
    data = (tmp_path / "release.tgz").read_bytes()
    pin = hashlib.sha256(data).hexdigest()
    status, printed, said = deliver(Origin("bond", "path", str(tmp_path / "release.tgz"), pin, "bond"))
    assert status == 0, said
    assert printed == {"amd64": {"bond": hashlib.sha256(b"./bond").hexdigest()}}
    status, _, said = deliver(Origin("bond", "path", str(tmp_path / "release.tgz"), pin, "bonb"))
    assert status == 1
    assert "has no member bonb; it has bond, other" in said


def test_a_file_that_is_not_as_pinned_goes_nowhere(deliver, three, tmp_path):
    origin = local(tmp_path / "bond", b"a binary")
    (tmp_path / "bond").write_bytes(b"another")
    status, _, said = deliver(origin)
    assert status == 1
    assert f"pinned is {origin.pin}" in said
    assert store(three) == [[]] * 3


def test_every_node_that_cannot_be_served_is_named(deliver, three, tmp_path):
    nodes = list(three.nodes.values())
    wrong = key_pair()[1]
    known = "".join(f"[{n.address}]:{three.port} {three.host_key if n is nodes[0] else wrong}\n" for n in nodes)
    status, _, said = deliver(local(tmp_path / "bond", b"a binary"), known_hosts=known)
    assert status == 1
    assert [f"{n.name} ({n.address})" in said for n in nodes] == [False, True, True]
    assert "Traceback" not in said
    assert store(three)[1:] == [[], []]


def test_built_from_the_module_as_its_hash_says(deliver, three, monkeypatch):
    monkeypatch.setenv("MULTUS_SITE_CACHE", str(cache()))  # where what the compiler made before is
    if shutil.which("go") is None:
        pytest.skip("there is no Go compiler on PATH")
    status, printed, said = deliver(Origin("macvlan", "go", "1.9.1", MODULE_SUM))
    if "proxy" in said and status:
        pytest.skip(f"the module cannot be had: {said[-200:]}")
    assert status == 0, said
    kept = three.nodes["node3"].cni / ".multus-site" / printed["amd64"]["macvlan"]
    answer = subprocess.run(
        [kept], env={"CNI_COMMAND": "VERSION"}, input="{}", capture_output=True, text=True, check=True
    )
    assert "1.1.0" in json.loads(answer.stdout)["supportedVersions"]
    about = subprocess.run([kept], input="", capture_output=True, text=True, check=False)
    assert "v1.9.1" in about.stdout + about.stderr

    status, _, said = deliver(Origin("macvlan", "go", "1.9.1", MODULE_SUM.replace("8", "9")))
    assert status == 1
    assert "nothing was built" in said
    status, _, said = deliver(Origin("macvlaan", "go", "1.9.1", MODULE_SUM))
    assert status == 1
    assert "has no plugin macvlaan; it has bandwidth, bridge" in said


def test_a_document_of_another_kind_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "delivery"], input="[]", capture_output=True, text=True, check=False, cwd=PROJECT
    )
    assert done.returncode == 1
    assert "stdin holds no document" in done.stderr
    assert "Traceback" not in done.stderr
