"""Defaults under a site: one rule, and mistakes in either file at their place in it."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from multus_site.model.defaults import Defaults, merge
from multus_site.model.load import SiteError, load_stack_file, parse_site, parse_stack_text, stacks_beside
from tests.graph.recording import ED25519

leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
mappings = st.recursive(
    st.dictionaries(st.sampled_from("abc"), leaves, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), leaves | inner, max_size=3),
    max_leaves=12,
)


def at(data, path):
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return "absent"
        data = data[key]
    return data


def paths(data, base=()):
    for key, value in data.items():
        yield (*base, key)
        if isinstance(value, dict):
            yield from paths(value, (*base, key))


@given(mappings, mappings)
def test_the_rule(under, over):
    whole = merge(under, over)
    for path in {*paths(whole), *paths(under), *paths(over)}:
        mine, theirs = at(over, path), at(under, path)
        if mine == "absent":
            # the default's, unless the site replaced something above it
            replaced = any(
                not isinstance(at(over, path[:i]), dict) for i in range(1, len(path)) if at(over, path[:i]) != "absent"
            )
            assert at(whole, path) == ("absent" if replaced else theirs)
        elif not (isinstance(mine, dict) and isinstance(theirs, dict)):
            assert at(whole, path) == mine


@given(mappings, mappings)
def test_neither_is_changed_and_a_mapping_under_itself_is_itself(a, b):
    before = repr((a, b))
    merge(a, b)
    assert repr((a, b)) == before
    assert merge(a, a) == merge({}, a) == merge(a, {}) == a


STACK = f"""\
config:
  multus-site:site:
    name: dallas
    nodes:
      hosts:
        node1: {{address: 10.1.1.5, hostKey: {ED25519}, roles: [control-plane, etcd, worker]}}
    kubespray: {{variables: {{kube_proxy_mode: iptables}}}}
"""
DEFAULTS = """\
nodes:
  backend: existing
  ssh: {user: ubuntu}
kubespray:
  version: v2.31.0
  variables: {kube_proxy_mode: ipvs, kube_network_plugin: flannel}
"""


def write(folder, stack=STACK, defaults=DEFAULTS, name="dallas"):
    file = folder / f"Pulumi.{name}.yaml"
    file.write_text(stack)
    (folder / "defaults.yaml").write_text(defaults)
    return file


def test_a_stack_file_has_the_defaults_of_its_folder(tmp_path):
    site = load_stack_file(write(tmp_path))
    assert site.nodes.ssh.user == "ubuntu"
    assert site.kubespray.variables == {"kube_proxy_mode": "iptables", "kube_network_plugin": "flannel"}
    write(tmp_path, STACK.replace("dallas", "austin"), name="austin")
    ((_, _, other, defaults),) = stacks_beside(tmp_path / "Pulumi.dallas.yaml")
    assert (other.name, other.nodes.ssh.user) == ("austin", "ubuntu")
    assert defaults.file == str(tmp_path / "defaults.yaml")


@pytest.mark.parametrize(
    ("stack", "defaults", "lines"),
    [
        (STACK, DEFAULTS.replace("version:", "versoin:"), ["defaults.yaml:5: kubespray.versoin: unknown key; did you mean version?"]),
        (STACK.replace("10.1.1.5", "10.1.1.500"), DEFAULTS, ["Pulumi.dallas.yaml:6: nodes.hosts.node1.address: "]),
        (STACK.replace("10.1.1.5", "10.1.1.500"), DEFAULTS.replace("version:", "versoin:"), ["Pulumi.dallas.yaml:6: ", "defaults.yaml:5: "]),
        (STACK, DEFAULTS.replace("  backend: existing\n", ""), ["Pulumi.dallas.yaml:4: nodes.backend: missing"]),
        (STACK.replace("[control-plane, etcd, worker]", "[etcd]"), DEFAULTS, ["Pulumi.dallas.yaml:5: nodes.hosts: no host has the role control-plane", "Pulumi.dallas.yaml:5: nodes.hosts: no host has the role worker"]),
        (STACK, "nodes: ]", ["defaults.yaml:1: site: not YAML"]),
        (STACK, "- a", ["defaults.yaml:1: site: not a mapping"]),
        (STACK, "encryptionsalt: v1:x", ["defaults.yaml:1: site: a stack file's keys"]),
    ],
)  # fmt: skip
def test_mistakes_stand_where_they_are(tmp_path, stack, defaults, lines):
    file = write(tmp_path, stack, defaults)
    with pytest.raises(SiteError) as error:
        load_stack_file(file)
    found = str(error.value).splitlines()
    assert len(found) == len(lines), found
    for line, begin in zip(found, lines, strict=True):
        assert line.lower().startswith(f"{tmp_path}/{begin}".lower()), line


def test_where_a_value_stands_is_no_difference_to_a_program():
    """Pulumi hands a site over with its keys sorted, lists of mappings too; what the defaults hold comes in the order of their file."""
    network = {"type": "raw", "config": {"type": "bridge", "plugins": [{"name": "b", "kind": "a"}], "bridge": "br0"}}
    host = {"address": "10.1.1.5", "hostKey": ED25519, "roles": ["worker", "etcd", "control-plane"]}
    site = {
        "kubespray": {"variables": {"z": {"y": 1, "b": 2}, "c": 3}},
        "name": "dallas",
        "networks": {"signalling": network, "media": network},
        "nodes": {
            "backend": "existing",
            "hosts": {"node2": {"address": "10.1.1.6", "hostKey": ED25519}, "node1": host},
        },
    }

    def printed(own, shared):
        defaults = Defaults("defaults.yaml", yaml.safe_dump(shared, sort_keys=False))
        return parse_site(own, source="x", defaults=defaults, ordered=True).model_dump_json()

    alone = printed(json.loads(json.dumps(site, sort_keys=True)), {})
    for key in site:
        rest = {other: value for other, value in site.items() if other != key}
        assert printed(rest, {key: site[key]}) == alone
    moved = {**site, "networks": {"media": network}}
    assert printed(moved, {"networks": {"signalling": network}}) == alone


def test_a_site_of_json_is_its_own(tmp_path):
    text = 'config:\n  multus-site:site: \'{"name": "dallas", "nodes": {"backend": "other", "hosts": {}}}\'\n'
    with pytest.raises(SiteError) as error:
        load_stack_file(write(tmp_path, text))
    assert f"{tmp_path}/Pulumi.dallas.yaml:2: nodes.backend" in str(error.value)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}"])
def test_empty_defaults_are_none(tmp_path, text):
    whole = STACK.replace("    nodes:\n", "    nodes:\n      backend: existing\n")
    assert load_stack_file(write(tmp_path, whole, text)) == parse_stack_text(whole, source="x")


def test_defaults_that_cannot_be_opened(tmp_path):
    file = write(tmp_path)
    (tmp_path / "defaults.yaml").write_bytes(b"# one\n# caf\xe9\n")
    with pytest.raises(SiteError, match=r"defaults\.yaml:2: site: cannot be read: byte 0xe9 is not UTF-8; save"):
        load_stack_file(file)


def test_what_holds_a_path():
    defaults = Defaults("defaults.yaml", "a: {b: 1, l: [1, 2]}")
    assert defaults.hold(("a", "b"), {})
    assert not defaults.hold(("a", "b"), {"a": {"b": 2}})
    assert not defaults.hold(("a", "c"), {"a": {}})
    assert not defaults.hold((), {})
    assert defaults.hold(("a", "l", 1), {"a": {"c": 1}})
    assert not defaults.hold(("a", "l", 1), {"a": {"l": [1, 3]}})
