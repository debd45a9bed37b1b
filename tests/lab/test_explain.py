"""Twelve causes, provoked: `explain` names each, its rule, where to look and what to do."""

import json

import pytest

from tests.lab import causes
from tests.lab.test_faults import bridge, in_namespace

pytestmark = pytest.mark.lab


def explain(lab, pod):
    """What the command says, and its exit status."""
    command = (".venv/bin/python", "-m", "multus_site", "explain", "pod", f"default/{pod}", "--format", "json")
    done = lab.run(*command, check=False)
    assert "Traceback" not in done.stderr
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.returncode


def only_cause(lab, pod):
    """The one cause that it names."""
    said, status = explain(lab, pod)
    assert (status, said["unknown"]) == (1, [])
    (cause,) = said["causes"]
    assert cause["remedy"]
    return cause


@pytest.fixture(scope="module")
def broken(lab):
    """The lab with pods that hang, and two that run."""
    try:
        causes.furnish(lab)
        causes.apply(lab, causes.pod("holder", "one-address"), causes.pod("fine", "works"))
        causes.running(lab, "holder")
        causes.running(lab, "fine")
        causes.apply(lab, *(causes.pod(name, name) for name in causes.PODS))
        yield lab
    finally:
        causes.clear(lab)


RULES = {
    "plugin-missing": ("PLUGIN_BINARY_MISSING", "spec.config.type", "ghostlan"),
    "plugin-architecture": ("plugin-binary", "spec.config.type", "foreignlan"),
    "plugin-not-executable": ("plugin-binary", "spec.config.type", "chmod 0755 /opt/cni/bin/plainlan"),
    "master-missing": ("MASTER_NOT_FOUND", "spec.config.master", "ens6"),
    "network-missing": ("NAD_NOT_FOUND", "metadata.annotations", "default/nowhere"),
    "json-broken": ("JSON_SYNTAX", "spec.config, line 3, column 20", "comma"),
    "addresses-exhausted": ("TOO_FEW_ADDRESSES", "spec.config.ipam", "range"),
    "ipam-daemon-away": ("DHCP_DAEMON_MISSING", "spec.config.ipam", "daemon"),
    "mtu": ("MTU_GT_MASTER", "spec.config.mtu", "1500"),
    "no-device": ("SRIOV_RESOURCE_UNKNOWN", "metadata.annotations", causes.RESOURCE),
}
"""Cause → its rule, where to look, and a word of the remedy."""


@pytest.mark.parametrize(("pod", "cause"), causes.PODS.items())
def test_a_pod_that_hangs(broken, pod, cause):
    causes.hangs(broken, pod)
    found = only_cause(broken, pod)
    rule, path, word = RULES[cause]
    assert (found["cause"], found["rule"]) == (cause, rule)
    assert found["path"].startswith(path)
    assert word in found["remedy"]
    assert found["object"].endswith(f"default/{pod}")


def test_a_pod_that_has_all_its_networks(broken):
    assert explain(broken, "fine")[0]["causes"] == []
    assert explain(broken, "fine")[1] == 0


def test_a_gateway_that_is_down(broken):
    segment = bridge(broken)
    in_namespace(broken, "addr", "del", "10.1.10.1/24", "dev", segment)
    try:
        found = only_cause(broken, "fine")
    finally:
        in_namespace(broken, "addr", "add", "10.1.10.1/24", "dev", segment)
    assert (found["cause"], found["rule"]) == ("gateway-down", "gateway-arp")
    assert found["path"].startswith("spec.config.ipam.gateway")
    assert "10.1.10.1" in found["what"]


def test_multus_that_is_away(broken):
    try:
        causes.send_multus_away(broken)
        causes.apply(broken, causes.pod("deserted", "works"))
        causes.assigned(broken, "deserted")
        found = only_cause(broken, "deserted")
        assert (found["cause"], found["rule"]) == ("multus-away", "multus-daemon")
        assert causes.NODE in found["what"]
        # A pod that runs cannot be inspected without the daemon: that is no "nothing is wrong".
        said, status = explain(broken, "fine")
        assert (said["causes"], status) == ([], 2)
        assert said["unknown"]
    finally:
        causes.call_multus_back(broken)
    causes.running(broken, "deserted")
    assert explain(broken, "deserted")[1] == 0


def test_a_pod_that_is_none(broken):
    done = broken.run(".venv/bin/python", "-m", "multus_site", "explain", "pod", "default/nobody", check=False)
    assert done.returncode == 2
    assert "there is no pod default/nobody" in done.stderr


def kubectl(lab, *words):
    """kubectl with the plugin of this checkout on its PATH."""
    path = f"{causes.PROGRAMS}:{lab.environment['PATH']}"
    return lab.run("kubectl", "multus", *words, check=False, PATH=path)


def test_kubectl_runs_both_as_a_plugin(broken):
    done = kubectl(broken, "explain", "pod", "absent-plugin", "-n", "default", "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["causes"][0]["cause"]) == (1, "plugin-missing"), done.stderr
    done = kubectl(broken, "lint", "--format", "json")
    assert done.returncode == 1, done.stderr
    found = {(one["file"], one["rule"]) for one in json.loads(done.stdout)}
    network = "NetworkAttachmentDefinition default/"
    # What the objects say, and what only the nodes know: their NICs and plugins.
    assert {(f"{network}no-json", "JSON_SYNTAX"), (f"{network}absent-master", "MASTER_NOT_FOUND")} <= found
    assert (f"{network}absent-plugin", "PLUGIN_BINARY_MISSING") in found
    assert ("Pod default/nowhere", "NAD_NOT_FOUND") in found
    assert (f"{network}works", "MASTER_NOT_FOUND") not in found
