"""Checks of what networks need of a kernel, and of what a hypervisor may withhold."""

from multus_site.nodes.preflight.finding import Node, Problem, Problems, each

_QEMU = "libvirt: a bridge needs nothing, macvtap needs trustGuestRxFilters='yes'; OpenStack: port_security_enabled=false; Proxmox: the firewall's MAC filter off"
_ALLOWED = {
    "kvm": _QEMU,
    "qemu": _QEMU,
    "microsoft": "Hyper-V: Set-VMNetworkAdapter -MacAddressSpoofing On",
    "oracle": "VirtualBox: promiscuous mode `allow-all` of the adapter",
    "vmware": "vSphere: promiscuous mode, MAC address changes and forged transmits of the port group: accept; or MAC learning",
    "xen": "XenServer: locking mode of the VIF `unlocked`",
}
"""Hypervisor as systemd-detect-virt calls it → what lets frames of other MAC addresses through."""

_PACKAGES = {"debian": "linux-image-amd64 instead of the cloud kernel", "ubuntu": "linux-modules-extra-$(uname -r)"}


@each("MODULE_ABSENT", "error", "The kernel lacks a module")
def modules(node: Node) -> Problems:
    """Interfaces of that type can't be made there. What can't be known from the host, such as in a container, is left to the networks' own proof.

    Fix: The kernel's package of more modules, or /etc/modprobe.d without the ban.
    """
    for name, why in node.asked.modules.items():
        if node.facts["modules"].get(name) == "absent":
            package = _PACKAGES.get(node.facts["os"]["id"], "the kernel's package of extra modules")
            yield Problem(
                node.name,
                f"its kernel {node.facts['kernel']} has no module {name}, which {why} needs",
                f"Install it ({package}), or allow it where /etc/modprobe.d forbids it",
            )


@each("IOMMU_OFF", "error", "No IOMMU, which functions in user space need")
def iommu(node: Node) -> Problems:
    """vfio-pci takes a device only with an IOMMU between it and the memory.

    Fix: VT-d or AMD-Vi in the BIOS, intel_iommu=on at boot.
    """
    if node.asked.functions_by_vfio and not node.facts["iommu"]:
        yield Problem(
            node.name,
            "it has no IOMMU in use, and a pool has driver vfio-pci",
            "Turn on VT-d or AMD-Vi in the BIOS, and boot with intel_iommu=on (Intel)",
        )


@each("HYPERVISOR_FILTERS", "warning", "A hypervisor may drop the pods' frames")
def hypervisor(node: Node) -> Problems:
    """Each macvlan pod has a MAC address of its own, and hypervisors let a machine send with its NIC's alone. A guest can't ask; the verification proves it later.

    Fix: Promiscuous mode and forged transmits, MAC learning or what the message names; or ipvlan, whose pods share the NIC's address.
    """
    kind = node.facts["hypervisor"]
    if not node.asked.foreign_macs or kind == "none" or node.container:
        return
    what = _ALLOWED.get(kind, "let it accept other MAC addresses (promiscuous mode, forged transmits)")
    networks = ", ".join(node.asked.foreign_macs)
    yield Problem(
        node.name,
        f"it is a virtual machine ({kind}), and pods of {networks} send with MAC addresses of their own",
        f"See that the hypervisor lets them through ({what}), or take ipvlan",
    )
