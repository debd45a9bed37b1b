"""One address on two nodes: the rule for manifests, the rule for sites and the policy agree on each network."""

import json

import pytest

from multus_site.lint import check_site
from multus_site.model.load import parse_site
from policy import networks
from policy.resources import Resource
from tests.graph.recording import lab_site
from tests.policy.test_policies import HOSTS, ask, deployment

HOST_LOCAL = {"type": "host-local", "subnet": "10.1.10.0/24"}
RULE = "HOSTLOCAL_MULTINODE"

NETWORKS = [
    ({"type": "macvlan", "master": "ens6", "ipam": HOST_LOCAL}, True),
    ({"type": "ipvlan", "master": "ens6", "ipam": HOST_LOCAL}, True),
    ({"type": "bridge", "bridge": "br1", "ipam": HOST_LOCAL}, True),
    ({"type": "macvlan", "master": "ens6", "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.10.0/24"}]]}}, True),
    ({"plugins": [{"type": "macvlan", "master": "ens6", "ipam": HOST_LOCAL}, {"type": "tuning"}]}, True),
    # Nobody else is on the wire of these.
    ({"type": "dummy", "ipam": HOST_LOCAL}, False),
    ({"plugins": [{"type": "dummy", "ipam": HOST_LOCAL}, {"type": "tuning"}]}, False),
    # Which addresses it would give is not known; the rules on ranges say so.
    ({"type": "macvlan", "master": "ens6", "ipam": {"type": "host-local"}}, False),
    ({"type": "macvlan", "master": "ens6", "ipam": {"type": "static"}}, False),
    ({"type": "macvlan", "master": "ens6", "ipam": {"type": "whereabouts", "range": "10.1.10.0/24"}}, False),
]  # fmt: skip


def manifest(config):
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "internal", "namespace": "default"},
        "spec": {"config": json.dumps({"cniVersion": "1.0.0", "name": "internal", **config})},
    }


@pytest.mark.parametrize(("config", "bad"), NETWORKS)
def test_the_three_agree(config, bad, found):
    object_ = manifest(config)
    of_manifest = found(object_, {"nodes": 2})
    workload = {"image": "docker.io/library/busybox:1.36", "networks": ["internal"]}
    site = parse_site(
        lab_site(
            networks={"internal": {"type": "raw", "config": {"cniVersion": "1.0.0", **config}}},
            workloads={"w": workload},
        ),
        source="x",
    )
    of_site = [f.rule for f in check_site(site, file="x")]
    nad = Resource("kubernetes:k8s.cni.cncf.io/v1:NetworkAttachmentDefinition", "lab-internal", object_)
    of_policy = ask(networks.HOST_LOCAL, nad, deployment(annotation="internal"), *HOSTS)
    assert (RULE in of_manifest, RULE in of_site, bool(of_policy)) == (bad, bad, bad)
