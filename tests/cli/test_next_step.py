"""`multus-site` without arguments: what comes next in this folder. Each command that it names is one that there is."""

import os
import subprocess
import sys

import pytest

from multus_site.cli.commands import GROUPS
from tests.cli.test_review import K31, SITE

GOOD = SITE % (K31, "ens6", "10.20.0.0/24")
STACK = f"encryptionsalt: v1:abc\n{GOOD}"


def shown(folder):
    done = subprocess.run(
        [sys.executable, "-m", "multus_site"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "All commands: multus-site --help"
    commands = [line.split()[1] for line in done.stdout.splitlines() if line.strip().startswith("multus-site ")]
    assert set(commands) <= {name for names in GROUPS.values() for name in names}
    return done.stdout


@pytest.fixture
def project(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: sites\nruntime: python\n")
    (tmp_path / "stacks").mkdir()
    return tmp_path


def test_an_empty_folder_gets_a_repository(tmp_path):
    assert "multus-site init network-sites" in shown(tmp_path)


def test_a_repository_without_sites_gets_one_from_any_folder_of_it(project):
    (project / "policy").mkdir()
    for folder in (project, project / "policy"):
        assert "multus-site new SITE" in shown(folder)


@pytest.mark.parametrize(
    ("text", "says", "command"),
    [
        (GOOD.replace("type: macvlan", "tpye: macvlan"), "dallas: 1 error", "multus-site lint stacks/Pulumi.dallas.yaml"),
        ("config: [\n", "dallas: 1 error", "multus-site lint stacks/Pulumi.dallas.yaml"),
        (GOOD, "no stack yet", "pulumi stack init dallas"),
        (STACK, "no key", "pulumi config set --stack dallas --secret multus-site:sshPrivateKey"),
        (STACK.replace("config:", "config:\n  multus-site:sshPrivateKey: {secure: v1:x}"), "ready", "multus-site review dallas"),
        (STACK.replace("backend: existing", "backend: existing\n      ssh: {agent: true}"), "ready", "multus-site review dallas"),
    ],
    ids=["a mistake", "no YAML", "no stack", "no secret", "ready", "an agent"],
)  # fmt: skip
def test_a_site_gets_its_next_command(text, says, command, project):
    (project / "stacks" / "Pulumi.dallas.yaml").write_text(text)
    out = shown(project)
    assert says in out
    assert command in out


def test_many_sites_are_counted(project):
    for number in range(12):
        (project / "stacks" / f"Pulumi.site{number:02}.yaml").write_text(GOOD.replace("dallas", f"site{number:02}"))
    out = shown(project)
    assert "12 sites in stacks/" in out
    assert "and 2 more" in out
