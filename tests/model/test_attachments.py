"""What an attachment's fixed addresses and its network's gateways have to do with each other."""

import pytest

from multus_site.model.load import SiteError, parse_site
from tests.graph.recording import lab_site

IMAGE = "docker.io/library/busybox:1.36"


def refused(ips, gateways, **keys):
    """The mistakes of a pod with these addresses on a network with these gateways."""
    data = lab_site()
    data["networks"]["bgp"] = {"type": "macvlan", "master": "ens6", "ipam": {"type": "static", "gateways": gateways}}
    attachment = {"name": "bgp", **({"ips": ips} if ips else {}), **keys}
    kind = {"kind": "StatefulSet", "replicas": 2} if "ipsByReplica" in keys else {}
    data["workloads"]["speaker"] = {"image": IMAGE, "networks": [attachment], **kind}
    try:
        parse_site(data, source="x")
    except SiteError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("ips", "gateways", "reached"),
    [
        (["10.9.9.5/24"], ["10.9.9.1"], True),
        (["10.9.8.5/24"], ["10.9.9.1"], False),
        (["10.9.8.5/16"], ["10.9.9.1"], True),
        (["10.9.8.5/24"], ["10.9.9.1", "10.9.8.1"], True),
        (["10.9.9.5/24", "10.255.0.1/32"], ["10.9.9.1"], True),
        (["10.9.9.5/24", "fd00::5/64"], ["10.9.9.1", "fe80::1"], True),
        (["10.9.9.5/24", "fd00::5/64"], ["10.9.9.1", "fd01::1"], False),
        (["fd00::5/64"], ["10.9.9.1"], True),
    ],
)
def test_a_gateway_is_within_reach_of_a_fixed_address(ips, gateways, reached):
    assert ("cannot reach" in refused(ips, gateways)) is not reached


def test_each_replica_by_itself():
    assert "10.9.8.5/24 cannot reach 10.9.9.1" in refused([], ["10.9.9.1"], ipsByReplica=["10.9.9.5/24", "10.9.8.5/24"])
    assert refused([], ["10.9.9.1"], ipsByReplica=["10.9.9.5/24", "10.9.9.6/24"]) == ""
