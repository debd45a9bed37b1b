"""Rules on a CNI configuration as a whole: its name and its plugins' types."""

import re
from collections.abc import Mapping

from multus_site.cni.catalogue import CHAINED, IPAM, PLUGINS
from multus_site.cni.plugin_type import PluginType
from multus_site.lint.registry import Problem, Problems, rule
from multus_site.lint.rules.keys import near
from multus_site.lint.subjects import Config, Ipam, Plugin

_NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_.\-]*\Z")
_LIBCNI = "cni libcni/conf.go"


@rule(
    "PLUGIN_TYPE_MISSING",
    "error",
    "configuration",
    "No plugin type",
    example='{"cniVersion": "1.0.0", "name": "internal", "master": "eth1"}',
    source=f"{_LIBCNI} NetworkPluginConfFromBytes, NetworkConfFromBytes",
)
def plugin_type_missing(part: Config | Plugin | Ipam) -> Problems:
    """`type` names the binary in /opt/cni/bin that runs. Without it in ipam, no address is assigned."""
    if isinstance(part, Config):
        if not part.plugins and not part.has("plugins"):
            yield Problem(
                (),
                "neither type nor plugins: no plugin to run",
                'Set "type", such as "macvlan", or "plugins": [{"type": …}].',
            )
        elif not part.plugins and part.get("plugins") == []:
            yield Problem(
                ("plugins",), "the list of plugins is empty", 'Add at least one: "plugins": [{"type": "macvlan", …}].'
            )
    elif part.get("type") in (None, "") and part.data:
        if isinstance(part, Ipam):
            message = "ipam has no type: the plugin assigns no address"
            yield Problem((), message, f'Set "type" to {_names(IPAM)} or another binary.', "warning")
        else:
            hint = f'Set "type" to {_names(PLUGINS)} or another binary.'
            yield Problem((), "the plugin has no type", hint)


def _names(known: Mapping[str, PluginType]) -> str:
    """The names that people use most: those of the CNI project's releases and of daemons that a site installs."""
    return ", ".join(sorted(name for name, entry in known.items() if entry.binary in {"release", "daemon"}))


@rule(
    "NAME_MISMATCH",
    "warning",
    "configuration",
    "The network's name differs from the NAD's",
    example="metadata: {name: internal}, config: {name: macvlan-conf, …}",
    source="multi-net-spec v1.3 3.2; multus-cni pkg/types/conf.go",
)
def name_mismatch(config: Config) -> Problems:
    """Multus reports the NAD's name; host-local stores addresses under the name in the configuration. OVN-Kubernetes and other controllers name a network of their own: there it may differ."""
    name = config.text("name")
    shared = any(plugin.traits.controller for plugin in config.plugins if plugin.type not in CHAINED)
    if config.nad is not None and name and config.nad.name and name != config.nad.name and not shared:
        yield Problem(
            ("name",),
            f"the network is named {name!r}, its NAD {config.nad.name!r}",
            f'Write "name": "{config.nad.name}".',
        )
    for plugin in config.plugins if config.is_list else ():
        inner = plugin.text("name")
        if inner and inner != name:
            path = (*plugin.path[len(config.path) :], plugin.key("name"))
            hint = 'Keep only the name at the top, beside "plugins".'
            yield Problem(path, f"the name {inner!r} inside a plugin is ignored", hint)


@rule(
    "NETWORK_NAME",
    "error",
    "configuration",
    "A network name that libcni rejects",
    example='{"cniVersion": "1.0.0", "name": "my network", "type": "macvlan"}',
    source="cni pkg/utils ValidateNetworkName",
)
def network_name(config: Config) -> Problems:
    """It becomes part of file names on the node."""
    name = config.text("name")
    if name and not _NAME.match(name):
        yield Problem(
            (config.key("name"),),
            f"{name!r} is not a valid network name",
            "Use letters, digits, '_', '.' and '-', with a letter or digit first.",
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
    """This is not a mistake, but its keys are not checked, and each node needs its binary."""
    known = IPAM if isinstance(part, Ipam) else PLUGINS
    if part.type and part.type not in known:
        kind = "IPAM plugin" if isinstance(part, Ipam) else "plugin"
        yield Problem(
            (part.key("type"),),
            f"unknown {kind} {part.type!r}: its keys are not checked",
            f"{meant} If not, make sure that each node has its binary."
            if (meant := near(part.type, list(known)))
            else "Make sure that each node has its binary.",
        )
