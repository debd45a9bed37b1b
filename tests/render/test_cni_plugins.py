"""Where plugins come from: the catalogue, the site's own archives and binaries, the Go module, Calico."""

import pytest

from multus_site.model.catalog import Catalog
from multus_site.model.load import SiteError, parse_site
from multus_site.render.cni_plugins import Origin, lines, origins
from tests.graph.recording import lab_site

SHA = {letter: letter * 64 for letter in "abcdef"}
SUM = "h1:" + "A" * 43 + "="
CATALOG = Catalog.model_validate(
    {
        "cniArchives": {"1.9.1": {"amd64": {"url": "https://example.org/cni.tgz", "sha256": SHA["a"]}}},
        "cniModules": {"1.9.1": SUM},
    }
)
FLANNEL = {"kube_network_plugin": "flannel"}


def site(cni_plugins, variables=FLANNEL, arm64=False):
    data = lab_site(cniPlugins=cni_plugins, kubespray={"variables": variables})
    if arm64:
        data["nodes"]["hosts"]["node3"]["architecture"] = "arm64"
    return parse_site(data, source="x")


def of(cni_plugins, architecture="amd64", **other):
    return origins(site(cni_plugins, **other), CATALOG, architecture)


def test_the_release_by_the_catalogue():
    assert of({}) == [
        Origin("host-local", "url", "https://example.org/cni.tgz", SHA["a"], "host-local"),
        Origin("macvlan", "url", "https://example.org/cni.tgz", SHA["a"], "macvlan"),
    ]


def test_an_archive_of_the_sites_own_for_each_architecture():
    archives = {"amd64": {"path": "cni.tgz", "sha256": SHA["b"]}, "arm64": {"url": "http://m/cni", "sha256": SHA["c"]}}
    plugins = {"plugins": ["macvlan"], "source": {"type": "release", "archives": archives}}
    assert of(plugins, arm64=True) == [Origin("macvlan", "path", "cni.tgz", SHA["b"], "macvlan")]
    assert of(plugins, "arm64", arm64=True) == [Origin("macvlan", "url", "http://m/cni", SHA["c"], "macvlan")]


def test_third_party_binaries_come_besides_and_go_first():
    bond = {"name": "bond", "url": "http://m/bond.tgz", "sha256": SHA["d"], "member": "bin/bond"}
    own = {"name": "macvlan", "path": "build/macvlan", "sha256": SHA["e"]}
    assert of({"binaries": [bond, own]}) == [
        Origin("bond", "url", "http://m/bond.tgz", SHA["d"], "bin/bond"),
        Origin("host-local", "url", "https://example.org/cni.tgz", SHA["a"], "host-local"),
        Origin("macvlan", "path", "build/macvlan", SHA["e"], ""),
    ]


def test_built_from_the_module_by_the_catalogues_hash_or_the_sites():
    assert of({"plugins": ["macvlan"], "source": {"type": "go"}}) == [Origin("macvlan", "go", "1.9.1", SUM)]
    other = SUM.replace("A", "B")
    assert of({"plugins": ["vlan"], "version": "1.8.0", "source": {"type": "go", "sum": other}}) == [
        Origin("vlan", "go", "1.8.0", other)
    ]


CALICO_3_29 = {"calico_version": "3.29.7"}


@pytest.mark.parametrize(
    ("variables", "release", "calicos"),
    [
        ({}, None, False),
        ({"calico_version": "v3.31.5"}, None, False),
        ({"calico_version": "3.30.0"}, "v2.28.1", False),
        ({"calico_version": "{{ my_calico }}"}, None, False),
        (CALICO_3_29, None, True),
        ({"calico_version": "v3.9.1"}, None, True),
        ({}, "v2.28.1", True),
        ({}, "v2.29.0", False),
        ({}, "v2.32.0", False),
        ({**FLANNEL, **CALICO_3_29}, None, False),
    ],
)
def test_bandwidth_is_calicos_before_3_30(variables, release, calicos):
    """projectcalico/calico: CN_FILES of cni-plugin/Makefile has bandwidth at v3.29.7 and lacks it at v3.30.0."""
    named = {"version": release, "commit": "a" * 40} if release else {}
    data = lab_site(cniPlugins={"plugins": ["bandwidth"]}, kubespray={**named, "variables": variables})
    (found,) = origins(parse_site(data, source="x"), CATALOG, "amd64")
    assert (found.kind == "calico") is calicos


def test_a_bandwidth_of_the_sites_own_is_refused_where_calico_installs_it():
    own = {"binaries": [{"name": "bandwidth", "path": "x", "sha256": SHA["a"]}]}
    assert [origin.kind for origin in of(own, variables={}) if origin.name == "bandwidth"] == ["path"]
    with pytest.raises(SiteError, match="Calico installs its own bandwidth"):
        site(own, variables=CALICO_3_29)


def test_calicos_names_are_left_to_calico_which_is_kubesprays_default():
    names = ["bandwidth", "flannel", "host-local", "loopback", "macvlan", "portmap", "tuning"]
    for variables in (CALICO_3_29, {**CALICO_3_29, "kube_network_plugin": "calico"}):
        found = of({"plugins": names}, variables=variables)
        assert [origin.name for origin in found if origin.kind != "calico"] == ["macvlan"]
    names.remove("flannel")
    assert {origin.kind for origin in of({"plugins": names}, variables=FLANNEL)} == {"url"}


def test_what_cannot_be_had_is_told_at_once():
    with pytest.raises(LookupError) as error:
        of({"version": "1.8.0"})
    assert [line.split(" for ")[0] for line in str(error.value.args[0]).splitlines()] == [
        "cniPlugins: the catalogue has no CNI plugin host-local 1.8.0",
        "cniPlugins: the catalogue has no CNI plugin macvlan 1.8.0",
    ]
    with pytest.raises(
        LookupError, match=r"has no hash of .* v1\.8\.0 \(it has: 1\.9\.1\); give cniPlugins\.source\.sum"
    ):
        of({"version": "1.8.0", "source": {"type": "go"}})


def test_a_plugin_of_another_project_needs_its_binary_named():
    sriov = {"plugins": ["sriov"]}
    for source in ({}, {"source": {"type": "go"}}):
        with pytest.raises(LookupError) as error:
            of({**sriov, **source})
        assert error.value.args[0] == (
            "cniPlugins: sriov is in no release of containernetworking/plugins; "
            "say where its binary for amd64 is: cniPlugins.binaries: [{name: sriov, path: build/sriov, sha256: …}]"
        )
    named = {"binaries": [{"name": "sriov", "path": "build/sriov", "sha256": SHA["a"]}]}
    assert of({**sriov, **named}) == [Origin("sriov", "path", "build/sriov", SHA["a"])]


def test_what_the_script_is_told():
    many = [
        Origin("bond", "path", "build/bond", SHA["a"]),
        Origin("host-local", "calico"),
        Origin("macvlan", "url", "http://m/cni.tgz", SHA["b"], "macvlan"),
        Origin("vlan", "url", "http://m/vlan", SHA["c"]),
    ]
    assert lines(many, {"bond": SHA["d"]}).splitlines() == [
        f"bond {SHA['d']} delivered",
        "host-local - calico",
        f"macvlan {SHA['b']} http://m/cni.tgz macvlan",
        f"vlan {SHA['c']} http://m/vlan",
    ]


@pytest.mark.parametrize(
    ("binaries", "words"),
    [
        ([{"name": "bond", "sha256": SHA["a"]}], "cniPlugins.binaries[0]: none of url, path is set; give exactly one of url, path"),
        ([{"name": "bond", "sha256": SHA["a"], "url": "http://m", "path": "x"}], "cniPlugins.binaries[0]: url and path are set"),
        ([{"name": "bond", "url": "bond", "sha256": SHA["a"]}], "cniPlugins.binaries[0].url"),
        ([{"name": "../bond", "path": "x", "sha256": SHA["a"]}], "cniPlugins.binaries[0].name: '../bond' is not a plugin's name"),
        ([{"name": "bond", "path": "x", "sha256": "abc"}], "cniPlugins.binaries[0].sha256: 'abc' is not a SHA-256 sum"),
        ([{"name": "bond", "path": "x", "sha256": SHA["a"]}] * 2, "cniPlugins.binaries[1]: bond for amd64 is listed twice"),
        ([{"name": "bond", "path": "x", "sha256": SHA["a"]}], "bond has no binary for arm64, and the site has such nodes"),
        ([{"name": "tuning", "path": "x", "sha256": SHA["a"]}], "cniPlugins.binaries[0].name: Calico installs its own tuning"),
    ],
)  # fmt: skip
def test_mistakes(binaries, words):
    with pytest.raises(SiteError) as error:
        site({"binaries": binaries}, variables={}, arm64=True)
    assert words in str(error.value)
