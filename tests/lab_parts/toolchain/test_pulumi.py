"""Which pulumi and which providers are used, and from where."""

import hashlib
import io
import os
import re
import tarfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from lab.cache import LabError
from lab.reach import Reach
from lab.toolchain import Toolchain, download, pulumi
from lab.toolchain.go import Go

PROJECT = Path(__file__).parents[3]


def executable(path, text="#!/bin/sh\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v3.259.0", True),
        ("v3.272.0\n", True),
        ("3.300.1-dev.0", True),
        ("v3.258.9", False),
        ("v4.259.0", False),
        ("v2.300.0", False),
        ("", False),
    ],
)
def test_a_version_fits_from_the_pinned_minor_on(version, fits):
    assert pulumi.fits(version) is fits


def test_a_fitting_cli_on_path_is_used_with_its_language_host(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}/its:/usr/bin:/bin")
    executable(tmp_path / "its" / "pulumi", "#!/bin/sh\necho v3.265.1\n")
    assert pulumi.on_path(tmp_path / "ours") is None
    executable(tmp_path / "its" / pulumi.HOST)
    assert pulumi.on_path(tmp_path / "ours") == "3.265.1"


def test_our_own_cli_is_not_taken_for_the_persons(tmp_path, monkeypatch):
    executable(tmp_path / "ours" / "pulumi", "#!/bin/sh\necho v3.265.1\n")
    executable(tmp_path / "ours" / pulumi.HOST)
    monkeypatch.setenv("PATH", f"{tmp_path}/ours:/usr/bin:/bin")
    assert pulumi.on_path(tmp_path / "ours") is None


def release(listed=None):
    """A server of one release, whose checksum list says `listed`, by default the truth."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name in ("pulumi", pulumi.HOST, f"{pulumi.HOST}-exec"):
            info = tarfile.TarInfo(f"pulumi/{name}")
            info.mode, info.size = 0o755, 4
            tar.addfile(info, io.BytesIO(b"true"))
    archive = content.getvalue()
    digest = listed or hashlib.sha256(archive).hexdigest()

    class Releases(BaseHTTPRequestHandler):
        def do_GET(self):
            name = f"pulumi-v{pulumi.OFFICIAL}-linux-x64.tar.gz"
            found = {
                f"/v{pulumi.OFFICIAL}/pulumi-{pulumi.OFFICIAL}-checksums.txt": f"{digest}  {name}\n".encode(),
                f"/v{pulumi.OFFICIAL}/{name}": archive,
            }[self.path]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(found)

        def log_message(self, *_):
            """Say nothing."""

    return Releases


def test_the_official_release_is_unpacked_into_the_cache(cache, serve, said):
    assert pulumi.official(cache, said, serve(release())) == pulumi.OFFICIAL
    assert sorted(path.name for path in cache.bin.iterdir()) == ["pulumi", pulumi.HOST, f"{pulumi.HOST}-exec"]
    assert os.access(cache.bin / "pulumi", os.X_OK)


def test_a_release_that_is_not_what_its_list_says_is_refused(cache, serve, said):
    with pytest.raises(LabError, match="is pinned"):
        pulumi.official(cache, said, serve(release("2" * 64)))
    assert not (cache.bin / "pulumi").exists()


def test_a_server_that_is_gone_is_unreachable(cache, said, unused_port):
    with pytest.raises(download.UnreachableError):
        pulumi.official(cache, said, f"http://127.0.0.1:{unused_port}")


@pytest.fixture
def no_folder(monkeypatch):
    monkeypatch.delenv(pulumi.EXPLICIT, raising=False)


@pytest.mark.usefixtures("no_folder")
def test_out_of_reach_the_stand_ins_are_used(cache, tmp_path, said):
    chosen, folders = pulumi.providers(cache, tmp_path / "pulumi", Reach(), said)
    assert chosen == {"command": "stand-in", "kubernetes": "stand-in"}
    assert folders == [PROJECT / "lab" / "standins"]
    for name in chosen:
        assert os.access(folders[0] / f"pulumi-resource-{name}", os.X_OK)


INSTALLER = """\
#!/bin/sh
[ "$1 $2 $3" = "plugin install resource" ] || exit 9
mkdir -p "$PULUMI_HOME/plugins/$3-$4-v$5"
"""


@pytest.mark.usefixtures("no_folder")
def test_within_reach_the_official_ones_are_installed_once(cache, tmp_path, said):
    installer = executable(tmp_path / "pulumi", INSTALLER)
    official = {name: f"official {version}" for name, version in pulumi.PROVIDERS.items()}
    assert pulumi.providers(cache, installer, Reach(pulumi=True), said) == (official, [])
    installer.unlink()
    # found again later, offline or not
    assert pulumi.providers(cache, installer, Reach(), said) == (official, [])


@pytest.mark.usefixtures("no_folder")
def test_a_plugin_server_that_fails_is_said_and_stood_in_for(cache, tmp_path, said):
    installer = executable(tmp_path / "pulumi", "#!/bin/sh\necho 'error: 403 Forbidden' >&2; exit 1\n")
    chosen, _ = pulumi.providers(cache, installer, Reach(pulumi=True), said)
    assert set(chosen.values()) == {"stand-in"}
    assert "403 Forbidden" in said.steps[-1]


def test_a_named_folder_comes_first(cache, tmp_path, said, monkeypatch):
    monkeypatch.setenv(pulumi.EXPLICIT, str(tmp_path))
    executable(tmp_path / "pulumi-resource-command")
    with pytest.raises(LabError, match=r"has no executable pulumi-resource-kubernetes. Put it there, or unset"):
        pulumi.providers(cache, tmp_path / "pulumi", Reach(pulumi=True), said)
    executable(tmp_path / "pulumi-resource-kubernetes")
    chosen, folders = pulumi.providers(cache, tmp_path / "pulumi", Reach(pulumi=True), said)
    assert set(chosen.values()) == {f"from {tmp_path}"}
    assert folders == [tmp_path]


def test_providers_are_of_the_sdk_wheels_versions():
    pins = dict(re.findall(r"^pulumi_(\S+)==(\S+)$", (PROJECT / "constraints.txt").read_text(), re.MULTILINE))
    assert {name: pins[name] for name in pulumi.PROVIDERS} == pulumi.PROVIDERS


def test_the_official_cli_is_of_the_sdks_version():
    assert f"\npulumi=={pulumi.OFFICIAL}\n" in (PROJECT / "constraints.txt").read_text()


def test_the_environment_puts_the_labs_own_tools_first(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin")
    go = Go(tmp_path / "go", "", cache)
    stand_ins = Toolchain(cache, go, "3.259.0", {"command": "stand-in"}, [tmp_path / "standins"]).environment()
    folders = stand_ins["PATH"].split(":")
    assert folders[1:] == [str(tmp_path / "standins"), str(cache.bin), "/usr/bin"]
    assert stand_ins["PULUMI_HOME"].startswith(str(cache.root))
    assert stand_ins["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    official = Toolchain(cache, go, "3.272.0", {"command": "official 1.2.1"}).environment()
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in official
