"""`multus-site show`: the merged site, and where each value stands."""

import json
import re

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.cli.show import _lines
from multus_site.model.load import load_stack_file, parse_site
from tests.model.test_defaults import DEFAULTS, STACK


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.dallas.yaml").write_text(STACK)
    (tmp_path / "stacks" / "defaults.yaml").write_text(DEFAULTS)
    return tmp_path


def show(site="dallas"):
    return CliRunner().invoke(app, ["show", site])


def test_each_value_has_its_origin(project):
    result = show()
    assert result.exit_code == 0, result.output
    origins = {
        line.partition("  #")[0].strip().partition(":")[0]: line.partition("  # ")[2]
        for line in result.stdout.splitlines()
        if "  # " in line
    }
    assert origins == {
        "name": "stacks/Pulumi.dallas.yaml:3",
        "backend": "stacks/defaults.yaml:2",
        "user": "stacks/defaults.yaml:3",
        "address": "stacks/Pulumi.dallas.yaml:6",
        "hostKey": "stacks/Pulumi.dallas.yaml:6",
        "roles": "stacks/Pulumi.dallas.yaml:6",
        "version": "stacks/defaults.yaml:5",
        "kube_proxy_mode": "stacks/Pulumi.dallas.yaml:7",
        "kube_network_plugin": "stacks/defaults.yaml:6",
    }
    for origin in origins.values():
        file, _, line = origin.rpartition(":")
        key = next(key for key, where in origins.items() if where == origin)
        assert re.search(rf"\b{key}:", (project / file).read_text().splitlines()[int(line) - 1])


@pytest.mark.usefixtures("project")
def test_what_it_prints_is_the_site():
    assert parse_site(yaml.safe_load(show().stdout), source="x") == load_stack_file("stacks/Pulumi.dallas.yaml")


def test_texts_that_look_like_something_else_stay_texts(project):
    stack = STACK.replace("kube_proxy_mode: iptables", 'kube_proxy_mode: "no", x: "1", y: "a: b # c", z: {}, n: ~')
    (project / "stacks" / "Pulumi.dallas.yaml").write_text(stack)
    variables = yaml.safe_load(show().stdout)["kubespray"]["variables"]
    assert variables == {"kube_proxy_mode": "no", "kube_network_plugin": "flannel", "x": "1", "y": "a: b # c", "z": {}, "n": None}  # fmt: skip


@given(st.text() | st.lists(st.text(max_size=9), max_size=3) | st.text("l1 '\"#:\\\n\t\u2028", min_size=1))
@example("l1\nl2")
@example("l1 " * 90 + "\n")
@example(["a\n", {"b\n": "c\n\n d"}])
def test_every_value_is_on_one_line_and_stays_what_it_is(value):
    ((line, _),) = _lines({"key": value}, ())
    assert "\n" not in line
    assert yaml.safe_load(line) == {"key": value}


def origins(*arguments):
    """Line without its place → place."""
    result = CliRunner().invoke(app, ["show", "dallas", *arguments])
    assert result.exit_code == 0, result.output
    rows = (line.partition("  # ") for line in result.stdout.splitlines() if "  # " in line)
    return {line.strip(): where for line, _, where in rows}


def test_a_null_and_a_list_are_of_the_file_that_says_them_last(project):
    bastion = "bastion: {host: 203.0.113.9, hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMMBiOX5o5vhHt6iyc5/g8YeZZ4gvCxLKOYupGSW5Sv/'}"
    shared = DEFAULTS.replace("ssh: {user: ubuntu}", f"ssh: {{user: ubuntu, {bastion}}}")
    assert shared != DEFAULTS
    (project / "stacks" / "defaults.yaml").write_text(f"{shared}cniPlugins: {{plugins: [macvlan, bond]}}\n")
    stack = STACK.replace("    nodes:\n", "    nodes:\n      ssh: {bastion: null}\n")
    assert stack != STACK
    (project / "stacks" / "Pulumi.dallas.yaml").write_text(f"{stack}    cniPlugins: {{plugins: [macvlan]}}\n")
    found = origins()
    assert found["bastion: null"].startswith("stacks/Pulumi.dallas.yaml:")
    assert found["user: ubuntu"].startswith("stacks/defaults.yaml:")
    assert found["plugins: [macvlan]"].startswith("stacks/Pulumi.dallas.yaml:")
    assert "bond" not in str(found)


@pytest.mark.usefixtures("project")
def test_all_shows_what_neither_file_says():
    written, every = origins(), origins("--all")
    assert written.items() <= every.items()
    assert "default" not in written.values()
    assert every["protect: false"] == "default"
    whole = CliRunner().invoke(app, ["show", "dallas", "--all"]).stdout
    assert parse_site(yaml.safe_load(whole), source="x") == load_stack_file("stacks/Pulumi.dallas.yaml")


def test_mistakes_of_either_file_are_told(project):
    (project / "stacks" / "defaults.yaml").write_text("nodes: {backend: other}")
    result = show()
    assert result.exit_code == 2
    assert result.stderr.startswith("stacks/defaults.yaml:1: nodes.backend: ")
    assert "Traceback" not in result.output


def test_lint_points_into_the_defaults_once_and_a_comment_there_silences_it(project):
    network = """\
networks:
  core:
    type: macvlan
    master: ens6
    ipam: {type: host-local, ranges: [{subnet: 10.1.10.0/24, gateway: 10.9.10.1}]}
"""
    (project / "stacks" / "Pulumi.austin.yaml").write_text(STACK.replace("dallas", "austin"))
    (project / "stacks" / "defaults.yaml").write_text(DEFAULTS + network)
    result = CliRunner().invoke(app, ["lint", "stacks"])
    assert result.stdout.count("GATEWAY_OUTSIDE_SUBNET") == 1
    assert "stacks/defaults.yaml:11:" in result.stdout
    allowed = network.replace("    ipam", "    # lint: allow GATEWAY_OUTSIDE_SUBNET it is on the same wire\n    ipam")
    (project / "stacks" / "defaults.yaml").write_text(DEFAULTS + allowed)
    result = CliRunner().invoke(app, ["lint", "stacks"])
    assert "GATEWAY_OUTSIDE_SUBNET" not in result.stdout


@pytest.mark.usefixtures("project")
def test_a_machine_reads_the_same_as_json():
    result = CliRunner().invoke(app, ["show", "dallas", "--format", "json"])
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert shown["site"] == yaml.safe_load(show().stdout)
    assert shown["origins"]["name"] == "stacks/Pulumi.dallas.yaml:3"
    assert shown["origins"]["nodes.backend"] == "stacks/defaults.yaml:2"
