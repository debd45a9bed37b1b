"""Plugins on nodes by the real pulumi CLI: put there, put back after an installer's run, taken back by one version, removed."""

import hashlib
import http.server
import json
import os
import shutil
import threading
from functools import partial
from pathlib import Path

import pytest

from tests import fleet
from tests.contract.project import Project, graves
from tests.contract.tools import search_path, tool
from tests.engine.plugins_program import program
from tests.scripts.test_cni_plugins import Quiet, plugin

pytestmark = pytest.mark.engine

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    fleet.refuse_without_namespaces()
    with fleet.fleet(tmp_path_factory.mktemp("fleet"), 3) as nodes, graves():
        yield nodes


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def project(tmp_path, monkeypatch, three):
    tool("pulumi")
    for node in three.nodes.values():
        for entry in node.cni.iterdir():
            shutil.rmtree(entry)
    monkeypatch.setenv("PATH", search_path())
    monkeypatch.setenv("MULTUS_SITE_CACHE", str(tmp_path / "cache"))
    # The delivery is run as in a checkout: with its packages at hand.
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv("PATH", os.pathsep.join([str(PROJECT / ".venv" / "bin"), os.environ["PATH"]]))
    return Project(tmp_path)


def by_url(served, mark):
    folder, url = served
    (folder / mark).write_text(plugin(mark))
    return {"name": "bond", "url": f"{url}/{mark}", "sha256": hashlib.sha256(plugin(mark).encode()).hexdigest()}


def on_every_node(three):
    return [(node.bin / "bond").read_text() for node in three.nodes.values()]


def test_from_first_to_last(project, three, served):
    def up(mark, **other):
        outcome = project.up(program(three, {"binaries": [by_url(served, mark)]}, **other))
        assert outcome.ok, outcome.text
        return outcome

    assert up("one").count()["create"] == 2  # the component and its command, however many nodes
    assert on_every_node(three) == [plugin("one")] * 3
    assert up("one").changes == []

    # Kubespray's run: its archive over /opt/cni/bin.
    for node in three.nodes.values():
        (node.bin / "bond").write_text(plugin("the installer's own"))
        (node.bin / "loopback").write_text(plugin("the installer's own"))
    assert up("one", run_id="run-2").count() == {"update": 1}
    assert on_every_node(three) == [plugin("one")] * 3

    up("two", run_id="run-2")
    assert on_every_node(three) == [plugin("two")] * 3
    # One way back, with the place that it came from gone.
    one = by_url(served, "one")
    (served[0] / "one").unlink()
    outcome = project.up(program(three, {"binaries": [one]}, run_id="run-2"))
    assert outcome.ok, outcome.text
    assert on_every_node(three) == [plugin("one")] * 3

    assert project.destroy().ok
    assert [node.installed() for node in three.nodes.values()] == [["loopback"]] * 3
    assert [list(node.cni.glob(".multus-site*")) for node in three.nodes.values()] == [[]] * 3


def test_a_file_of_this_machine(project, three, tmp_path):
    (tmp_path / "bond").write_text(plugin("local"))
    sha = hashlib.sha256(plugin("local").encode()).hexdigest()
    plugins = {"binaries": [{"name": "bond", "path": str(tmp_path / "bond"), "sha256": sha}]}
    outcome = project.up(program(three, plugins))
    assert outcome.ok, outcome.text
    assert on_every_node(three) == [plugin("local")] * 3
    assert project.up(program(three, plugins)).changes == []

    # reset.yml takes /opt/cni away, and the store with it.
    for node in three.nodes.values():
        for entry in node.cni.iterdir():
            shutil.rmtree(entry)
    outcome = project.up(program(three, plugins, run_id="run-2"))
    assert outcome.ok, outcome.text
    assert on_every_node(three) == [plugin("local")] * 3


def test_a_wrong_sum_is_told_node_by_node(project, three, served):
    wrong = {**by_url(served, "one"), "sha256": "0" * 64}
    outcome = project.up(program(three, {"binaries": [wrong]}))
    assert not outcome.ok
    assert "nothing was installed" in outcome.text
    assert json.dumps([node.installed() for node in three.nodes.values()]) == "[[], [], []]"
