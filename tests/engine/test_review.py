"""`multus-site review` with the real pulumi CLI: against a stack that was applied, one that was not, and one that is not there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from multus_site.render.host_keys import derive_host_key
from tests.engine.applied import applied, dallas
from tests.graph.recording import PRIVATE_KEY

pytestmark = pytest.mark.engine

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "review.md"


def node_added(site):
    site["nodes"]["hosts"]["node4"] = {**site["nodes"]["hosts"]["node3"], "address": "192.0.2.8"}


def range_changed(site):
    site["networks"]["signalling"]["ipam"]["range"] = "10.10.0.30-10.10.0.99/24"


def upgrade(site):
    site["kubespray"]["version"] = "v2.31.0"


COMMENTS = {"a node added": node_added, "a range changed": range_changed, "a Kubespray upgrade": upgrade}
"""Those that docs/review.md shows, each with its edit."""


@pytest.mark.parametrize("name", COMMENTS)
def test_the_page_shows_what_the_command_says(place, name):
    place.edit(COMMENTS[name])
    status, text, said = place.review()
    assert status == 0, text + said
    quoted = "".join(f"> {line}".rstrip() + "\n" for line in text.strip().splitlines())
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    page = PAGE.read_text()
    if os.environ.get("UPDATE_GOLDEN"):
        before, rest = page.split(begin)
        page = f"{before}{begin}\n{quoted}\n{end}{rest.split(end)[1]}"
        PAGE.write_text(page)
    assert page.split(begin)[1].split(end)[0].strip() == quoted.strip()


def test_the_order_of_keys_is_no_change_and_nothing_is_said_of_it(place):
    place.edit(lambda site: site.update(networks={name: site["networks"][name] for name in reversed(site["networks"])}))
    status, text, said = place.review()
    assert status == 0, text + said
    assert "✅ dallas: nothing changes" in text
    assert re.search(r"Pulumi: \d+ unchanged\.$", text, re.MULTILINE)
    assert re.findall(r"^### (.+)", text, re.MULTILINE) == ["Warnings"]  # that the cluster could not be asked
    assert "mermaid" not in text


def test_what_moves_into_the_defaults_is_no_change(place):
    shared = {}
    place.edit(
        lambda site: shared.update(
            networks={"signalling": site["networks"].pop("signalling")},
            workloads={"recorder": site["workloads"].pop("recorder")},
        )
    )
    place.file.with_name("defaults.yaml").write_text(yaml.safe_dump(shared, sort_keys=False))
    status, text, said = place.review()
    assert status == 0, text + said
    assert "✅ dallas: nothing changes" in text


def test_another_key_changes_nothing_but_how_nodes_are_reached(place):
    before = place.file.read_text()
    place.secret(
        "multus-site:sshPrivateKey", derive_host_key("another key that opens nothing", "tests", "review").private
    )
    assert place.file.read_text() != before
    status, text, said = place.review("--format", "json")
    found = json.loads(text)
    assert status == 0, text + said
    assert "The connection to nodes changes" in found["notes"][0]
    assert [
        key for key in ("playbooks", "dangers", "interruption", "binaries", "pods", "destroyed") if found[key]
    ] == []


def test_the_first_preview_shows_the_whole_graph(place):
    """A stack that is there and was never applied: as many resources as a later state has."""
    before = json.loads(place.must("pulumi", "stack", "export", "--stack", "dallas"))["deployment"]["resources"]
    place.must("pulumi", "stack", "rm", "dallas", "--yes", "--force", "--preserve-config")
    text = place.file.read_text()
    place.initialise()
    place.file.write_text(text)
    status, out, said = place.review("--format", "json")
    found = json.loads(out)
    assert status == 0, out + said
    assert "never applied" in found["base"]
    assert found["counts"] == {"create": len([item for item in before if not item["type"].startswith("pulumi:")])}
    assert [run["reason"] for run in found["playbooks"]] == ["first run"]
    assert {network["change"] for network in found["networks"]} == {"added"}


def test_a_stack_that_is_not_there_is_reviewed_and_not_made(place):
    place.must("pulumi", "stack", "rm", "dallas", "--yes", "--force", "--preserve-config")
    text, there = place.file.read_text(), sorted(Path(place.folder / "state").rglob("dallas*"))
    status, out, said = place.review()
    assert status == 0, out + said
    assert "cluster.yml" in out
    assert "no state" in out.splitlines()[1]
    assert "✅" not in out
    assert place.file.read_text() == text
    assert [path for path in Path(place.folder / "state").rglob("dallas*") if path not in there] == []
    assert "no stack named" in place.run("pulumi", "stack", "output", "--stack", "dallas").stderr


@pytest.fixture
def stateless(place):
    """The same without state: a pipeline that cannot reach the backend, for example."""
    place.must("pulumi", "stack", "rm", "dallas", "--yes", "--force", "--preserve-config")

    def reviewed(edit):
        place.edit(edit)
        status, text, said = place.review("--base", "HEAD")
        assert "no state" in text.splitlines()[1], text + said
        assert "✅" not in text
        assert "Running pods keep running" not in text
        return status, text

    return reviewed


def test_two_minor_versions_at_once_are_refused_without_state_too(place, stateless):
    place.edit(lambda site: site["kubespray"].update(kubernetesVersion="1.32.11"))
    place.commit("an earlier Kubernetes")
    status, text = stateless(lambda site: site["kubespray"].update(kubernetesVersion="1.34.3"))
    assert status == 1
    assert "kubespray.kubernetesVersion: " in text
    assert "❌ dallas: this cannot be applied as it is" in text


def test_without_state_what_the_files_show_is_told(stateless):
    """A changed command and image, a node that leaves, a NIC swap, a version of the daemon."""

    def edit(site):
        site["workloads"]["core"]["command"] = ["sleep", "infinity"]
        site["workloads"]["recorder"]["image"] = "docker.io/library/busybox:1.37"
        del site["nodes"]["hosts"]["node3"]
        site["networks"]["media"]["master"] = "ens8"
        site["multus"] = {"version": "4.2.4"}

    status, text = stateless(edit)
    assert status == 0, text
    for told in ("command changed", "busybox:1.36 → ", "remove-node.yml", "it is drained", "ens8", "**Multus**"):
        assert told in text, text
    assert "None" not in text


def test_without_state_and_without_a_change_what_runs_is_unknown(stateless):
    status, text = stateless(lambda _: None)
    assert status == 0, text
    assert "what runs is unknown" in text


def test_nics_that_swap_are_told_by_node(place):
    def by_node(one, other):
        def edit(site):
            for number, host in enumerate(site["nodes"]["hosts"].values(), 1):
                host["groups"] = [f"g{number}"]
            site["networks"]["media"]["master"] = {"groups": {"g1": "ens7", "g2": one, "g3": other}}

        return edit

    place.edit(by_node("ens8", "ens9"))
    place.commit("by node")
    place.up()
    place.edit(by_node("ens10", "ens9"))
    status, text, said = place.review()
    assert status == 0, text + said
    assert "node2: ens8 → ens10" in text
    assert "node3: " not in text


def gateway_outside(site):
    site["networks"]["media"]["ipam"]["ranges"][0]["gateway"] = "10.99.0.1"


def test_what_was_applied_is_what_changes_and_what_waits_is_told(place):
    """The range changed on the default branch, with a warning elsewhere, and nobody applied it; the branch adds a node."""
    place.edit(range_changed)
    place.edit(gateway_outside)
    place.commit("a range")
    place.edit(node_added)
    _, text, _ = place.review("--format", "json")
    found = json.loads(text)
    (signalling,) = [network for network in found["networks"] if network["name"] == "signalling"]
    assert signalling["ranges"][0]["old"].startswith("10.10.0.10-10.10.0.59")
    assert "networks.signalling" in found["notes"][0]
    assert found["findings"] == []  # not of the lines that changed since
    _, text, _ = place.review("--format", "json", "--base", "HEAD")
    at_base = json.loads(text)
    assert at_base["networks"] == []
    assert [saying["about"] for saying in at_base["nodes"]] == ["node node4"]


def test_what_cannot_be_done_is_an_error(place):
    place.edit(
        lambda site: (
            site["nodes"]["hosts"].pop("node1")
            and site["nodes"]["hosts"]["node2"].update(roles=["control-plane", "etcd", "worker"])
        )
    )
    status, text, _ = place.review()
    assert status == 1
    assert "it is the first control plane node" in text
    assert text.index("❌") < text.index("### ")


def test_findings_of_changed_lines_with_their_lines(place):
    place.edit(gateway_outside)
    _, text, _ = place.review("--format", "json")
    found = json.loads(text)
    lines = place.file.read_text().splitlines()
    assert [f["rule"] for f in found["findings"]] == ["GATEWAY_OUTSIDE_SUBNET"]
    assert "10.99.0.1" in lines[found["findings"][0]["line"] - 1]


def test_findings_in_the_defaults_are_told_of_their_changed_lines(place):
    gateway_outside(site := dallas())
    shared = place.file.with_name("defaults.yaml")
    place.edit(lambda site: site["networks"].pop("media"))
    shared.write_text(yaml.safe_dump({"networks": {"media": site["networks"]["media"]}}, width=10_000))
    place.commit("a network for all")
    _, text, _ = place.review("--format", "json")
    assert json.loads(text)["findings"] == []
    shared.write_text(shared.read_text().replace("10.99.0.1", "10.99.0.2"))
    _, text, _ = place.review("--format", "json")
    (finding,) = json.loads(text)["findings"]
    assert (finding["rule"], finding["file"]) == ("GATEWAY_OUTSIDE_SUBNET", "stacks/defaults.yaml")
    assert "10.99.0.2" in shared.read_text().splitlines()[finding["line"] - 1]
    _, text, _ = place.review()
    assert f"| ⚠️ stacks/defaults.yaml line {finding['line']} |" in text
    reason = "it is on the same wire"
    shared.write_text(
        re.sub(
            r"^(.*10\.99)", rf"      # lint: allow GATEWAY_OUTSIDE_SUBNET {reason}\n\1", shared.read_text(), flags=re.M
        )
    )
    _, text, _ = place.review("--format", "json")
    assert json.loads(text)["findings"] == []


def test_a_site_that_the_model_refuses_is_an_error(place):
    place.edit(lambda site: site["networks"]["media"].update(mastre="ens8"))
    status, text, _ = place.review()
    assert status == 1
    assert "SITE\\_MODEL" in text or "SITE_MODEL" in text
    assert "mastre" in text


@pytest.mark.parametrize("name", ["Pulumi.dallas.yaml", "defaults.yaml"])
def test_a_file_that_is_no_utf8(place, name):
    file = place.file.with_name(name)
    text = file.read_bytes() if file.exists() else b""
    file.write_bytes(b"# caf\xe9\n" + text)
    status, out, said = place.review("--format", "json")
    assert status == 1, said
    assert json.loads(out)["errors"] == [
        f"stacks/{name}:1: site: cannot be read: byte 0xe9 is not UTF-8; save the file as UTF-8"
    ]
    place.commit("as it should not be")
    file.write_bytes(b"# cafe\n" + text)
    status, out, said = place.review()
    assert status == 0, out + said
    assert "✅ dallas: nothing changes" in out


def test_a_folder_in_place_of_a_file(place):
    place.file.unlink()
    place.file.mkdir()
    status, out, said = place.review("--format", "json")
    assert status == 1, said
    assert json.loads(out)["errors"] == [
        "stacks/Pulumi.dallas.yaml: site: cannot be read: Is a directory; put a file of YAML there"
    ]


def test_a_deleted_file(place):
    place.file.unlink()
    status, text, said = place.review()
    assert status == 0, text + said
    assert "3 nodes, 2 networks and 2 workloads keep running" in text
    assert "⛔" in text


def test_a_renamed_file_is_a_danger_until_the_stack_is_renamed_too(place):
    place.file.rename(place.file.with_name("Pulumi.austin.yaml"))
    status, text, said = place.review()
    assert status == 0, text + said
    assert "pulumi stack rename austin --stack dallas" in text
    status, text, said = place.review(stack="austin")
    assert status == 0, text + said
    assert "## ⛔ austin: 1 dangerous change; no state, so everything is created\n" in text
    assert "has the name dallas of stacks/Pulumi.dallas.yaml, which is deleted" in text
    assert "None. Running pods keep running." not in text
    place.must("pulumi", "stack", "rename", "austin", "--stack", "dallas")
    status, text, said = place.review(stack="austin")
    assert status == 0, text + said
    assert "✅ austin: no interruption" in text
    assert " to create" not in text


def test_another_script_is_told_for_each_node(place):
    """The package is a copy here, in which the script that puts plugins on nodes is another one."""
    folder = place.folder / "project"
    (folder / "multus_site").unlink()
    shutil.copytree(PROJECT / "multus_site", folder / "multus_site")
    script = folder / "multus_site" / "scripts" / "cni-plugins.sh"
    script.write_text(script.read_text() + "true\n")
    status, text, said = place.review("--format", "json")
    assert status == 0, text + said
    (binaries,) = json.loads(text)["binaries"]
    assert (binaries["nodes"], binaries["plugins"]) == (["node1", "node2", "node3"], [])
    assert "another version of multus-site" in binaries["why"]


def test_a_python_without_the_sdk_is_told_with_what_to_type(place):
    (place.folder / "project" / ".venv").unlink()
    status, text, _ = place.review()
    assert status == 1
    assert "The 'virtualenv' option in Pulumi.yaml is set to \".venv\"" in text
    assert "python3 -m venv" in text
    bare = place.folder / "project" / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    status, text, _ = place.review()
    assert status == 1
    assert "has no module pulumi; type: pulumi install" in text
    done = place.run(bare / "bin" / "python", "-m", "multus_site", "review", "dallas")
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no module typer; type: lab/bootstrap.sh --plain multus-site" in done.stderr
    assert "Traceback" not in done.stderr


def test_usage_errors(place):
    for arguments, words in (
        (("--base", "nowhere"), "git has no commit nowhere"),
        (("--format", "html"), "html"),
    ):
        status, out, said = place.review(*arguments)
        assert (status, out) == (2, ""), said
        assert words in said
    status, out, said = place.review(stack="austin")
    assert (status, out) == (2, "")
    assert "stacks/Pulumi.austin.yaml does not exist" in said


CANARY = "canary"


def planted(part):
    """A site with secrets wherever one can stand; `part` makes those of one other than of another."""

    def canary(where):
        return f"{CANARY}-{where}-{part}-x7Qz"

    site = dallas()
    site["kubespray"]["variables"] = {
        "registry_password": canary("variable"),
        "containerd_extra_args": f"token={canary('argument')}",
    }
    site["cniPlugins"] = {
        "plugins": ["macvlan"],
        "binaries": [
            {
                "name": "bond",
                "url": f"https://user:{canary('url')}@example.org/bond?token={canary('query')}",
                "sha256": ("a" if part == "old" else "b") * 64,
            }
        ],
    }
    config = {
        "cniVersion": "1.0.0",
        "name": "lan",
        "type": "bridge",
        "bridge": "br0",
        "password": canary("raw"),
        "ipam": {},
    }
    site["networks"]["lan"] = {
        "type": "raw",
        "config": config,
        "annotations": {"example.org/note": canary("annotation")},
    }
    site["workloads"]["core"]["command"] = ["server", f"--password={canary('command')}"]
    site["workloads"]["core"]["livenessProbe"] = {"exec": ["curl", "-H", canary("probe")]}
    return site


def test_secrets_of_the_wrong_shape_never_appear(place):
    def misshapen(site):
        site["workloads"]["core"].update(
            command=f"curl -u admin:{CANARY} http://x", readinessProbe={"exec": f"check --pin {CANARY}"}
        )
        site["kubespray"]["variables"] = f"registry pass {CANARY}"

    def no_choice(site):
        site["kubespray"]["variables"] = {"kube_proxy_mode": CANARY, "kube_pods_subnet": CANARY}

    def no_version(site):
        site["kubespray"]["variables"] = {"kube_version": CANARY}

    before = place.file.read_text()
    for edit, mistakes in ((misshapen, 3), (no_choice, 2), (no_version, 1)):
        place.file.write_text(before)
        place.edit(edit)
        status, text, said = place.review("--format", "json")
        found = json.loads(text)
        assert status == 1, said
        assert len(found["errors"]) + len(found["findings"]) == mistakes, text
        assert CANARY not in text + said


PLANTED = f"{CANARY}-configured-x7Qz"


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A site that was applied with secrets wherever one can stand."""
    return applied(tmp_path_factory.mktemp("planted") / "place", planted("old"), vault_token=PLANTED)


@pytest.mark.parametrize(("form", "failing"), [("markdown", False), ("json", True)])
def test_secrets_never_appear(old, tmp_path, form, failing):
    place = old.copy(tmp_path / "place")
    place.write(planted("new"))
    place.edit(node_added)
    if failing:
        place.edit(lambda site: site["kubespray"].update(version="v2.29.1"))
        place.secret("multus-site:kubesprayVariables.kube_proxy_mode", f"{CANARY}-mode-x7Qz", "--path")
    key = next(line for line in PRIVATE_KEY.splitlines() if len(line) > 40)
    status, text, said = place.review("--format", form)
    assert status == (1 if failing else 0), text + said
    assert "node4" in text
    assert not re.findall(rf"{CANARY}[-\w]*", text + said)
    assert key not in text + said
    if not failing:
        assert "registry" in text  # which changed is told, not to what
