"""multus_site/scripts/container.sh on the lab's podman: whose a container is, and what is said of one that is gone."""

import os
import signal

import pytest

from multus_site.render.host_keys import derive_host_key, public_key_of
from multus_site.render.script import script
from tests.lab.running import eventually, kept_of

pytestmark = pytest.mark.lab


def container(lab, argument, name, site, node, seed):
    """One run of the script, for a stack with this seed."""
    key = derive_host_key(seed, site, node)
    variables = {
        "NAME": name,
        "SITE": site,
        "NODE": node,
        "IMAGE": "localhost/multus-site-node:bookworm",
        "ATTACH": "management:interface_name=eth0",
        "MANAGEMENT": "management",
        "HOST_KEY": key.private,
        "HOST_KEY_PUBLIC": key.public,
        "AUTHORIZED_KEY": public_key_of(key.private),
        "USER_HOME": "/root",
        "STARTED": "0",
    }
    return lab.run("sh", "-s", argument, given=script("container", variables), check=False)


def test_a_container_of_another_stack_is_left_alone(lab):
    before = lab.run("podman", "inspect", "lab-node2", "--format", "{{.Id}} {{.State.Pid}}").stdout
    done = container(lab, "make", "lab-node2", "lab", "node2", "the seed of another checkout")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == (
        "container lab-node2 is there already, and was not made for this stack: one of another checkout or site may be called so."
    )
    assert lab.run("podman", "inspect", "lab-node2", "--format", "{{.Id}} {{.State.Pid}}").stdout == before


def test_one_that_a_killed_run_made_is_taken_up(lab):
    seed = (lab.place.folder / "ssh" / "host-key-seed").read_text()
    before = lab.run("podman", "inspect", "lab-node3", "--format", "{{.Id}}").stdout
    assert container(lab, "make", "lab-node3", "lab", "node3", seed).stdout == before


def test_one_that_is_gone_is_not_made_by_a_change(lab):
    done = container(lab, "change", "lab-node9", "lab", "node9", "the seed of another checkout")
    assert done.returncode == 1
    assert "To make it anew: pulumi up --replace '**lab-node9-machine'" in done.stderr


def test_one_whose_monitor_was_killed_too_is_named_and_leaves_nothing(lab):
    made = container(lab, "make", "lab-node9", "lab", "node9", "a seed of the tests alone")
    assert made.returncode == 0, made.stderr
    identity = made.stdout.strip()
    try:
        monitor, process = lab.run(
            "podman", "inspect", identity, "--format", "{{.State.ConmonPid}} {{.State.Pid}}"
        ).stdout.split()
        for pid in (monitor, process):
            os.kill(int(pid), signal.SIGKILL)
        eventually(lambda: not kept_of([identity])["processes"])
        assert kept_of([identity])["folders"]
        start = container(lab, "change", "lab-node9", "lab", "node9", "a seed of the tests alone")
        assert start.returncode == 1
        assert start.stderr.splitlines() == [
            "container lab-node9 has ended, and podman's monitor with it (conmon), so that podman takes it for running and does not start it.",
            "To make it anew: pulumi up --replace '**lab-node9-machine'",
        ]
    finally:
        done = container(lab, "remove", "lab-node9", "lab", "node9", "a seed of the tests alone")
    assert (done.returncode, done.stderr) == (0, "")
    assert kept_of([identity]) == {"folders": [], "processes": []}
