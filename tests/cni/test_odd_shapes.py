"""Configurations of any shape, in a site or in a cluster: what cannot be read is left out, and no command ends in a traceback.

The documents below have any one value, and then any two, replaced by a value of another type.
"""

import copy
import datetime
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multus_site.cli.adoption import Adopted
from multus_site.cni import configuration
from multus_site.cni.ranges import fixed_of, handed_out, networks, ranges_of, slice_length
from multus_site.cni.uplinks import nics_in_use
from multus_site.lint import check_site
from multus_site.model.load import SiteError, parse_site, parse_stack_text
from multus_site.nodes.preflight.requirements import requirements_of
from multus_site.render.address_plan import Taken, outside, plan
from multus_site.render.diagram import cards, mermaid
from multus_site.render.network import address_management
from multus_site.render.report import content
from multus_site.review.networks import differences
from multus_site.throughput import plan as throughput
from multus_site.verify.expectation import expected
from policy import networks as policies
from policy.resources import Resource
from tests.graph.recording import lab_site

RANGE = {"subnet": "10.1.30.0/24", "rangeStart": "10.1.30.200", "rangeEnd": "10.1.30.250", "gateway": "10.1.30.1"}
IPAMS = {
    "old form": {"type": "host-local", **RANGE, "ranges": [[{"subnet": "fd00::/64"}]], "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.30.1"}]},
    "host-local": {"type": "host-local", "ranges": [[RANGE, {"subnet": "10.1.31.0/24"}], [{"subnet": "fd00:1::/64"}]]},
    "whereabouts": {
        "type": "whereabouts", "range": "10.1.30.0/24", "range_start": "10.1.30.5", "range_end": "10.1.30.250", "exclude": ["10.1.30.1", "10.1.30.8/29"],
        "gateway": "10.1.30.1", "node_slice_size": "/28", "ipRanges": [{"range": "fd00::10-fd00::20/64", "exclude": ["fd00::11/128"]}],
        "addresses": [{"address": "10.1.30.3/24", "gateway": "10.1.30.1"}],
    },
    "static": {"type": "static", "addresses": [{"address": "10.1.30.5/24", "gateway": "10.1.30.1"}, {"address": "fd00::5/64"}]},
    "dhcp": {"type": "dhcp", "request": [{"skipDefault": True, "option": "subnet-mask"}], "priority": 1000},
}  # fmt: skip
SINGLE = {
    name: {"cniVersion": "1.0.0", "name": "odd", "type": "macvlan", "master": "ens6", "mode": "bridge", "mtu": 1400, "ipam": ipam}
    for name, ipam in IPAMS.items()
}  # fmt: skip
LIST = {
    "cniVersion": "1.0.0",
    "name": "odd",
    "plugins": [
        {"type": "bridge", "bridge": "br0", "vlan": 110, "ipam": IPAMS["host-local"], "capabilities": {"ips": True}},
        {"type": "tuning", "sysctl": {"net.ipv4.conf.all.log_martians": "1"}},
        {"type": "bandwidth", "ingressRate": 1000, "ingressBurst": 2000},
    ],
}
VLAN = {"cniVersion": "1.0.0", "name": "odd", "type": "vlan", "master": "ens7", "vlanId": 110, "ipam": IPAMS["static"]}
DEVICE = {
    "cniVersion": "1.0.0",
    "name": "odd",
    "type": "host-device",
    "pciBusID": "0000:00:05.0",
    "ipam": IPAMS["dhcp"],
}
DOCUMENTS = [*SINGLE.values(), LIST, VLAN, DEVICE]
ODD = [None, [], [[]], [None], 7, -1, 2**70, 1.5, True, {}, {"type": "host-local"}, "", "x", "10.1.1.1", "10.1.1.1/24"]


def paths(value, path=()):
    """Every path of a document, its root too."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from paths(below, (*path, key))


def replaced(document, path, value):
    if not path:
        return value
    made = copy.deepcopy(document)
    holder = made
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return made


@st.composite
def mutants(draw, documents):
    """A document with one or two of its values replaced, or one of its objects put into a list."""
    document = draw(st.sampled_from(documents))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(paths(document))))
        value = draw(st.sampled_from([*ODD, "itself in a list", "its text"]))
        if isinstance(value, str) and value.startswith("it"):
            own = document
            for key in path:
                own = own[key]
            value = [own] if value == "itself in a list" else str(own)
        document = replaced(document, path, value)
    return document


def read_all(config):
    """All that the parser tells of a configuration."""
    found = configuration.read(config)
    for plugin in found.plugins:
        assert isinstance(plugin.type, str)
        assert plugin.master is None or isinstance(plugin.master, str)
    for ipam in found.addresses:
        slice_length(ipam)
        networks(ipam)
        for one in (*ranges_of(ipam), *fixed_of(ipam)):
            span = one.span
            assert one.size == sum(part.last - part.first + 1 for part in one.handed_out)
            assert all(span.first <= part.first <= part.last <= span.last for part in one.handed_out)
        handed_out(ipam)
    return found


def run_everything(site):
    """What commands make of a site."""
    old = parse_site(lab_site(), source="old")
    mermaid.mermaid(cards.diagram(site))
    list(differences(old, site)), list(differences(site, old)), list(differences(None, site))
    live = [
        Taken("default/odd", "10.1.30.5", "default/p", "node1"),
        Taken("default/macvlan-internal", "x", "default/p", "node1"),
    ]
    plan(site, live), outside(site, live)
    expected(site), requirements_of(site, {}), throughput.plan(site, [])
    content.addresses(site, {}), address_management(site)
    [nics_in_use(site, node) for node in site.nodes.hosts]
    check_site(site, file="stacks/Pulumi.lab.yaml")


def with_raw(config):
    data = lab_site()
    data["networks"]["odd"] = {"type": "raw", "config": config}
    data["workloads"]["samplepod"]["networks"] = [*data["workloads"]["samplepod"]["networks"], "odd"]
    return data


def nad(config):
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {
            "name": "odd",
            "namespace": "default",
            "annotations": {"k8s.v1.cni.cncf.io/resourceName": "intel.com/x"},
        },
        "spec": {"config": config if isinstance(config, str) else json.dumps(config)},
    }


@pytest.mark.parametrize(
    "ipam",
    [
        {"type": "host-local", "ranges": [RANGE]},
        {"type": "host-local", "ranges": {"subnet": "10.1.30.0/24"}},
        {"type": "whereabouts", "ipRanges": "x"},
        {"type": "whereabouts", "ipRanges": ["x", None]},
        {"type": "whereabouts", "range": "10.1.30.0/24", "gateway": 7},
        {"type": "static", "addresses": ["10.1.1.1/24"]},
        {"type": "static", "addresses": [None]},
        ["host-local"],
    ],
)
def test_ranges_of_the_wrong_shape_in_every_command(ipam):
    config = {**SINGLE["host-local"], "ipam": ipam}
    run_everything(parse_site(with_raw(config), source="x"))
    adopted = Adopted("dallas")
    adopted.add([nad(config)])
    assert list(adopted.networks) == ["odd"]
    assert adopted.networks["odd"]["type"] == "raw"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.get("ipam", {}).get("type", "list")))
def test_any_one_value_of_another_type_is_read_past(document):
    for path in paths(document):
        for value in ODD:
            read_all(replaced(document, path, value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), datetime.date(2026, 1, 1), {1, 2}, b"x", {1: 2, "a": 3}])
def test_a_value_that_json_does_not_have_is_a_mistake_of_the_site(value):
    with pytest.raises(SiteError, match=r"networks.odd.*not JSON"):
        parse_site(with_raw({**SINGLE["static"], "odd": value}), source="x")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutants(DOCUMENTS))
def test_a_site_with_any_configuration_word_for_word(config):
    read_all(config)
    try:
        site = parse_site(with_raw(config), source="x")
    except SiteError:
        assert not isinstance(config, dict)
        return
    run_everything(site)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutants(DOCUMENTS))
def test_policies_of_any_configuration(config):
    resource = Resource("kubernetes:k8s.cni.cncf.io/v1:NetworkAttachmentDefinition", "odd", nad(config))
    list(policies.on_management(resource, {"interfaces": ["eth0"]}))
    list(policies.in_forbidden_ranges(resource, {"ranges": ["10.0.0.0/8", "fd00::/8"]}))
    list(policies.host_local_across_nodes([resource], {}))


NODE = {
    "kind": "Node",
    "metadata": {"name": "node1", "labels": {"node-role.kubernetes.io/control-plane": ""}},
    "spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]},
    "status": {"addresses": [{"type": "InternalIP", "address": "10.1.1.5"}], "nodeInfo": {"architecture": "amd64"}},
}


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        mutants(DOCUMENTS).map(nad), mutants([nad(SINGLE["host-local"]), NODE, {"kind": "List", "items": [NODE]}])
    )
)
def test_adopting_any_object(manifest):
    adopted = Adopted("dallas")
    adopted.add([manifest])
    text = adopted.stack_file()
    if adopted.hosts:
        assert all("address" in host for host in adopted.hosts.values())
    if adopted.networks and adopted.hosts:
        host = "        node1: {address: 10.1.1.5, hostKey: "
        assert text.count(host) <= 1


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(mutants(DOCUMENTS).map(nad), mutants([nad(LIST)])), min_size=1, max_size=3))
def test_what_is_adopted_is_a_site(manifests):
    """The networks that adopt writes are accepted, and every command works on them."""
    adopted = Adopted("lab")
    adopted.add(manifests)
    data = lab_site()
    data["networks"] |= adopted.networks
    run_everything(parse_site(data, source="x"))
    with pytest.raises(SiteError, match="hosts"):
        parse_stack_text(adopted.stack_file(), source="x")
