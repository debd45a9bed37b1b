"""`multus-site lint` as it is typed: exit status, formats, standard input, folders."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from multus_site.__main__ import app

ROOT = Path(__file__).parents[2]
BAD = '{"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "eth1", "mode": "l2"}'
WARNS = '{"type": "macvlan", "master": "eth1", "ipam": {"type": "dhcp"}}'
CLEAN = '{"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "eth1"}'


def run(*args, text=None):
    return CliRunner().invoke(app, ["lint", *map(str, args)], input=text)


@pytest.fixture
def file(tmp_path):
    def write(text, name="net.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(("text", "status"), [(BAD, 1), (WARNS, 0), (CLEAN, 0)])
def test_exit_status(text, status, file):
    assert run(file(text)).exit_code == status
    assert run("-", text=text).exit_code == status


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["no-such-file.yaml"],
        ["--format", "xml", "."],
        ["--facts", "no-facts.json", "."],
        ["--explain", "NO_RULE"],
        ["--unknown"],
    ],
)
def test_usage_errors(args, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = run(*args)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.stderr


FIXABLE = BAD.replace("l2", "Bridge")


def test_fix_writes_and_reports(file):
    path = file(FIXABLE + "\n")
    path.chmod(0o640)
    shown = run("--diff", path)
    assert (shown.exit_code, path.read_text()) == (1, FIXABLE + "\n")
    assert [line for line in shown.stdout.splitlines() if line[0] in "+-"] == [
        f"--- {path}",
        f"+++ {path}",
        f"-{FIXABLE}",
        f"+{FIXABLE.replace('Bridge', 'bridge')}",
    ]
    done = run("--fix", path)
    assert (done.exit_code, path.read_text()) == (0, FIXABLE.replace("Bridge", "bridge") + "\n")
    assert done.stderr == f"fixed {path}:1: macvlan does not accept mode 'Bridge' (ENUM)\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    again = run("--fix", "--format", "json", path)
    assert (again.exit_code, again.stdout, again.stderr) == (0, "[]\n", "")


def test_fix_leaves_what_it_cannot_fix(file):
    path = file(BAD)
    done = run("--fix", path)
    assert (done.exit_code, path.read_text(), done.stderr) == (1, BAD, "")
    assert "(ENUM)" in done.stdout
    assert run("--diff", path).stdout == ""
    assert run("--fix", "-", text=FIXABLE).exit_code == 1


def test_fix_follows_a_link_and_keeps_a_rule_that_is_off(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = file(FIXABLE)
    (tmp_path / "link.json").symlink_to(path)
    (tmp_path / "multus-site.toml").write_text('rules.ENUM = {level = "off", reason = "ours"}')
    run("--fix", tmp_path / "link.json")
    assert path.read_text() == FIXABLE
    (tmp_path / "multus-site.toml").unlink()
    run("--fix", tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert path.read_text() == FIXABLE.replace("Bridge", "bridge")


def test_settings_of_a_repository(tmp_path, monkeypatch):
    (tmp_path / "multus-site.toml").write_text('paths = ["nets"]\nfacts = "facts.json"\n')
    below = tmp_path / "nets" / "deeper"
    below.mkdir(parents=True)
    (below / "net.conf").write_text(CLEAN)
    (tmp_path / "facts.json").write_text('{"ifaces": ["ens6"]}')
    for folder, shown in ((tmp_path, "nets/deeper/net.conf"), (below, "../../nets/deeper/net.conf")):
        monkeypatch.chdir(folder)
        (finding,) = json.loads(run("--format", "json").stdout)
        assert (finding["file"], finding["rule"]) == (shown, "MASTER_NOT_FOUND")
    (tmp_path / "multus-site.toml").write_text(
        'paths = ["nets"]\nfacts = "facts.json"\nrules.MASTER_NOT_FOUND = {level = "off", reason = "made later"}\n'
    )
    assert json.loads(run("--format", "json").stdout) == []
    (tmp_path / "multus-site.toml").write_text('path = ["nets"]')
    broken = run(tmp_path)
    assert (broken.exit_code, broken.stderr.count("../../multus-site.toml: path: unknown key")) == (2, 1)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe")
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "not UTF-8" in result.stderr


def test_bad_facts(file):
    result = run(file(CLEAN), "--facts", file('{"node": 3}', "facts.json"))
    assert result.exit_code == 2
    assert "unknown fact" in result.stderr


def test_json(file):
    path = file(BAD)
    found = json.loads(run(path, "--format", "json").stdout)
    assert list(found[0]) == ["file", "document", "path", "line", "column", "rule", "level", "message", "hint"]
    column = BAD.index('"l2"') + 1
    assert {k: found[0][k] for k in ("file", "document", "path", "line", "column", "rule", "level")} == {
        "file": str(path), "document": 1, "path": "mode", "line": 1, "column": column, "rule": "ENUM", "level": "error",
    }  # fmt: skip
    assert json.loads(run(file(CLEAN), "--format", "json").stdout) == []


def test_facts(file):
    facts = file('{"ifaces": ["eth0"]}', "facts.json")
    assert "MASTER_NOT_FOUND" in run(file(CLEAN), "--facts", facts).stdout
    assert run(file(CLEAN)).stdout == "nothing found in 1 network\n"


def test_sarif(file):
    log = json.loads(run(file(BAD), file(WARNS, "w.json"), "--format", "sarif").stdout)
    assert log["version"] == "2.1.0"
    driver, results = log["runs"][0]["tool"]["driver"], log["runs"][0]["results"]
    assert [rule["id"] for rule in driver["rules"]] == ["CNIVERSION_MISSING", "ENUM"]
    for result in results:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning"}
        assert result["message"]["text"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] == 1
        assert region["startColumn"] >= 1
    ours = next(result for result in results if result["ruleId"] == "ENUM")
    assert ours["locations"][0]["physicalLocation"]["region"]["startColumn"] == BAD.index('"l2"') + 1


def test_sarif_names_files_by_uri(file):
    place = json.loads(run(file(BAD, "a b.json"), "--format", "sarif").stdout)["runs"][0]["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"].endswith("/a%20b.json")
    place = json.loads(run("-", "--format", "sarif", text=BAD).stdout)["runs"][0]["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "%3Cstdin%3E"
    assert json.loads(run(file(CLEAN), "--format", "sarif").stdout)["runs"][0]["results"] == []


MANIFEST = """\
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: n}
spec:
  config: '%s'
"""


def test_documents_and_what_is_allowed_in_each():
    above = MANIFEST.replace("  config", "  # lint: allow ENUM known\n  config") % BAD
    behind = MANIFEST.replace("'%s'", "'%s' # lint: allow ENUM known") % BAD
    without_reason = MANIFEST.replace("'%s'", "'%s' # lint: allow ENUM") % BAD
    result = run("-", "--format", "json", text="---\n".join([above, behind, MANIFEST % BAD, without_reason]))
    found = [(f["rule"], f["line"]) for f in json.loads(result.stdout)]
    assert sorted(found) == [("ALLOW_COMMENT", 24), ("ENUM", 18), ("ENUM", 24)]
    assert {f["document"] for f in json.loads(result.stdout) if f["rule"] == "ENUM"} == {3, 4}


def test_standard_input_that_is_no_text():
    result = run("-", text=b"\xff\xfe")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "standard input cannot be read: not UTF-8 text\n"


def test_github(file):
    path = file('{"type": "some,plugin:x", "cniVersion": "1.0.0", "name": "n"}', "a,b.json")
    line = run(path, "--format", "github").stdout
    assert line.startswith(
        f"::warning file={str(path).replace(',', '%2C')},line=1,col=10,title=THIRD_PARTY_PLUGIN::type: unknown plugin 'some,plugin:x'"
    )
    assert line.count("\n") == 1


def test_folders(tmp_path, file):
    file(BAD, "sub/net.conflist")
    file(BAD, ".hidden/net.json")
    file("# not looked at", "README.md")
    found = json.loads(run(tmp_path, "--format", "json").stdout)
    assert [Path(f["file"]).name for f in found] == ["net.conflist"]
    twice = json.loads(run(tmp_path, tmp_path / "sub", "--format", "json").stdout)
    assert len(twice) == 1


def test_explain():
    result = run("--explain", "HOSTLOCAL_MULTINODE")
    assert result.exit_code == 0
    for words in (
        "host-local tracks addresses on each node",
        "Source: ",
        "Example:",
        "multus-site: allow HOSTLOCAL_MULTINODE",
    ):
        assert words in result.stdout
    assert "VLAN_ID" in run("--explain", "all").stdout


def test_sites_of_the_project():
    result = run(ROOT / "stacks")
    assert result.exit_code == 0
    assert re.match(r"nothing found in \d+ sites?, \d+ networks? and \d+ pods?\n", result.stdout)


@pytest.mark.parametrize("pair", [(0, 1), (1, 0)])
def test_neighbours_of_a_stack_file_are_looked_at(pair):
    errors = ROOT / "tests" / "lint" / "errors"
    files = [errors / "segment_addresses.yaml", errors / "segment_addresses.other.yaml"]
    result = run(*(files[i] for i in pair), "--format", "json")
    assert {f["rule"] for f in json.loads(result.stdout)} == {"SEGMENT_ADDRESSES"}


def test_one_stack_file_is_held_against_the_others_of_its_folder(tmp_path):
    errors = ROOT / "tests" / "lint" / "errors"
    (tmp_path / "Pulumi.dallas.yaml").write_text((errors / "segment_addresses.yaml").read_text())
    (tmp_path / "Pulumi.austin.yaml").write_text((errors / "segment_addresses.other.yaml").read_text())
    (tmp_path / "Pulumi.broken.yaml").write_text("config: [")
    found = json.loads(run(tmp_path / "Pulumi.dallas.yaml", "--format", "json").stdout)
    assert [(f["rule"], Path(f["file"]).name) for f in found] == [("SEGMENT_ADDRESSES", "Pulumi.dallas.yaml")]


def test_as_a_module():
    result = subprocess.run(
        [sys.executable, "-m", "multus_site", "lint", "-"],
        input=BAD,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert result.stdout.startswith("<stdin>:1:")
    assert result.stderr == ""


def test_says_what_was_checked(file):
    service = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}'
    empty, other, clean = file("", "empty.yaml"), file(service, "service.json"), file(CLEAN)
    result = run(empty, other, clean)
    assert (result.exit_code, result.stdout.splitlines()) == (0, [
        "nothing found in 1 network",
        f"{empty}: no site, network or pod in it: nothing was checked",
        f"{other}: no site, network or pod in it: nothing was checked",
        "not checked: 1 object of kinds without networks or pods: Service",
    ])  # fmt: skip
    assert run(empty).stdout.startswith("nothing was checked\n")
    assert run(file(BAD, "bad.json"), clean).stdout.splitlines()[-1].startswith("1 error, 0 warnings in 2 networks. ")
    assert json.loads(run(empty, other, "--format", "json").stdout) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing yet\n",
        "config: {}\n",
        "config:\n  multus-site:sites: {name: x}\n",
        "multus-site:site: {name: x}\n",
    ],
)
def test_a_stack_file_without_a_site(text, file):
    result = run(file(text, "Pulumi.dallas.yaml"), "--format", "json")
    assert (result.exit_code, [f["rule"] for f in json.loads(result.stdout)]) == (1, ["SITE_MODEL"])
    if "multus-site:" in text:
        assert run(file(text, "stack.yaml")).exit_code == 1


def test_broken_configurations_of_a_folder(tmp_path, file):
    for name in ("a.conf", "b.json", "c.conflist"):
        file('{"type": "macvlan", "master": "eth1",}', f"net/{name}")
    file("server { listen 80; }", "net/nginx.conf")
    file('{"type": "module", }', "net/package.json")
    found = json.loads(run(tmp_path / "net", "--format", "json").stdout)
    assert [Path(f["file"]).name for f in found if f["rule"] == "JSON_TRAILING_COMMA"] == [
        "a.conf",
        "b.json",
        "c.conflist",
    ]
    assert {Path(f["file"]).name for f in found} == {"a.conf", "b.json", "c.conflist"}


def test_the_reason_of_a_rule_is_told_once(file):
    twice = run(file(BAD), file(BAD, "b.json")).stdout
    assert (twice.count("(ENUM)"), twice.count("    why:"), twice.count("    do:")) == (2, 1, 2)
