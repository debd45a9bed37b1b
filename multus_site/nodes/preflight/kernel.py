"""Checks of the kernel features that networks need, and of filters of hypervisors."""

from multus_site.nodes.preflight.finding import Node, Problem, Problems, each

_QEMU = "libvirt: a bridge needs nothing, macvtap needs trustGuestRxFilters='yes'; OpenStack: port_security_enabled=false; Proxmox: the firewall's MAC filter off"
_ALLOWED = {
    "kvm": _QEMU,
    "qemu": _QEMU,
    "microsoft": "Hyper-V: Set-VMNetworkAdapter -MacAddressSpoofing On",
    "oracle": "VirtualBox: promiscuous mode `allow-all` of the adapter",
    "vmware": "vSphere: accept promiscuous mode, MAC address changes and forged transmits in the port group, or use MAC learning",
    "xen": "XenServer: locking mode of the VIF `unlocked`",
}
"""Hypervisor as systemd-detect-virt prints it → the setting that passes frames of other MAC addresses."""

_PACKAGES = {"debian": "linux-image-amd64 instead of the cloud kernel", "ubuntu": "linux-modules-extra-$(uname -r)"}


@each("MODULE_ABSENT", "error", "The kernel lacks a module")
def modules(node: Node) -> Problems:
    """The kernel cannot create interfaces of that type. What the host cannot tell, such as in a container, is left to the verification of the networks.

    Fix: Install the kernel's package of extra modules, or allow the module in /etc/modprobe.d.
    """
    for name, user in node.requirements.modules.items():
        if node.facts["modules"].get(name) == "absent":
            package = _PACKAGES.get(node.facts["os"]["id"], "the kernel's package of extra modules")
            yield Problem(
                node.name,
                f"kernel {node.facts['kernel']} has no module {name}; {user} needs it",
                f"install {package}, or allow the module if /etc/modprobe.d blocks it",
            )


@each("IOMMU_OFF", "error", "No IOMMU for devices driven from user space")
def iommu(node: Node) -> Problems:
    """vfio-pci binds a device only behind an IOMMU.

    Fix: Enable VT-d or AMD-Vi in the BIOS; on Intel, boot with intel_iommu=on.
    """
    if node.requirements.functions_by_vfio and not node.facts["iommu"]:
        yield Problem(
            node.name,
            "no IOMMU is in use; a pool with driver vfio-pci needs one",
            "enable VT-d or AMD-Vi in the BIOS; on Intel, boot with intel_iommu=on",
        )


@each("HYPERVISOR_FILTERS", "warning", "A hypervisor may drop the frames of pods")
def hypervisor(node: Node) -> Problems:
    """Each macvlan pod has its own MAC address, and by default a hypervisor passes only that of the virtual machine's NIC. A guest cannot read the setting; the verification tests it later.

    Fix: Allow other MAC addresses in the hypervisor, as the message says; or use ipvlan, whose pods share the NIC's address.
    """
    kind = node.facts["hypervisor"]
    if not node.requirements.foreign_macs or kind == "none" or node.container:
        return
    setting = _ALLOWED.get(kind, "accept other MAC addresses: promiscuous mode, forged transmits")
    networks = ", ".join(node.requirements.foreign_macs)
    yield Problem(
        node.name,
        f"the host is a virtual machine ({kind}), whose hypervisor may drop frames from the MAC addresses of pods; {networks} needs them",
        f"allow them in the hypervisor ({setting}), or use ipvlan",
    )
