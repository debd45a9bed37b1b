"""A carried mirror where nothing else can be reached: a network namespace that has loopback and no route.

There it is served by the command; the real containerd pulls, pip installs, APT downloads and a node's script installs, each
set up with what the site's `airGap` makes of it.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from multus_site.mirror import packages
from multus_site.mirror.contents import File, MirrorError, Wheel
from multus_site.mirror.fetching import fetch
from multus_site.model.catalog import Catalog
from multus_site.model.load import parse_site
from multus_site.render import air_gap
from multus_site.render.script import script
from tests.contract.tools import cache
from tests.graph.recording import lab_site
from tests.mirror.conftest import BUSYBOX, MULTUS, contents, sha256
from tests.scripts.test_cni_plugins import plugin

PROJECT = Path(__file__).parents[2]
GAP = {"files": "http://127.0.0.1:8080", "registry": "http://127.0.0.1:5000", "os": "debian-12"}
PLUGIN = "https://plugins.example/macvlan"

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "--net", "--mount", "true"], check=False).returncode != 0,
    reason="needs root, network and mount namespaces",
)

SERVED = """\
set -eu
ip link set lo up
[ -z "$(ip route)" ] || { echo 'there is a route'; exit 9; }
{python} -m multus_site mirror serve {mirror} --address 127.0.0.1 >{mirror}.log 2>&1 &
server=$!
trap 'kill $server; wait $server' EXIT
tries=0
until curl -fsS -o /dev/null http://127.0.0.1:5000/v2/ 2>/dev/null; do
    tries=$((tries + 1)); [ $tries -lt 300 ] || { cat {mirror}.log; exit 8; }; sleep 0.1
done
"""


@pytest.fixture
def site():
    data = lab_site(airGap=GAP, cniPlugins={"plugins": ["macvlan"]})
    return parse_site(data, source="x")


@pytest.fixture
def catalog(site):
    """What the site makes of an upstream catalogue."""
    pinned = {"url": PLUGIN, "sha256": sha256(plugin("mirrored").encode())}
    return air_gap.catalog(site, Catalog.model_validate({"cniPlugins": {"1.9.1": {"amd64": {"macvlan": pinned}}}}))


@pytest.fixture
def carried(tmp_path, upstream, upstream_folder, playbooks):
    """A mirror, fetched: `carried(files, wheels, packages)`."""

    def fill(**more):
        for url, content in more.pop("served", {}).items():
            path = upstream_folder / "files" / air_gap.path_of(url)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        folder = tmp_path / "mirror"
        assert fetch(contents(**more), playbooks, folder, upstream, lambda _: None) == []
        return folder

    return fill


def inside(mirror, commands, **variables):
    """Runs shell commands beside the served mirror, where there is no route."""
    text = SERVED.replace("{python}", sys.executable).replace("{mirror}", str(mirror)) + commands
    return subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", text],
        cwd=PROJECT, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip


def tool(name):
    found = shutil.which(name) or next(iter(sorted(map(str, cache().glob(f"built/containerd-*/{name}")))), None)
    return found or pytest.skip(f"there is no {name}. Type: make lab")


def hosts_folders(folder, variables):
    """containerd's folder of registries, as Kubespray's hosts.toml.j2 writes it."""
    for registry in variables["containerd_registries_mirrors"]:
        place = folder / registry["prefix"]
        place.mkdir(parents=True)
        lines = [f'server = "{registry["server"]}"']
        for host in registry["mirrors"]:
            lines += [f'[host."{host["host"]}"]', f"  capabilities = {json.dumps(host['capabilities'])}"]
            lines += [f"  skip_verify = {json.dumps(host['skip_verify'])}", "  override_path = false"]
        (place / "hosts.toml").write_text("\n".join(lines) + "\n")


def test_containerd_pulls_from_the_mirror_and_asks_nobody_else(carried, catalog, tmp_path):
    containerd, ctr = tool("containerd"), tool("ctr")
    hosts_folders(tmp_path / "hosts", catalog.kubespray.variables)
    (tmp_path / "config.toml").write_text(
        'version = 3\ndisabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]\n'
    )
    pull = f"{ctr} -a {tmp_path}/sock images pull --local --snapshotter native --hosts-dir {tmp_path}/hosts"
    done = inside(
        carried(),
        f"""
        {containerd} --config {tmp_path}/config.toml --root {tmp_path}/root --state {tmp_path}/state --address {tmp_path}/sock >{tmp_path}/containerd.log 2>&1 &
        containerd=$!
        trap 'kill $containerd $server; wait $containerd $server' EXIT
        until {ctr} -a {tmp_path}/sock version >/dev/null 2>&1; do sleep 0.1; kill -0 $containerd; done
        {pull} {BUSYBOX} >/dev/null
        {pull} {MULTUS} >/dev/null
        {ctr} -a {tmp_path}/sock images ls -q
        {pull} docker.io/library/absent:1 2>&1 || true
        """,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[:2] == [BUSYBOX, MULTUS]
    assert "absent:1" in done.stdout
    assert "docker.io:443" not in done.stdout
    assert "registry-1.docker.io" not in done.stdout
    assert "dial tcp" not in done.stdout


def test_a_node_gets_its_plugins_from_the_mirror(carried, site, catalog, tmp_path):
    from multus_site.render.cni_plugins import lines, origins

    wanted = origins(site, catalog, "amd64")
    assert [one.place for one in wanted] == ["http://127.0.0.1:8080/plugins.example/macvlan"]
    content = plugin("mirrored").encode()
    mirror = carried(served={PLUGIN: content}, files=(File(PLUGIN, sha256(content), "a test"),))
    (tmp_path / "script").write_text(script("cni-plugins", {"PLUGINS": lines(wanted, {})}))
    done = inside(
        mirror,
        f"""
        for folder in /opt /var/lib; do mount -t tmpfs tmpfs $folder; done
        sh -s install <{tmp_path}/script
        cat /opt/cni/bin/macvlan
        """,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(plugin("mirrored"))


def test_pip_installs_from_the_mirror_alone(carried, servers, site, tmp_path):
    name = "carried-1.0-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / name, "w") as wheel:
        wheel.writestr("carried.py", "print('carried here')\n")
        wheel.writestr("carried-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carried\nVersion: 1.0\n")
        wheel.writestr("carried-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("carried-1.0.dist-info/RECORD", "")
    content = (tmp_path / name).read_bytes()
    url = f"{servers.files}/{name}"
    (servers.folder / "files" / name).write_bytes(content)
    mirror = carried(wheels=(Wheel(url, sha256(content), "a test"),))
    done = inside(
        mirror,
        f"{sys.executable} -m pip install --quiet --disable-pip-version-check --target {tmp_path}/there carried==1.0\n"
        f"{sys.executable} {tmp_path}/there/carried.py\n",
        **air_gap.installers(site.air_gap),
    )
    assert (done.returncode, done.stdout) == (0, "carried here\n"), done.stderr
    # A file that is not what the page says of it is refused.
    (mirror / "files" / "wheels" / name).write_bytes(content + b"x")
    done = inside(
        mirror,
        f"{sys.executable} -m pip install --no-cache-dir --quiet --target {tmp_path}/here carried==1.0\n",
        **air_gap.installers(site.air_gap),
    )
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_apt_downloads_from_the_mirror_alone(carried, site, tmp_path):
    try:
        wanted = packages.resolved("debian-12", "amd64", ["netbase"])
    except MirrorError as error:
        pytest.skip(f"Debian's archive cannot be asked: {error}")
    import urllib.request

    served = {}
    for package in wanted:
        with urllib.request.urlopen(package.url, timeout=60) as answer:  # noqa: S310 # Debian's archive
            served[package.url] = answer.read()
    mirror = carried(served=served, packages=tuple(wanted), os="debian-12")
    line = air_gap.package_source(site.air_gap, "amd64")
    done = inside(
        mirror,
        f"""
        mount -t tmpfs tmpfs /etc/apt/apt.conf.d; mkdir -p {tmp_path}/apt/state/lists/partial {tmp_path}/apt/cache/archives/partial
        : >{tmp_path}/apt/status
        cat >{tmp_path}/prepare.in <<'SCRIPT'
{script("prepare", {"UPLINKS": "", "PACKAGES": line, "MADE": "", "LOOKED": "1"})}
SCRIPT
        mount -t tmpfs tmpfs /mnt; cp -a /etc/apt /mnt/apt; mount --bind /mnt/apt /etc/apt
        sh -s <{tmp_path}/prepare.in >/dev/null 2>&1 || true
        cat /etc/apt/multus-site.list
        set -- -o Dir::State={tmp_path}/apt/state -o Dir::State::status={tmp_path}/apt/status -o Dir::Cache={tmp_path}/apt/cache \
            -o APT::Sandbox::User= -o APT::Architecture=amd64 -o APT::Architectures=amd64
        apt-get "$@" -q update
        cd {tmp_path} && apt-get "$@" -q -y install --download-only netbase
        """,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert line in done.stdout
    assert "deb.debian.org" not in done.stdout
    assert list((tmp_path / "apt" / "cache" / "archives").glob("netbase_*.deb"))


def test_told_to_end_it_ends_and_what_is_no_mirror_is_told(carried, tmp_path):
    done = inside(carried(), "kill $server; wait $server; echo ended with $?; trap - EXIT\n")
    assert done.stdout == "ended with 0\n", done.stderr
    none = subprocess.run(
        [sys.executable, "-m", "multus_site", "mirror", "serve", str(tmp_path)],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert none.returncode == 1
    assert "is not a mirror. To fill one, type: multus-site mirror fetch" in none.stderr
