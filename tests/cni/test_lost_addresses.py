"""Which Multus loses addresses, in which arrangement."""

import json

import pytest

from multus_site.cni.lost_addresses import release_in, why_addresses_are_lost
from multus_site.render import multus

CALICO = '{"name": "cni0", "cniVersion": "0.3.1", "plugins": [{"type": "calico", "ipam": {"type": "calico-ipam"}}]}'
PATH = json.dumps({"type": "multus-shim", "clusterNetwork": "/host/etc/cni/net.d/10-calico.conflist"})


def said(release):
    """As its shim says it; a build without a stamp says no release."""
    return f"multus-shim: version:{release}(clean,released), commit:abc, date:2026-01-01T00:00:00Z"


@pytest.mark.parametrize("release", ["v4.2.1", "v4.2.4", "4.3.0", "master@git"])
def test_a_list_by_its_path_loses_addresses(release):
    assert "10-calico.conflist" in why_addresses_are_lost(PATH, said(release), CALICO)


@pytest.mark.parametrize("release", ["v4.1.4", "v4.2.0", "v4.3.1", "v4.4.0"])
def test_other_releases_do_not(release):
    assert why_addresses_are_lost(PATH, said(release), CALICO) == ""


@pytest.mark.parametrize(
    "conf",
    [
        {**multus.node_config()},
        {"clusterNetwork": "cni0", "confDir": "/host/etc/cni/net.d"},
        {"clusterNetwork": "/host/etc/cni/net.d/10-kuberouter.conf"},
        {"delegates": [json.loads(CALICO)]},
    ],
)
def test_other_arrangements_do_not(conf):
    assert why_addresses_are_lost(json.dumps(conf), said("v4.3.0"), CALICO) == ""


def test_a_list_without_its_version_loses_addresses_whatever_it_is_called_by():
    bare = CALICO.replace('"cniVersion": "0.3.1", ', "")
    conf = json.dumps(multus.node_config())
    assert "without cniVersion" in why_addresses_are_lost(conf, said("v4.1.0"), bare)
    assert why_addresses_are_lost(conf, said("v4.3.1"), bare) == ""
    thin = json.dumps({"delegates": [json.loads(bare)]})
    assert "without cniVersion" in why_addresses_are_lost(thin, said("v4.1.0"), CALICO)
    assert why_addresses_are_lost(conf, said("v4.1.0"), '{"name": "n", "type": "bridge"}') == ""


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"clusterNetwork": 3, "delegates": "x"}'])
def test_what_is_no_configuration_says_nothing(text):
    assert why_addresses_are_lost(text, said("v4.3.0"), text) == ""


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("ghcr.io/k8snetworkplumbingwg/multus-cni:v4.2.3-thick", (4, 2, 3)),
        ("registry:5000/multus-cni:4.3.0", (4, 3, 0)),
        ("10.1.1.1:5000/multus-cni:snapshot-thick", None),
        ("multus-shim: version:master@git(), commit:unknown commit", None),
    ],
)
def test_a_release_is_read_from_a_tag_or_from_the_shims_words(text, release):
    assert release_in(text) == release
