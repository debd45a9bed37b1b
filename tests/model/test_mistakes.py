"""A mistake keeps its path from the check that finds it to the line that is printed, whatever the names in the path are."""

import copy
import json

import pytest
from pydantic import ValidationError

from multus_site.model.load import SiteError, parse_site, parse_stack_text
from multus_site.model.part import Mistake, MistakesError
from multus_site.model.pydantic_errors import mistakes_of
from multus_site.model.site import Site
from tests.render.test_libvirt import NODES

HOSTS = {
    "backend": "container",
    "container": {"image": "localhost/node:1", "networks": {"eth0": "management"}},
    "hosts": {"node1": {"address": "10.1.1.5", "roles": ["control-plane", "etcd", "worker"]}},
}
ODD = ["ens6.110", "x[0]", 'q"q', 'a"]b', "b\\n", "[key]", "a;b", "7"]
"""Names that the kernel takes for interfaces."""


def site(**parts):
    return {"name": "dallas", "nodes": HOSTS, **parts}


def found_in(data):
    with pytest.raises(SiteError) as error:
        parse_site(data, source="x")
    return [mistake for mistake, _ in error.value.mistakes]


@pytest.mark.parametrize("name", ODD)
def test_path_of_a_link(name):
    links = {name: {"type": "vlan", "link": "below", "id": 1}, "below": {"type": "vlan", "link": "ens6", "id": 2}}
    message = "below is a VLAN itself; name the NIC or the bond that carries both"
    assert found_in(site(links=links)) == [Mistake(("links", name, "link"), message)]


@pytest.mark.parametrize("name", ODD)
def test_path_of_a_nic(name):
    nodes = copy.deepcopy(NODES)
    nodes["libvirt"]["nics"] |= {"one": {"vf": "0000:3b:02.1"}, name: {"vf": "0000:3b:02.1"}}
    paths = {mistake.path for mistake in found_in(site(nodes=nodes))}
    assert ("nodes", "libvirt", "nics", name) in paths


@pytest.mark.parametrize("key", ["example.com/a b", "two\nlines", 'q"q', "a.b: c", "[key]", ""])
@pytest.mark.parametrize("part", ["racks", "networks", "workloads", "segments"])
def test_path_of_a_key_that_does_not_fit(part, key):
    valid = {
        "racks": {},
        "networks": {"type": "dummy", "ipam": {"type": "host-local", "ranges": [{"subnet": "10.1.10.0/24"}]}},
        "workloads": {"image": "docker.io/library/busybox:1.36"},
        "segments": {},
    }
    (mistake,) = found_in(site(**{part: {key: valid[part]}}))
    assert mistake.path == (part, key)


@pytest.mark.parametrize("name", ["two\nlines", 'q"q', "a.b c"])
def test_each_mistake_is_one_line_at_its_key(name):
    key = json.dumps(name)
    text = f"config:\n  multus-site:site:\n    name: dallas\n    nodes: {json.dumps(HOSTS)}\n    racks:\n      {key}: {{}}\n"
    with pytest.raises(SiteError) as error:
        parse_stack_text(text, source="x")
    (line,) = error.value.lines()
    assert line.startswith(f"x:6: racks[{key}]: {name!r} is not a DNS label; ")
    assert str(error.value).splitlines() == [line]


def test_pydantic_carries_mistakes_as_they_are():
    workloads = {"pod": {"image": "docker.io/library/busybox:1.36", "networks": ["lan"]}}
    data = site(workloads=workloads)
    with pytest.raises(ValidationError) as error:
        Site.model_validate(data)
    (detail,) = error.value.errors()
    assert isinstance(detail["ctx"]["error"], MistakesError)
    message = "there is no network 'lan'; add it to networks"
    assert list(detail["ctx"]["error"].mistakes) == mistakes_of(error.value, data)
    assert mistakes_of(error.value, data) == [Mistake(("workloads", "pod", "networks", 0), message)]
