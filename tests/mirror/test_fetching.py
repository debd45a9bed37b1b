"""Filling a folder from a real web server and registry: whole, once, gone on with, and held to digests."""

import dataclasses
import hashlib
import json
import tarfile

import pytest

from multus_site.mirror import registry
from multus_site.mirror.contents import Contents, File, MirrorError
from multus_site.mirror.fetching import fetch, playbooks_path, sums, verify
from multus_site.mirror.upstream import Name, Upstream
from tests.mirror.conftest import BUSYBOX, CALICO, CONTENT, FILE, MULTUS, contents, sha256

PATH = FILE.removeprefix("https://")


def quiet(_):
    """Says nothing."""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mirror"


@pytest.fixture
def fill(folder, playbooks, upstream):
    def run(wanted):
        return fetch(wanted, playbooks, folder, upstream, quiet)

    return run


def test_all_of_it_gets_there_and_holds(fill, folder, upstream_folder):
    assert fill(contents()) == []
    assert (folder / "files" / PATH).read_bytes() == CONTENT
    there = registry.names(upstream_folder / "registry")
    assert registry.names(folder / "registry") == {name: there[name] for name in (BUSYBOX, MULTUS)}
    assert verify(folder) == (contents(), [])
    assert not list(folder.rglob(".*.part"))
    assert not list(folder.rglob(".*.new"))


def test_run_again_it_asks_for_nothing(fill, servers, folder):
    digests = {name: registry.names(servers.folder / "registry")[name] for name in (BUSYBOX, MULTUS)}
    fill(contents(digests=digests))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    servers.asked.clear()
    assert fill(contents(digests=digests)) == []
    assert servers.asked == []
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_file_that_was_cut_off_goes_on_where_it_ended(fill, servers, folder):
    servers.cut_after = 1_000_000
    assert fill(contents(images=())) == []
    assert (folder / "files" / PATH).read_bytes() == CONTENT
    assert [asked for asked in servers.asked if PATH in asked[0]] == [
        (f"/{PATH}", None),
        (f"/{PATH}", "bytes=1000000-"),
    ]


def test_what_an_earlier_run_left_half_is_gone_on_with(fill, servers, folder):
    part = folder / "files" / PATH
    part.parent.mkdir(parents=True)
    part.with_name(f".kubectl.{sha256(CONTENT)[:12]}.part").write_bytes(CONTENT[:1234])
    assert fill(contents(images=())) == []
    assert part.read_bytes() == CONTENT
    assert (f"/{PATH}", "bytes=1234-") in servers.asked


def test_a_half_that_is_damaged_is_thrown_away(fill, folder):
    part = folder / "files" / PATH
    part.parent.mkdir(parents=True)
    part.with_name(f".kubectl.{sha256(CONTENT)[:12]}.part").write_bytes(b"damaged")
    [failure] = fill(contents(images=()))
    assert "is pinned" in failure
    assert fill(contents(images=())) == []


def test_a_file_that_is_not_as_pinned_is_not_kept(fill, folder):
    wrong = contents(images=(), files=(File(FILE, "0" * 64, "a test"),))
    [failure] = fill(wrong)
    assert sha256(CONTENT) in failure
    assert "0" * 64 in failure
    assert not (folder / "files" / PATH).exists()
    assert f"files/{PATH}: is missing" in verify(folder)[1]


def test_a_sum_that_nobody_published_is_that_of_the_first_fetch(fill, folder, upstream_folder):
    unpinned = contents(images=(), files=(File(FILE, None, "a test"),))
    assert fill(unpinned) == []
    assert sums(folder)[PATH] == sha256(CONTENT)
    (folder / "files" / PATH).unlink()
    (upstream_folder / "files" / PATH).write_bytes(b"another by now")
    [failure] = fill(unpinned)
    assert f"but {sha256(CONTENT)} is pinned" in failure


def test_what_is_missing_or_damaged_is_told_and_mended(fill, folder):
    fill(contents())
    (folder / "files" / PATH).write_bytes(b"damaged")
    digest = registry.names(folder / "registry")[BUSYBOX]
    manifest = json.loads(registry.blob(folder / "registry", digest).read_text())
    layer = manifest["layers"][0]["digest"]
    registry.blob(folder / "registry", layer).write_bytes(b"damaged")
    (folder / "files" / playbooks_path(contents())).unlink()
    wrong = verify(folder)[1]
    assert sorted(line.partition(": ")[0] for line in wrong) == [
        BUSYBOX,
        f"files/{PATH}",
        "files/kubespray/kubespray-v2.31.0.tar.gz",
    ]
    assert any(layer in line for line in wrong)
    assert fill(contents()) == []
    assert verify(folder)[1] == []


def test_every_failure_is_told_and_the_rest_is_there(fill, folder):
    absent = "https://dl.k8s.io/absent"
    wanted = contents(
        images=("docker.io/library/absent:1", BUSYBOX),
        files=(File(absent, "0" * 64, "a test"), *contents().files),
    )
    failures = fill(wanted)
    assert len(failures) == 2
    assert all("404" in failure and "absent" in failure for failure in failures)
    assert (folder / "files" / PATH).exists()
    assert set(registry.names(folder / "registry")) == {BUSYBOX}


def test_of_an_index_the_platforms_of_the_site_under_the_digest_of_all(fill, folder, upstream_folder):
    there = registry.names(upstream_folder / "registry")
    assert fill(contents(images=(CALICO,), architectures=("arm64",))) == []
    here = folder / "registry"
    assert registry.names(here) == {CALICO: there[CALICO]}
    assert registry.blob(here, there["example/arm64:1"]).exists()
    assert not registry.blob(here, there["example/amd64:1"]).exists()
    assert not registry.blob(here, there["example/unknown:1"]).exists()
    assert verify(folder)[1] == []
    # A site that has got a node of the other kind since.
    assert fill(contents(images=(CALICO,), architectures=("amd64", "arm64"))) == []
    assert registry.blob(here, there["example/amd64:1"]).exists()
    assert verify(folder)[1] == []


def test_a_platform_that_an_image_does_not_have(fill):
    [failure] = fill(contents(images=("quay.io/calico/old:1",), architectures=("amd64", "arm64")))
    assert "no image for linux/arm64, the platform of some nodes of the site" in failure


def test_a_name_with_a_digest_is_that_digest(fill, folder, upstream_folder):
    digest = registry.names(upstream_folder / "registry")[CALICO]
    pinned = f"{CALICO}@{digest}"
    assert fill(contents(images=(pinned,), digests={pinned: digest})) == []
    assert registry.names(folder / "registry") == {CALICO: digest}
    wrong = f"{CALICO}@sha256:{'0' * 64}"
    assert len(fill(contents(images=(wrong,), digests={wrong: f"sha256:{'0' * 64}"}))) == 1


def test_kubespray_is_packed_the_same_each_time_and_without_its_history(fill, folder):
    fill(contents(images=()))
    archive = folder / "files" / "kubespray" / "kubespray-v2.31.0.tar.gz"
    first = hashlib.sha256(archive.read_bytes()).hexdigest()
    with tarfile.open(archive) as tar:
        assert tar.getnames() == ["kubespray-2.31.0/cluster.yml"]
    fill(contents(images=()))
    assert (
        hashlib.sha256(archive.read_bytes()).hexdigest() == first == sums(folder)["kubespray/kubespray-v2.31.0.tar.gz"]
    )


def test_a_folder_that_is_none_is_told(tmp_path):
    with pytest.raises(MirrorError, match=r"is not a mirror: .* To fill one, type: multus-site mirror fetch"):
        verify(tmp_path)


def test_contents_come_back_as_they_went():
    wanted = contents(notes=("a note",), os="debian-12")
    assert Contents.from_json(wanted.as_json()) == wanted
    assert dataclasses.asdict(Contents.from_json(wanted.as_json())) == dataclasses.asdict(wanted)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (BUSYBOX, Name("docker.io", "library/busybox", "1.36")),
        ("localhost:5000/a/b:1", Name("localhost:5000", "a/b", "1")),
        (f"quay.io/a/b:1@sha256:{'0' * 64}", Name("quay.io", "a/b", f"sha256:{'0' * 64}")),
        (f"quay.io/a@sha256:{'0' * 64}", Name("quay.io", "a", f"sha256:{'0' * 64}")),
    ],
)
def test_names_of_images(text, name):
    assert Name.parse(text) == name


def test_without_another_mirror_everything_is_where_it_says():
    with Upstream() as direct:
        assert direct.address(FILE) == FILE
        assert direct._registry_url(Name.parse(BUSYBOX), "manifests/1.36") == (
            "https://registry-1.docker.io/v2/library/busybox/manifests/1.36"
        )
        assert direct._registry_url(Name.parse(MULTUS), "blobs/x").startswith(
            "https://ghcr.io/v2/k8snetworkplumbingwg/"
        )
