"""multus_site/scripts/container.sh with podman's own answers on networks; of the container itself only what would be done is written down."""

import os
import shutil
import subprocess

import pytest

from multus_site.render.script import script

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("podman") is None, reason="system containers need root and podman"
)

WRAPPER = """#!/bin/sh
echo "$*" >>{folder}/said
case $1 in
    network) exec {podman} "$@" ;;
    container) exit 1 ;; # it is not there
    inspect) case $3 in *Pid*) echo $PPID ;; '{{{{.Id}}}}') echo 1234 ;; *) exit 1 ;; esac ;;
    cp) [ "${{2##*/}}" != resolv.conf ] || cp "$2" {folder}/resolv.conf ;;
esac
"""
SUBNETS = {
    "one family": ["--subnet", "10.97.5.0/24", "--gateway", "10.97.5.1"],
    "dual stack": ["--subnet", "10.97.5.0/24", "--gateway", "10.97.5.1", "--ipv6", "--subnet", "fd97:5::/64"],
}


@pytest.fixture(autouse=True)
def podman(tmp_path, monkeypatch):
    """podman's state in a folder, and before it in PATH a program that makes no container."""
    folder = tmp_path / "podman"
    (folder / "networks").mkdir(parents=True)
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
    )
    (folder / "containers.conf").write_text(
        f'[network]\nnetwork_config_dir = "{folder}/networks"\n'
        f'[engine]\ntmp_dir = "{folder}/libpod"\nlock_type = "file"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n'
    )
    monkeypatch.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "podman"
    wrapper.write_text(WRAPPER.format(folder=tmp_path, podman=shutil.which("podman")))
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")


def make(**variables):
    """Makes the container, as far as that is done."""
    given = dict.fromkeys(("HOST_KEY", "HOST_KEY_PUBLIC", "AUTHORIZED_KEY", "STARTED"), "")
    given |= {
        "NAME": "dallas-node1",
        "SITE": "dallas",
        "NODE": "node1",
        "IMAGE": "localhost/node:1",
        "USER_HOME": "/root",
    }
    text = script("container", {**given, "ATTACH": "", "MANAGEMENT": "management", **variables})
    return subprocess.run(["sh", "-s", "make"], input=text, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("subnets", SUBNETS.values(), ids=SUBNETS)
def test_the_gateway_is_that_of_the_first_subnet(subnets, tmp_path):
    subprocess.run(["podman", "network", "create", "--internal", *subnets, "management"], check=True, timeout=60)
    done = make()
    assert (done.returncode, done.stdout) == (0, "1234\n"), done.stderr
    assert (tmp_path / "resolv.conf").read_text() == "nameserver 10.97.5.1\n"


def test_a_management_network_that_is_not_there(tmp_path):
    done = make(MANAGEMENT="none")
    assert done.returncode != 0
    assert "network not found" in done.stderr
    assert "create" not in (tmp_path / "said").read_text()
