"""The catalogue has every plugin that a site can name, with every trait, and nobody else says what a plugin is."""

import ast
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

from multus_site.cni.catalogue import CHAINED, COMMON, INTERFACES, IPAM, OPERATOR, PLUGINS
from multus_site.cni.plugin_type import ChainedPlugin, InterfacePlugin, IpamPlugin, Nic, ObjectType, PluginType
from multus_site.model.attachable import Attachable
from multus_site.model.chained import Chained
from multus_site.model.ipam import AnyIpam, NoAddresses
from multus_site.model.networks import TypedNetwork

ROOT = Path(__file__).parents[2]
NETWORKS = {get_args(cls.model_fields["type"].annotation)[0]: cls for cls in get_args(TypedNetwork)}
BEHIND = {get_args(cls.model_fields["type"].annotation)[0]: cls for cls in get_args(get_args(Chained)[0])}
ADDRESSES = {get_args(c.model_fields["type"].annotation)[0]: c for c in get_args(AnyIpam) if c is not NoAddresses}

ASKING = [
    file
    for folder in ("multus_site", "components", "policy")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if file.relative_to(ROOT).parts[1] not in {"cni", "model"}
]
"""Modules that have to ask the catalogue."""

ALLOWED = {
    "components/networking.py": {
        "whereabouts",
        "dhcp",
    },  # each has a daemon of its own making, installed by another component
    "multus_site/cli/new_site.py": {"macvlan", "ipvlan", "vlan", "sriov"},  # those that one answer describes
    "multus_site/lint/rules/attached.py": {"bandwidth"},  # a key of a pod's annotation
    "multus_site/lint/rules/sriov_policies.py": {"bridge"},  # a key of a policy
    "multus_site/nodes/preflight/nics.py": {"vrf"},  # the kernel's kind of a link
    "multus_site/render/libvirt/domain.py": {"bridge"},  # a NIC of a virtual machine
    "multus_site/review/networks.py": {"vlan"},  # what of a network differs
    "multus_site/cli/addresses.py": {"host-local"},  # the one whose reservations are files of the nodes
    "multus_site/render/multus.py": {"bandwidth"},  # a capability of the cluster's own network
    "multus_site/verify/explain.py": {"userspace", "vfioveth"},  # the pod's kernel has no interface of them
    "multus_site/verify/probe.py": {"vlan"},  # the kernel's kind of a link
    "multus_site/verify/registry.py": {"vlan", "whereabouts"},  # checks
    "policy/networks.py": {"vlan"},  # a link of the node
}
"""Modules that name a plugin, or use its name for something else."""

IPAM_ALLOWED = {
    "multus_site/cli/adoption.py",
    "multus_site/lint/rules/address_management.py",
    "multus_site/lint/rules/fixed_addresses.py",
    "multus_site/lint/rules/gateways.py",
    "multus_site/lint/rules/ranges.py",
    "multus_site/lint/rules/slices.py",
    "multus_site/render/address_plan.py",
    "multus_site/render/images.py",
    "multus_site/review/by_files.py",
    "multus_site/review/settings.py",
}
"""Modules that speak of what one address management alone has: its ranges, its fixed addresses, its daemon."""

CLUSTER_NETWORKS = {"calico", "flannel", "kube-ovn", "macvtap", "multus"}
"""Names that mean more than a plugin: cluster networks, Multus, a kind of NIC."""


def test_every_type_of_a_site_has_its_entry():
    assert set(NETWORKS) <= set(INTERFACES)
    assert set(BEHIND) <= set(CHAINED)
    assert set(ADDRESSES) <= set(IPAM)


@pytest.mark.parametrize("of", [ObjectType, PluginType, InterfacePlugin, ChainedPlugin, IpamPlugin, Nic])
def test_no_trait_can_be_forgotten_but_lists_of_special_keys(of):
    optional = {field.name for field in fields(of) if (field.default, field.default_factory) != (MISSING, MISSING)}
    assert optional <= {
        *("inner", "values", "open", "exclusive", "spelling", "needed", "reports", "defaults", "site_only")
    }


@pytest.mark.parametrize("name", [*PLUGINS, *IPAM, *OPERATOR])
def test_an_entry_speaks_of_its_own_keys(name):
    entry = {**PLUGINS, **IPAM, **OPERATOR}[name]
    assert {*entry.inner, *entry.values} <= set(entry.keys)
    if isinstance(entry, PluginType):
        assert {key for pair in entry.exclusive for key in pair} <= set(entry.keys)
        assert set(entry.spelling.values()) <= set(entry.keys)
    if isinstance(entry, InterfacePlugin):
        nic_keys = entry.nic.keys if entry.nic else {}
        assert {*nic_keys, *entry.reports, *entry.defaults, *filter(None, [entry.bridge])} <= set(entry.keys)
        assert {needed.key for needed in entry.needed} <= set(entry.keys)


def fields_of(cls, entry):
    """Key as the plugin has it → type, of each field of a class of the model."""
    for name, field in cls.model_fields.items():
        if name not in {*Attachable.model_fields, "ipam", "type"}:
            alias = field.alias or name
            yield name, entry.spelling.get(alias, alias), field.annotation


@pytest.mark.parametrize("name", NETWORKS)
def test_every_field_of_a_network_is_a_key_of_its_plugin_or_the_sites_own(name):
    cls, entry = NETWORKS[name], INTERFACES[name]
    own = {field for field, key, _ in fields_of(cls, entry) if key not in {**COMMON, **entry.keys}}
    assert own == set(entry.site_only)
    assert entry.makes_veth == cls.makes_veth
    assert (entry.nic is not None and entry.nic.macs == "own") == getattr(cls, "own_macs", False)


@pytest.mark.parametrize("name", BEHIND)
def test_every_field_of_a_chained_plugin_is_its_key(name):
    assert {key for _, key, _ in fields_of(BEHIND[name], CHAINED[name])} <= set(CHAINED[name].keys)


@pytest.mark.parametrize("name", [*NETWORKS, *BEHIND])
def test_a_site_takes_the_values_that_the_plugin_takes(name):
    cls, entry = {**NETWORKS, **BEHIND}[name], PLUGINS[name]
    for field, key, annotation in fields_of(cls, entry):
        choices = next((o for o in (annotation, *get_args(annotation)) if get_origin(o) is Literal), None)
        if choices and field not in getattr(entry, "site_only", ()):
            assert get_args(choices) == entry.values[key]
        if key in getattr(entry, "defaults", {}):
            assert cls.model_fields[field].default == entry.defaults[key]


def named(file):
    """Names of plugins that a module compares with, looks up by, or has a set of."""
    names = {*PLUGINS, *IPAM} - CLUSTER_NETWORKS
    for node in ast.walk(ast.parse(file.read_text())):
        found = []
        if isinstance(node, ast.Compare):
            found = [part for operand in (node.left, *node.comparators) for part in ast.walk(operand)]
        elif isinstance(node, ast.Dict):
            found = [part for key in node.keys if key for part in ast.walk(key)]
        elif isinstance(node, ast.Set):
            found = node.elts
        elif isinstance(node, ast.MatchValue):
            found = [node.value]
        for part in found:
            if isinstance(part, ast.Constant) and part.value in names:
                yield part.value


@pytest.mark.parametrize("file", ASKING, ids=lambda file: str(file.relative_to(ROOT)))
def test_nobody_else_tells_plugins_apart_by_name(file):
    name = str(file.relative_to(ROOT))
    allowed = {*ALLOWED.get(name, ()), *(IPAM if name in IPAM_ALLOWED else ())}
    assert set(named(file)) - allowed == set()


def test_nothing_is_allowed_that_nobody_does():
    assert {name for name, allowed in ALLOWED.items() if set(named(ROOT / name)) & allowed == set()} == set()
    assert {name for name in IPAM_ALLOWED if not set(named(ROOT / name)) & set(IPAM)} == set()
