"""The files on the disk of cloud-init's NoCloud data source.

Source: https://cloudinit.readthedocs.io, NoCloud and network configuration version 2. JSON is YAML.
"""

import hashlib
import ipaddress
import json
from typing import Any

from multus_site.model.libvirt import Libvirt
from multus_site.render.cloud_init import user_data
from multus_site.render.libvirt.domain import mac

READY = "multus-site: the machine is ready"
"""Last line of each boot on the serial port: services run, cloud-init is done, and a node has rejoined its cluster."""

AT_EACH_BOOT = f"""\
#!/bin/sh
# The machine that made this one waits for the last line, and then restarts the next. What a node of a cluster holds is back by then,
# or has had its time: whether it comes is not the machine's affair.
for held in 2379:/var/lib/etcd/member 6443:/etc/kubernetes/manifests/kube-apiserver.yaml 10250:/etc/kubernetes/kubelet.conf; do
    waited=0
    while [ -e "${{held#*:}}" ] && [ "$waited" -lt 120 ] && ! ss -Hltn "sport = :${{held%%:*}}" | grep -q .; do
        sleep 1
        waited=$((waited + 1))
    done
done
ip -br address >/dev/ttyS0
echo '{READY}' >/dev/ttyS0
"""


def files(
    site: str, node: str, libvirt: Libvirt, address: str, user: str, authorized_key: str, host_key: str, public: str
) -> dict[str, str]:
    """Name → content. `host_key` is the private key, so the result is a secret."""
    told = {
        # The network configuration names the NICs.
        "user-data": user_data(node, user, authorized_key, host_key, public, {}, _files(user, authorized_key)),
        "network-config": _json(network_config(site, node, libvirt, address)),
    }
    # With a new id, cloud-init applies everything again at the next boot, including keys and network.
    digest = hashlib.sha256("".join(told.values()).encode()).hexdigest()
    return {"meta-data": _json({"instance-id": f"{site}-{node}-{digest[:12]}", "local-hostname": node}), **told}


def _files(user: str, authorized_key: str) -> list[dict[str, Any]]:
    """Entries of write_files."""
    home = "/root" if user == "root" else f"/home/{user}"
    # cloud-init only adds keys of a user. This removes old ones; `defer` waits until the user exists.
    keys = {"path": f"{home}/.ssh/authorized_keys", "content": f"{authorized_key}\n", "owner": user, "defer": True}
    ready = {"path": "/var/lib/cloud/scripts/per-boot/multus-site-ready", "content": AT_EACH_BOOT}
    return [{**keys, "permissions": "0600"}, {**ready, "permissions": "0755"}]


def network_config(site: str, node: str, libvirt: Libvirt, address: str) -> dict[str, Any]:
    """NICs by MAC address, with their names in the site. Only the management NIC has an address."""
    management = libvirt.management
    prefix = ipaddress.ip_network(management.network).prefixlen
    ethernets: dict[str, Any] = {}
    for nic, made in sorted(libvirt.hardware(node).nics.items()):
        found: dict[str, Any] = {
            "match": {"macaddress": mac(site, node, nic)},
            "set-name": nic,
            "mtu": made.mtu,
            "dhcp4": False,
            "dhcp6": False,
            "accept-ra": False,
        }
        if nic == management.interface:
            found["addresses"] = [f"{address}/{prefix}"]
            if management.gateway:
                # Not "default": cloud-init supports that word only with netplan, not with eni and networkd.
                everywhere = "::/0" if ipaddress.ip_address(management.gateway).version == 6 else "0.0.0.0/0"
                found["routes"] = [{"to": everywhere, "via": management.gateway}]
            if management.dns:
                found["nameservers"] = {"addresses": list(management.dns)}
        else:
            # A link without a carrier must not delay the boot, and the node has no address on a link for pods.
            found |= {"optional": True, "link-local": []}
        ethernets[nic] = found
    return {"version": 2, "ethernets": ethernets}


def _json(data: object) -> str:
    return json.dumps(data, indent=1) + "\n"
