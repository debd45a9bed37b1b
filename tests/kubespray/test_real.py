"""Every release of the table against the real Kubespray, a clone of which $KUBESPRAY_SOURCE names: our inventories pass, what we refuse it refuses too. Reaches no host."""

import os
import re
import subprocess
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from multus_site.kubespray import environment
from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.folders import Workplace
from multus_site.kubespray.plan import PlaybookRun, as_applied, plan
from multus_site.kubespray.run import Runner
from multus_site.kubespray.source import Source
from multus_site.kubespray.variable_checks import check_names, check_variables
from multus_site.model.kubespray_releases import RELEASES
from multus_site.model.site import Site
from multus_site.render import inventory
from multus_site.ssh.openssh import Shell
from multus_site.ssh.ssh_route import Login, SshRoute

pytestmark = pytest.mark.skipif("KUBESPRAY_SOURCE" not in os.environ, reason="$KUBESPRAY_SOURCE names no checkout")

FOLDER = Path(__file__).parents[1] / "render/inventories"
CASES = sorted(path.name for path in FOLDER.glob("*.site.yaml"))


def release_of(folder: Path) -> str:
    """The release that a checkout says it is."""
    file = folder / "galaxy.yml"
    found = re.search(r"^version: (\S+)", file.read_text(), re.M) if file.is_file() else None
    return f"v{found[1]}" if found else ""


@pytest.fixture(scope="module", params=RELEASES)
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Each release of the table: the checkout itself, or the release's commit from its history."""
    release, given = request.param, Path(os.environ["KUBESPRAY_SOURCE"])
    if release_of(given) == release:
        return Source(given, f"Kubespray {release}")
    commit = RELEASES[release].commit
    archive = subprocess.run(["git", "-C", given, "archive", commit], capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"$KUBESPRAY_SOURCE is not {release} and has no commit {commit[:12]}; give a clone with its tags")
    folder = tmp_path_factory.mktemp("kubespray")
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return Source(folder, f"Kubespray {release}")


@pytest.fixture(scope="module")
def release(real: Source) -> str:
    return release_of(real.folder)


def document(case: str, release: str, **given: Any) -> Document:
    """The document of a golden site, at the checkout's release."""
    site = Site.model_validate(YAML(typ="safe").load((FOLDER / case).read_text()))
    known = {k: v for k, v in site.kubespray.all_variables().items() if k != "kube_version"}
    return Document(
        site=site.name,
        version=release,
        hosts={name: inventory.host_variables(site, name, host) for name, host in site.nodes.hosts.items()},
        groups={group: tuple(hosts) for group, hosts in inventory.groups(site).items()},
        variables=inventory.variables(site, {**known, **given}),
        identities=dict.fromkeys(site.nodes.hosts, "1"),
        route=SshRoute(Login("root")),
        known_hosts="",
    )


class Bench:
    """Runs of the checkout's playbooks with the runner's own means."""

    def __init__(self, real: Source, stack: ExitStack) -> None:
        self.real, self.python, self.stack = real, environment.ansible(real), stack

    def runner(self, document: Document) -> Runner:
        workplace = Workplace.for_site(document.site)
        lock = self.stack.enter_context(workplace.lock())
        secrets = workplace.open(document, document.known_hosts)
        self.stack.callback(secrets.remove)
        shell = Shell(document.route, workplace.keys, workplace.known_hosts)
        return Runner(self.real, self.python, workplace, secrets, shell, lock, lambda _line: None)

    def checked(self, document: Document, run: PlaybookRun) -> subprocess.CompletedProcess[str]:
        """A playbook parsed with all of its roles, and not run."""
        runner = self.runner(document)
        runner.workplace.write_inventory(inventory.inventory(document.hosts, run.groups, document.variables))
        return subprocess.run(
            [*runner._command(run), "--syntax-check"],
            cwd=self.real.folder,
            env=runner._environment(runner.workplace.folder / "events", len(run.hosts)),
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def bench(real: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        yield Bench(real, stack)


def test_every_playbook_that_a_plan_names_is_there(bench: Bench, release: str) -> None:
    whole = document(CASES[0], release)
    last = list(whole.hosts)[-1]
    without = replace(
        whole,
        hosts={name: its for name, its in whole.hosts.items() if name != last},
        groups={group: tuple(h for h in hosts if h != last) for group, hosts in whole.groups.items()},
    )
    older = replace(as_applied(whole, None), kube_version="1.33.0")
    runs = [
        *plan(None, whole),
        *plan(as_applied(without, None), whole),
        *plan(as_applied(whole, None), without),
        *plan(
            replace(older, kube_version=None), replace(whole, variables={**whole.variables, "kube_version": "1.33.0"})
        ),
        PlaybookRun("reset.yml", whole.groups, "", None),
    ]
    assert {run.playbook for run in runs} >= {"cluster.yml", "scale.yml", "remove-node.yml", "upgrade-cluster.yml"}
    for playbook, run in {run.playbook: run for run in runs}.items():
        with ExitStack() as stack:
            bench.stack = stack
            done = bench.checked(whole, run)
        assert done.returncode == 0, f"{playbook}: {done.stderr}"


@pytest.mark.parametrize("case", CASES)
def test_it_takes_our_inventories(bench: Bench, case: str, release: str) -> None:
    given = document(case, release)
    assert check_variables(release, given.hosts, given.groups, given.variables) == []
    bench.runner(given).run(PlaybookRun("playbooks/boilerplate.yml", given.groups, "", None), given, given.hosts)


@pytest.mark.parametrize("case", CASES)
def test_every_variable_that_we_set_means_something_to_it(real: Source, case: str, release: str) -> None:
    given = document(case, release)
    ours = {**given.variables, **{name: value for its in given.hosts.values() for name, value in its.items()}}
    assert check_names(ours, ours, real.folder) == []


REFUSED: list[dict[str, Any]] = [
    {"kube_network_plugin": "weave"},
    {"kube_proxy_mode": "userspace"},
    {"container_manager": "rkt"},
    {"dns_mode": "kubedns"},
    {"resolvconf_mode": "resolved"},
    {"cert_management": "vault"},
    {"cloud_provider": "aws"},
    {"cloud_provider": "external"},
    {"etcd_deployment_type": "docker"},
    {"gvisor_enabled": True, "container_manager": "crio"},
    {"kata_containers_enabled": True, "container_manager": "docker"},
    {"download_localhost": True},
    {"kube_external_ca_mode": True, "auto_renew_certificates": True},
    {"helm_enabled": "true"},
    {"kube_version": "1.20.0"},
    {"kube_pods_subnet": "10.233.0.0/18"},
    {"kube_pods_subnet": "nonsense"},
    {"kube_service_addresses": "nonsense"},
    {"kube_network_plugin": "flannel", "kube_pods_subnet": "10.9.0.0/24"},
    {"kube_network_plugin": "flannel", "kube_network_node_prefix": 26},
    {"kube_network_plugin": "flannel", "kubelet_max_pods": 255},
    {"ipv6_stack": True, "kube_pods_subnet_ipv6": "fd85:ee78:d8a6:8607::1000/116"},
    {"ipv6_stack": True, "kube_network_plugin": "flannel", "kube_pods_subnet_ipv6": "fd00::/120"},
]


@pytest.mark.parametrize("given", REFUSED, ids=str)
def test_what_it_refuses_we_refuse_before(bench: Bench, given: dict[str, Any], release: str) -> None:
    wrong = document("article.site.yaml", release, **given)
    assert check_variables(release, wrong.hosts, wrong.groups, wrong.variables)
    with pytest.raises(KubesprayError):
        bench.runner(wrong).run(PlaybookRun("playbooks/boilerplate.yml", wrong.groups, "", None), wrong, wrong.hosts)


def test_the_versions_that_it_installs_are_those_that_we_know(real: Source, release: str) -> None:
    assert release in RELEASES
    text = (real.folder / "roles/kubespray_defaults/vars/main/checksums.yml").read_text()
    pinned = YAML(typ="safe").load(text)
    sums = pinned["kubelet_checksums"]["amd64"]
    assert next(iter(pinned["calicoctl_binary_checksums"]["amd64"])) == RELEASES[release].calico
    assert next(iter(pinned["containerd_archive_checksums"]["amd64"])) == RELEASES[release].containerd
    known = {f"1.{minor}.{patch}" for minor, last in RELEASES[release].kubernetes.items() for patch in range(last + 1)}
    assert set(sums) == known
    assert next(iter(sums)) == RELEASES[release].default
