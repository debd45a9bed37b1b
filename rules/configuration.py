"""Rules on one CNI configuration as a whole: its version, its name, its plugins' types."""

import difflib
import json
import re
from functools import lru_cache

from model.positions import Data, Path
from model.types import CNI_VERSIONS
from rules.plugin_keys import COMMON, IPAM, LIST, NAMES, OLDEST_VERSION, OPERATOR, PLUGINS, fits, ipam_owners
from rules.registry import Problem, Problems, rule
from rules.subjects import CHAINED, Config, Ipam, Operator, Plugin, version_key

_NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_.\-]*$")
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
    for key, value in part.data.items():
        kind = keys_of(part).get(key.lower())
        if kind is None or fits(kind[1], value):
            continue
        bad: Path = ()
        if kind[1] in {"objects", "texts"} and isinstance(value, list):
            bad = next(((i,) for i, item in enumerate(value) if not fits(kind[1][:-1], item)), ())
        elif kind[1] in {"flags", "strings"} and isinstance(value, dict):
            bad = next(((k,) for k, v in value.items() if not fits("bool" if kind[1] == "flags" else "text", v)), ())
        found = value[bad[0]] if bad else value  # type: ignore[index]  # the kind says which of the two it is
        yield Problem((key, *bad), f"{kind[0]} is {_found(found)}", f"Write {NAMES[kind[1]]}.")


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
        if key.lower() in known or (single and key in LIST) or "/" in key or _of_another_ipam(part, key):
            continue
        kind = part.kind if isinstance(part, Operator) else part.type
        hint = _instead(key, known, part)
        yield Problem((key,), f"{kind} reads no key {key!r}", hint)
    if (
        isinstance(part, Operator)
        and part.kind == "SriovNetworkNodePolicy"
        and isinstance(selector := part.get("nicSelector"), dict)
    ):
        fields = OPERATOR["nicSelector"]
        for key in selector:
            if key not in fields:
                hint = _near(key, list(fields)) or f"The fields are {', '.join(fields)}."
                message = f"nicSelector has no field {key!r}: it is dropped, and the policy takes more NICs than meant"
                yield Problem((part.key("nicSelector"), key), message, hint)


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
        if first.type in _WITHOUT_ADDRESS and not (first.ipam and first.ipam.type):
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


@rule(
    "CHAINED_PLUGIN_FIRST",
    "error",
    "configuration",
    "A plugin that needs another one before it",
    example='{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "tuning"}]}',
    source="plugins/meta/*/: 'missing prevResult from earlier plugin'",
)
def chained_plugin_first(plugin: Plugin) -> Problems:
    """It changes what an earlier plugin made, and there is none."""
    if plugin.type in CHAINED and not plugin.chained and not plugin.has("prevResult"):
        hint = f'Put it behind one that makes an interface: "plugins": [{{"type": "macvlan", …}}, {{"type": "{plugin.type}"}}].'
        yield Problem((plugin.key("type"),), f"{plugin.type} cannot be the first plugin", hint)


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
    if near := _near(key, [name for name, _ in known.values()]):
        return near
    if isinstance(part, Plugin):
        if ipam_owners(key):
            return 'It belongs inside "ipam": {…}.'
        others = sorted(name for name, keys in PLUGINS.items() if key in keys)
        if others:
            return f"Take it out; {', '.join(others)} would read it."
    return "Take it out, or see the plugin's documentation for the right key."


def _near(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1, 0.75)
    return f"Did you mean {near[0]}?" if near else ""


def _found(value: Data) -> str:
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) < 60 else "a text"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return json.dumps(value) if value is None or isinstance(value, bool) else f"the number {str(value)[:40]}"


def _best(names: list[str], facts: dict[str, list[str]], spoken: list[str]) -> str:
    """The newest version that every plugin of the list speaks, if there is one."""
    common = [v for v in spoken if all(v in facts.get(name, CNI_VERSIONS) for name in names)]
    return max(common or spoken or ["1.0.0"], key=version_key)
