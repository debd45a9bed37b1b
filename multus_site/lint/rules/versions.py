"""Rules on the version of the CNI specification that plugins are called with."""

from functools import lru_cache

from multus_site.cni.catalogue import plugin_type
from multus_site.cni.configuration import version_key
from multus_site.cni.lost_addresses import WITHOUT_VERSION
from multus_site.cni.ranges import fixed_of, ranges_of
from multus_site.lint.changes import Add, Change, Remove
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Config
from multus_site.model.paths import Path
from multus_site.model.types import CNI_VERSIONS

_LIBCNI = "cni libcni/conf.go"


@rule(
    "CNIVERSION_MISSING",
    "warning",
    "configuration",
    "No cniVersion",
    example='{"type": "macvlan", "master": "eth0"}',
    source="cni pkg/version ConfigDecoder: an absent version is 0.1.0",
)
def cniversion_missing(config: Config) -> Problems:
    """The default is 0.1.0: one address per family, no chaining, no CHECK. Newer plugins may reject it."""
    if config.get("cniVersion") in (None, "") and not config.version and config.plugins:
        misplaced = any(plugin.has("cniVersion") for plugin in config.plugins if plugin.path != config.path)
        if misplaced or any(ipam.has("cniVersion") for ipam in config.addresses):
            return
        first = config.plugins[0]
        if crowded := _crowded(config):
            message = f"no cniVersion: the default 0.1.0 allows one address of each family, and there are {crowded}"
            yield Problem((), message, 'Add "cniVersion": "1.0.0".', "error")
        elif first.traits.addresses == "optional" and first.traits.name and not (first.ipam and first.ipam.type):
            message = "no cniVersion: the default 0.1.0 allows no interface without an address"
            yield Problem((), message, 'Add "cniVersion": "1.0.0".', "error")
        elif config.is_list and config.nad is not None:
            message = f"no cniVersion: Multus {WITHOUT_VERSION} deletes pods from such a list with a part of it, so their addresses stay reserved"
            yield Problem((), message, 'Add "cniVersion": "1.0.0".')
        else:
            yield Problem((), "no cniVersion: the default is 0.1.0", 'Add "cniVersion": "1.0.0".')


@rule(
    "CNIVERSION_MISPLACED",
    "warning",
    "configuration",
    "cniVersion in the wrong place",
    example='{"name": "internal", "plugins": [{"cniVersion": "1.0.0", "type": "macvlan"}]}',
    source=f"{_LIBCNI} InjectConf: copies the list's version into each plugin",
)
def cniversion_misplaced(config: Config) -> Problems:
    """libcni reads only the version at the top, and copies it into each plugin of the list."""
    below = [part for plugin in config.plugins for part in (plugin if config.is_list else None, plugin.ipam)]
    misplaced = [part for part in below if part is not None and part.has("cniVersion")]
    versions = [part.get("cniVersion") for part in misplaced]
    for i, part in enumerate(misplaced):
        path = (*part.path[len(config.path) :], part.key("cniVersion"))
        changes: tuple[Change, ...] = (Remove(path),)
        hint = "Remove it; the one at the top applies."
        if not config.has("cniVersion"):
            hint = 'Move it to the top, beside "name".'
            top = Add((next(iter(config.data)),), "cniVersion", versions[0])
            same = all(version == versions[0] for version in versions)
            changes = () if not same else (top, *changes) if i == 0 else changes
        yield Problem(path, "this cniVersion has no effect", hint, changes=changes)


@rule(
    "CNIVERSION_UNSUPPORTED",
    "error",
    "facts",
    "A cniVersion that the plugin does not support",
    example='{"cniVersion": "0.3.1", "name": "n", "plugins": [{"type": "macvlan"}, {"type": "firewall"}]}',
    source="cni pkg/version; version.VersionsStartingFrom in each plugin's main",
)
def cniversion_unsupported(config: Config) -> Problems:
    """The runtime answers 'incompatible CNI versions' and the pod does not start."""
    if config.has("cniVersion") and not config.text("cniVersion"):
        return
    path: Path = (config.key("cniVersion"),) if config.has("cniVersion") else ()
    version = config.version or "0.1.0"
    if version not in CNI_VERSIONS:
        message = f"{version!r} is not a version of the CNI specification"
        yield Problem(path, message, f"Use one of {', '.join(CNI_VERSIONS)}.")
        return
    if config.version in {"0.1.0", "0.2.0"} and (crowded := _crowded(config)):
        message = f"cniVersion {version} allows one address of each family, and there are {crowded}"
        yield Problem(path, message, 'Write "cniVersion": "1.0.0".')
    facts = config.facts.plugin_versions or {}
    names = [n for plugin in config.plugins for n in (plugin.type, plugin.ipam.type if plugin.ipam else "") if n]
    for name in dict.fromkeys(names):
        supported = facts.get(name) or list(_supported(name))
        if version not in supported:
            subject = "no cniVersion means 0.1.0, and" if not config.version else f"cniVersion {version}:"
            hint = f'Write "cniVersion": "{_best(names, facts, supported)}".'
            yield Problem(path, f"{subject} {name} supports {', '.join(supported)}", hint)


def _crowded(config: Config) -> str:
    """Number of addresses of one family on an interface, empty if one: results before 0.3.0 hold one of each family."""
    for ipam in config.addresses:
        sets = {(one.set, one.network.version) for one in ranges_of(ipam) if one.network}
        families = [family for _, family in sets] + [one.network.version for one in fixed_of(ipam) if one.network]
        for family in (4, 6):
            if families.count(family) > 1:
                return f"{families.count(family)} of IPv{family}"
    return ""


@lru_cache(maxsize=64)
def _supported(plugin: str) -> tuple[str, ...]:
    """CNI versions that a plugin supports according to its source."""
    oldest = version_key(plugin_type(plugin).oldest_version)
    return tuple(v for v in CNI_VERSIONS if version_key(v) >= oldest)


def _best(names: list[str], facts: dict[str, list[str]], supported: list[str]) -> str:
    """A version that every plugin of the list supports: 1.0.0 if possible, otherwise the newest."""
    common = [v for v in supported if all(v in (facts.get(name) or _supported(name)) for name in names)] or supported
    return "1.0.0" if "1.0.0" in common else max(common, key=version_key)
