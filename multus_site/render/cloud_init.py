"""cloud-init user data for the first boot of a machine."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

NAMED = """\
#!/bin/sh
# Gives NICs the names that the site has for them, by their MAC addresses.
set -eu
while read -r mac name; do
    for nic in /sys/class/net/*; do
        if [ "$(cat "$nic/address")" = "$mac" ] && [ "${nic##*/}" != "$name" ]; then
            ip link set dev "${nic##*/}" down
            ip link set dev "${nic##*/}" name "$name"
            ip link set dev "$name" up
        fi
    done
done <<LIST
"""


def user_data(
    node: str,
    user: str,
    authorized_key: str,
    host_key: str,
    host_key_public: str,
    nics: Mapping[str, str],
    files: Sequence[Mapping[str, Any]] = (),
) -> str:
    """A cloud-config (cloud-init's modules users_groups, ssh, set_hostname, write_files, runcmd).

    It sets the hostname, the user with its key, and the only host key, and renames NICs at each boot. `nics`: name → MAC
    address; `files`: more entries of write_files. The text contains the private host key and is a secret.
    """
    person = {"name": user, "ssh_authorized_keys": [authorized_key], "lock_passwd": True}
    if user != "root":
        person |= {"sudo": "ALL=(ALL) NOPASSWD:ALL", "shell": "/bin/bash"}
    config: dict[str, Any] = {
        "hostname": node,
        "preserve_hostname": False,
        "disable_root": user != "root",
        "ssh_pwauth": False,
        "users": [person],
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host_key, "ed25519_public": host_key_public},
    }
    written = list(files)
    if nics:
        listed = "".join(f"{mac.lower()} {name}\n" for name, mac in nics.items())
        path = "/var/lib/cloud/scripts/per-boot/multus-site-nics"
        written.append({"path": path, "permissions": "0755", "content": f"{NAMED}{listed}LIST\n"})
    if written:
        config["write_files"] = [dict(file) for file in written]
    return "#cloud-config\n" + yaml.safe_dump(config, sort_keys=False, width=10_000)
