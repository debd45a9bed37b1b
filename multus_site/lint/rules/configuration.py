"""Rules on one CNI configuration as a whole: its version, its name, its plugins' types."""

import difflib
import json
import re
from collections.abc import Iterator
from functools import lru_cache

from multus_site.cni.configuration import Part, inner_parts, version_key
from multus_site.cni.plugin_keys import (
    COMMON,
    INNER,
    IPAM,
    LIST,
    NAMES,
    OLDEST_VERSION,
    OPERATOR,
    PLUGINS,
    fits,
    ipam_owners,
)
from multus_site.cni.ranges import fixed_of, ranges_of
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.subjects import Config, Ipam, Operator, Plugin
from multus_site.model.positions import Data, Path
from multus_site.model.types import CNI_VERSIONS

_NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_.\-]*\Z")
_LIBCNI = "cni libcni/conf.go"
_WITHOUT_ADDRESS = {"macvlan", "bridge", "tap", "host-device"}
"""Plugins that can make an interface without an address, which results before 0.3.0 cannot tell ('no valid IP addresses')."""


@rule(
    "PLUGIN_TYPE_MISSING",
    "error",
    "configuration",
    "No plugin is named",
    example='{"cniVersion": "1.0.0", "name": "internal", "master": "eth1"}',
    source=f"{_LIBCNI} NetworkPluginConfFromBytes, NetworkConfFromBytes",
)
def plugin_type_missing(part: Config | Plugin | Ipam) -> Problems:
    """`type` is the name of the binary in /opt/cni/bin that does the work. Without it in ipam, no address is given."""
    if isinstance(part, Config):
        if not part.plugins and not part.has("plugins"):
            yield Problem(
                (),
                "neither type nor plugins: nothing says which plugin is to run",
                'Give "type", such as "macvlan", or "plugins": [{"type": …}].',
            )
        elif not part.plugins and part.get("plugins") == []:
            yield Problem(
                ("plugins",), "the list of plugins is empty", 'Give at least one: "plugins": [{"type": "macvlan", …}].'
            )
    elif part.get("type") in (None, "") and part.data:
        if isinstance(part, Ipam):
            message = "no type of address management: the plugin takes it for none, and gives no address"
            yield Problem((), message, f'Give "type", one of {", ".join(sorted(IPAM))} or another binary.', "warning")
        else:
            hint = f'Give "type", one of {", ".join(sorted(PLUGINS))} or another binary.'
            yield Problem((), "no type of plugin", hint)


@rule(
    "WRONG_TYPE",
    "error",
    "configuration",
    "A value of the wrong type",
    example='{"type": "vlan", "master": "eth0", "vlanId": "110"}',
    source="the plugins' structs; encoding/json UnmarshalTypeError",
)
def wrong_type(part: Config | Plugin | Ipam | Operator) -> Problems:
    """Go refuses the whole configuration: 'cannot unmarshal string into Go struct field'."""
    yield from _wrong_types(part, keys_of(part), ())
    for inner, known in _inner(part):
        yield from _wrong_types(inner, known, inner.path)


def _wrong_types(part: Part, known: dict[str, tuple[str, str]], path: Path) -> Problems:
    for key, value in part.data.items():
        kind = known.get(key.lower())
        if kind is None or fits(kind[1], value):
            continue
        bad: Path = ()
        if kind[1] in {"objects", "texts"} and isinstance(value, list):
            bad = next(((i,) for i, item in enumerate(value) if not fits(kind[1][:-1], item)), ())
        elif kind[1] in {"flags", "strings"} and isinstance(value, dict):
            bad = next(((k,) for k, v in value.items() if not fits("bool" if kind[1] == "flags" else "text", v)), ())
        found = value[bad[0]] if bad else value  # type: ignore[index]  # the kind says which of the two it is
        yield Problem((*path, key, *bad), f"{kind[0]} is {_found(found)}", f"Write {NAMES[kind[1]]}.")


def _inner(part: Config | Plugin | Ipam | Operator) -> Iterator[tuple[Part, dict[str, tuple[str, str]]]]:
    """The objects inside of a part with the keys that they may have."""
    owner = part.kind if isinstance(part, Operator) else "" if isinstance(part, Config) else part.text("type")
    for of, name in INNER:
        if (of == owner or (of == "" and owner in {*PLUGINS, *IPAM})) and part.has(name):
            known = {key.lower(): (key, kind) for key, kind in INNER[of, name].items()}
            yield from ((inner, known) for inner in inner_parts(part, name))


@rule(
    "UNKNOWN_KEY_FOR_TYPE",
    "warning",
    "configuration",
    "A key that the plugin does not read",
    example='{"type": "macvlan", "master": "eth0", "vlan": 110}',
    source="the plugins' structs: encoding/json ignores keys that they do not have",
)
def unknown_key(part: Plugin | Ipam | Operator) -> Problems:
    """The plugin ignores it without a word, so what it was meant to do does not happen."""
    known = keys_of(part)
    if (
        not known
        or (isinstance(part, Plugin) and part.type not in PLUGINS)
        or (isinstance(part, Ipam) and part.type not in IPAM)
    ):
        return
    single = isinstance(part, Plugin) and not part.config.is_list
    for key in part.data:
        if _has(known, key, part) or (single and key in LIST) or "/" in key or _of_another_ipam(part, key):
            continue
        kind = part.kind if isinstance(part, Operator) else part.type
        hint = _instead(key, known, part)
        yield Problem((key,), f"{kind} reads no key {key!r}", hint)
    for inner, fields in _inner(part):
        holder = next(str(step) for step in reversed(inner.path) if isinstance(step, str))
        for key in inner.data:
            if _has(fields, key, part) or (holder in {"ranges", "ipRanges"} and _of_another_ipam(part, key)):
                continue
            names = [name for name, _ in fields.values()]
            hint = near(key, names) or f"Take it out; the keys here are {', '.join(names)}."
            lost = " and the policy takes more NICs than meant" if holder == "nicSelector" else ""
            yield Problem((*inner.path, key), f"{holder} has no key {key!r}: it is ignored{lost}", hint)


@rule(
    "CNIVERSION_MISSING",
    "warning",
    "configuration",
    "No cniVersion",
    example='{"type": "macvlan", "master": "eth0"}',
    source="cni pkg/version ConfigDecoder: an absent version is 0.1.0",
)
def cniversion_missing(config: Config) -> Problems:
    """It is then taken for version 0.1.0: one address per family, no chaining, no CHECK; newer plugins may refuse it."""
    if config.get("cniVersion") in (None, "") and not config.version and config.plugins:
        misplaced = any(plugin.has("cniVersion") for plugin in config.plugins if plugin.path != config.path)
        if misplaced or any(ipam.has("cniVersion") for ipam in config.addresses):
            return
        first = config.plugins[0]
        if crowded := _crowded(config):
            message = f"no cniVersion: taken for 0.1.0, which knows one address of each family, and there are {crowded}"
            yield Problem((), message, 'Add "cniVersion": "1.0.0".', "error")
        elif first.type in _WITHOUT_ADDRESS and not (first.ipam and first.ipam.type):
            message = "no cniVersion: taken for 0.1.0, which knows no interface without an address"
            yield Problem((), message, 'Add "cniVersion": "1.0.0".', "error")
        else:
            yield Problem((), "no cniVersion: taken for 0.1.0", 'Add "cniVersion": "1.0.0".')


@rule(
    "CNIVERSION_MISPLACED",
    "warning",
    "configuration",
    "cniVersion in the wrong place",
    example='{"name": "internal", "plugins": [{"cniVersion": "1.0.0", "type": "macvlan"}]}',
    source=f"{_LIBCNI} InjectConf: the list's version is put into each plugin",
)
def cniversion_misplaced(config: Config) -> Problems:
    """Only the one at the top is read: libcni puts it into each plugin of the list."""
    for plugin in config.plugins:
        for part in (plugin if config.is_list else None, plugin.ipam):
            if part is not None and part.has("cniVersion"):
                path = (*part.path[len(config.path) :], part.key("cniVersion"))
                yield Problem(path, "a cniVersion that nobody reads", 'Put it at the top, beside "name".')


@rule(
    "CNIVERSION_UNSUPPORTED",
    "error",
    "facts",
    "A cniVersion that the plugin does not speak",
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
        yield Problem(
            path, f"{version!r} is no version of the CNI specification", f"There are {', '.join(CNI_VERSIONS)}."
        )
        return
    if config.version in {"0.1.0", "0.2.0"} and (crowded := _crowded(config)):
        message = f"cniVersion {version} knows one address of each family, and there are {crowded}"
        yield Problem(path, message, 'Write "cniVersion": "1.0.0".')
    facts = config.facts.plugin_versions or {}
    names = [n for plugin in config.plugins for n in (plugin.type, plugin.ipam.type if plugin.ipam else "") if n]
    for name in dict.fromkeys(names):
        spoken = facts.get(name) or list(_spoken(name))
        if version not in spoken:
            said = "no cniVersion is 0.1.0, and" if not config.version else f"cniVersion {version}:"
            yield Problem(
                path,
                f"{said} {name} speaks {', '.join(spoken)}",
                f'Write "cniVersion": "{_best(names, facts, spoken)}".',
            )


@rule(
    "NAME_MISMATCH",
    "warning",
    "configuration",
    "The network's name differs from the NAD's",
    example="metadata: {name: internal}, config: {name: macvlan-conf, …}",
    source="multi-net-spec v1.3 3.2; multus-cni pkg/types/conf.go",
)
def name_mismatch(config: Config) -> Problems:
    """Multus reports the NAD's name, while host-local keeps its addresses under the name in the configuration."""
    name = config.text("name")
    if config.nad is not None and name and config.nad.name and name != config.nad.name:
        yield Problem(
            ("name",),
            f"the network is called {name!r}, its NAD {config.nad.name!r}",
            f'Write "name": "{config.nad.name}".',
        )
    for plugin in config.plugins if config.is_list else ():
        inner = plugin.text("name")
        if inner and inner != name:
            path = (*plugin.path[len(config.path) :], plugin.key("name"))
            yield Problem(
                path, f"the name {inner!r} inside a plugin is not read", 'Keep the one at the top, beside "plugins".'
            )


@rule(
    "NETWORK_NAME",
    "error",
    "configuration",
    "A network name that libcni refuses",
    example='{"cniVersion": "1.0.0", "name": "my network", "type": "macvlan"}',
    source="cni pkg/utils ValidateNetworkName",
)
def network_name(config: Config) -> Problems:
    """It becomes part of file names on the node."""
    name = config.text("name")
    if name and not _NAME.match(name):
        yield Problem(
            (config.key("name"),),
            f"{name!r} is no name of a network",
            "Letters, digits, '_', '.' and '-', a letter or digit first.",
        )


@rule(
    "THIRD_PARTY_PLUGIN",
    "warning",
    "configuration",
    "A plugin that this linter does not know",
    example='{"type": "some-plugin"}',
    source="none: its keys cannot be checked",
)
def third_party_plugin(part: Plugin | Ipam) -> Problems:
    """Nothing is wrong; only nothing was checked, and each node needs the binary."""
    known = IPAM if isinstance(part, Ipam) else PLUGINS
    if part.type and part.type not in known:
        kind = "address management" if isinstance(part, Ipam) else "plugin"
        yield Problem(
            (part.key("type"),),
            f"the {kind} {part.type!r} is not known here: its keys are not checked",
            "See that each node has its binary.",
        )


def _crowded(config: Config) -> str:
    """How many addresses of one family an interface gets, if more than one: results before 0.3.0 hold one of each."""
    for ipam in config.addresses:
        sets = {(one.set, one.network.version) for one in ranges_of(ipam) if one.network}
        families = [family for _, family in sets] + [one.network.version for one in fixed_of(ipam) if one.network]
        for family in (4, 6):
            if families.count(family) > 1:
                return f"{families.count(family)} of IPv{family}"
    return ""


def _has(known: dict[str, tuple[str, str]], key: str, part: Plugin | Ipam | Operator) -> bool:
    """Whether a key is known; the API server reads an operator's in exactly their case, Go a plugin's in any."""
    name = known.get(key.lower())
    return name is not None and (not isinstance(part, Operator) or name[0] == key)


def keys_of(part: Config | Plugin | Ipam | Operator) -> dict[str, tuple[str, str]]:
    """Keys that a part may have, in small letters → the key and its type."""
    if isinstance(part, Config):
        return _keys("list", "") if part.is_list else {}
    if isinstance(part, Plugin):
        return _keys("plugin", part.type)
    return _keys("operator", part.kind) if isinstance(part, Operator) else _keys("ipam", part.type)


@lru_cache(maxsize=256)
def _keys(of: str, kind: str) -> dict[str, tuple[str, str]]:
    known = {
        "list": LIST,
        "plugin": {**COMMON, **PLUGINS.get(kind, {})},
        "operator": OPERATOR.get(kind, {}),
        "ipam": IPAM.get(kind, {"type": "text"}),
    }[of]
    return {key.lower(): (key, type_) for key, type_ in known.items()}


@lru_cache(maxsize=64)
def _spoken(plugin: str) -> tuple[str, ...]:
    """CNI versions that a plugin speaks as far as its source tells."""
    oldest = version_key(OLDEST_VERSION.get(plugin, CNI_VERSIONS[0]))
    return tuple(v for v in CNI_VERSIONS if version_key(v) >= oldest)


def _of_another_ipam(part: Plugin | Ipam | Operator, key: str) -> bool:
    """Whether the rule IPAM_KEY_FOR_OTHER_PLUGIN speaks of it, or CNIVERSION_MISPLACED."""
    if not isinstance(part, Ipam):
        return False
    return key == "cniVersion" or bool(ipam_owners(key))


def _instead(key: str, known: dict[str, tuple[str, str]], part: Plugin | Ipam | Operator) -> str:
    if meant := near(key, [name for name, _ in known.values()]):
        return meant
    if isinstance(part, Plugin):
        if ipam_owners(key):
            return 'It belongs inside "ipam": {…}.'
        others = sorted(name for name, keys in PLUGINS.items() if key in keys)
        if others:
            return f"Take it out; {', '.join(others)} would read it."
    return "Take it out, or see the plugin's documentation for the right key."


def near(key: str, known: list[str]) -> str:
    """A question for the key that is meant, empty if none is like it."""
    found = difflib.get_close_matches(key, known, 1, 0.75)
    return f"Did you mean {found[0]}?" if found else ""


def _found(value: Data) -> str:
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) < 60 else "a text"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return json.dumps(value) if value is None or isinstance(value, bool) else f"the number {str(value)[:40]}"


def _best(names: list[str], facts: dict[str, list[str]], spoken: list[str]) -> str:
    """A version that every plugin of the list speaks: 1.0.0, which most speak, or the newest there is."""
    common = [v for v in spoken if all(v in (facts.get(name) or _spoken(name)) for name in names)] or spoken
    return "1.0.0" if "1.0.0" in common else max(common, key=version_key)
