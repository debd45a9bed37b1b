"""Scalars that Pulumi reads otherwise than they look: refused, with what Pulumi makes of them."""

import json
import os
import shutil
import subprocess

import pytest

from multus_site.model.load import SITE_PATH
from multus_site.model.plain_scalars import misread
from multus_site.model.yaml_documents import documents

NUMBERS = {"0110": 72, "08": 8, "0o110": 72, "1_10": 110, "0x6e": 110, "0X6E": 110, "0b11": 3, "0_7": 7, "-012": -10}
TEXTS = ("yes", "Yes", "on", "NO", "off")
DATE = "2026-12-01"
PLAIN = ("110", "0", "1.5", "1e3", "true", "False", "text", "1:30", "10.1.1.5", '"0110"', "'yes'", "~", "v1_2", "-5")


def found(written):
    text = f"config:\n  multus-site:site:\n    a: [{written}]\n"
    return [(m.path, m.message) for m in misread(next(documents(text)), SITE_PATH)]


@pytest.mark.parametrize("written", NUMBERS)
def test_numbers(written):
    ((path, message),) = found(written)
    assert path == ("a", 0)
    assert message.startswith(f"Pulumi reads {written} as {NUMBERS[written]}; write {NUMBERS[written]}")


@pytest.mark.parametrize("written", [*TEXTS, DATE])
def test_words_and_dates(written):
    assert len(found(written)) == 1


@pytest.mark.parametrize("written", PLAIN)
def test_what_pulumi_reads_as_it_looks(written):
    assert found(written) == []


@pytest.mark.skipif(shutil.which("pulumi") is None, reason="pulumi is not on PATH")
def test_pulumi_reads_them_so(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    (tmp_path / "state").mkdir()
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/state",
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }

    def pulumi(*args):
        command = ["pulumi", *args, "--stack", "s", "--non-interactive"]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    pulumi("stack", "init")
    stack = tmp_path / "Pulumi.s.yaml"
    listed = ", ".join([*NUMBERS, *TEXTS, DATE, *PLAIN])
    stack.write_text((stack.read_text() if stack.exists() else "") + f"config:\n  x:a: {{b: [{listed}]}}\n")
    read = json.loads(pulumi("config", "get", "x:a"))["b"]
    assert read[: len(NUMBERS)] == list(NUMBERS.values())
    assert read[len(NUMBERS) :][: len(TEXTS)] == list(TEXTS)
    assert read[len(NUMBERS) + len(TEXTS)] != DATE
    ours = next(documents(f"a: [{', '.join(PLAIN)}]\n")).data()["a"]
    assert read[-len(PLAIN) :] == ours
