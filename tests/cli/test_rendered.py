"""`multus-site lint --helm` and `--kustomize`: what the user's own tools render is checked."""

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from multus_site.__main__ import app

NAD = """\
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: n}
spec:
  config: '{"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "eth1", "mode": "%s"}'
"""

# helm itself runs where it is installed; elsewhere this stand-in shows how it is called, and prints what it prints.
HELM = """\
#!/bin/sh
echo "$@" > "$0.called"
[ "$2" != broken ] || { echo "Error: chart broken" >&2; exit 1; }
printf -- '---\\n# Source: c/templates/a.yaml\\n'
cat "$0.yaml"
printf -- '---\\n# Source: c/templates/b.yaml\\nkind: Service\\n'
"""


def run(*args):
    return CliRunner().invoke(app, ["lint", "--format", "json", *map(str, args)])


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    shell = Path(shutil.which("sh")).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{shell}" if not shutil.which("helm", path=shell) else str(folder))
    return folder


@pytest.fixture
def helm(tools):
    program = tools / "helm"
    program.write_text(HELM)
    program.chmod(0o755)
    (tools / "helm.yaml").write_text(NAD % "l2")
    return program


def test_what_helm_renders(helm):
    result = run("--helm", "oci://x/c", "-f", "one.yaml", "--values", "two.yaml")
    assert [(f["rule"], f["file"]) for f in json.loads(result.stdout)] == [("ENUM", "c/templates/a.yaml (rendered)")]
    called = Path(f"{helm}.called").read_text().strip()
    assert called == "template oci://x/c --values one.yaml --values two.yaml"


@pytest.mark.usefixtures("helm")
def test_a_chart_that_helm_cannot_render():
    result = run("--helm", "broken")
    assert (result.exit_code, result.stderr) == (2, "helm template broken: Error: chart broken\n")


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not installed: its stand-in alone is tested")
def test_a_chart_with_helm_itself(tmp_path):
    chart = tmp_path / "c"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    (chart / "templates" / "nad.yaml").write_text(NAD % "{{ .Values.mode }}")
    (tmp_path / "v.yaml").write_text("mode: l2\n")
    result = run("--helm", chart, "-f", tmp_path / "v.yaml")
    assert [(f["rule"], f["file"]) for f in json.loads(result.stdout)] == [("ENUM", "c/templates/nad.yaml (rendered)")]


@pytest.mark.skipif(
    shutil.which("kustomize") is None and shutil.which("kubectl") is None,
    reason="neither kustomize nor kubectl is installed",
)
def test_what_kustomize_renders(tmp_path):
    (tmp_path / "nad.yaml").write_text(NAD % "bridge")
    patch = '- op: replace\n  path: /spec/config\n  value: \'{"type": "macvlan",}\'\n'
    (tmp_path / "patch.yaml").write_text(patch)
    target = "{kind: NetworkAttachmentDefinition}"
    (tmp_path / "kustomization.yaml").write_text(
        f"resources: [nad.yaml]\npatches: [{{path: patch.yaml, target: {target}}}]\n"
    )
    result = run("--kustomize", tmp_path)
    assert "JSON_TRAILING_COMMA" in {f["rule"] for f in json.loads(result.stdout)}
    (tmp_path / "kustomization.yaml").write_text("resources: [absent.yaml]\n")
    broken = run("--kustomize", tmp_path)
    assert broken.exit_code == 2
    assert "absent.yaml" in broken.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--helm", "c"], "helm is not on PATH, and --helm needs it; install it: https://helm.sh/docs/intro/install/"),
        (["--kustomize", "c"], "neither kustomize nor kubectl is on PATH"),
        (["-f", "v.yaml", "."], "--values is for a chart"),
        (["--helm", "c", "--fix"], "--fix changes files"),
    ],
)
def test_usage_errors(args, said, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(said)
