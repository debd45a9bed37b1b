"""The committed JSON Schema is that of the model, and stack files name it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from multus_site.__main__ import app
from multus_site.cli.schema import schema_text

STACKS = Path(__file__).parents[2] / "stacks"


def test_committed_schema_is_current():
    assert (STACKS / "site.schema.json").read_text() == schema_text(), (
        "run: multus-site schema -o stacks/site.schema.json"
    )


def test_prints_and_writes(tmp_path):
    assert CliRunner().invoke(app, ["schema"]).stdout == schema_text()
    CliRunner().invoke(app, ["schema", "-o", str(tmp_path / "s.json")])
    assert (tmp_path / "s.json").read_text() == schema_text()


def test_a_folder_that_is_not_there():
    result = CliRunner().invoke(app, ["schema", "-o", "no-such-folder/s.json"])
    assert result.exit_code == 2
    assert "cannot be written: No such file or directory" in result.stderr


@pytest.mark.parametrize("file", sorted(STACKS.glob("Pulumi.*.yaml")), ids=lambda f: f.name)
def test_stack_files_name_the_schema(file):
    first = file.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=./site.schema.json"


def test_every_reference_leads_somewhere():
    schema = json.loads(schema_text())
    site = schema["$defs"]["Site"]
    assert site["additionalProperties"] is False
    assert {"name", "nodes", "networks", "workloads", "segments"} <= set(site["properties"])
    for reference in [part.split('"')[0] for part in schema_text().split('"$ref": "#/$defs/')[1:]]:
        assert reference in schema["$defs"]


def test_keys_are_described():
    macvlan = json.loads(schema_text())["$defs"]["Macvlan"]
    assert macvlan["description"]
    assert macvlan["properties"]["master"]["description"]
    assert set(macvlan["properties"]["mode"]["enum"]) == {"bridge", "private", "vepa", "passthru"}
