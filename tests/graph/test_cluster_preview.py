"""What a preview says of the cluster, without reaching it: the plan, or why it can't be; from the stack's state or the working folder."""

import json

import pulumi
import pytest

from multus_site.kubespray.document import Document
from multus_site.kubespray.plan import as_applied
from multus_site.kubespray.preview import PLAN_FILE
from multus_site.kubespray.record import Record, Store
from tests.graph.recording import Answers, lab_site, record

HIGH = {
    "node1": {"address": "10.1.1.5", "roles": ["control-plane", "etcd", "worker"]},
    "node2": {"address": "10.1.1.6", "roles": ["control-plane", "etcd", "worker"]},
    "node3": {"address": "10.1.1.7", "roles": ["control-plane", "etcd", "worker"]},
}


class Seen(Answers):
    """Keeps the runner's document; answers with a state that holds a record, if there is one."""

    def __init__(self):
        super().__init__()
        self.document = ""
        self.stored = None

    def new_resource(self, args):
        if args.name.endswith("-kubespray"):
            self.document = args.inputs["stdin"]["value"]  # of a secret
        return super().new_resource(args)

    def call(self, args):
        called = args.token
        if called != "pulumi:pulumi:readStackResourceOutputs" or self.stored is None:
            return {}
        above = "urn:pulumi:lab::multus-site::multus-site:index:Site"
        found = {f"{above}$command:local:Command::lab-kubernetes-kubespray": {"stdout": self.stored.to_json()}}
        for node in self.stored.applied.hosts:
            found[f"{above}$multus-site:index:NodeVM::lab-{node}"] = {"machine": self.machine(node)}
        kinds = {urn: urn.split("$")[-1].partition("::")[0] for urn in found}
        return {"outputs": {urn: {"type": kinds[urn], "outputs": outputs} for urn, outputs in found.items()}}

    def machine(self, node):
        """Which machine a node was, as the state has it."""
        return f"lab-{node}-machine-id"


def site(hosts=None, kubespray=None, **more):
    data = lab_site(kubespray=kubespray or {}, **more)
    data["nodes"] = {**data["nodes"], "hosts": hosts or data["nodes"]["hosts"]}
    return data


@pytest.fixture
def said(monkeypatch, tmp_path):
    """Lines that were logged, in a project's folder of its own."""
    lines = []
    monkeypatch.setattr(pulumi.log, "info", lines.append)
    monkeypatch.chdir(tmp_path)
    for name in ("KUBESPRAY_SOURCE", "KUBESPRAY_STANDIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MULTUS_SITE_CACHE", str(tmp_path / "cache"))
    return lines


def applied(data):
    """The record of a site that is applied."""
    answers = Seen()
    record(data, answers=answers)
    document = Document.parse(answers.document)
    return Record(document.site, 3, as_applied(document, None))


def preview(data, stored=None, answers=None):
    answers = answers or Seen()
    answers.stored = stored
    return record(data, preview=True, answers=answers)


def test_a_new_site(said):
    preview(site())
    assert said == ["cluster.yml: first run"]


def test_nothing_to_do_is_nothing_said(said):
    preview(site(), applied(site()))
    assert said == []


def test_a_worker_more(said):
    more = {**site()["nodes"]["hosts"], "node4": {"address": "10.1.1.8"}}
    preview(site(more), applied(site()))
    assert said[-1] == "scale.yml: workers added: node4"


def test_a_review_gets_the_plan_as_data_and_no_variables(said, monkeypatch, tmp_path):
    monkeypatch.setenv(PLAN_FILE, str(tmp_path / "plan.json"))
    fewer = {name: host for name, host in site()["nodes"]["hosts"].items() if name != "node3"}
    preview(site(fewer), applied(site()))
    (run,) = json.loads((tmp_path / "plan.json").read_text())
    assert run == {
        "playbook": "remove-node.yml",
        "hosts": ["node1", "node2", "node3"],
        "limit": [],
        "reason": "node3 left the site",
        "node": "node3",
        "creates": "",
    }
    assert said == ["remove-node.yml: node3 left the site"]


def test_the_first_control_plane_node_stays(said):
    others = {name: host for name, host in HIGH.items() if name != "node1"}
    others["node4"] = {"address": "10.1.1.8", "roles": ["etcd", "worker"]}
    with pytest.raises(pulumi.RunError, match=r"nodes.hosts.node1: it is the first control plane node"):
        preview(site(others), applied(site(HIGH)))
    assert said == []


def test_quorum_is_kept(said):
    fewer = {**HIGH, "node2": {"address": "10.1.1.6"}, "node3": {"address": "10.1.1.7"}}
    with pytest.raises(pulumi.RunError, match=r"removing node2, node3 leaves 1 of 3 etcd members"):
        preview(site(fewer), applied(site(HIGH)))
    assert said == []


def test_a_version_is_not_skipped(said):
    before = applied(site(kubespray={"version": "v2.29.1"}))
    with pytest.raises(pulumi.RunError, match=r"one `pulumi up` each: v2.30.0, v2.31.0"):
        preview(site(), before)
    assert said == []


def test_the_working_folder_counts_where_the_state_has_nothing(said):
    store = Store.for_site("lab")
    store.path.parent.mkdir(parents=True)
    store.write(applied(site()))
    preview(site(kubespray={"variables": {"kube_proxy_mode": "iptables"}}))
    assert said == ["cluster.yml: changed: kube_proxy_mode"]


def test_a_node_that_is_not_known_yet_is_taken_for_the_one_that_joined(said):
    class Unknown(Seen):
        def new_resource(self, args):
            identity, outputs = super().new_resource(args)
            if args.name.endswith("node2-facts"):
                del outputs["stdout"]
            return identity, outputs

    more = {**site()["nodes"]["hosts"], "node4": {"address": "10.1.1.8"}}
    preview(site(more), applied(site()), Unknown())
    assert said[-1] == "scale.yml: workers added: node4"


def test_a_machine_with_too_little_memory_is_refused(said):
    class Small(Seen):
        @staticmethod
        def _remote(args):
            if args.name.endswith("node1-facts"):
                return json.dumps({"machineId": "1", "nics": {}, "memory": 1024})
            return Answers._remote(args)

    with pytest.raises(pulumi.RunError, match=r"nodes.hosts.node1: the host has 1024 MiB of memory"):
        preview(site(), answers=Small())
    assert said == []


def test_all_that_kubespray_would_refuse_at_once(said):
    wrong = {"podCidr": "10.1.0.0/16", "variables": {"kube_proxy_mode": "x", "kube_network_plugin_multus": True}}
    with pytest.raises(pulumi.RunError) as error:
        preview(site(kubespray=wrong))
    text = str(error.value)
    for words in ("kube_proxy_mode: unknown", "kube_network_plugin_multus", "10.1.1.5 is in kubespray.podCidr"):
        assert words in text
    assert said == []


def test_secret_variables_are_checked_and_stay_secret():
    answers = Seen()
    auth = [{"registry": "10.0.0.2:5000", "password": "hunter22"}]
    record(site(), answers=answers, kubespray_variables={"containerd_registry_auth": auth})
    document = Document.parse(answers.document)
    assert document.variables["containerd_registry_auth"] == auth
    assert document.secret == ("containerd_registry_auth",)
    with pytest.raises(pulumi.RunError, match=r"kube_proxy_mode is in kubespray.variables too"):
        record(
            site(kubespray={"variables": {"kube_proxy_mode": "ipvs"}}), kubespray_variables={"kube_proxy_mode": "ipvs"}
        )


def test_the_kubeconfig_is_read_again_after_an_upgrade_and_not_for_a_worker():
    def command(data):
        return record(data)["Command lab-kubernetes-kubeconfig"].inputs["create"]

    more = {**site()["nodes"]["hosts"], "node4": {"address": "10.1.1.8"}}
    assert command(site()) == command(site(more))
    assert command(site()) != command(site(kubespray={"kubernetesVersion": "1.35.3"}))


class Anew(Seen):
    """A stack whose machines of some nodes are to be made anew: neither they nor what is found on them is what it was."""

    def __init__(self, *nodes):
        super().__init__()
        self.nodes = nodes

    def new_resource(self, args):
        identity, outputs = super().new_resource(args)
        if args.name in {f"lab-{node}-facts" for node in self.nodes}:
            del outputs["stdout"]
        return identity, outputs

    def machine(self, node):
        return "another" if node in self.nodes else super().machine(node)


def test_a_machine_that_is_made_anew_leaves_and_joins(said):
    preview(site(), applied(site()), Anew("node3"))
    assert [line.partition(":")[0] for line in said] == ["remove-node.yml", "playbooks/facts.yml", "scale.yml"]
    assert said[0] == "remove-node.yml: node3 is a different machine now"


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize("nodes", [("node1",), ("node1", "node2", "node3")])
def test_the_first_control_plane_node_is_not_made_anew(nodes):
    with pytest.raises(pulumi.RunError, match="first control plane node: its machine cannot be"):
        preview(site(), applied(site()), Anew(*nodes))


def test_after_a_destroy_all_machines_are_made_anew(said):
    """The working folder remembers a cluster; the stack does not."""
    store = Store.for_site("lab")
    store.path.parent.mkdir(parents=True)
    store.write(applied(site()))
    preview(site(), None, Anew("node1", "node2", "node3"))
    assert said == ["cluster.yml: no machine of the earlier cluster is left"]
