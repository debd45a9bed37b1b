"""The whole runner against real sshd's on loopback ports and real Ansible, with playbooks that only say what was asked of them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from multus_site.kubespray import cluster as program
from multus_site.kubespray.document import Document, KubesprayError
from multus_site.kubespray.record import Record, Store
from multus_site.ssh.ssh_route import Login, SshRoute
from tests.contract.ssh_server import SshHost, free_port, running

STANDIN = Path(__file__).parents[2] / "lab/kubespray-standin"
PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - {name: Note, raw: 'echo {{ inventory_hostname }} {{ node | default("-") }} {{ reset_nodes | default(true) }} >> FOLDER/ran.PLAYBOOK'}
    - {name: Stop, raw: 'test ! -e FOLDER/broken.PLAYBOOK'}
"""


class Site:
    """A site of two hosts, each an sshd here; `apply` is what `pulumi up` calls."""

    def __init__(self, folder: Path, first: SshHost, second: SshHost) -> None:
        self.folder = folder
        self.ssh = {"a": first, "b": second}
        self.key = first.private_key
        self.members = {"a": "cew", "b": "w"}
        self.pinned = {name: host.host_key for name, host in self.ssh.items()}
        self.variables: dict[str, Any] = {}
        self.own_groups: dict[str, list[str]] = {}
        self.labels: dict[str, str] = {}
        source = folder / "source"
        (source / "playbooks").mkdir(parents=True)
        shutil.copy(STANDIN / "requirements.txt", source)
        (source / "ansible.cfg").write_text("[defaults]\nhost_key_checking=False\n")
        for name in ("cluster.yml", "scale.yml", "remove-node.yml", "playbooks/facts.yml"):
            text = PLAYBOOK.replace("FOLDER", str(folder)).replace("PLAYBOOK", Path(name).stem)
            if name == "remove-node.yml":
                text = text.replace("hosts: all", "hosts: kube_control_plane[0]")
            (source / name).write_text(text)

    def document(self) -> Document:
        hosts = {
            name: {
                "ansible_host": "127.0.0.1",
                "ansible_port": self.ssh[name].port,
                "ansible_user": self.ssh[name].user,
                "ip": f"10.1.1.{number}",
                "node_labels": self.labels,
            }
            for number, name in enumerate(self.members, 5)
        }
        groups = {"kube_control_plane": "c", "etcd": "e", "kube_node": "w"}
        data = {
            "site": "one",
            "version": "v2.31.0",
            "hosts": hosts,
            "groups": {
                group: [n for n, roles in self.members.items() if role in roles] for group, role in groups.items()
            },
            "variables": self.variables,
            "own_groups": self.own_groups,
            "identities": dict.fromkeys(self.members, "1"),
            "way": asdict(SshRoute(Login("root", self.key))),
            "known_hosts": "".join(f"[127.0.0.1]:{self.ssh[n].port} {self.pinned[n]}\n" for n in self.members),
        }
        return Document.parse(json.dumps(data))

    def apply(self) -> None:
        with ExitStack() as stack:
            program.Cluster(self.document(), stack).apply()

    def ran(self, playbook: str) -> list[str]:
        """What was noted since the last look, a line for each host."""
        note = self.folder / f"ran.{playbook}"
        lines = sorted(note.read_text().splitlines()) if note.exists() else []
        note.unlink(missing_ok=True)
        return lines

    def record(self) -> Record:
        found = Store.for_site("one").read()
        assert found
        return found


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SshHost, SshHost]]:
    with ExitStack() as stack:
        first, second = (stack.enter_context(running(tmp_path_factory.mktemp(f"sshd-{name}"))) for name in "ab")
        keys = [Path(host.log).parent / "authorized_keys" for host in (first, second)]
        keys[1].write_text(keys[0].read_text())
        yield first, second


@pytest.fixture
def site(hosts: tuple[SshHost, SshHost], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBESPRAY_SOURCE", str(tmp_path / "source"))
    monkeypatch.delenv("PULUMI_COMMAND_STDOUT", raising=False)
    monkeypatch.setattr(program, "ON_NODE", str(tmp_path / "node/record.json"))
    return Site(tmp_path, *hosts)


def test_a_cluster_is_made_once_and_its_record_is_kept(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.apply()
    said = capsys.readouterr()
    assert site.ran("cluster") == ["a - True", "b - True"]
    assert Record.from_json(said.out) == site.record()
    assert Record.from_json((site.folder / "node/record.json").read_text()) == site.record()
    assert "cluster.yml: first run" in said.err
    site.apply()
    assert site.ran("cluster") == []


def test_another_rack_runs_nothing_and_is_in_the_inventory(site: Site) -> None:
    site.apply()
    assert site.ran("cluster")
    site.labels, site.own_groups = {"topology.multus-site/rack": "r1"}, {"rack_r1": ["a"]}
    site.apply()
    assert site.ran("cluster") == []
    written = json.loads((site.folder / ".work/one/kubespray/inventory.json").read_text())["all"]
    assert written["children"]["rack_r1"]["hosts"] == {"a": {}}
    assert set(written["hosts"]) == {"a", "b"}
    applied = site.record().applied
    assert applied
    assert applied.hosts["a"]["node_labels"] == site.labels


def test_another_machine_carries_on_from_the_record_on_the_node(site: Site) -> None:
    site.apply()
    assert site.ran("cluster")
    Store.for_site("one").remove()
    site.apply()
    assert site.ran("cluster") == []


def test_what_failed_is_carried_on_to_the_same_end(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    (site.folder / "broken.cluster").touch()
    with pytest.raises(KubesprayError, match="task “Stop” on a"):
        site.apply()
    assert (site.record().applied, site.record().attempted) == (None, "cluster.yml")
    (site.folder / "broken.cluster").unlink()
    site.apply()
    assert "the last run did not finish (cluster.yml); continuing" in capsys.readouterr().err
    assert (site.record().attempted, site.record().begun) == (None, None)


def test_a_worker_that_failed_to_join_and_is_given_up_is_taken_out(site: Site) -> None:
    del site.members["b"]
    site.apply()
    site.members["b"] = "w"
    (site.folder / "broken.scale").touch()
    with pytest.raises(KubesprayError, match=r"scale\.yml failed"):
        site.apply()
    del site.members["b"]
    site.ran("cluster")
    # Nor is it forgotten where its removal ends in the middle too.
    (site.folder / "broken.remove-node").touch()
    with pytest.raises(KubesprayError, match=r"remove-node\.yml failed"):
        site.apply()
    site.ran("remove-node")
    (site.folder / "broken.remove-node").unlink()
    site.apply()
    assert site.ran("remove-node") == ["a b True"]
    assert site.record().applied == program.as_applied(site.document(), None)


def test_a_wrong_host_key_stops_it_before_anything_runs(site: Site) -> None:
    site.apply()
    site.ran("cluster")
    site.variables["kube_proxy_mode"] = "ipvs"
    site.pinned["b"] = site.pinned["a"]
    with pytest.raises(KubesprayError, match=r"^b: login failed: its SSH host key is not the pinned one") as error:
        site.apply()
    assert f"ssh -i KEY -p {site.ssh['b'].port} -o UserKnownHostsFile=.work/one/kubespray/known_hosts" in str(
        error.value
    )
    assert site.ran("cluster") == []
    assert site.record().attempted is None
    site.pinned["b"] = site.ssh["b"].host_key
    site.apply()
    assert site.ran("cluster") == ["a - True", "b - True"]


def test_a_dead_worker_is_taken_out_without_being_reached(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    alive = site.ssh["b"]
    site.ssh["b"] = SshHost(alive.port, alive.user, alive.private_key, alive.host_key, alive.log)
    site.apply()
    del site.members["b"]
    # The record says where it was; there, nobody answers any more.
    text = Store.for_site("one").path.read_text().replace(str(alive.port), str(free_port()))
    Store.for_site("one").path.write_text(text)
    site.apply()
    assert site.ran("remove-node") == ["a b False"]
    assert "does not answer, so it is removed without being reached" in capsys.readouterr().err
