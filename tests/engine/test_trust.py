"""Previews that can be trusted: what did not change is not told, and `replace` is said only of what is replaced."""

import json
import sys
from pathlib import Path

import pytest

from multus_site.render.host_keys import derive_host_key
from tests.engine.applied import PRETENDING
from tests.graph.recording import ED25519

pytestmark = pytest.mark.engine

PREVIEW = ("pulumi", "preview", "--stack", "dallas", "--non-interactive")
LATER = Path(__file__).parent / "later"
OTHER_KEY = derive_host_key("another key that opens nothing", "tests", "trust")


def no_changes(place, *command):
    place.must(*command, *PREVIEW, "--expect-no-changes")


def steps(place, **options):
    """Each resource that a preview tells of → (operation, properties that force a replacement)."""
    found = json.loads(place.must(*PREVIEW, "--json", **options))["steps"]
    return {f"{s['urn'].split('::')[2].rpartition('$')[2]} {s['urn'].rpartition('::')[2]}": (s["op"], tuple(s.get("replaceReasons") or ())) for s in found}  # fmt: skip


def of_the_cluster(found):
    """Those that are objects of the cluster."""
    return {name: op for name, (op, _) in found.items() if name.startswith("kubernetes:")}


def resources(place):
    exported = json.loads(place.must("pulumi", "stack", "export", "--stack", "dallas"))["deployment"]["resources"]
    return {resource["urn"]: resource for resource in exported}


def test_a_year_later_nothing_changed(place):
    shown = place.must(
        "env", f"PYTHONPATH={LATER}", sys.executable, "-c", "import time; print(time.time(), time.strftime('%Y'))"
    )
    assert float(shown.split()[0]) > 366 * 24 * 3600
    no_changes(place, "env", f"PYTHONPATH={LATER}", "TZ=Pacific/Auckland")


def test_another_person_on_another_machine_sees_no_change(place, tmp_path):
    """Another checkout, home, language, agent and user than where it was applied."""
    elsewhere = place.copy(tmp_path / "a checkout of somebody else's")
    (tmp_path / "home").mkdir()
    foreign = {"HOME": tmp_path / "home", "USER": "somebody", "LOGNAME": "somebody", "LANG": "C", "LC_ALL": "C", "SSH_AUTH_SOCK": "/nowhere"}  # fmt: skip
    no_changes(elsewhere, "env", *(f"{key}={value}" for key, value in foreign.items()), "PYTHONHASHSEED=7")


def backwards(data):
    """The same data with every mapping's keys in the opposite order; the first host stays first, since it is the first control plane."""
    if isinstance(data, dict):
        return {key: backwards(data[key]) for key in reversed(data)}
    return [backwards(item) for item in data] if isinstance(data, list) else data


def test_the_order_of_keys_is_no_change(place):
    def turn(site):
        turned = backwards(site)
        site.clear()
        site.update(turned)

    before = place.file.read_text()
    place.edit(turn)
    assert place.file.read_text() != before
    no_changes(place)


def reached_otherwise(place):
    """The key, the user, the port and a bastion: all that says how nodes are reached, and nothing of what is on them."""
    place.secret("multus-site:sshPrivateKey", OTHER_KEY.private)
    bastion = {"host": "203.0.113.9", "hostKey": ED25519}
    place.edit(lambda site: site["nodes"]["ssh"].update(user="root", port=2222, bastion=bastion))


def test_another_way_to_nodes_replaces_nothing(place):
    reached_otherwise(place)
    found = steps(place)
    assert found["command:remote:Command dallas-node1-facts"][0] == "update"
    assert {op for op, _ in found.values()} <= {"same", "update", "read"}
    before = {urn: r.get("id") for urn, r in resources(place).items()}
    place.up()
    assert {urn: r.get("id") for urn, r in resources(place).items()} == before
    no_changes(place)


def renewed(place):
    """A Kubernetes release, at which kubeadm renews the administrator's certificate."""
    place.edit(lambda site: site["kubespray"].update(version="v2.31.0"))


def behind_another_address(place):
    place.edit(lambda site: site["kubespray"].update(apiServer="203.0.113.10"))


PROVIDER = "pulumi:providers:kubernetes dallas-cluster"


@pytest.mark.parametrize("change", [renewed, behind_another_address])
def test_a_kubeconfig_that_is_another_one_updates_the_provider_and_replaces_nothing(place, change):
    """What the provider is given is another kubeconfig, of the same cluster: no object is made anew, before or after."""
    change(place)
    found = steps(place)
    assert found[PROVIDER] == ("update", ())
    assert set(of_the_cluster(found).values()) <= {"update", "same"}
    before = resources(place)
    place.up()
    after = resources(place)
    (provider,) = [urn for urn in before if urn.endswith("pulumi:providers:kubernetes::dallas-cluster")]
    assert before[provider]["inputs"]["kubeconfig"] != after[provider]["inputs"]["kubeconfig"]
    assert before[provider]["id"] == after[provider]["id"]
    objects = [urn for urn, r in before.items() if r["type"].startswith("kubernetes:")]
    assert objects
    for urn in objects:
        assert after[urn]["outputs"]["metadata"]["uid"] == before[urn]["outputs"]["metadata"]["uid"]
        assert after[urn]["created"] == before[urn]["created"]


def test_another_cluster_is_said_to_replace_all_that_is_in_it(place):
    """The state of a cluster that went by another identity: this time `replace` is so."""
    (urn,) = [urn for urn in resources(place) if urn.endswith("pulumi:providers:kubernetes::dallas-cluster")]
    state = json.loads(place.must("pulumi", "stack", "export", "--stack", "dallas"))
    for resource in state["deployment"]["resources"]:
        if resource["urn"] == urn:
            resource["inputs"]["clusterIdentifier"] = resource["outputs"]["clusterIdentifier"] = "austin"
    (place.folder / "state.json").write_text(json.dumps(state))
    place.must("pulumi", "stack", "import", "--stack", "dallas", "--file", place.folder / "state.json")
    found = steps(place)
    assert found[PROVIDER][0] in {"replace", "create-replacement", "delete-replaced"}
    assert set(of_the_cluster(found).values()) & {"replace", "create-replacement", "delete-replaced"}


def test_a_setting_of_the_provider_replaces_nothing(place):
    """Whatever else the provider is told: an update of how the cluster is spoken to."""
    state = json.loads(place.must("pulumi", "stack", "export", "--stack", "dallas"))
    for resource in state["deployment"]["resources"]:
        if resource["type"] == "pulumi:providers:kubernetes":
            for side in ("inputs", "outputs"):
                resource[side]["enableServerSideApply"] = "false"
                resource[side].pop("upsertExistingObjects", None)
    (place.folder / "state.json").write_text(json.dumps(state))
    place.must("pulumi", "stack", "import", "--stack", "dallas", "--file", place.folder / "state.json")
    found = steps(place, first=[PRETENDING])
    assert found[PROVIDER] == ("update", ())
    assert set(of_the_cluster(found).values()) <= {"update", "same"}
