"""What a site needs, asked of the real Kubespray, the real APT and the real pip; each where it can be had."""

import importlib.metadata
import os
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from multus_site.kubespray import environment, source
from multus_site.kubespray.document import Origin
from multus_site.mirror import kubespray_list, packages, wheels
from multus_site.mirror.contents import Image, MirrorError, Wheel
from multus_site.mirror.planning import _digests, _of_manifests
from multus_site.mirror.upstream import Upstream
from multus_site.model.catalog import Catalog
from multus_site.model.load import parse_site
from multus_site.render import air_gap, images
from tests.graph.recording import lab_site

GAP = {"files": "http://192.0.2.9:8080", "registry": "http://192.0.2.9:5000"}


@pytest.fixture(scope="module")
def kubespray():
    """Source and Python of a real checkout."""
    if not os.environ.get("KUBESPRAY_SOURCE"):
        pytest.skip("the list is Kubespray's own: give a checkout of it, KUBESPRAY_SOURCE=/path")
    found = source.find("v2.31.0", Origin())
    return found, environment.ansible(found)


def of(kubespray, variables, architecture="amd64", system=None):
    return kubespray_list.listed(*kubespray, variables, architecture, system)


def test_what_is_enabled_with_sums_and_nothing_else(kubespray):
    calico = of(kubespray, {"kube_network_plugin": "calico"})
    names = {image.name.rpartition(":")[0] for image in calico.images}
    assert "quay.io/calico/node" in names
    assert "registry.k8s.io/kube-apiserver" in names
    assert not any("cilium" in name for name in names)
    assert all(file.sha256 for file in calico.files)
    assert {file.url.rsplit("/", 1)[1] for file in calico.files} >= {"kubelet", "runc.amd64", "calicoctl-linux-amd64"}
    assert calico.left_out > 30
    cilium = of(kubespray, {"kube_network_plugin": "cilium"})
    assert any("cilium" in image.name for image in cilium.images)


def test_each_architecture_has_its_own_files(kubespray):
    urls = {file.url for file in of(kubespray, {}, "arm64").files}
    assert any("linux/arm64/kubelet" in url for url in urls)
    assert not any("amd64" in url for url in urls)


def test_the_packages_of_a_system(kubespray):
    assert "mergerfs" in of(kubespray, {}, system="debian-12").packages
    assert "mergerfs" not in of(kubespray, {}, system="ubuntu-24.04").packages
    assert "nftables" in of(kubespray, {"kube_proxy_mode": "nftables"}, system="debian-12").packages
    assert of(kubespray, {}).packages == ()


@pytest.mark.parametrize("plugin", ["calico", "flannel", "cilium", "kube-ovn"])
def test_with_a_mirror_nothing_but_the_mirror_is_asked(kubespray, plugin):
    site = parse_site(lab_site(airGap=GAP), source="x")
    variables = air_gap.variables(site, site.air_gap)
    found = of(kubespray, {"kube_network_plugin": plugin, **variables})
    assert [file.url for file in found.files if not file.url.startswith(f"{GAP['files']}/")] == []
    # Images keep their names; containerd is told of the mirror for the registry of each, and of no other way.
    mirrored = {one["prefix"]: one for one in variables["containerd_registries_mirrors"]}
    assert {image.name.partition("/")[0] for image in found.images} <= set(mirrored)
    for one in mirrored.values():
        assert {one["server"], *(mirror["host"] for mirror in one["mirrors"])} == {GAP["registry"]}


def test_the_checkout_stays_as_it_is(kubespray):
    folder = kubespray[0].folder
    before = sorted(folder.rglob("*"))
    of(kubespray, {})
    assert sorted(folder.rglob("*")) == before


def test_a_mistake_in_a_variable_is_told(kubespray):
    with pytest.raises(MirrorError, match="could not list its downloads"):
        of(kubespray, {"kube_version": "0.0.1"})


def test_a_folder_that_is_no_kubespray():
    with pytest.raises(MirrorError, match="so it cannot list what it downloads"):
        kubespray_list.listed(source.Source(Path("/nonexistent"), ""), Path("/usr/bin/python3"), {}, "amd64", None)


def test_images_of_the_sites_own_pods():
    site = parse_site(lab_site(throughput={}), source="x")
    assert set(images.images(site)) == {
        "ghcr.io/k8snetworkplumbingwg/multus-cni:v4.3.0-thick",
        "docker.io/library/busybox:1.36",
        "docker.io/nicolaka/netshoot:v0.13",
    }


def test_images_of_a_network_plugin_that_the_site_brings():
    found = dict(_of_manifests({"custom_cni_manifests": [str(Path(__file__).parents[2] / "lab" / "flannel.yml")]}))
    assert [image.partition(":")[0] for image in found.values()] == ["docker.io/flannel/flannel"]


def test_digests_come_from_the_name_then_the_catalogue_then_the_registry(upstream):
    pinned = f"quay.io/a/b:1@sha256:{'1' * 64}"
    known = "docker.io/library/known:1"
    catalog = Catalog.model_validate({"images": {known: f"sha256:{'2' * 64}"}})
    asked = [Image(name, None, "x") for name in (pinned, known, "docker.io/library/busybox:1.36")]
    found, notes = _digests([*asked, *asked], catalog, upstream)
    assert [image.name for image in found] == [image.name for image in asked]
    assert [image.digest for image in found][:2] == [f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"]
    assert found[2].digest == upstream.digest("docker.io/library/busybox:1.36")
    assert notes == []


def test_a_registry_that_cannot_be_asked_is_a_note_and_asked_once():
    asked = [Image(f"docker.io/library/x:{i}", None, "x") for i in range(3)]
    with Upstream(registry="http://127.0.0.1:9") as nobody:
        found, notes = _digests(asked, Catalog(), nobody)
    assert [image.digest for image in found] == [None] * 3
    assert len(notes) == 1
    assert notes[0].startswith("3 images of docker.io without a digest: ")


@pytest.fixture(scope="module")
def netbase():
    try:
        urllib.request.urlopen("http://deb.debian.org/debian/dists/bookworm/InRelease", timeout=5).close()
    except (urllib.error.URLError, OSError):
        pytest.skip("Debian's archive cannot be reached")
    try:
        return packages.resolved("debian-12", "amd64", ["netbase", "libseccomp2"])
    except MirrorError as error:
        if "keyring" in str(error) or "no apt-get" in str(error):
            pytest.skip(str(error))
        raise


def test_packages_with_all_that_they_need(netbase):
    names = [package.name for package in netbase]
    assert {"netbase", "libseccomp2", "libc6"} <= set(names)
    assert names == sorted(names)
    assert all(len(package.sha256) == 64 and package.size for package in netbase)


def test_a_package_that_is_not_there_is_told(netbase):  # noqa: ARG001 # skips where APT can't work
    with pytest.raises(MirrorError, match="Unable to locate package no-such-package"):
        packages.resolved("debian-12", "amd64", ["no-such-package"])


def test_wheels_with_sums_and_the_page_of_them(tmp_path):
    (tmp_path / "requirements.txt").write_text("jmespath==1.1.0\n")
    try:
        found = wheels.of_file(tmp_path / "requirements.txt", Path(os.sys.executable), "a test")
    except MirrorError as error:
        pytest.skip(f"no package index: {error}")
    assert [wheel.name for wheel in found] == ["jmespath-1.1.0-py3-none-any.whl"]
    page = wheels.page([*found, Wheel("https://x/a+b-1.whl", "0" * 64, "x")])
    assert f'<a href="jmespath-1.1.0-py3-none-any.whl#sha256={found[0].sha256}">' in page


def test_wheels_of_this_program_in_the_versions_installed_here():
    try:
        found = {wheel.name for wheel in wheels.of_this_program("this program")}
    except MirrorError as error:
        pytest.skip(f"no package index: {error}")
    for name in ("pulumi", "kr8s", "hatchling"):  # of an extra, of another extra, what builds a checkout
        assert any(file.startswith(f"{name}-{importlib.metadata.version(name)}-") for file in found)
    assert not any(file.startswith(("pytest", "mypy", "multus")) for file in found)
