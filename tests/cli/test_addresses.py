"""`multus-site addresses` as it is typed, without a live site."""

import json
from pathlib import Path

from typer.testing import CliRunner

from multus_site.__main__ import app
from tests.lab.running import PROJECT


def run(*args):
    return CliRunner().invoke(app, ["addresses", *map(str, args)])


def test_who_may_get_what_of_the_lab():
    file = PROJECT / "stacks" / "Pulumi.lab.yaml"
    done = run(file)
    assert done.exit_code == 0
    head, first, *_ = done.stdout.splitlines()
    assert head.split() == ["network", "ipam", "range", "gateway", "addresses", "requested"]
    assert "default/macvlan-internal" in first
    lines = {line["network"]: line for line in json.loads(run(file, "--json").stdout)["lines"]}
    assert lines["default/macvlan-internal"]["range"] == "10.1.10.200-10.1.10.250"
    assert lines["default/macvlan-internal"]["size"] == 51


def test_a_name_is_a_stack_s(monkeypatch):
    monkeypatch.chdir(PROJECT)
    assert run("lab").stdout == run(Path("stacks/Pulumi.lab.yaml")).stdout


def test_a_site_that_is_not_there(tmp_path, monkeypatch):
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.dallas.yaml").write_text("config: {}\n")
    monkeypatch.chdir(tmp_path)
    done = run("austin")
    assert done.exit_code == 2
    assert "stacks/Pulumi.austin.yaml does not exist; sites of this project: dallas" in done.output
    assert run("dallas").exit_code == 2
