"""Addresses come back when pods go; what does not come back is named by verify, drift and leaks, and given back by `up` and by leaks --free."""

import json
import os

import pytest

from multus_site.render import multus
from tests.lab import churn
from tests.lab.running import eventually

pytestmark = pytest.mark.lab

DELETIONS = int(os.environ.get("MULTUS_SITE_DELETIONS", "30"))
"""300 for the figures in docs/measurements.md."""
AT_ONCE = 30
DAEMONS = ("-n", "kube-system", "daemonset", "kube-multus-ds")
CRON_JOB = "mend-interfaces"

# What upstream's manifest has: the daemon alone, which writes 00-multus.conf itself.
UPSTREAM_CONFIG = {
    **multus.daemon_config(),
    "cniConfigDir": "/host/etc/cni/net.d",
    "multusAutoconfigDir": "/host/etc/cni/net.d",
}
UPSTREAM_PROBE = {"exec": {"command": ["test", "-s", "/host/etc/cni/net.d/00-multus.conf"]}}
UPSTREAM = {
    "name": "kube-multus",
    "command": ["/usr/src/multus-cni/bin/multus-daemon"],
    **dict.fromkeys(("readinessProbe", "livenessProbe", "startupProbe"), UPSTREAM_PROBE),
}


def failures(lab):
    """The checks that fail, with their details."""
    done = lab.run("multus-site", "verify", "lab", "--format", "json", check=False)
    return {(c["check"], c["node"]): c["detail"] for c in json.loads(done.stdout)["checks"] if not c["ok"]}


def drifted(lab):
    """What drift says of nodes."""
    done = lab.run("multus-site", "drift", "lab", "--format", "json", check=False)
    return json.loads(done.stdout)["nodes"]


def gone(lab):
    """Whether the runtime has forgotten the sandboxes of pods that are gone: only then is what they hold lost. Jobs keep theirs, and go first."""
    lab.kubectl("-n", "kube-system", "delete", "jobs", "--all")
    # A pod without a grace period leaves the API before the kubelet has begun to stop its sandbox.
    there = {pod["metadata"]["name"] for pod in lab.get("pods", "-A")["items"]}
    listed = (json.loads(lab.node(node, "crictl", "pods", "-o", "json").stdout)["items"] for node in churn.NODES)
    sandboxes = [pod for items in listed for pod in items]
    return all(pod["state"] == "SANDBOX_READY" and pod["metadata"]["name"] in there for pod in sandboxes)


def rolled_out(lab):
    """All daemons are ready."""
    lab.kubectl("-n", "kube-system", "rollout", "status", "daemonset", "kube-multus-ds", "--timeout=180s")


def suspend(lab, *, suspended):
    """No Job starts a pod whose address would be counted with the tests' own, or they do again."""
    lab.kubectl("-n", "kube-system", "patch", "cronjob", CRON_JOB, "-p", json.dumps({"spec": {"suspend": suspended}}))


@pytest.fixture
def clean(lab):
    """Nothing is left behind before; afterwards neither."""
    suspend(lab, suspended=True)
    eventually(lambda: churn.all_free(lab), seconds=180, pause=5)
    yield
    rolled_out(lab)
    suspend(lab, suspended=False)
    lab.kubectl("delete", "deployment", churn.NAME, "--ignore-not-found")
    eventually(lambda: churn.all_free(lab), seconds=180, pause=5)


def test_deleted_pods_lose_no_address(lab, clean):  # noqa: ARG001
    churn.delete_pods(lab, DELETIONS, AT_ONCE)
    eventually(lambda: gone(lab), seconds=240, pause=5)
    assert churn.lost(lab) == {}
    churn.grow_old(lab)
    assert churn.left(lab, status=0) == {"leaks": [], "losing": {}, "unknown": {}}


def test_upstreams_arrangement_loses_an_address_for_each_deleted_pod_and_is_named(lab, clean):  # noqa: ARG001
    config = {"data": {"daemon-config.json": json.dumps(UPSTREAM_CONFIG)}}
    lab.kubectl("-n", "kube-system", "patch", "configmap", multus.FILES, "-p", json.dumps(config))
    patch = {"spec": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "100%"}}, "template": {"spec": {"containers": [UPSTREAM]}}}}  # fmt: skip
    try:
        lab.kubectl("patch", *DAEMONS, "-p", json.dumps(patch))
        rolled_out(lab)
        churn.delete_pods(lab, 30, AT_ONCE)
        eventually(lambda: gone(lab), seconds=240, pause=5)
        assert len(churn.lost(lab)) >= 30
        churn.grow_old(lab)
        said = churn.left(lab, status=1)
        assert set(said["losing"]) == set(churn.NODES)
        assert "10-flannel.conflist" in said["losing"]["node1"]
        found = failures(lab)
        assert {check for check, _ in found} == {"pod-deletion", "left-behind"}
        assert {node for check, node in found if check == "pod-deletion"} == set(churn.NODES)
    finally:
        # Fields that kubectl took over would be a conflict. `up` creates our daemon, and gives back what the other one lost.
        lab.kubectl("delete", *DAEMONS, "--wait=true")
        done = lab.pulumi("up", "--yes", "--skip-preview", "--refresh")
    assert "; given back" in done.stdout
    rolled_out(lab)
    assert churn.lost(lab) == {}
    assert failures(lab) == {}
    assert churn.left(lab, status=0)["losing"] == {}


def test_what_pods_leave_while_the_daemon_is_away_is_named_and_given_back(lab, clean):  # noqa: ARG001
    manifest = lab.get(*DAEMONS)
    manifest["metadata"] = {key: manifest["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    lab.kubectl("apply", "-f", "-", given=json.dumps(churn.MANIFEST))
    try:
        churn.scale(lab, 13)
        lab.kubectl("delete", *DAEMONS, "--wait=true")
        eventually(lambda: not lab.get("-n", "kube-system", "pods", "-l", "name=multus")["items"])
        # The file stays, so that no pod starts with the pod network alone.
        for node in churn.NODES:
            lab.node(node, "test", "-s", "/etc/cni/net.d/00-multus.conf")
        churn.scale(lab, 0)
        eventually(lambda: gone(lab), seconds=240, pause=5)
    finally:
        lab.kubectl("create", "-f", "-", given=json.dumps(manifest))
        lab.kubectl("delete", "deployment", churn.NAME, "--ignore-not-found")
    rolled_out(lab)
    assert len(churn.lost(lab)) == 13
    young = churn.left(lab)["leaks"]
    assert not [leak for leak in young if leak["kind"] == "address"], "they may belong to pods that start"
    churn.grow_old(lab)
    found = [leak["network"] for leak in churn.left(lab, status=1)["leaks"] if leak["kind"] == "address"]
    assert sorted(found) == ["cbr0"] * 13 + ["macvlan-internal"] * 13
    assert {check for check, _ in failures(lab)} == {"left-behind", "whereabouts"} & {c for c, _ in failures(lab)}
    plan = lab.run("multus-site", "addresses", "lab", "--kubeconfig", lab.place.folder / "kubeconfig", "--json")
    internal = next(one for one in json.loads(plan.stdout)["lines"] if one["network"] == "default/macvlan-internal")
    assert len(internal["reserved"]) == 14  # with the sample pod's
    # Each node has its own host-local: one address may be reserved on several.
    assert internal["full"] == round(len({one["address"] for one in internal["reserved"]}) / 51, 4)
    assert plan.stderr.count("which is gone") == 26
    rows = drifted(lab)
    assert len([row for row in rows if row["found"] == "address"]) == 26
    assert {row["mendedBy"] for row in rows} == {"pulumi up"}
    done = lab.pulumi("up", "--yes", "--skip-preview")
    assert done.stdout.count("of cbr0 is reserved for sandbox") >= 13
    assert churn.lost(lab) == {}
    assert churn.left(lab, status=0)["leaks"] == []
    assert failures(lab) == {}
    lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_the_address_of_a_pod_whose_cache_was_damaged_is_given_back_when_it_is_gone(lab, clean):  # noqa: ARG001
    lab.kubectl("apply", "-f", "-", given=json.dumps(churn.MANIFEST))
    churn.scale(lab, 1)
    (pod,) = lab.get("pods", "-l", f"app={churn.NAME}")["items"]
    node = pod["spec"]["nodeName"]
    listed = json.loads(lab.node(node, "crictl", "pods", "--name", pod["metadata"]["name"], "-o", "json").stdout)
    sandbox = listed["items"][0]["id"]
    lab.node(node, "sh", "-c", f"printf '[{{' >/var/lib/cni/multus/{sandbox}")
    churn.grow_old(lab)
    (damaged,) = churn.left(lab, "--free", status=1)["leaks"]
    assert (damaged["kind"], damaged["where"], damaged["freed"]) == ("damaged", node, False)
    lab.kubectl("delete", "deployment", churn.NAME, "--wait=true")
    eventually(lambda: not lab.get("pods", "-l", f"app={churn.NAME}")["items"])
    eventually(lambda: gone(lab), seconds=240, pause=5)
    assert len(churn.lost(lab)) == 1
    churn.grow_old(lab)
    done = lab.run("multus-site", "leaks", "lab", "--free")
    assert "given back" in done.stdout
    assert churn.lost(lab) == {}
    assert churn.left(lab, status=0)["leaks"] == []
