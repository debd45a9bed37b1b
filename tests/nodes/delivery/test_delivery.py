"""`python -m multus_site.nodes.delivery`, for real: files and a Go build of this machine, over SSH to nodes with folders of their own."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import asdict
from pathlib import Path

import pytest

from multus_site.render.cni_plugins import Origin
from multus_site.ssh.ssh_route import Hop, Login, SshRoute
from tests import fleet
from tests.contract.ssh_server import key_pair
from tests.contract.tools import cache
from tests.scripts.test_cni_plugins import plugin

PROJECT = Path(__file__).parents[3]
MODULE_SUM = "h1:8oU6WsIsU3bpnNZuvHp74a6cE1MJwbj2P7s4/yTUNlA="


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    fleet.refuse_without_namespaces()
    with fleet.fleet(tmp_path_factory.mktemp("fleet"), 3) as nodes:
        yield nodes


@pytest.fixture
def deliver(three, tmp_path, monkeypatch):
    """Runs the delivery for all three nodes: (exit status, the record that it printed, what it said)."""
    monkeypatch.setenv("MULTUS_SITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PULUMI_COMMAND_STDOUT", raising=False)
    for node in three.nodes.values():
        for entry in node.cni.iterdir():
            shutil.rmtree(entry)

    def run(
        *origins,
        verb="apply",
        before=None,
        nodes=("node1", "node2", "node3"),
        keys=None,
        reasons=None,
        way=None,
        **other,
    ):
        document = {
            "way": asdict(way or SshRoute(Login("root", three.private_key), three.port)),
            "nodes": {
                name: {
                    "address": three.nodes[name].address,
                    "host_key": (keys or {}).get(name, three.host_key),
                    "architecture": "amd64",
                    "reasons": (reasons or {}).get(name, []),
                }
                for name in nodes
            },
            "origins": {"amd64": [asdict(one) for one in origins]},
            "run_id": "lab-1",
            "script": "",
            "leavers_go": False,
            **other,
        }
        environment = {**os.environ, **({"PULUMI_COMMAND_STDOUT": json.dumps(before)} if before else {})}
        done = subprocess.run(
            [sys.executable, "-m", "multus_site.nodes.delivery", verb],
            input=json.dumps(document), capture_output=True, text=True, check=False, cwd=PROJECT, env=environment,
        )  # fmt: skip
        return done.returncode, done.stdout and json.loads(done.stdout), done.stderr

    return run


def answers(record):
    """Node → plugin → sha256."""
    return {
        node: {plugin: one["sha256"] for plugin, one in record["results"][its["result"]].items()}
        for node, its in record["nodes"].items()
    }


def store(three):
    return [sorted(p.name for p in (node.cni / ".multus-site").glob("*")) for node in three.nodes.values()]


def local(path, mark="one"):
    path.write_text(plugin(mark))
    return Origin("bond", "path", str(path), hashlib.sha256(plugin(mark).encode()).hexdigest())


def on_nodes(three):
    return [(node.bin / "bond").read_text() if node.installed() else None for node in three.nodes.values()]


def test_a_file_of_this_machine_gets_onto_every_node_once(deliver, three, tmp_path):
    origin = local(tmp_path / "bond")
    status, record, said = deliver(origin)
    assert status == 0, said
    assert answers(record) == {node: {"bond": origin.pin} for node in three.nodes}
    assert len(record["results"]) == 1
    assert "applied to node1, node2, node3 of 3 nodes, 3 binaries sent" in said
    assert store(three) == [[origin.pin]] * 3
    assert on_nodes(three) == [plugin("one")] * 3
    for node in three.nodes.values():
        assert (node.cni / ".multus-site" / origin.pin).stat().st_mode & 0o7777 == 0o755
    assert "sent" not in deliver(origin)[2]


def test_what_a_node_lost_or_damaged_is_sent_again(deliver, three, tmp_path):
    origin = local(tmp_path / "bond")
    deliver(origin)
    (three.nodes["node1"].cni / ".multus-site" / origin.pin).write_bytes(b"damaged")
    shutil.rmtree(three.nodes["node2"].cni / ".multus-site")
    assert "2 binaries sent" in deliver(origin)[2]
    assert store(three) == [[origin.pin]] * 3


def test_nodes_that_nothing_asks_for_are_not_touched(deliver, three, tmp_path):
    origin = local(tmp_path / "bond")
    _, first, _ = deliver(origin, nodes=("node1", "node2"))
    for node in three.nodes.values():
        if node.installed():
            (node.bin / "bond").unlink()
    status, record, said = deliver(origin, before=first, reasons={"node2": ["another machine"]})
    assert status == 0, said
    assert "applied to node2, node3 of 3 nodes" in said
    assert on_nodes(three) == [None, plugin("one"), plugin("one")]
    assert answers(record) == {node: {"bond": origin.pin} for node in three.nodes}
    # Another key of ours is no reason; a run of Kubespray is one, for all.
    assert deliver(origin, before=record, reasons={"node2": ["another machine"]})[1:] == (record, "")
    deliver(origin, before=record, run_id="lab-2")
    assert on_nodes(three) == [plugin("one")] * 3


def test_a_node_that_leaves_the_site_keeps_nothing_of_ours(deliver, three, tmp_path):
    origin = local(tmp_path / "bond")
    _, record, _ = deliver(origin)
    status, record, said = deliver(origin, before=record, nodes=("node1", "node2"))
    assert (status, list(record["nodes"])) == (0, ["node1", "node2"]), said
    assert on_nodes(three) == [plugin("one"), plugin("one"), None]
    assert store(three) == [[origin.pin], [origin.pin], []]


def test_a_node_that_left_and_answers_no_more_stops_nothing(deliver, tmp_path):
    origin = local(tmp_path / "bond")
    _, record, _ = deliver(origin)
    record["nodes"]["node3"]["address"] = "127.9.9.9"
    status, after, said = deliver(origin, before=record, nodes=("node1", "node2"))
    assert (status, list(after["nodes"])) == (0, ["node1", "node2"])
    assert "left the site and keeps its CNI plugins: node3 (127.9.9.9): no answer" in said
    status, _, said = deliver(origin, before=record, nodes=("node1", "node2"), leavers_go=True)
    assert (status, said) == (0, "")


def test_removed_from_every_node(deliver, three, tmp_path):
    origin = local(tmp_path / "bond")
    deliver(origin)
    assert deliver(origin, verb="remove") == (0, "", "")
    assert on_nodes(three) == [None] * 3
    assert store(three) == [[]] * 3


def test_a_member_of_an_archive_is_sent_alone(deliver, tmp_path):
    content = {"bond": plugin("member").encode(), "other": b"no plugin"}
    with tarfile.open(tmp_path / "release.tgz", "w:gz") as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    pin = hashlib.sha256((tmp_path / "release.tgz").read_bytes()).hexdigest()
    status, record, said = deliver(Origin("bond", "path", str(tmp_path / "release.tgz"), pin, "bond"))
    assert status == 0, said
    assert answers(record)["node1"] == {"bond": hashlib.sha256(content["bond"]).hexdigest()}
    status, _, said = deliver(Origin("bond", "path", str(tmp_path / "release.tgz"), pin, "bonb"))
    assert status == 1
    assert "has no member bonb; it has bond, other" in said


def test_a_file_that_is_not_as_pinned_goes_nowhere(deliver, three, tmp_path):
    origin = local(tmp_path / "bond")
    (tmp_path / "bond").write_bytes(b"another")
    status, _, said = deliver(origin)
    assert status == 1
    assert f"pinned is {origin.pin}" in said
    assert store(three) == [[]] * 3


def test_every_node_that_cannot_be_served_is_named_and_the_others_are_served(deliver, three, tmp_path):
    nodes = list(three.nodes.values())
    wrong = dict.fromkeys(("node2", "node3"), key_pair()[1].strip())
    status, printed, said = deliver(local(tmp_path / "bond"), keys=wrong)
    assert (status, printed) == (1, "")
    assert [f"{n.name} ({n.address})" in said for n in nodes] == [False, True, True]
    assert "its SSH host key is not the pinned one" in said
    assert "Traceback" not in said
    assert on_nodes(three) == [plugin("one"), None, None]
    assert store(three)[1:] == [[], []]


def test_a_key_that_is_let_in_nowhere_is_told(deliver, three, tmp_path):
    status, _, said = deliver(local(tmp_path / "bond"), way=SshRoute(Login("root", key_pair()[0]), three.port))
    assert status == 1
    assert "root cannot log in with multus-site:sshPrivateKey" in said


def test_through_a_bastion(deliver, three, tmp_path):
    def through(*keys):
        login = Login("root", three.private_key)
        hops = (Hop(three.nodes[f"node{i}"].address, three.port, key, login) for i, key in enumerate(keys, 1))
        return SshRoute(login, three.port, "", tuple(hops))

    origin = local(tmp_path / "bond")
    status, record, said = deliver(origin, way=through(three.host_key))
    assert status == 0, said
    assert answers(record)["node3"] == {"bond": origin.pin}
    wrong = key_pair()[1].strip()
    for keys in ((wrong,), (wrong, three.host_key), (three.host_key, wrong)):
        status, _, said = deliver(origin, way=through(*keys))
        assert status == 1
        caught = three.nodes[f"node{1 + keys.index(wrong)}"].address
        assert said.startswith(f"error: the bastion {caught}: its SSH host key is not the pinned one")
    status, record, said = deliver(origin, way=through(three.host_key, three.host_key), run_id="lab-2")
    assert status == 0, said
    assert answers(record)["node3"] == {"bond": origin.pin}


def test_built_from_the_module_as_its_hash_says(deliver, three, monkeypatch):
    monkeypatch.setenv("MULTUS_SITE_CACHE", str(cache()))  # where what the compiler made before is
    if shutil.which("go") is None:
        pytest.skip("there is no Go compiler on PATH")
    status, printed, said = deliver(Origin("macvlan", "go", "1.9.1", MODULE_SUM))
    if "proxy" in said and status:
        pytest.skip(f"the module cannot be had: {said[-200:]}")
    assert status == 0, said
    kept = three.nodes["node3"].cni / ".multus-site" / answers(printed)["node3"]["macvlan"]
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
        [sys.executable, "-m", "multus_site.nodes.delivery", "apply"],
        input="[]",
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
    )
    assert done.returncode == 1
    assert "stdin holds no document" in done.stderr
    assert "Traceback" not in done.stderr
