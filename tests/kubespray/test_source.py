"""Where Kubespray comes from: what is pinned is what runs, and anything else is said. Real git, tarballs and HTTP, all on this machine."""

import functools
import hashlib
import http.server
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from multus_site.kubespray import source
from multus_site.kubespray.document import KubesprayError, Origin
from multus_site.model.kubespray_releases import RELEASES

VERSION = "v2.31.0"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("KUBESPRAY_SOURCE", "KUBESPRAY_STANDIN", "OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MULTUS_SITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checkout(folder: Path, release: str | None = "2.31.0") -> Path:
    folder.mkdir()
    for name in ("cluster.yml", "requirements.txt", "ansible.cfg"):
        (folder / name).write_text(name)
    if release:
        (folder / "galaxy.yml").write_text(f"---\nname: kubespray\nversion: {release}\n")
    return folder


def tarball(folder: Path, *, top: str = "kubespray-2.31.0", release: str = "2.31.0") -> tuple[Path, str]:
    made = folder / "kubespray.tar.gz"
    with tarfile.open(made, "w:gz") as tar:
        tar.add(checkout(folder / f"tree-{release}", release), top)
    return made, hashlib.sha256(made.read_bytes()).hexdigest()


def git(*arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def tagged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A repository whose tag v2.31.0 is pinned; its commit."""
    work = checkout(folder / "work")
    git("init", "-q", str(work))
    git("-C", str(work), "add", ".")
    git("-C", str(work), "commit", "-qm", "one")
    git("-C", str(work), "tag", VERSION)
    monkeypatch.setattr(source, "REPOSITORY", f"file://{work}")
    commit = git("-C", str(work), "rev-parse", "HEAD")
    monkeypatch.setitem(RELEASES, VERSION, replace(RELEASES[VERSION], commit=commit))
    return commit


@pytest.fixture
def served(folder: Path) -> Iterator[str]:
    """The folder by HTTP; its address."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_tag_whose_commit_is_pinned(tagged: str) -> None:
    assert source.at_hand(VERSION, Origin()) is None
    found = source.find(VERSION, Origin())
    assert (found.folder / "cluster.yml").exists()
    assert found.description == f"Kubespray {VERSION}, commit {tagged[:12]}"
    assert source.at_hand(VERSION, Origin()) == found


def test_a_tag_that_was_moved_stops_everything(tagged: str, folder: Path) -> None:
    work = str(folder / "work")
    git("-C", work, "commit", "-qm", "two", "--allow-empty")
    git("-C", work, "tag", "-f", VERSION)
    with pytest.raises(KubesprayError, match=f"but {tagged} is pinned. Someone moved the tag"):
        source.find(VERSION, Origin())
    assert not list((folder / "cache/kubespray").glob("*/cluster.yml"))


def test_the_site_pins_a_commit_itself(tagged: str, folder: Path) -> None:
    git("-C", str(folder / "work"), "tag", "v2.32.0")
    assert "v2.32.0 is not pinned" in source.check_origin("v2.32.0", Origin())[0]
    with pytest.raises(KubesprayError, match=r"set kubespray\.commit to the output of `git ls-remote"):
        source.find("v2.32.0", Origin())
    assert source.check_origin("v2.32.0", Origin(commit=tagged)) == []
    assert (source.find("v2.32.0", Origin(commit=tagged)).folder / "cluster.yml").exists()
    with pytest.raises(KubesprayError, match="but " + "0" * 40 + " is pinned"):
        source.find("v2.32.0", Origin(commit="0" * 40))


def test_offline_and_unreachable_say_what_else_there_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "REPOSITORY", f"file://{folder}/none")
    with pytest.raises(KubesprayError, match=r"does not .*exist.*kubespray\.archive"):
        source.find(VERSION, Origin())
    monkeypatch.setenv("OFFLINE", "1")
    with pytest.raises(KubesprayError, match="OFFLINE is set"):
        source.find(VERSION, Origin())


def test_a_checkout(folder: Path) -> None:
    checkout(folder / "kubespray")
    found = source.find(VERSION, Origin(path="kubespray"))
    assert found.folder == folder / "kubespray"
    assert source.at_hand(VERSION, Origin(path="kubespray")) == found


def test_a_checkout_of_another_release_is_refused(folder: Path) -> None:
    checkout(folder / "kubespray", "2.30.0")
    with pytest.raises(
        KubesprayError, match=r"is Kubespray v2.30.0, but kubespray.version is v2.31.0. Check out the tag"
    ):
        source.find(VERSION, Origin(path="kubespray"))


def test_what_is_no_kubespray_is_refused(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(KubesprayError, match=r"kubespray\.path: .*/empty is not Kubespray: it has no cluster.yml"):
        source.find(VERSION, Origin(path="empty"))


@pytest.mark.parametrize("top", ["kubespray-2.31.0", "."])
def test_a_tarball_by_path(folder: Path, top: str) -> None:
    made, sha256 = tarball(folder, top=top)
    origin = Origin(archive=made.name, sha256=sha256)
    assert source.at_hand(VERSION, origin) is None
    found = source.find(VERSION, origin)
    assert (found.folder / "requirements.txt").read_text() == "requirements.txt"
    made.unlink()  # once unpacked, it is not asked for again
    assert source.find(VERSION, origin) == found


def test_a_tarball_by_http(folder: Path, served: str) -> None:
    made, sha256 = tarball(folder)
    found = source.find(VERSION, Origin(archive=f"{served}/{made.name}", sha256=sha256))
    assert (found.folder / "cluster.yml").exists()
    with pytest.raises(KubesprayError, match=f"{served}/none: HTTP Error 404"):
        source.find(VERSION, Origin(archive=f"{served}/none", sha256="0" * 64))


def test_a_tarball_with_another_sum_is_refused_and_leaves_nothing(folder: Path) -> None:
    made, sha256 = tarball(folder)
    with pytest.raises(KubesprayError, match=f"has sha256 {sha256}, but the site sets {'0' * 64}"):
        source.find(VERSION, Origin(archive=made.name, sha256="0" * 64))
    assert [path.name for path in (folder / "cache/kubespray").iterdir()] == ["archive-0000000000000000.lock"]


def test_a_tarball_of_another_release_is_refused(folder: Path) -> None:
    made, sha256 = tarball(folder, release="2.30.0")
    with pytest.raises(KubesprayError, match=r"is Kubespray v2\.30\.0"):
        source.find(VERSION, Origin(archive=made.name, sha256=sha256))


def test_what_is_no_tarball_is_said(folder: Path) -> None:
    (folder / "x.tgz").write_text("no tar")
    sha256 = hashlib.sha256(b"no tar").hexdigest()
    with pytest.raises(KubesprayError, match=r"kubespray.archive: x.tgz: "):
        source.find(VERSION, Origin(archive="x.tgz", sha256=sha256))
    with pytest.raises(KubesprayError, match=r"kubespray.archive: y.tgz: .*No such file"):
        source.find(VERSION, Origin(archive="y.tgz", sha256=sha256))


def test_a_person_s_checkout_wins_and_says_that_it_is_another_release(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBESPRAY_SOURCE", str(checkout(folder / "mine", "2.32.0")))
    found = source.find(VERSION, Origin(path="elsewhere"))
    assert found.folder == folder / "mine"
    assert "it is v2.32.0, but the site sets v2.31.0" in found.description


def test_a_stand_in_is_taken_only_where_the_site_names_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBESPRAY_STANDIN", str(checkout(folder / "standin", None)))
    found = source.find(VERSION, Origin())
    assert (found.real, found.description.startswith("a stand-in for Kubespray v2.31.0")) == (False, True)
    assert source.at_hand(VERSION, Origin()) is None
    checkout(folder / "mine")
    assert source.find(VERSION, Origin(path="mine")).real
