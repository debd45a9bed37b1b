"""What counts as drift: each thing that was applied and is not so any more, and nothing else."""

import base64
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from multus_site.model.nodes import Nodes
from multus_site.nodes.drift.comparison import Drift, drifts, of_commands
from multus_site.nodes.drift.observation import NodeState, state_of
from multus_site.ssh.fan_out import Results
from multus_site.ssh.ssh_route import OtherKeyError, ReachError
from tests.graph.recording import ED25519
from tests.render.diagram.sites import lab, large

SHA, OTHER = "a" * 64, "b" * 64
APPLIED = {
    node: {
        "facts": {"hostname": node, "machineId": "1" * 32, "nics": {"ens6": {"mtu": 1500, "mac": "02:00:00:00:00:06"}}},
        "plugins": {"macvlan": {"sha256": SHA, "versions": ["1.0.0"]}},
        "mended": "0",
    }
    for node in ("node1", "node2")
}
RECORD = {"site": "lab", "runs": 1, "attempted": None, "applied": {"version": "v2.31.0"}}


def state(node="node1", **changes):
    whole = {
        "hostname": node,
        "machineId": "1" * 32,
        "plugins": {"macvlan": {"sha256": SHA, "mode": "root:root 755"}},
        "nics": {"ens6": {"up": True, "mtu": 1500, "mac": "02:00:00:00:00:06"}},
        "files": ["/etc/cni/net.d/00-multus.conf", "/opt/cni/bin/multus-shim"],
        "kubespray": RECORD if node == "node1" else None,
    }
    return NodeState.model_validate({**whole, **changes})


def found(**changes):
    return drifts(lab(), APPLIED, Results({"node1": state(**changes), "node2": state("node2")}))[0]


def test_what_is_as_applied_is_no_drift():
    assert drifts(lab(), APPLIED, Results({"node1": state(), "node2": state("node2")})) == ([], {})


CLUSTER = '{"name": "cbr0", "plugins": [{"type": "bridge", "ipam": {"type": "host-local"}}, {"type": "portmap"}]}'


@pytest.mark.parametrize(
    ("present", "differs"),
    [
        ({"bridge": "755", "host-local": "755", "portmap": "4755"}, []),
        (
            {"bridge": "755", "portmap": "755"},
            [("host-local", "present, for the cluster's own network", "no such file")],
        ),
        (
            {"bridge": "644", "host-local": "755", "portmap": "755"},
            [("bridge", "executable, for the cluster's own network", "mode 644")],
        ),
    ],
)
def test_plugins_of_the_clusters_own_network(present, differs):
    cluster = [base64.b64encode(text.encode()).decode() for text in (CLUSTER, "{", "[]", '{"plugins": 3}')]
    drifted = [(one.what, one.applied, one.found, one.restored_by) for one in found(cluster=cluster, present=present)]
    assert drifted == [(f"/opt/cni/bin/{plugin}", applied, now, "") for plugin, applied, now in differs]


NIC = {"up": True, "mtu": 1500, "mac": "02:00:00:00:00:06"}


def test_another_mac_is_drift_on_hardware_and_not_in_a_container():
    """A container gets new ones whenever it starts, as after a restart of its node."""
    restarted = state(nics={"ens6": {**NIC, "mac": "02:00:00:00:00:07"}})
    assert drifts(lab(), APPLIED, Results({"node1": restarted, "node2": state("node2")})) == ([], {})
    hosts = {name: {**host.model_dump(by_alias=True), "hostKey": ED25519} for name, host in lab().nodes.hosts.items()}
    nodes = TypeAdapter(Nodes).validate_python({"backend": "existing", "hosts": hosts})
    found = list(of_commands(nodes, "node1", APPLIED["node1"], restarted))
    assert found == [Drift("node1", "ens6 MAC", "02:00:00:00:00:06", "02:00:00:00:00:07")]


@pytest.mark.parametrize(
    ("changes", "drift"),
    [
        ({"plugins": {}}, Drift("node1", "/opt/cni/bin/macvlan", f"sha256 {SHA}", "no such file", "pulumi up")),
        (
            {"plugins": {"macvlan": {"sha256": OTHER, "mode": "root:root 755"}}},
            Drift("node1", "/opt/cni/bin/macvlan", f"sha256 {SHA}", f"sha256 {OTHER}", "pulumi up"),
        ),
        (
            {"plugins": {"macvlan": {"sha256": SHA, "mode": "kube:root 777"}}},
            Drift("node1", "/opt/cni/bin/macvlan", "root:root 755", "kube:root 777", "pulumi up"),
        ),
        ({"nics": {}}, Drift("node1", "ens6", "MAC 02:00:00:00:00:06", "no such interface")),
        ({"nics": {"ens6": {**NIC, "up": False}}}, Drift("node1", "ens6 state", "up", "down", "pulumi up")),
        ({"nics": {"ens6": {**NIC, "mtu": 1400}}}, Drift("node1", "ens6 MTU", "1500", "1400", "pulumi up")),
        (
            {"files": ["/opt/cni/bin/multus-shim"]},
            Drift("node1", "/etc/cni/net.d/00-multus.conf", "present", "missing", "the Multus daemon"),
        ),
        ({"machineId": "2" * 32}, Drift("node1", "machine-id", "1" * 32, "2" * 32)),
        ({"hostname": "other"}, Drift("node1", "host name", "node1", "other")),
        (
            {"kubespray": {**RECORD, "applied": {"version": "v2.30.0"}}},
            Drift("node1", "Kubespray", "v2.31.0", "v2.30.0", "pulumi up"),
        ),
        (
            {"kubespray": {**RECORD, "attempted": "scale.yml"}},
            Drift("node1", "Kubespray's last playbook", "finished", "scale.yml did not succeed", "pulumi up"),
        ),
        ({"kubespray": None}, Drift("node1", "record of Kubespray", "v2.31.0", "missing", "pulumi up")),
    ],
)
def test_each_drift_is_told_once(changes, drift):
    assert found(**changes) == [drift]


def test_the_mtu_of_a_host_that_exists_is_its_owner_s():
    site = large(3)
    seen = {"node01": state("node01", nics={"ens6": {**NIC, "mtu": 1400}}, kubespray=RECORD)}
    applied = {"node01": {**APPLIED["node1"], "facts": {**APPLIED["node1"]["facts"], "hostname": "node01"}}}
    assert drifts(site, applied, Results(seen))[0] == [Drift("node01", "ens6 MTU", "1500", "1400")]


CONFLIST = "/etc/cni/multus/net.d/multus-site-a.conflist"
OWN = {"links": {"bond0": {"mtu": 9000}}, "masters": {"a": "bond0"}, "files": {CONFLIST: SHA}}
BOND = {"up": True, "mtu": 9000, "mac": "02:00:00:00:00:08"}


@pytest.mark.parametrize(
    ("link", "configs", "drift"),
    [
        (BOND, {CONFLIST: SHA}, ()),
        (None, {CONFLIST: SHA}, ("bond0", "present", "no such interface")),
        ({**BOND, "up": False}, {CONFLIST: SHA}, ("bond0 state", "up", "down")),
        ({**BOND, "mtu": 1500}, {CONFLIST: SHA}, ("bond0 MTU", "9000", "1500")),
        ({**BOND, "mac": "02:00:00:00:00:09"}, {CONFLIST: SHA}, ()),
        (BOND, {}, (CONFLIST, f"sha256 {SHA}", "no such file")),
        (BOND, {CONFLIST: OTHER}, (CONFLIST, f"sha256 {SHA}", f"sha256 {OTHER}")),
    ],
)
def test_what_networks_have_on_a_node_for_themselves_is_ours(link, configs, drift):
    applied = {"node1": {**APPLIED["node1"], "networks": OWN}}
    there = {"ens6": NIC, **({"bond0": link} if link else {})}
    found, blind = drifts(lab(), applied, Results({"node1": state(nics=there, configs=configs)}))
    assert (found, blind) == ([Drift("node1", *drift, "pulumi up")] if drift else [], {})


def test_plugins_of_calico_s_are_there_or_not():
    """Calico renews them at each start of its pod, so that none has a sha256 of the site's."""
    applied = {"node1": {**APPLIED["node1"], "plugins": {"tuning": {"owner": "calico", "versions": ["1.0.0"]}}}}
    own = {"tuning": {"sha256": OTHER, "mode": "root:root 700"}}
    assert drifts(lab(), applied, Results({"node1": state(plugins=own)})) == ([], {})
    missing = Drift("node1", "/opt/cni/bin/tuning", "present", "no such file", "Calico's pod")
    assert drifts(lab(), applied, Results({"node1": state(plugins={})}))[0] == [missing]


def test_another_host_key_is_drift_and_a_node_that_does_not_answer_is_told_apart():
    observed = Results({"node1": state()}, {"node2": OtherKeyError("Host key verification failed")})
    assert drifts(lab(), APPLIED, observed)[0] == [Drift("node2", "SSH host key", "the pinned one", "another one")]
    why = "ssh: connect to host 10.1.1.6 port 22: No route to host"
    assert drifts(lab(), APPLIED, Results({"node1": state()}, {"node2": ReachError(why)})) == ([], {"node2": why})


@pytest.mark.parametrize(
    "said",
    [
        "",
        "no JSON\n",
        "[]\n",
        "{}\n",
        "welcome\n" + state().model_dump_json().replace('"up":true', '"up":"maybe"') + "\n",
        state().model_dump_json().replace('"kubespray":{', '"kubespray":3, "more":{') + "\n",
    ],
)
def test_a_script_that_prints_something_else_is_an_error_that_shows_it(said):
    with pytest.raises(ReachError, match=r"multus_site/scripts/state\.sh") as error:
        state_of(said)
    assert (said.strip().splitlines() or ["nothing"])[0][:50] in str(error.value)


def test_what_a_shell_prints_before_is_passed_over():
    assert state_of("Last login: today\n" + state().model_dump_json() + "\n") == state()


def test_a_line_says_what_restores_it():
    drift = Drift("node1", "ens6 state", "up", "down", "pulumi up")
    assert drift.line() == "node1: ens6 state: applied up, found down; pulumi up restores it"
    assert replace(drift, restored_by="").line().endswith("; the site does not manage it")
