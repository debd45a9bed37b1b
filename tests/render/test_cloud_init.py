"""User data of new machines; the script in it runs here, on NICs of a network namespace."""

import os
import subprocess

import pytest
import yaml

from multus_site.render.cloud_init import user_data

IN_A_NAMESPACE = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "--net", "--mount", "true"], check=False).returncode != 0,
    reason="needs root, mount and network namespaces",
)


def config(user="debian", **nics):
    text = user_data("node1", user, "ssh-ed25519 AAAA", "PRIVATE\n", "ssh-ed25519 BBBB", nics)
    assert text.startswith("#cloud-config\n")
    return yaml.safe_load(text)


def test_nobody_logs_in_but_by_the_sites_key():
    made = config()
    assert made["ssh_pwauth"] is False
    assert made["users"] == [
        {
            "name": "debian",
            "ssh_authorized_keys": ["ssh-ed25519 AAAA"],
            "lock_passwd": True,
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "shell": "/bin/bash",
        }
    ]
    assert made["disable_root"] is True
    assert config("root")["disable_root"] is False
    assert "sudo" not in config("root")["users"][0]


def test_it_shows_our_host_key_alone():
    made = config()
    assert made["ssh_keys"] == {"ed25519_private": "PRIVATE\n", "ed25519_public": "ssh-ed25519 BBBB"}
    assert made["ssh_deletekeys"] is True


def test_a_machine_whose_nics_are_named_already_is_told_nothing_of_them():
    assert "write_files" not in config()


@IN_A_NAMESPACE
def test_nics_get_the_sites_names_at_each_boot(tmp_path):
    (file,) = config(ens6="02:00:00:00:00:06", ens7="02:00:00:00:00:07")["write_files"]
    script = tmp_path / "nics"
    script.write_text(file["content"])
    links = "ip link add b0 address 02:00:00:00:00:07 type veth peer name b1 address 02:00:00:00:00:06"
    inside = f"mount -t sysfs none /sys; {links}; sh {script}; sh {script}; ip -br link"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-ec", inside], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    there = {line.split("@")[0].split()[0]: line.split()[2] for line in done.stdout.splitlines()}
    assert (there["ens6"], there["ens7"]) == ("02:00:00:00:00:06", "02:00:00:00:00:07")
