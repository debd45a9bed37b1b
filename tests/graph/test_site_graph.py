"""The order of things: every edge that keeps `up` and `destroy` right is in the graph."""

import hashlib
import json

import pulumi
import pytest

from tests.graph.recording import ED25519, lab_site, record, text_of

GRAPH = """\
ClusterRole lab-multus
ClusterRoleBinding lab-multus
CniPlugins lab-cni-plugins
Command lab-cni-plugins-install
Command lab-kubernetes-kubeconfig
Command lab-kubernetes-kubespray
Command lab-leaks-free
Command lab-node1-facts
Command lab-node1-leave
Command lab-node1-machine
Command lab-node2-facts
Command lab-node2-leave
Command lab-node2-machine
Command lab-node3-facts
Command lab-node3-leave
Command lab-node3-machine
Command lab-preflight-run
Command lab-verification-run
ConfigMap lab-multus-files
CustomResourceDefinition lab-multus-crd
DaemonSet lab-multus
Deployment lab-samplepod
KubesprayCluster lab-kubernetes
Leaks lab-leaks
Multus lab-multus
NetworkAttachment lab-macvlan-external
NetworkAttachment lab-macvlan-internal
NetworkAttachmentDefinition lab-macvlan-external
NetworkAttachmentDefinition lab-macvlan-internal
NodeVM lab-node1
NodeVM lab-node2
NodeVM lab-node3
Preflight lab-preflight
ServiceAccount lab-multus
Site lab
Verification lab-verification
Workload lab-samplepod
command lab-commands
kubernetes lab-cluster
""".splitlines()


PLUGINS = "Command lab-cni-plugins-install"


def given_to(graph, command=PLUGINS):
    """The document of a runner; a secret, all of it."""
    return json.loads(graph[command].inputs["stdin"]["value"])


def test_nodes_look_for_nics_that_have_no_name_in_the_site():
    by_pci = {"type": "macvlan", "master": {"pci": "0000:3b:00.0"}, "ipam": {"type": "none"}}
    raw = {"type": "raw", "config": {"cniVersion": "1.0.0", "name": "a", "type": "macvlan", "master": "ens7"}}

    def prepared(**networks):
        graph = record(lab_site(networks=networks, workloads={}))
        return text_of(graph["Command lab-node2-facts"].inputs["stdin"])

    by_name = prepared(a={**by_pci, "master": "ens6"})
    assert "UPLINKS=ens6\n" in by_name
    assert "FOUND_BY" not in by_name
    assert "nic_by" not in by_name
    found = prepared(a=by_pci, b=raw)
    assert "FOUND_BY='pci 0000:3b:00.0'\n" in found
    assert "UPLINKS=ens7\n" in found
    assert "nic_by() {" in found


def test_the_lab_has_this_graph():
    assert sorted(record()) == GRAPH


def test_the_preview_of_an_empty_stack_shows_the_whole_graph():
    assert sorted(record(preview=True)) == GRAPH


def test_nothing_of_the_cluster_begins_before_every_host_has_passed_preflight():
    graph = record()
    assert "Command lab-preflight-run" in graph.before("Command lab-kubernetes-kubespray")
    assert {f"Command lab-node{i}-facts" for i in (1, 2, 3)} <= graph.before("Command lab-preflight-run")


def test_machines_come_before_their_proof():
    assert "Command lab-node2-machine" in record().before("Command lab-node2-facts")


def test_multus_waits_for_the_plugins_of_every_node():
    graph = record()
    assert PLUGINS in graph.before("DaemonSet lab-multus")
    assert "Command lab-kubernetes-kubespray" in graph.before(PLUGINS)
    assert list(given_to(graph)["nodes"]) == ["node1", "node2", "node3"]


def test_attachments_wait_for_the_daemon_and_pods_for_their_attachments():
    graph = record()
    daemon = next(n for n in graph.of("kubernetes:apps/v1:DaemonSet"))
    for attachment in graph.of("kubernetes:k8s.cni.cncf.io/v1:NetworkAttachmentDefinition"):
        assert daemon in graph.before(attachment)
        assert attachment in graph.before("Deployment lab-samplepod")


def test_the_daemon_waits_for_crd_rights_and_configuration():
    graph = record()
    daemon = next(n for n in graph.of("kubernetes:apps/v1:DaemonSet"))
    before = {graph[n].type for n in graph.before(daemon) if n in graph}
    assert "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition" in before
    assert "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding" in before
    assert "kubernetes:core/v1:ConfigMap" in before


def test_verification_comes_last():
    graph = record()
    later = [n for n in graph if "Command lab-verification-run" in graph.before(n)]
    assert later == []
    assert "Deployment lab-samplepod" in graph.before("Command lab-verification-run")


def test_throughput_is_measured_where_it_is_asked_for_and_of_proven_networks_only():
    assert not [n for n in record() if "hroughput" in n]
    graph = record(lab_site(throughput={"seconds": 1}))
    assert "Command lab-verification-run" in graph.before("Command lab-throughput-run")
    given = json.loads(graph["Command lab-throughput-run"].inputs["stdin"]["value"])
    assert given["image"] == "docker.io/nicolaka/netshoot:v0.13"
    assert given["site"]["throughput"]["seconds"] == 1


def test_the_verification_is_given_what_was_installed_and_no_variable_of_kubespray():
    data = lab_site(kubespray={"version": "v2.31.0", "variables": {"docker_password": "hunter2"}})
    given = record(data)["Command lab-verification-run"].inputs["stdin"]["value"]
    assert "hunter2" not in given
    expectation = json.loads(given)["expectation"]
    assert [node["plugins"] for node in expectation["nodes"]] == [{"macvlan": "a" * 64}] * 3


def test_pods_of_one_network_do_not_wait_for_another():
    data = lab_site()
    data["workloads"]["samplepod"]["networks"] = ["macvlan-internal"]
    graph = record(data)
    assert "NetworkAttachmentDefinition lab-macvlan-external" not in graph.before("Deployment lab-samplepod")


def test_four_resources_a_node_whatever_is_installed():
    assert sorted(n for n in record() if "node3" in n) == [
        "Command lab-node3-facts",
        "Command lab-node3-leave",
        "Command lab-node3-machine",
        "NodeVM lab-node3",
    ]


def test_every_resource_has_an_explicit_provider():
    for name, node in record().items():
        if node.type.startswith(("command:", "kubernetes:")):
            assert node.options.provider, name


def test_an_object_of_a_killed_run_is_taken_up_by_the_next():
    graph = record()
    (provider,) = graph.of("pulumi:providers:kubernetes").values()
    assert provider.inputs["upsertExistingObjects"] == "true"
    objects = [node for node in graph.values() if node.type.startswith("kubernetes:")]
    assert {o.inputs["metadata"]["annotations"]["pulumi.com/patchFieldManager"] for o in objects} == {"multus-site-lab"}


def test_what_has_a_delete_is_deleted_before_it_is_replaced():
    for name, node in record().items():
        if node.type.startswith("command:") and "delete" in node.inputs and "kubespray" not in name:
            assert node.options.deleteBeforeReplace, name


def test_what_lives_on_machines_is_not_asked_for_where_they_go():
    """Else a site whose machines are dead could not be destroyed."""
    graph = record(whereabouts_site())
    for name, node in graph.items():
        if node.type.startswith("kubernetes:") or (node.type.startswith("command:") and "delete" in node.inputs):
            machine = name.endswith("-machine")
            assert machine != ("-machine" in node.options.deletedWith), name


def test_where_machines_go_their_files_go_with_them():
    graph = record()
    assert graph[PLUGINS].options.deletedWith.endswith("lab-node1-machine")
    assert given_to(graph)["leavers_go"]
    assert graph["Command lab-kubernetes-kubespray"].options.deletedWith.endswith("lab-node1-machine")


def test_existing_hosts_are_neither_made_nor_forgotten():
    data = lab_site()
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMMBiOX5o5vhHt6iyc5/g8YeZZ4gvCxLKOYupGSW5Sv/"
    hosts = {name: {**host, "hostKey": key} for name, host in data["nodes"]["hosts"].items()}
    graph = record(lab_site(nodes={"backend": "existing", "hosts": hosts}))
    assert not [n for n in graph if n.endswith(("-machine", "-leave"))]
    assert not [n for n, node in graph.items() if node.options and node.options.deletedWith]
    assert len([n for n in graph if n.endswith("-facts")]) == 3
    assert not graph["Command lab-kubernetes-kubespray"].options.deletedWith
    assert not graph[PLUGINS].options.deletedWith
    assert not given_to(graph)["leavers_go"]


def test_the_pinned_image_is_what_runs():
    spec = json.dumps(
        json.loads(json.dumps(dict(record()["Deployment lab-samplepod"].inputs["spec"]), default=str)), default=str
    )
    assert "sha256:" + "b" * 64 in spec


def whereabouts_site(kind="whereabouts"):
    data = lab_site()
    ipam = {"type": kind, **({"range": "10.1.10.0/24", "gateway": "10.1.10.1"} if kind == "whereabouts" else {})}
    data["networks"]["macvlan-internal"]["ipam"] = ipam
    return data


@pytest.mark.parametrize(("kind", "daemon"), [("whereabouts", "lab-whereabouts"), ("dhcp", "lab-dhcp")])
def test_address_management_is_there_before_attachments_and_goes_after_the_last_pod(kind, daemon):
    graph = record(whereabouts_site(kind))
    assert f"DaemonSet {daemon}" in graph
    assert f"DaemonSet {daemon}" in graph.before("NetworkAttachmentDefinition lab-macvlan-internal")
    assert f"DaemonSet {daemon}" in graph.before("Deployment lab-samplepod")
    assert "DaemonSet lab-multus" in graph.before(f"DaemonSet {daemon}")
    assert f"DaemonSet {daemon}" not in record()


@pytest.mark.parametrize(("kind", "daemon"), [("whereabouts", "lab-whereabouts"), ("dhcp", "lab-dhcp")])
def test_what_a_daemon_leaves_on_nodes_goes_after_it(kind, daemon):
    graph = record(whereabouts_site(kind))
    for node in ("node1", "node2", "node3"):
        left = f"Command {daemon}-{node}-files-removal"
        assert left in graph.before(f"DaemonSet {daemon}")
        asked = json.loads(graph[left].inputs["stdin"]["value"])
        assert (asked["job"], asked["argument"]) == ("daemon-files", "remove")
        assert graph[left].options.deletedWith


def test_the_whereabouts_daemon_waits_for_crds_and_rights():
    before = record(whereabouts_site()).before("DaemonSet lab-whereabouts")
    assert {
        "CustomResourceDefinition lab-whereabouts-ippools",
        "CustomResourceDefinition lab-whereabouts-overlappingrangeipreservations",
        "ClusterRoleBinding lab-whereabouts",
        "ConfigMap lab-whereabouts-config",
    } <= before


def test_replicas_with_addresses_of_their_own_change_one_after_the_other():
    data = lab_site()
    data["networks"]["bgp"] = {"type": "macvlan", "master": "ens6", "ipam": {"type": "static"}}
    data["workloads"]["speaker"] = {
        "kind": "StatefulSet",
        "replicas": 2,
        "image": "docker.io/library/busybox:1.36",
        "networks": [{"name": "bgp", "ipsByReplica": ["10.1.10.11/24", "10.1.10.12/24"]}],
    }
    graph = record(data)
    assert "StatefulSet lab-speaker-0" in graph.before("StatefulSet lab-speaker-1")
    assert "StatefulSet lab-speaker-1" not in graph.before("StatefulSet lab-speaker-0")
    assert "Service lab-speaker" in graph.before("StatefulSet lab-speaker-0")


def delivered_site(tmp_path):
    bond = tmp_path / "bond"
    bond.write_bytes(b"a binary")
    sha = hashlib.sha256(b"a binary").hexdigest()
    binaries = [{"name": "bond", "path": str(bond), "sha256": sha}]
    return lab_site(cniPlugins={"plugins": ["macvlan"], "binaries": binaries}), bond, sha


def test_plugins_cost_one_resource_a_site_wherever_they_come_from(tmp_path):
    data, bond, sha = delivered_site(tmp_path)
    graph = record(data)
    assert sorted(graph) == GRAPH
    macvlan = {"name": "macvlan", "kind": "url", "place": "http://10.1.1.1:8080/macvlan", "pin": "a" * 64, "member": ""}
    local = {"name": "bond", "kind": "path", "place": str(bond), "pin": sha, "member": ""}
    assert given_to(graph)["origins"] == {"amd64": [local, macvlan]}


def test_another_run_of_kubespray_or_another_machine_asks_for_the_plugins_again():
    given = given_to(record())
    assert given["run_id"] == "lab-1"
    assert given["nodes"]["node2"]["reasons"] == ["id-of-lab-node2-facts", "0"]


def test_a_file_that_is_not_as_pinned_stops_the_preview(tmp_path):
    data, bond, sha = delivered_site(tmp_path)
    bond.write_bytes(b"another")
    with pytest.raises(pulumi.RunError, match=f"cniPlugins: bond: .* pinned is {sha}"):
        record(data, preview=True)
    bond.unlink()
    with pytest.raises(pulumi.RunError, match=r"No such file or directory\. Paths in cniPlugins are relative"):
        record(data, preview=True)


def test_a_plugin_that_cannot_be_had_stops_the_preview():
    with pytest.raises(pulumi.RunError, match=r"no CNI plugin host-local 1\.8\.0 for amd64; its releases: 1\.9\.1"):
        record(lab_site(cniPlugins={"version": "1.8.0"}, kubespray={"variables": {"kube_network_plugin": "flannel"}}))


@pytest.mark.parametrize("protect", [True, False])
def test_a_protected_site_keeps_its_cluster(protect):
    graph = record(lab_site(protect=protect))
    kept = {name for name, node in graph.items() if node.options and node.options.protect}
    cluster = {
        "KubesprayCluster lab-kubernetes",
        "Command lab-kubernetes-kubespray",
        "Command lab-kubernetes-kubeconfig",
    }
    assert kept == (cluster if protect else set())


def reached(bastions):
    """A site of existing hosts behind so many bastions, with links and a daemon that leave something on nodes."""
    data = whereabouts_site()
    data["nodes"] = {
        "backend": "existing",
        "ssh": {
            "user": "ubuntu",
            "bastion": [{"host": f"203.0.113.{i}", "hostKey": ED25519} for i in range(bastions)] or None,
        },
        "hosts": {node: {**its, "hostKey": ED25519} for node, its in data["nodes"]["hosts"].items()},
    }
    data["links"] = {"ens6.110": {"type": "vlan", "link": "ens6", "id": 110}}
    data["networks"]["macvlan-external"]["master"] = "ens6.110"
    return record(data)


@pytest.mark.parametrize("bastions", [0, 1, 2])
def test_what_is_taken_away_is_of_one_type_however_nodes_are_reached(bastions):
    graph = reached(bastions)
    kind = "command:local:Command" if bastions == 2 else "command:remote:Command"
    for name in ("Command lab-node1-networks-apply", "Command lab-whereabouts-node1-files"):
        assert graph[name].type == kind
        assert "delete" not in graph[name].inputs
        removal = graph[f"{name}-removal"]
        assert removal.type == "command:local:Command"
        assert "create" not in removal.inputs
        assert f"{name}-removal" in graph[name].dependencies
    for name in ("Command lab-node1-facts", "Command lab-kubernetes-kubeconfig"):
        assert graph[name].type == kind
