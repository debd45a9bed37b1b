"""What a person sees who made a mistake: the real pulumi CLI, every mistake at once, never a traceback."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.contract.tools import search_path
from tests.graph.recording import PRIVATE_KEY, lab_site

pytestmark = pytest.mark.engine

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    variables = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), search_path()]),
        "PULUMI_BACKEND_URL": f"file://{tmp_path_factory.mktemp('state')}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    for program in ("pulumi", "pulumi-language-python"):
        if not shutil.which(program, path=variables["PATH"]):
            pytest.skip(f"there is no {program} (make lab brings it)")
    return variables


@pytest.fixture
def preview(environment, tmp_path):
    """Previews a site in a project folder of its own; (exit status, all output)."""

    def run(site, *, when_resolved=False, **config):
        folder = tmp_path / "project"
        (folder / "stacks").mkdir(parents=True, exist_ok=True)
        for name in (".venv", "Pulumi.yaml", "__main__.py", "components", "lab", "multus_site"):
            if not (folder / name).exists():
                (folder / name).symlink_to(PROJECT / name)
        values = {"pulumi:disable-default-providers": ["*"], **config}
        if site is not None:
            values["multus-site:site"] = site
        (folder / "stacks" / "Pulumi.try.yaml").write_text(yaml.safe_dump({"config": values}, sort_keys=False))
        common = {
            "cwd": folder,
            "env": environment,
            "capture_output": True,
            "text": True,
            "check": False,
            "stdin": subprocess.DEVNULL,
        }
        subprocess.run(["pulumi", "stack", "init", "try"], **common)
        done = subprocess.run(
            ["pulumi", "preview", "--stack", "try", "--non-interactive", "--color", "never"], **common
        )
        subprocess.run(["pulumi", "stack", "rm", "try", "--yes", "--force", "--preserve-config"], **common)
        # pulumi ends the program itself where an output that is resolved later raises
        assert when_resolved or "unhandled" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    return run


SECRETS = {"multus-site:sshPrivateKey": PRIVATE_KEY, "multus-site:hostKeySeed": "0123456789abcdef0123456789abcdef"}


def test_every_mistake_of_a_file_at_once_with_its_line(preview):
    site = lab_site()
    site["nodes"]["hosts"]["node2"]["address"] = "10.1.1.5"
    site["workloads"]["samplepod"]["networks"] = ["macvlan-internl", "macvlan-external"]
    site["kubespray"] = {"versoin": "v2.31.0"}
    status, output = preview(site, **SECRETS)
    assert status != 0
    assert "Traceback" not in output
    for place in ("nodes.hosts.node2.address", "workloads.samplepod.networks[0]", "kubespray.versoin"):
        line = next((text for text in output.splitlines() if f": {place}: " in text), None)
        assert line, f"{place} in:\n{output}"
        assert "stacks/Pulumi.try.yaml:" in line


def test_a_mistake_in_the_defaults_is_told_at_its_line_there(preview, tmp_path):
    stacks = tmp_path / "project" / "stacks"
    stacks.mkdir(parents=True)
    (stacks / "defaults.yaml").write_text("# of all sites\nkubespray: {versoin: v2.31.0}\n")
    status, output = preview(lab_site(), **SECRETS)
    assert status != 0
    assert "stacks/defaults.yaml:2: kubespray.versoin: unknown key; did you mean version?" in output
    assert "Traceback" not in output


def test_host_local_over_several_nodes_is_an_error(preview):
    site = lab_site()
    site["workloads"]["samplepod"]["nodes"] = []
    status, output = preview(site, **SECRETS)
    assert status != 0
    assert "HOSTLOCAL_MULTINODE" in output
    assert "Traceback" not in output


def test_a_range_outside_its_subnet_is_an_error(preview):
    site = lab_site()
    site["networks"]["macvlan-internal"]["ipam"]["ranges"][0]["rangeEnd"] = "10.1.11.250"
    status, output = preview(site, **SECRETS)
    assert status != 0
    assert "RANGE_OUTSIDE_SUBNET" in output
    assert "10.1.11.250" in output
    assert "Traceback" not in output


def test_warnings_are_pulumi_warnings(preview):
    site = lab_site()
    site["networks"]["macvlan-internal"]["ipam"]["ranges"][0]["gateway"] = "10.1.11.1"
    site["networks"]["macvlan-external"]["ipam"]["ranges"][0]["rangeEnd"] = "10.1.21.250"
    status, output = preview(site, **SECRETS)
    assert status != 0
    assert "Traceback" not in output
    line = next((text for text in output.splitlines() if "GATEWAY_OUTSIDE_SUBNET" in text), "")
    assert "warning: stacks/Pulumi.try.yaml:" in line
    assert "RANGE_OUTSIDE_SUBNET" in output


def on_core(site, first, last):
    """The lab's site with its internal network on the segment core, which hands out .first to .last."""
    site["segments"] = {"core": {}}
    network = site["networks"]["macvlan-internal"]
    network["segment"] = "core"
    network["ipam"]["ranges"][0] |= {"rangeStart": f"10.1.10.{first}", "rangeEnd": f"10.1.10.{last}"}
    return site


def test_stacks_that_share_a_segment_share_no_address(preview, tmp_path):
    stacks = tmp_path / "project" / "stacks"
    stacks.mkdir(parents=True)
    neighbour = {"config": {"multus-site:site": on_core({**lab_site(), "name": "austin"}, 240, 254)}}
    (stacks / "Pulumi.austin.yaml").write_text(yaml.safe_dump(neighbour))
    status, output = preview(on_core(lab_site(), 200, 250), **SECRETS)
    assert status != 0
    assert "Traceback" not in output
    line = next((text for text in output.splitlines() if "SEGMENT_ADDRESSES" in text), "")
    assert "stacks/Pulumi.try.yaml:" in line
    assert "10.1.10.240-10.1.10.250 is also used by macvlan-internal of site austin" in line


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "pulumi config set --secret multus-site:sshPrivateKey"),
        (
            {"multus-site:sshPrivateKey": PRIVATE_KEY},
            "openssl rand -hex 32 | pulumi config set --secret multus-site:hostKeySeed",
        ),
    ],
)
def test_a_missing_secret_says_what_to_type(preview, config, words):
    status, output = preview(lab_site(), **config)
    assert status != 0
    assert words in output
    assert "Traceback" not in output


def test_no_site_at_all_says_where_it_belongs(preview):
    status, output = preview(None, **SECRETS)
    assert status != 0
    assert "multus-site:site" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "content", [None, "cniPlugins: [", json.dumps({"cniPlugins": {"1.9.1": {"amd64": {"macvlan": {"url": "x"}}}}})]
)
def test_a_missing_or_wrong_catalogue_is_named(preview, tmp_path, content):
    file = tmp_path / "catalog.yaml"
    if content is not None:
        file.write_text(content)
    status, output = preview(lab_site(artifacts=str(file)), **SECRETS)
    assert status != 0
    assert str(file) in output
    assert "Traceback" not in output


def test_a_key_that_is_none_is_said_without_showing_it(preview):
    status, output = preview(
        lab_site(), when_resolved=True, **{**SECRETS, "multus-site:sshPrivateKey": "secret-that-is-no-key"}
    )
    assert status != 0
    assert "secret-that-is-no-key" not in output
    assert "Traceback" not in output
    assert "sshPrivateKey" in output
