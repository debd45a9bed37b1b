"""Input of multus_site/scripts/libvirt.sh for a machine, and which changes replace the machine."""

import base64

from multus_site.model.libvirt import Hardware
from multus_site.model.nodes import LibvirtNodes
from multus_site.render.libvirt.cloud_init import READY, files
from multus_site.render.libvirt.domain import console_of, domain, name_of
from multus_site.render.libvirt.seed import extents

BOOT_SECONDS = 600
"""Time limit from start to ready. Software emulation on a busy hypervisor takes minutes."""
_PAGES = {"2M": 2048, "1G": 1048576}  # KiB


def makes_another(nodes: LibvirtNodes, node: str) -> list[str]:
    """What cannot change on an existing machine, in words. A change of any of it replaces the machine, with an empty disk."""
    libvirt, made = nodes.libvirt, nodes.libvirt.hardware(node)
    return [
        f"image sha256 {libvirt.image.sha256}",
        f"address {nodes.hosts[node].address}",
        f"hypervisor {made.hypervisor or 'here'}",
        f"storage {libvirt.storage}",
        *(f"{name} by {nic.kind} with MTU {nic.mtu}" for name, nic in sorted(made.nics.items())),
    ]


def variables(site: str, node: str, nodes: LibvirtNodes) -> dict[str, str]:
    """Variables of the script that are not secret."""
    libvirt, made = nodes.libvirt, nodes.libvirt.hardware(node)
    name = name_of(site, node)
    return {
        "NAME": name,
        "SITE": site,
        "NODE": node,
        "STORAGE": libvirt.storage,
        "IMAGE_URL": libvirt.image.url or "",
        "IMAGE_PATH": libvirt.image.path or "",
        "IMAGE_SHA256": libvirt.image.sha256,
        "DISK": str(made.disk),
        "DOMAIN": domain(site, node, libvirt),
        "NICS": "\n".join(f"{nic.kind} {nic.plugged_into} {nic.mtu}" for nic in made.nics.values()),
        "VIRT": "kvm" if made.accelerator == "kvm" else "qemu",
        "PAGES": _pages(made),
        "CONSOLE": console_of(name),
        "READY": READY,
        "BOOT_SECONDS": str(BOOT_SECONDS),
    }


def _pages(made: Hardware) -> str:
    """Size in KiB and number of huge pages, and their NUMA node if it is fixed; empty without huge pages."""
    if made.hugepages is None:
        return ""
    page = _PAGES[made.hugepages]
    whole = f"{page} {made.memory * 1024 // page}"
    return whole if made.numa_node is None else f"{whole} {made.numa_node}"


def seed(
    site: str, node: str, nodes: LibvirtNodes, authorized_key: str, host_key: str, host_key_public: str
) -> dict[str, str]:
    """Variables of the script with the host key: cloud-init's disk with the private key, and the public key, which identifies the machine."""
    told = files(
        site,
        node,
        nodes.libvirt,
        nodes.hosts[node].address,
        nodes.ssh.user,
        authorized_key,
        host_key,
        host_key_public,
    )
    parts, sectors = extents(told)
    lines = [f"{sector} {base64.b64encode(data).decode()}" for sector, data in parts]
    return {"SEED": "\n".join(lines), "SEED_SECTORS": str(sectors), "HOST_KEY_PUBLIC": host_key_public}
