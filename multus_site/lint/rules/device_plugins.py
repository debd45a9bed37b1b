"""Rules on the configuration of the SR-IOV device plugin, config.json of its ConfigMap."""

import re

from multus_site.cni.go_object import Part
from multus_site.cni.key_types import WORDS, fits
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.rules.keys import near
from multus_site.lint.subjects import DevicePlugins
from multus_site.model.paths import Path

_NAME = re.compile(r"[a-zA-Z0-9_]+")
_TYPES = ("netDevice", "accelerator", "auxNetDevice")
_KEYS = {
    "resourceName": "text",
    "resourcePrefix": "text",
    "deviceType": "text",
    "excludeTopology": "bool",
    "selectors": "any",
    "additionalInfo": "object",
}
_SELECTORS = {
    **dict.fromkeys(
        ("vendors", "devices", "drivers", "pciAddresses", "acpiIndexes", "pfNames", "rootDevices"), "texts"
    ),
    **dict.fromkeys(("linkTypes", "ddpProfiles", "pKeys", "auxTypes"), "texts"),
    **dict.fromkeys(("isRdma", "needVhostNet"), "bool"),
    "vdpaType": "text",
}


@rule(
    "DEVICE_POOL",
    "error",
    "configuration",
    "A pool that the SR-IOV device plugin rejects",
    example='config.json: {"resourceList": [{"resourceName": "intel-sriov"}]}',
    source="sriov-network-device-plugin cmd/sriovdp/manager.go validConfigs; pkg/types/types.go ResourceConfig",
)
def device_pool(plugins: DevicePlugins) -> Problems:
    """The device plugin exits, and no node offers a device. It ignores keys that it does not know."""
    pools = plugins.data.get("resourceList")
    if not isinstance(pools, list):
        yield Problem(("resourceList",), "resourceList is not a list", 'Write [{"resourceName": …, "selectors": {…}}].')
        return
    seen: set[tuple[str, str]] = set()
    for i, entry in enumerate(pools):
        path: Path = ("resourceList", i)
        if not isinstance(entry, dict):
            yield Problem(path, "the pool is not an object", 'Write {"resourceName": …, "selectors": {…}}.')
            continue
        pool = Part(entry, path)
        yield from _keys(pool, _KEYS, path)
        name, prefix = pool.text("resourceName"), pool.text("resourcePrefix") or "intel.com"
        place = (*path, pool.key("resourceName"))
        if not _NAME.fullmatch(name):
            message = f"{name!r} is not the name of a resource" if name else "the pool has no resourceName"
            yield Problem(place, message, "Use letters, digits and '_', such as intel_sriov_netdevice.")
        elif (prefix, name) in seen:
            yield Problem(place, f"another pool is named {prefix}/{name} too", "Give each pool its own name.")
        seen.add((prefix, name))
        kind = pool.text("deviceType")
        if kind and kind not in _TYPES:
            hint = near(kind, list(_TYPES)) or f"Write one of {', '.join(_TYPES)}."
            yield Problem((*path, pool.key("deviceType")), f"unknown deviceType {kind!r}", hint)
        chosen, here = pool.get("selectors"), (*path, pool.key("selectors"))
        for place, selector in [(here, chosen)] if isinstance(chosen, dict) else _entries(chosen, here):
            if isinstance(selector, dict):
                yield from _keys(Part(selector, place), _SELECTORS, place)


def _entries(value: object, path: Path) -> list[tuple[Path, object]]:
    return [((*path, i), entry) for i, entry in enumerate(value)] if isinstance(value, list) else []


def _keys(part: Part, known: dict[str, str], path: Path) -> Problems:
    names = {key.lower(): key for key in known}
    for key, value in part.data.items():
        name = names.get(key.lower())
        if name is None:
            hint = near(key, list(known)) or f"The keys are {', '.join(known)}."
            yield Problem((*path, key), f"the device plugin does not read the key {key!r}", hint, "warning")
        elif not fits(known[name], value):
            yield Problem((*path, key), f"{key} has the wrong type", f"Write {WORDS[known[name]]}.")
