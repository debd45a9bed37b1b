"""The policy pack, run by the real pulumi CLI on previews of whole sites."""

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

PROJECT = Path(__file__).parents[2]
ENOUGH = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A checkout with a stack `try` and secrets as they should be; (folder, environment)."""
    folder = tmp_path_factory.mktemp("policies") / "project"
    (folder / "stacks").mkdir(parents=True)
    for entry in PROJECT.iterdir():
        if entry.name not in {"stacks", ".git", ".lab", ".work"}:
            (folder / entry.name).symlink_to(entry)
    state = folder.parent / "state"
    state.mkdir()
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), search_path()]),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_HOME": str(folder.parent / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "a passphrase",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    for program in ("pulumi", "pulumi-language-python"):
        if not shutil.which(program, path=environment["PATH"]):
            pytest.skip(f"there is no {program} (make lab brings it)")
    called(folder, environment, "stack", "init", "try")
    for key, value in (("sshPrivateKey", PRIVATE_KEY), ("hostKeySeed", "0123456789abcdef" * 2)):
        called(folder, environment, "config", "set", "--stack", "try", "--secret", f"multus-site:{key}", given=value)
    return folder, environment


def called(folder, environment, *arguments, given=None, check=True):
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive", "--color", "never"],
        cwd=folder,
        env=environment,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def preview(project, tmp_path):
    """Previews a site with the pack; (exit status, all output)."""

    def run(site, settings=None, organisation=None, **config):
        folder, environment = project
        if organisation is not None:
            shutil.copytree(PROJECT / "policy", folder / "organisation's")
            (folder / "organisation's" / "organisation.json").write_text(json.dumps(organisation))
        file = folder / "stacks" / "Pulumi.try.yaml"
        kept = yaml.safe_load(file.read_text())
        values = {**kept["config"], "pulumi:disable-default-providers": ["*"], **config, "multus-site:site": site}
        file.write_text(yaml.safe_dump({**kept, "config": values}, sort_keys=False))
        options = ["--policy-pack", "policy" if organisation is None else "organisation's"]
        if settings is not None:
            (tmp_path / "settings.json").write_text(json.dumps(settings))
            options += ["--policy-pack-config", str(tmp_path / "settings.json")]
        try:
            return called(folder, environment, "preview", "--stack", "try", *options, check=False)
        finally:
            file.write_text(yaml.safe_dump(kept, sort_keys=False))
            shutil.rmtree(folder / "organisation's", ignore_errors=True)

    return run


def with_resources(**changes):
    site = lab_site(**changes)
    site["workloads"]["samplepod"]["resources"] = ENOUGH
    return site


def test_a_good_site_passes_every_policy(preview):
    settings = {"sites-protected": {"sites": ["lab"]}, "images-pinned": {"registries": ["docker.io", "ghcr.io", "nfvpe", "quay.io"]}}  # fmt: skip
    status, output = preview(with_resources(protect=True), settings)
    assert "multus-site@v" in output
    assert "can't run policy" not in output
    assert "[mandatory]" not in output
    assert status == 0, output


def test_a_site_that_breaks_policies_is_stopped_with_what_mends_it(preview):
    site = lab_site()
    site["networks"]["macvlan-internal"]["master"] = "eth0"
    settings = {
        "sites-protected": {"sites": ["lab"]},
        "no-forbidden-ranges": {"ranges": ["10.1.20.0/24"]},
        "images-pinned": {"digest": True},
    }
    status, output = preview(site, settings, **{"multus-site:registryPassword": "hunter2"})
    assert status != 0
    for name, words in {
        "resources-set": "say what the container needs, in a site workloads.NAME.resources",
        "no-network-on-management-nic": "master of network macvlan-internal: eth0 is the management NIC",
        "sites-protected": "write protect: true into the site",
        "no-forbidden-ranges": "10.1.20.200-10.1.20.250 is in 10.1.20.0/24",
        "images-pinned": "busybox:1.36 has no digest",
        "secrets-encrypted": "multus-site:registryPassword: holds a secret in clear text",
    }.items():
        assert f"[mandatory]  {name}  " in output
        assert words in output
    assert "hunter2" not in output
    assert "Traceback" not in output


def test_an_organisation_turns_policies_down_or_off(preview):
    status, output = preview(lab_site(), {"resources-set": "advisory"})
    assert status == 0, output
    assert "[advisory]  resources-set  " in output
    status, output = preview(lab_site(), {"resources-set": "disabled"})
    assert status == 0, output
    assert "resources-set" not in output


def test_the_organisations_file_is_what_a_run_begins_with(preview):
    organisation = {
        "no-network-on-management-nic": {"interfaces": ["ens6"]},
        "resources-set": {"required": ["limits.cpu"]},
        "no-host-local-across-nodes": "disabled",
    }
    status, output = preview(with_resources(), organisation=organisation)
    assert status != 0
    assert "master of network macvlan-internal: ens6 is the management NIC" in output
    assert "limits.cpu missing" in output
    # For one run, other settings: those of policies that it does not name stay.
    status, output = preview(with_resources(), {"resources-set": "disabled"}, organisation)
    assert status != 0
    assert "ens6 is the management NIC" in output
    assert "limits.cpu missing" not in output


def test_a_file_of_the_organisations_that_holds_none_is_said(preview):
    status, output = preview(with_resources(), organisation={"resource-set": "advisory"})
    assert status != 0
    assert "resource-set: there is no such policy" in output
    assert "Traceback" not in output


def test_a_setting_that_is_none_is_refused(preview):
    status, output = preview(lab_site(), {"resources-set": {"required": ["limits.gpu"]}})
    assert status != 0
    assert "resources-set" in output
