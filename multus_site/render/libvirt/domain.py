"""The domain XML of a machine (https://libvirt.org/formatdomain.html)."""

import hashlib
from xml.etree import ElementTree as XML

from multus_site.model.libvirt import Hardware, Libvirt, Nic

LOGS = "/var/log/libvirt/qemu"
"""Where libvirt keeps the logs of machines."""


def mac(site: str, node: str, nic: str) -> str:
    """The MAC address of a NIC, derived from its names, so that it stays when the machine is recreated.

    52 is QEMU's first byte, locally administered. Forty bits of a hash follow, enough for thousands of NICs.
    """
    digest = hashlib.sha256(f"{site}/{node}/{nic}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x52, *digest[:5]))


def name_of(site: str, node: str) -> str:
    """Name of a node's machine on its hypervisor."""
    return f"{site}-{node}"


def folder_of(libvirt: Libvirt, name: str) -> str:
    """Folder of the machine's disk and seed."""
    return f"{libvirt.storage}/multus-site/{name}"


def console_of(name: str) -> str:
    """Log file of the machine's console."""
    return f"{LOGS}/{name}.console.log"


def domain(site: str, node: str, libvirt: Libvirt) -> str:
    """The document without a UUID, which the hypervisor generates."""
    made, name = libvirt.hardware(node), name_of(site, node)
    root = XML.Element("domain", type="kvm" if made.accelerator == "kvm" else "qemu")
    _text(root, "name", name)
    _text(root, "title", f"{node} of {site}")
    _text(root, "memory", str(made.memory), unit="MiB")
    _placed(root, made)
    system = _add(root, "os")
    _text(system, "type", "hvm", arch="x86_64", machine="q35")
    _add(system, "boot", dev="hd")
    features = _add(root, "features")
    _add(features, "acpi")
    _add(features, "apic")
    _add(root, "cpu", mode="host-passthrough" if made.accelerator == "kvm" else "maximum")
    _add(root, "clock", offset="utc")
    _text(root, "on_crash", "restart")
    devices = _add(root, "devices")
    folder = folder_of(libvirt, name)
    _disk(devices, f"{folder}/disk.qcow2", "qcow2", "vda")
    # A disk, not a CD: kernels of cloud images can lack CD drivers.
    _add(_disk(devices, f"{folder}/seed.iso", "raw", "vdb"), "readonly")
    first = libvirt.management.interface
    for nic in sorted(made.nics, key=lambda nic: (nic != first, nic)):
        _interface(devices, made.nics[nic], mac(site, node, nic))
    serial = _add(devices, "serial", type="pty")
    _add(serial, "log", file=console_of(name), append="on")
    _add(_add(devices, "video"), "model", type="none")
    _add(devices, "controller", type="usb", model="none")
    _text(_add(devices, "rng", model="virtio"), "backend", "/dev/urandom", model="random")
    XML.indent(root)
    return XML.tostring(root, encoding="unicode") + "\n"


def _placed(root: XML.Element, made: Hardware) -> None:
    """CPUs and memory, and where on the hypervisor they are."""
    if made.hugepages:
        backing = _add(root, "memoryBacking")
        _add(_add(backing, "hugepages"), "page", size=made.hugepages[:-1], unit=f"{made.hugepages[-1]}iB")
        _add(backing, "nosharepages")
    _text(root, "vcpu", str(made.cpus), placement="static")
    if made.cpu_pinning:
        tune = _add(root, "cputune")
        for number, cpu in enumerate(made.cpu_pinning):
            _add(tune, "vcpupin", vcpu=str(number), cpuset=str(cpu))
    if made.numa_node is not None:
        _add(_add(root, "numatune"), "memory", mode="strict", nodeset=str(made.numa_node))


def _disk(devices: XML.Element, file: str, form: str, target: str) -> XML.Element:
    disk = _add(devices, "disk", type="file", device="disk")
    _add(disk, "driver", name="qemu", type=form, **({"discard": "unmap"} if form == "qcow2" else {}))
    _add(disk, "source", file=file)
    _add(disk, "target", dev=target, bus="virtio")
    return disk


def _interface(devices: XML.Element, nic: Nic, address: str) -> None:
    if nic.kind == "vf":
        made = _add(devices, "interface", type="hostdev", managed="yes")
        _add(made, "mac", address=address)
        domain, bus, rest = nic.plugged_into.split(":")
        slot, _, function = rest.partition(".")
        place = {"domain": domain, "bus": bus, "slot": slot, "function": function}
        numbers = {key: f"0x{value}" for key, value in place.items()}
        XML.SubElement(_add(made, "source"), "address", {"type": "pci", **numbers})
        return
    if nic.kind == "bridge":
        made = _add(devices, "interface", type="bridge")
        _add(made, "source", bridge=nic.plugged_into)
    else:
        made = _add(devices, "interface", type="direct")
        _add(made, "source", dev=nic.plugged_into, mode=nic.mode)
    _add(made, "mac", address=address)
    _add(made, "model", type="virtio")


def _add(parent: XML.Element, tag: str, **attributes: str) -> XML.Element:
    return XML.SubElement(parent, tag, attributes)


def _text(parent: XML.Element, tag: str, text: str, **attributes: str) -> None:
    _add(parent, tag, **attributes).text = text
