"""multus_site/repair against a real API server, with the rights that render/repair.py gives it."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multus_site.render import multus, repair
from tests.contract.control_plane import certificates
from tests.contract.repairing import ADDRESS, ETH0, SYSTEM, WITHOUT, Repairing, entry


@pytest.fixture(scope="module")
def crd(cluster):
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    name = cluster.post(path, {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", **multus.crd()})["metadata"]["name"]  # fmt: skip
    until = time.monotonic() + 30
    while not any(
        c["type"] == "Established" and c["status"] == "True"
        for c in cluster.get(f"{path}/{name}").get("status", {}).get("conditions") or []
    ):
        assert time.monotonic() < until
        time.sleep(0.1)
    yield
    cluster.delete(f"{path}/{name}")


@pytest.fixture
def place(cluster, request, tmp_path):
    """A namespace with networks a and b, a ready Multus daemon on node1, nothing installed yet."""
    request.getfixturevalue("crd")
    made = Repairing(cluster, tmp_path, "repair")
    made.here = made.namespace()
    for name in ("a", "b"):
        made.network(made.here, name)
    made.daemon("node1")
    yield made
    made.end()


@pytest.fixture
def named(place):
    """Installed for the namespace."""
    place.install(repair.Scope((place.here,), None, (), 5))
    return place


def status(place, *interfaces, **more):
    names = ("a", "b")
    return json.dumps([ETH0, *(entry(f"{place.here}/{names[i]}", n, **more) for i, n in enumerate(interfaces))])


def lines_of(place, text):
    return [line for line in text if line.startswith(f"{place.here}/")]


RIGHT = {
    "short": "a",
    "with interface names": "a@uplink0, b@net7",
    "json": '[{"name": "a", "ips": ["10.1.10.5/24"]},\n {"name": "b"}]',
    "cni-args with a name": '[{"name": "a", "cni-args": {"name": "x", "nested": {"name": "y", "interface": "z"}}}]',
    "every key": (
        '[{"name": "a", "namespace": "HERE", "ips": ["10.1.10.5"], "mac": "02:00:00:00:00:01", "infiniband-guid": "x",'
        '"interface": "net1", "portMappings": [{"name": "p", "hostPort": 1, "containerPort": 1}], "bandwidth": {"name": 1},'
        '"deviceID": "x", "cni-args": {"name": [{"name": "y"}]}, "default-route": ["10.1.10.1"], "ipam-claim-reference": "x"}]'
    ),
    "keys in another case": '[{"Name": "a", "INTERFACE": "net1"}]',
    "a line break and a bar": '[{"name":\n"a", "mac": "x|y\\n|"}]',
}


@pytest.mark.parametrize("networks", RIGHT.values(), ids=RIGHT)
def test_a_pod_with_its_interfaces_stays(named, networks):
    count = 2 if "b" in json.dumps(re.findall(r'(?:^|[ ,]|"name": ")b\b', networks)) else 1
    interfaces = {"a@uplink0, b@net7": ("uplink0", "net7")}.get(networks, ("net1", "net2")[:count])
    named.pod(named.here, "p", networks=networks.replace("HERE", named.here), status=status(named, *interfaces))
    assert named.ran() == []
    assert named.going(named.here) == set()


def test_a_device_without_an_interface_name_counts(named):
    named.pod(named.here, "p", networks="a,b", status=json.dumps([ETH0, entry(f"{named.here}/a", ""), entry(f"{named.here}/b", "net2")]))  # fmt: skip
    assert named.ran() == []


@pytest.mark.parametrize(
    ("networks", "found", "address", "why"),
    [
        ("a", None, ADDRESS, "it has no network-status"),
        ("a", "", ADDRESS, "it has no network-status"),
        ("a", ["eth0"], ADDRESS, "it has 0 of 1 attachments; HERE/a is missing"),
        ("a,b", ["net1"], ADDRESS, "it has 1 of 2 attachments; HERE/b is missing"),
        ("a,a", ["net1"], ADDRESS, "it has 1 of 2 attachments; HERE/a is missing"),
        ('[{"name": "a"}, {"name": "b"}]', ["net1"], ADDRESS, "it has 1 of 2 attachments; HERE/b is missing"),
        ('[{"name": "b", "cni-args": {"name": "x"}}]', ["net1"], ADDRESS, "it has 0 of 1 attachments; HERE/b is missing"),
        ("a", ["net1"], "10.233.65.6", "its network-status is of an earlier sandbox, which did not have 10.233.65.6"),
    ],
)  # fmt: skip
def test_a_pod_without_its_interfaces_is_evicted_and_its_owner_told(named, networks, found, address, why):
    text = found if not isinstance(found, list) else status(named, *(i for i in found if i != "eth0"))
    named.pod(named.here, "p", networks=networks, status=text, address=address)
    named.pod(named.here, "none", networks=None, status=None)
    why = why.replace("HERE", named.here)
    assert named.ran() == [f"{named.here}/p on node1: {why}; evicted from node1"]
    assert named.going(named.here) == {"p"}
    (event,) = named.events(named.here)
    assert (event["involvedObject"]["name"], event["reason"], event["message"]) == ("p", "InterfacesMissing", f"{why}; evicted from node1")  # fmt: skip
    assert f'_evictions_total{{namespace="{named.here}"}} 1\n' in named.data["metrics"]


UNTOUCHED = {
    "hostNetwork": ({"hostNetwork": True}, "it has hostNetwork"),
    "of a Job": ({"owner": ("Job", "j")}, "it belongs to a Job"),
    "without owner": ({"owner": None}, "no controller would create it again"),
    "with an owner that is no controller": ({"controller": False}, "no controller would create it again"),
    "static": ({"annotations": {"kubernetes.io/config.mirror": "x"}}, "it is a static pod"),
    "of the node": ({"owner": ("Node", "node1")}, "it is a static pod"),
    "of another controller": (
        {"owner": ("Work", "x"), "version": "example.com/v1"},
        "its owner, a Work, would create it",
    ),
    "of one that is called like ours": ({"version": "example.com/v1"}, "its owner, a ReplicaSet, would create it"),
    "with an owner that no object can be": ({"owner": ("ReplicaSet", "x\n|y" * 99)}, "its owner, a ReplicaSet, would"),
    "with an owner in colour": ({"owner": ("\x1b[31mJob\n", "j")}, "its owner, a \\x1b[31mJob\\n, would"),
    "of a network that is gone": ({"networks": "gone"}, "there is no NetworkAttachmentDefinition HERE/gone"),
    "of a network elsewhere": ({"networks": "kube-system/a"}, "its network kube-system/a is in a namespace that"),
    "of a node without Multus": ({"node": "node2"}, "Multus is not ready on node2"),
    "with an annotation that is no list": ({"networks": '{"name": "a"}'}, "Multus cannot read its annotation"),
    "with null": ({"networks": "[null]"}, "Multus cannot read its annotation"),
    "with a number": ({"networks": '[{"name": "a", "mac": 1}]'}, "Multus cannot read its annotation"),
    "with a path": ({"networks": "../../a"}, "Multus cannot read its annotation"),
    "with blanks": ({"networks": "   "}, "Multus cannot read its annotation"),
    "with a status that is no list": ({"status": '{"a": 1}'}, "the network-status annotation is no JSON list"),
    "with a status of another kind": ({"status": '[{"ips": [1]}]'}, "the network-status annotation is no JSON list"),
    "deep": ({"networks": "[" * 100_000}, "Multus cannot read its annotation"),
    "many": ({"networks": "a," * 100_000}, "asks for 100001 attachments"),
    "many, empty": ({"networks": ",".join(["a"] * 65)}, "asks for 65 attachments"),
}


@pytest.mark.parametrize(("spec", "words"), UNTOUCHED.values(), ids=UNTOUCHED)
def test_a_pod_that_an_eviction_would_not_repair_is_reported_only(named, spec, words):
    named.pod(named.here, "p", **{"networks": "a", "status": WITHOUT, **spec})
    (line,) = named.ran()
    assert words.replace("HERE", named.here) in line
    assert line.isprintable()
    assert len(line) < 600
    assert named.going(named.here) == set()


def test_a_pod_that_is_going_is_reported_only(named):
    named.pod(named.here, "p", networks="a", status=WITHOUT)
    named.ran()
    (line,) = named.ran()
    assert line == f"{named.here}/p on node1: it has 0 of 1 attachments; {named.here}/a is missing; it is being deleted"
    assert len(named.events(named.here)) == 1


def test_ended_pods_and_pods_that_start_are_nobodys_business(named):
    named.pod(named.here, "failed", networks="a", phase="Failed", ready=False)
    named.pod(named.here, "pending", networks="a", phase="Pending", ready=False)
    assert named.ran() == []


def budget(place, allowed):
    body = {"metadata": {"name": "pdb"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
    path = f"/apis/policy/v1/namespaces/{place.here}/poddisruptionbudgets"
    place.create(path, "policy/v1", "PodDisruptionBudget", body)
    state = {"disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1, "observedGeneration": 1}  # fmt: skip
    place.cluster.patch(f"{path}/pdb/status", {"status": state})


def test_a_budget_holds(named):
    budget(named, 0)
    named.pod(named.here, "p", networks="a", status=WITHOUT)
    (line,) = named.ran()
    assert "refuses its eviction" in line
    assert "disruption budget" in line
    assert named.going(named.here) == set()
    assert json.loads(named.data["record"])["groups"] == {}
    assert f'_refusals_total{{namespace="{named.here}"}} 1\n' in named.data["metrics"]


def test_a_budget_is_used_up_and_not_more(named):
    budget(named, 1)
    for i in range(3):
        named.pod(named.here, f"p{i}", networks="a", status=WITHOUT)
    told = named.ran()
    assert sum("evicted from" in line for line in told) == 1
    assert len(named.going(named.here)) == 1


def test_a_pass_evicts_so_many_and_from_each_namespace_in_turn(place):
    other = place.namespace()
    place.network(other, "a")
    place.install(repair.Scope(tuple(sorted((place.here, other))), None, (), 2))
    for i in range(4):
        place.pod(place.here, f"p{i}", networks="a", status=WITHOUT, owner=("ReplicaSet", f"web-{i}"))
    place.pod(other, "q", networks="a", status=WITHOUT)
    told = place.ran()
    assert sum("at most 2 pods" in line for line in told) == 3
    assert (len(place.going(place.here)), place.going(other)) == (1, {"q"})


def test_the_next_of_a_group_waits_until_the_last_one_is_ready(named):
    """And until what is being deleted is gone. Pods of other groups do not wait."""
    group = f"{named.here}/ReplicaSet/web-1"
    for name in ("p0", "p1"):
        named.pod(named.here, name, networks="a", status=WITHOUT)
    time.sleep(1.1)  # creation times are whole seconds
    named.remember(groups={group: {"evicted": int(time.time()), "again": 0}})
    named.pod(named.here, "new", networks="a", phase="Pending", ready=False)
    named.pod(named.here, "other", networks="a", status=WITHOUT, owner=("ReplicaSet", "api-1"))
    assert sum("waits: new is not ready yet" in line for line in named.ran()) == 2
    assert named.going(named.here) == {"other"}

    named.gone(named.here, "new")
    named.pod(named.here, "new", networks="a", status=status(named, "net1"))
    named.ran()
    assert named.going(named.here) == {"other", "p0", "p1"}

    named.gone(named.here, "p0")
    named.pod(named.here, "p2", networks="a", status=WITHOUT)
    named.remember(groups={})
    assert any(f"p2 on node1: it has 0 of 1 attachments; {named.here}/a is missing; waits: p1 is being deleted" in line for line in named.ran())  # fmt: skip
    assert "p2" not in named.going(named.here)


def test_a_pod_that_came_back_the_same_waits_twice_as_long_each_time(named):
    group = f"{named.here}/ReplicaSet/web-1"

    def again(times, ago):
        named.remember(groups={group: {"evicted": int(time.time()) - ago, "again": times}})

    again(0, 30)
    named.pod(named.here, "p", networks="a", status=WITHOUT)  # created after that
    (line,) = named.ran()
    assert "came back the same; the next attempt is in 10 minutes" in line
    assert json.loads(named.data["record"])["groups"][group]["again"] == 0
    again(3, 60)
    assert "the next attempt is in 79 minutes" in named.ran()[0]
    assert named.going(named.here) == set()
    again(20, 30)
    assert "the next attempt is in 720 minutes" in named.ran()[0]


def test_when_the_wait_is_over_it_is_evicted_and_the_next_wait_is_longer(named):
    group = f"{named.here}/ReplicaSet/web-1"
    named.pod(named.here, "p", networks="a", status=WITHOUT)
    named.remember(groups={group: {"evicted": int(time.time()) - 700, "again": 0}})
    named.ran()
    assert named.going(named.here) == {"p"}
    assert json.loads(named.data["record"])["groups"][group]["again"] == 1


def test_one_node_of_a_daemon_set_does_not_hold_up_the_others(named):
    named.daemon("node3")
    named.remember(groups={f"{named.here}/DaemonSet/d/node1": {"evicted": int(time.time()) - 30, "again": 5}})
    named.pod(named.here, "p1", networks="a", status=WITHOUT, owner=("DaemonSet", "d"))
    named.pod(named.here, "p3", networks="a", status=WITHOUT, owner=("DaemonSet", "d"), node="node3")
    named.ran()
    assert named.going(named.here) == {"p3"}


def test_of_its_own_workloads_only_the_pods_of_their_controllers(place):
    other = place.namespace()
    place.network(other, "a")
    place.install(repair.Scope((place.here,), ((place.here, "Deployment", "web"), (place.here, "StatefulSet", "db")), (), 9))  # fmt: skip
    owners = {
        "web": ("ReplicaSet", "web-75b"),
        "db-0": ("StatefulSet", "db"),
        "theirs": ("ReplicaSet", "webshop-75b"),
        "nested": ("ReplicaSet", "web-shop-75b"),
        "set": ("StatefulSet", "web"),
    }
    for name, owner in owners.items():
        place.pod(place.here, name, networks="a", status=WITHOUT, owner=owner)
    place.pod(other, "web", networks="a", status=WITHOUT, owner=owners["web"])
    told = place.ran()
    assert place.going(place.here) == {"web", "db-0"}
    assert place.going(other) == set()
    assert len(told) == 2


def test_all_are_all(place):
    place.install(repair.Scope(None, None, (), 9))
    other = place.namespace()
    place.network(other, "a")
    place.pod(other, "p", networks="a", status=WITHOUT)
    place.pod(place.here, "p", networks=f"{other}/a", status=WITHOUT)
    place.ran()
    assert (place.going(other), place.going(place.here)) == ({"p"}, {"p"})


def test_nothing_is_evicted_twice_by_two_passes_or_without_memory(named):
    named.pod(named.here, "p", networks="a", status=WITHOUT)
    named.cluster.delete(f"{SYSTEM}/configmaps/{repair.RECORD}")
    done = named.run()
    assert done.returncode == 1
    assert f"failed: GET /api/v1/namespaces/kube-system/configmaps/{repair.RECORD}: 404" in done.stderr
    assert "Traceback" not in done.stderr
    assert named.going(named.here) == set()


def test_a_damaged_record_is_told_and_starts_again(named):
    named.cluster.patch(f"{SYSTEM}/configmaps/{repair.RECORD}", {"data": {"record": '{"groups": 1}'}})
    done = named.run()
    assert (done.returncode, "is damaged" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    assert named.ran() == []


def test_no_server_is_one_line(named):
    done = named.run(KUBERNETES_SERVICE_PORT="9")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Connection refused" in done.stderr
    assert named.run(ACCOUNT="/nowhere").returncode == 1
    assert named.run(SETTINGS="{").stderr.startswith("the pass cannot start: ")


def test_a_namespace_that_may_not_be_read_fails_the_job_and_not_the_others(place):
    other = place.namespace()
    place.network(other, "a")
    place.install(repair.Scope(tuple(sorted((place.here, other))), None, (), 5))
    for namespace in (place.here, other):
        place.pod(namespace, "p", networks="a", status=WITHOUT)
    place.cluster.delete(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{place.here}/roles/{repair.NAME}")
    until = time.monotonic() + 10
    while allowed(place, "list", "pods", place.here) and time.monotonic() < until:
        time.sleep(0.1)
    done = place.run()
    assert done.returncode == 1
    assert f"failed: GET /api/v1/namespaces/{place.here}/pods: 403" in done.stderr
    assert (place.going(place.here), place.going(other)) == (set(), {"p"})
    assert "multus_site_interface_repair_last_pass_complete 0" in place.data["metrics"]


def allowed(place, verb, resource, namespace, *, group="", subresource="", name=""):
    """What the API server says of the account's rights."""
    attributes = {"verb": verb, "resource": resource, "namespace": namespace, "group": group, "subresource": subresource, "name": name}  # fmt: skip
    account = f"system:serviceaccount:kube-system:{repair.NAME}"
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": account, "resourceAttributes": attributes}}  # fmt: skip
    return place.cluster.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", body)["status"]["allowed"]


@pytest.mark.parametrize("everywhere", [False, True])
def test_its_rights_are_no_wider(place, everywhere):
    place.install(repair.Scope(None if everywhere else (place.here,), None, ("default",), 5))
    for namespace in (place.here, "kube-system", "default"):
        for verb in ("delete", "deletecollection", "create", "update", "patch", "get", "watch"):
            assert not allowed(place, verb, "pods", namespace), (verb, namespace)
        for verb in ("get", "list", "watch", "create"):
            assert not allowed(place, verb, "secrets", namespace)
        for resource in ("pods/exec", "pods/log", "pods/ephemeralcontainers", "serviceaccounts/token"):
            assert not allowed(place, "create", resource.split("/")[0], namespace, subresource=resource.split("/")[1])
        assert not allowed(place, "update", "configmaps", namespace, name="other")
        assert not allowed(place, "create", "configmaps", namespace)
        expected = everywhere or namespace == place.here
        assert allowed(place, "create", "pods", namespace, subresource="eviction") == expected
        assert allowed(place, "create", "events", namespace) == expected
    assert allowed(place, "update", "configmaps", "kube-system", name=repair.RECORD)
    assert not allowed(place, "list", "nodes", "")


def test_neither_log_nor_events_nor_record_show_what_is_in_a_pod(named):
    named.pod(named.here, "p", networks="a", status=WITHOUT)
    named.pod(named.here, "q", networks='[{"name": "a", "cni-args": {"password": "hunter2"}}]', status=None)
    done = named.run()
    shown = done.stdout + done.stderr + json.dumps(named.events(named.here)) + json.dumps(named.data)
    assert "hunter2" not in shown
    assert "PASSWORD" not in shown


def test_the_annotation_that_deleted_anybodys_pod_deletes_nobodys(named):
    """A line of its own in the output of a template: `NAMESPACE|POD|NODE|…`."""
    named.pod(named.here, "victim", networks="a", status=status(named, "net1"))
    forged = f'a\n{named.here}|victim|node1|10.9.9.9|ReplicaSet|"a"|""\n'
    named.pod(named.here, "p", networks=forged, status=WITHOUT, owner=("ReplicaSet", "evil-1"))
    named.pod(named.here, "q", networks="a", status=forged, owner=("ReplicaSet", "evil-2"))
    named.ran()
    assert "victim" not in named.going(named.here)


def test_metrics_are_openmetrics(named):
    named.pod(named.here, "p", networks="a", status=WITHOUT)
    named.pod(named.here, "q", networks="a", status=WITHOUT, owner=None)
    named.ran()
    told = named.data["metrics"].splitlines()
    assert told[-1] == "# EOF"
    line = re.compile(r'(# (TYPE|HELP|UNIT) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? \d+|# EOF)')
    assert [t for t in told if not line.fullmatch(t)] == []
    for outcome in ("evicted", "not-touched"):
        assert f'multus_site_interface_repair_pods{{namespace="{named.here}",outcome="{outcome}"}} 1' in told
    assert "multus_site_interface_repair_last_pass_complete 1" in told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "namespace", "interface", "cni-args", "ips", "default", "x\n|"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40),
    JSON.map(json.dumps),
    st.lists(JSON, max_size=3).map(json.dumps),
    st.sampled_from(["a|b\n", "\n", "|", "a\nvictim|x|", "[]", "null", "[null]", '"', "[" * 3000, "9" * 5000, "[1e999]", "a" * 100_000, "\u202e\x1b[2J"]),
)  # fmt: skip


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.tuples(HOSTILE, HOSTILE), min_size=10, max_size=10))
def test_no_annotation_can_touch_the_pod_of_another(named, texts):
    """The victim has its interfaces; whatever the others write, it stays, and the pass ends well."""
    named.gone(named.here, "victim")
    named.pod(named.here, "victim", networks="a", status=status(named, "net1"), owner=("ReplicaSet", "good-1"))
    for i, (networks, found) in enumerate(texts):
        named.gone(named.here, f"p{i}")
        named.pod(named.here, f"p{i}", networks=networks, status=found, owner=("ReplicaSet", f"evil-{i}"))
    told = named.ran()
    assert "victim" not in named.going(named.here)
    assert all(line.isprintable() and len(line) <= 501 for line in told)
    assert not any(line.startswith(f"{named.here}/victim ") for line in told)


def test_huge_objects_fit_into_the_memory_of_its_pod(named):
    """Pages of the largest annotations that the API server takes, under the limit of the pod."""
    for i in range(30):
        filler = {f"filler-{k}": "x" * 60_000 for k in range(4)}
        env = [{"name": f"V{k}", "value": "y" * 100_000} for k in range(8)]
        containers = [{"name": "c", "image": "i:1", "env": env}]
        named.pod(named.here, f"p{i}", networks="a", status=WITHOUT, annotations=filler, containers=containers)
    limit = int(named.container["resources"]["limits"]["memory"].removesuffix("Mi"))
    named.container = {**named.container, "command": [named.container["command"][0], "-c", LIMITED.format(limit << 20)]}
    assert sum("evicted from" in line for line in named.ran()) == 5


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_AS, ({0}, {0}))
sys.path.insert(0, ".")
runpy.run_module("multus_site.repair.main", run_name="__main__")
"""


def test_a_server_with_a_certificate_of_another_authority_is_not_talked_to(named, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    certificates(other)
    (named.folder / "ca.crt").write_text((other / "ca.pem").read_text())
    done = named.run()
    assert done.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
    assert "Traceback" not in done.stderr
