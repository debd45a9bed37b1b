"""How nodes are reached: pinned keys only, and nothing of the key stays behind."""

import json
import socket
import stat
import time

from multus_site.model.site import Site
from multus_site.nodes.drift.observation import NodeState, observe_all, silent
from multus_site.ssh.openssh import shell
from multus_site.ssh.ssh_route import Login, SshRoute, known_hosts
from tests.render.diagram.sites import KEY, hosts

STATE = {
    "hostname": "node01",
    "machineId": "1",
    "plugins": {},
    "nics": {},
    "configs": {},
    "files": [],
    "kubespray": None,
}


def nodes(**ssh):
    return Site.model_validate(
        {"name": "s", "nodes": {"backend": "existing", "ssh": ssh, "hosts": hosts(1, racks=0)}}
    ).nodes


def test_known_hosts_have_every_node_and_the_bastion():
    bastion = {"host": "203.0.113.9", "port": 2222, "hostKey": KEY}
    assert known_hosts(nodes(bastion=bastion).ssh, {"10.1.0.5": KEY}) == f"10.1.0.5 {KEY}\n[203.0.113.9]:2222 {KEY}\n"
    assert known_hosts(nodes(port=2022).ssh, {"10.1.0.5": KEY}) == f"[10.1.0.5]:2022 {KEY}\n"
    six = known_hosts(nodes(bastion=[bastion, {"host": "2001:db8::9", "hostKey": KEY}]).ssh, {"2001:db8::5": KEY})
    assert six == f"2001:db8::5 {KEY}\n[203.0.113.9]:2222 {KEY}\n2001:db8::9 {KEY}\n"


def test_the_key_is_its_owner_s_alone_and_goes():
    with shell(SshRoute(Login("root", "PRIVATE")), "known") as reached:
        assert (reached.keys / "node.key").read_text() == "PRIVATE\n"
        assert stat.S_IMODE((reached.keys / "node.key").stat().st_mode) == 0o600
        assert reached.known_hosts.read_text() == "known"
    assert not reached.keys.exists()


def test_who_does_not_answer_is_not_waited_for():
    """A listener whose queue is full takes no connection and refuses none: as if packets were dropped."""
    site = {"name": "s", "nodes": {"backend": "existing", "hosts": hosts(3, racks=0)}}
    for name, address in zip(site["nodes"]["hosts"], ("127.0.0.1", "127.0.0.2", "127.0.0.3"), strict=True):
        site["nodes"]["hosts"][name]["address"] = address
    with socket.socket() as one, socket.socket() as full, socket.socket() as queued:
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        full.bind(("127.0.0.2", port))
        full.listen(0)
        queued.connect(("127.0.0.2", port))
        site["nodes"]["ssh"] = {"port": port}
        begun = time.monotonic()
        found = silent(Site.model_validate(site).nodes, site["nodes"]["hosts"], 0.5)
    assert set(found) == {"node02", "node03"}
    assert "Connection refused" in found["node03"]
    assert time.monotonic() - begun < 5


def test_behind_a_bastion_it_is_the_bastion_that_answers():
    with socket.socket() as bastion:
        bastion.bind(("127.0.0.1", 0))
        bastion.listen()
        reached = nodes(bastion={"host": "127.0.0.1", "port": bastion.getsockname()[1], "hostKey": KEY})
        assert silent(reached, ["node01"], 5) == {}
    assert "does not answer on port" in silent(reached, ["node01"], 5)["node01"]


ANSWERS = {
    "127.0.0.1": f"echo '{json.dumps(STATE)}'",
    "127.0.0.2": "echo segmentation fault",
    "127.0.0.3": "echo Permission denied >&2; exit 255",
}


def test_a_node_that_prints_no_json_loses_no_other_node_its_state(tmp_path, monkeypatch):
    """By an ssh that answers as nodes do, so that the whole path from its process to the results runs."""
    cases = "".join(f"*@{address}*) {command} ;;\n" for address, command in ANSWERS.items())
    (tmp_path / "ssh").write_text(f'#!/bin/sh\ncat >/dev/null\ncase "$*" in\n{cases}esac\n')
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    site = {"name": "s", "nodes": {"backend": "existing", "hosts": hosts(3, racks=0)}}
    for name, address in zip(site["nodes"]["hosts"], ANSWERS, strict=True):
        site["nodes"]["hosts"][name]["address"] = address
    found = Site.model_validate(site).nodes
    with shell(SshRoute(Login("root", "KEY")), "") as reached:
        observed = observe_all(reached, found, {name: {} for name in [*found.hosts, "gone"]})
    assert observed.done == {"node01": NodeState.model_validate(STATE)}
    wrong, refused = observed.errors()
    assert wrong.startswith("node02: multus_site/scripts/state.sh did not end with its JSON object")
    assert "'segmentation fault'" in wrong
    assert refused == "node03: Permission denied"
