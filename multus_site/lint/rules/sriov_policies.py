"""Rules on a SriovNetworkNodePolicy: what the operator's webhook rejects without knowing the nodes."""

import re

from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Operator

_WEBHOOK = "sriov-network-operator pkg/webhook/validate.go staticValidateSriovNetworkNodePolicy"
_RESOURCE = re.compile(r"^[a-zA-Z0-9_]+\Z")
_RANGE = re.compile(r"([0-9]+)-([0-9]+)\Z")


def _is_policy(spec: Operator) -> bool:
    return spec.reads("nicSelector")


@rule(
    "SRIOV_POLICY_RESOURCE",
    "error",
    "configuration",
    "A resource name that the webhook rejects",
    example="kind: SriovNetworkNodePolicy, resourceName: intel-nics",
    source=_WEBHOOK,
)
def sriov_policy_resource(spec: Operator) -> Problems:
    """The name has no prefix and consists of letters, digits and '_'. The operator adds its prefix, such as openshift.io/."""
    name = spec.text("resourceName")
    if _is_policy(spec) and not name and not spec.has("resourceName"):
        yield Problem((), "the policy has no resourceName", "Set resourceName, such as intel_nics.")
    elif _is_policy(spec) and isinstance(spec.get("resourceName"), str) and not _RESOURCE.match(name):
        fixed = re.sub(r"[^a-zA-Z0-9_]", "_", name.rpartition("/")[2]) or "intel_nics"
        yield Problem((spec.key("resourceName"),), f"{name!r} is not a resource name of a policy", f"Write {fixed}.")


@rule(
    "SRIOV_POLICY_SELECTOR",
    "error",
    "configuration",
    "A policy that selects no NIC",
    example="kind: SriovNetworkNodePolicy, nicSelector: {}",
    source=_WEBHOOK,
)
def sriov_policy_selector(spec: Operator) -> Problems:
    """The webhook wants at least one of vendor, deviceID, pfNames, rootDevices and netFilter, and the CRD wants numVfs."""
    if not _is_policy(spec):
        return
    selector = spec.get("nicSelector")
    keys = ("vendor", "deviceID", "pfNames", "rootDevices", "netFilter")
    if selector is None or (isinstance(selector, dict) and not any(selector.get(key) for key in keys)):
        path = (spec.key("nicSelector"),) if selector is not None else ()
        hint = 'Set one of vendor, deviceID, pfNames, rootDevices, netFilter, such as pfNames: ["ens1f0"].'
        yield Problem(path, "the policy selects no NIC", hint)
    if not spec.has("numVfs"):
        yield Problem((), "the policy has no numVfs", "Set numVfs, the number of virtual functions of each NIC.")
    elif (count := spec.integer("numVfs")) is not None and count <= 0:
        yield Problem((spec.key("numVfs"),), f"numVfs {count} creates no virtual function", "Write 1 or more.")


@rule(
    "SRIOV_VF_RANGE",
    "error",
    "configuration",
    "Virtual functions that the policy does not create",
    example='numVfs: 12, pfNames: ["ens4f0#1-12"]',
    source=_WEBHOOK,
)
def sriov_vf_range(spec: Operator) -> Problems:
    """NAME#FIRST-LAST selects functions of a NIC, counted from 0: the last is below numVfs."""
    selector = spec.get("nicSelector")
    names = selector.get("pfNames") if _is_policy(spec) and isinstance(selector, dict) else None
    count = spec.integer("numVfs")
    for i, name in enumerate(names if isinstance(names, list) else ()):
        if not isinstance(name, str) or "#" not in name:
            continue
        path = (spec.key("nicSelector"), "pfNames", i)
        pf, _, part = name.partition("#")
        found = _RANGE.match(part)
        if found is None:
            yield Problem(path, f"{name!r} is not NAME#FIRST-LAST", f"Write such as {pf or 'ens1f0'}#0-3.")
            continue
        first, last = int(found[1]), int(found[2])
        if last < first:
            yield Problem(path, f"{name}: the last function is before the first", f"Write {pf}#{last}-{first}.")
        elif count is not None and last >= count > 0:
            message = f"{name}: with numVfs {count}, the last function is {count - 1}"
            yield Problem(
                path, message, f"Write {pf}#{min(first, count - 1)}-{count - 1}, or set numVfs to {last + 1}."
            )


@rule(
    "SRIOV_POLICY_CONFLICT",
    "error",
    "configuration",
    "Settings of a policy that exclude each other",
    example="deviceType: vfio-pci, isRdma: true",
    source=_WEBHOOK,
)
def sriov_policy_conflict(spec: Operator) -> Problems:
    """The webhook rejects the policy."""
    if not _is_policy(spec):
        return
    device, mode = spec.text("deviceType") or "netdevice", spec.text("eSwitchMode")
    switchdev, vdpa = mode == "switchdev", spec.text("vdpaType")
    params = spec.get("eSwitchParams")
    if device == "vfio-pci" and spec.get("isRdma") is True:
        hint = "Set deviceType: netdevice (RDMA of the kernel, also for DPDK on Mellanox NICs), or isRdma: false."
        yield Problem((spec.key("isRdma"),), "deviceType vfio-pci excludes isRdma: true", hint)
    if switchdev and spec.text("linkType").lower() == "ib":
        message = "eSwitchMode switchdev needs an Ethernet link"
        yield Problem((spec.key("eSwitchMode"),), message, "Set linkType: eth, or eSwitchMode: legacy.")
    if vdpa and device != "netdevice":
        message = f"vdpaType {vdpa} excludes deviceType {device}"
        yield Problem((spec.key("vdpaType"),), message, "Set deviceType: netdevice, or remove vdpaType.")
    needs = {
        "vdpaType": bool(vdpa),
        "bridge": bool(spec.get("bridge")),
        "eSwitchParams": isinstance(params, dict) and params.get("multiport") is True,
    }
    for key, used in needs.items():
        if used and not switchdev:
            yield Problem((spec.key(key),), f"{key} needs eSwitchMode switchdev", "Set eSwitchMode: switchdev.")
    if spec.get("bridge") and spec.get("externallyManaged") is True:
        message = "bridge excludes externallyManaged: true"
        yield Problem((spec.key("bridge"),), message, "Remove one of the two.")
